"""Record classes made from the model, and the line codec that the tap and the targets share.

A line is a Singer RECORD message. Records are `msgspec.Struct` objects whose fields are in *line order*: first the
columns of the CSV form (the *content*), then fields that a source may set or add (status, dateLastModified, passwords,
fields that only REST has, metadata). So the content is a prefix of the encoded record, and its digest needs no second
encoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from typing import Any

import msgspec
from xxhash import xxh3_64_intdigest

from .model._types import Field, File, Kind
from .model.schema import TENANT


class UserId(msgspec.Struct, frozen=True, gc=False):
    """An identifier of a user in another system (`userIds`)."""

    type: str | None = None
    identifier: str | None = None


class ScaleValue(msgspec.Struct, frozen=True, gc=False):
    """One step of a score scale: the value that is written (LHS) for a score (RHS)."""

    itemValueLHS: str | None = None
    itemValueRHS: str | None = None


class Objective(msgspec.Struct, frozen=True):
    """Learning objectives of one source (REST 1.2, assessmentLineItems)."""

    source: str | None = None
    learningObjectiveIds: list[str] | None = None


class ObjectiveResult(msgspec.Struct, frozen=True):
    """Result for one learning objective (REST 1.2, assessmentResults)."""

    learningObjectiveId: str | None = None
    score: float | None = None
    textScore: str | None = None


class ObjectiveScores(msgspec.Struct, frozen=True):
    """Results for the learning objectives of one source (REST 1.2, assessmentResults)."""

    source: str | None = None
    learningObjectiveResults: list[ObjectiveResult] | None = None


TYPES: dict[Kind, Any] = {
    Kind.TRUE_FALSE: bool | None,
    Kind.INTEGER: int | None,
    Kind.NUMBER: float | None,
    Kind.REFS: list[str] | None,
    Kind.STRINGS: list[str] | None,
    Kind.WORDS: list[str] | None,
    Kind.USER_IDS: list[UserId] | None,
    Kind.SCALE_VALUES: list[ScaleValue] | None,
    Kind.OBJECTIVES: list[Objective] | None,
    Kind.OBJECTIVE_SCORES: list[ObjectiveScores] | None,
    Kind.OBJECT: dict[str, Any] | None,
}
"""Types of the values of each kind; others are texts."""

_STAMPS = ("status", "dateLastModified", "metadata")
# No value can contain this text, because JSON escapes the quotes inside a string.
_END_OF_CONTENT = b',"status":'
_METADATA = b',"metadata":'


def _is_content(field: Field) -> bool:
    # A column that REST cannot carry would make the digests of the two bindings differ.
    return field.csv and not field.secret and field.name not in _STAMPS and bool(field.rest_names)


@cache
def line_order(file: File, *, secrets: bool = False) -> tuple[Field, ...]:
    """Return the fields of a stream in the order of its lines: first the content, then stamps and extras."""
    content = [f for f in file.fields if _is_content(f)]
    stamps = [f for f in file.fields if f.blank_in_bulk]
    extras = [f for f in file.fields if not _is_content(f) and not f.blank_in_bulk and (secrets or not f.secret)]
    return (*content, *stamps, *extras)


@cache
def record_class(
    file: File, *, tenant: bool = False, secrets: bool = False, strict: bool = False
) -> type[msgspec.Struct]:
    """Return the class of a stream's records, with all fields optional and in line order (`tenant` before them).

    `strict` classes reject unknown properties, so that a reader can count them.
    """
    fields: list[tuple[str, Any, Any]] = [
        (field.name, TYPES.get(field.kind, str | None), None) for field in line_order(file, secrets=secrets)
    ]
    if tenant:
        fields.insert(0, (TENANT, str | None, None))
    return msgspec.defstruct(file.name, fields, module=__name__, gc=False, forbid_unknown_fields=strict)


_encoder = msgspec.json.Encoder()
encode_value = _encoder.encode
"""Return the JSON of one value, as a line contains it."""


def encode_values(values: Sequence[Any]) -> list[str]:
    """Return the JSON of each value, as `encode_value` makes it."""
    return _encoder.encode_lines(values).decode().split("\n")[:-1]  # JSON writes a line break as \\n


class EncodedRows:
    """Encoded records: the content of each, and the rest, which is either shared by all records or given for each.

    The content is a record's JSON in line order up to its status: the columns of the CSV form without status,
    dateLastModified, passwords and metadata. In most bulk files all records share one `rest`; if they do not, pass
    either `rests` or `lines`.
    """

    def __init__(
        self, content: list[bytes], rest: bytes = b"", *, rests: Sequence[bytes] = (), lines: bytes | None = None
    ) -> None:
        self.content = content
        self.rest = rest
        self.rests = rests
        self._lines = lines

    def part(self, start: int, stop: int) -> EncodedRows:
        """Return the records from `start` to `stop`, if they were not given as lines."""
        return EncodedRows(self.content[start:stop], self.rest, rests=self.rests[start:stop])

    @cached_property
    def lines(self) -> bytes:
        """Return the records as lines of JSON."""
        return self.between(b"", b"\n") if self._lines is None else self._lines

    def between(self, head: bytes, tail: bytes) -> bytes:
        """Return the records as bytes, with `head` before and `tail` after each."""
        if self.rest:
            return b"".join((head, (self.rest + tail + head).join(self.content), self.rest, tail))
        if self.rests:
            parts = [tail + head] * (3 * len(self.content))
            parts[::3] = self.content
            parts[1::3] = self.rests
            parts[-1] = tail
            return head + b"".join(parts)
        # A record contains no line break: JSON writes it as \\n.
        return b"".join((head, self.lines[:-1].replace(b"\n", tail + head), tail))


def encode_rows(records: Sequence[msgspec.Struct]) -> EncodedRows:
    """Encode records of one stream; their class must not have a tenant."""
    lines = _encoder.encode_lines(records)
    start, end = lines.index(_END_OF_CONTENT), lines.index(b"\n") + 1
    rest = lines[start:end]
    content = lines.split(rest)
    if len(content) == len(records) + 1:
        content.pop()
        return EncodedRows(content, rest[:-1], lines=lines)
    # Usually only metadata differ. Split at the text before them; each piece but the first then begins with the
    # metadata of one record and continues with the content of the next.
    stamps, before, _ = rest.partition(_METADATA)
    pieces = lines.split(stamps + before)
    if before and len(pieces) == len(records) + 1:
        content = [pieces[0], *(piece[piece.index(b"\n") + 1 :] for piece in pieces[1:-1])]
        return EncodedRows(content, lines=lines)
    return EncodedRows([row[: row.index(_END_OF_CONTENT)] for row in lines.split(b"\n")[:-1]], lines=lines)


def record_lines(rows: EncodedRows, stream: str, version: int, time_extracted: str, tenant: str | None = None) -> bytes:
    """Return the Singer RECORD lines of encoded records; at least one record is required.

    `time_extracted` is ISO 8601 in UTC. `tenant` is inserted before the first property of each record.
    """
    head = b'{"type":"RECORD","stream":%b,"record":' % _encoder.encode(stream)
    tail = b',"version":%d,"time_extracted":%b}\n' % (version, _encoder.encode(time_extracted))
    if tenant is not None:
        first = b'{"%b":%b,' % (TENANT.encode(), _encoder.encode(tenant))
        rows = EncodedRows([], lines=first + rows.lines[1:].replace(b"\n{", b"\n" + first))
    return rows.between(head, tail)


def content_digest(contents: Iterable[bytes]) -> int:
    """Return the sum of xxh3-64 over the contents of encoded records; callers keep it modulo 2^64.

    The sum does not depend on the order of the records or on the binding.
    """
    return sum(map(xxh3_64_intdigest, contents))
