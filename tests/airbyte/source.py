"""`source-oneroster` run as Airbyte runs it, every line it writes held against Airbyte's own model of the protocol."""

from __future__ import annotations

import io
import json
import logging
import sys
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from airbyte_protocol_dataclasses.models import AirbyteMessage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SOURCE = Path(sys.executable).with_name("source-oneroster")
_decode = msgspec.json.Decoder(AirbyteMessage).decode


@dataclass
class Outcome:
    """What one command wrote, and how it ended."""

    messages: list[dict[str, Any]]
    code: int = 0
    text: str = field(default="", repr=False)

    def of(self, kind: str) -> list[Any]:
        """Contents of the messages of one type."""
        name = {"SPEC": "spec", "CONNECTION_STATUS": "connectionStatus", "CATALOG": "catalog"}.get(kind, kind.lower())
        return [message[name] for message in self.messages if message["type"] == kind]

    @property
    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Records by stream."""
        found: dict[str, list[dict[str, Any]]] = {}
        for record in self.of("RECORD"):
            found.setdefault(record["stream"], []).append(record["data"])
        return found

    @property
    def statuses(self) -> dict[str, list[str]]:
        """What was said of each stream, in order."""
        found: dict[str, list[str]] = {}
        for trace in self.of("TRACE"):
            if its := trace.get("stream_status"):
                found.setdefault(its["stream_descriptor"]["name"], []).append(its["status"])
        return found

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Contents of TRACE ERROR."""
        return [trace["error"] for trace in self.of("TRACE") if trace["type"] == "ERROR"]

    @property
    def states(self) -> list[dict[str, Any]]:
        """What Airbyte hands back next time: the last state of each stream."""
        return list({state["stream"]["stream_descriptor"]["name"]: state for state in self.of("STATE")}.values())

    @property
    def counts(self) -> dict[str, int]:
        """How many records the states say there were."""
        return {s["stream"]["stream_descriptor"]["name"]: s["sourceStats"]["recordCount"] for s in self.states}

    def story(self, stream: str) -> list[str]:
        """What was written of one stream, runs of the same once."""
        found = []
        for message in self.messages:
            content = message[message["type"].lower()] if message["type"] != "CATALOG" else {}
            its = content.get("stream_status") or content.get("error") or content.get("stream") or {}
            name = its if isinstance(its, str) else its.get("stream_descriptor", {}).get("name")
            if name == stream:
                found.append(its.get("status", message["type"]) if isinstance(its, dict) else message["type"])
        return [one for before, one in zip([None, *found], found, strict=False) if one != before]


def parse(text: str, code: int = 0) -> Outcome:
    """Messages out of lines, each of which must be one that Airbyte knows, with nothing in it that Airbyte does not."""
    outcome = Outcome([], code, text)
    for line in text.splitlines():
        message = json.loads(line)
        _compare(message, msgspec.to_builtins(_decode(line)))
        outcome.messages.append(message)
    return outcome


def _compare(written: Any, known: Any) -> None:
    if isinstance(written, dict):
        assert not written.keys() - known.keys(), written.keys() - known.keys()
        for key, value in written.items():
            if key != "stream_state":  # an object of any kind, for which the model has no fields
                _compare(value, known[key])
    elif isinstance(written, list):
        for one, other in zip(written, known, strict=True):
            _compare(one, other)
    else:
        assert written == known


class Source:
    """The source with some settings."""

    def __init__(self, folder: Path, config: Any) -> None:
        self.folder = folder
        self.config = config

    def __call__(self, command: str, **files: Any) -> Outcome:
        """One command, in this process; `files` are contents of what its options name."""
        from tap_oneroster.airbyte.command import main

        output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        code: Any = 0
        with redirect_stdout(output), _own_log():
            try:
                main(self.arguments(command, **files))
            except SystemExit as end:
                code = 1 if isinstance(end.code, str) else end.code  # a line for standard error
        output.flush()
        return parse(output.buffer.getvalue().decode(), code)

    def arguments(self, command: str, **files: Any) -> list[str]:
        """The command line, its files written."""
        arguments = [command]
        for option, content in ({} if command == "spec" else {"config": self.config} | files).items():
            if content is not None:
                path = self.folder / f"{option}.json"
                path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
                arguments += [f"--{option}", str(path)]
        return arguments

    def read(self, *streams: str, state: Any = None, **modes: str) -> Outcome:
        """Read some streams, or all: incrementally, if not said otherwise by name."""
        return self("read", catalog=configured(self.catalog, streams, modes), state=state)

    @property
    def catalog(self) -> dict[str, Any]:
        """What can be discovered."""
        (found,) = self("discover").of("CATALOG")
        return dict(found)


@contextmanager
def _own_log() -> Iterator[None]:
    """The command takes the log for itself; here others want it back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def configured(catalog: dict[str, Any], streams: Iterable[str] = (), modes: dict[str, str] | None = None) -> Any:
    """A configured catalog as Airbyte makes it of a discovered one."""
    names, modes = set(streams), modes or {}
    return {
        "streams": [
            {
                "stream": stream,
                "sync_mode": modes.get(stream["name"], "incremental"),
                "destination_sync_mode": "append",
                "cursor_field": stream.get("default_cursor_field", []),
                "primary_key": stream["source_defined_primary_key"],
            }
            for stream in catalog["streams"]
            if not names or stream["name"] in names
        ]
    }
