"""Airbyte messages as plain objects, and the translation of Singer lines into Airbyte lines."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import msgspec

_RECORD = b',"record":'
_STREAM = b'{"type":"RECORD","stream":'
_VERSION = b',"version":'


def now() -> int:
    """Return the current time in milliseconds since the epoch, as the protocol requires."""
    return time.time_ns() // 1_000_000


def record(stream: str, data: dict[str, Any], emitted_at: int) -> dict[str, Any]:
    """Return the message for a record from a stream map or a selection."""
    return {"type": "RECORD", "record": {"stream": stream, "data": data, "emitted_at": emitted_at}}


def state(stream: str, bookmark: dict[str, Any], records: int) -> dict[str, Any]:
    """Return the state of a stream, with the number of records that this run wrote before it."""
    its = {"stream_descriptor": {"name": stream}, "stream_state": bookmark}
    return {"type": "STATE", "state": {"type": "STREAM", "stream": its, "sourceStats": {"recordCount": records}}}


def status(stream: str, word: str) -> dict[str, Any]:
    """Return the status of a stream: STARTED, RUNNING, COMPLETE or INCOMPLETE."""
    return _trace("STREAM_STATUS", stream_status={"stream_descriptor": {"name": stream}, "status": word})


def error(message: str, kind: str, stream: str | None = None, trace: str | None = None) -> dict[str, Any]:
    """Return an error message of one line; `kind` is the protocol's failure type, which says if a retry may help."""
    what = {"message": message, "failure_type": kind}
    if trace:
        what["stack_trace"] = trace
    its = {} if stream is None else {"stream_descriptor": {"name": stream}}
    return _trace("ERROR", error=what | its)


def log(level: str, message: str) -> dict[str, Any]:
    """Return a log message."""
    return {"type": "LOG", "log": {"level": level, "message": message}}


def _trace(kind: str, **content: Any) -> dict[str, Any]:
    return {"type": "TRACE", "trace": {"type": kind, "emitted_at": now(), **content}}


class Block(NamedTuple):
    """RECORD lines of one stream."""

    stream: str
    records: int
    lines: bytes


def translate(lines: bytes | bytearray, emitted_at: int) -> Block:
    """Return Airbyte lines for Singer lines of one stream, version and time, as `record_lines` makes them.

    The text around a record is the same in every line, so one pass replaces it and no record is decoded. This is safe
    because JSON contains no line breaks.
    """
    head = lines[: lines.index(_RECORD) + len(_RECORD)]
    tail = lines[lines.rindex(_VERSION) :]
    stream = msgspec.json.decode(head[len(_STREAM) : -len(_RECORD)], type=str)
    before = b'{"type":"RECORD","record":{"stream":%b,"data":' % msgspec.json.encode(stream)
    after = b',"emitted_at":%d}}\n' % emitted_at
    old, new = bytes(tail + head), after + before
    records = lines[len(head) : -len(tail)]
    between = records.count(b"\n")
    found = records.replace(old, new)
    if len(found) != len(records) + between * (len(new) - len(old)):
        raise ValueError(f"{stream}: the lines of a block are not alike")
    return Block(stream, between + 1, b"".join((before, found, after)))
