"""Helpers of the tests: a tap run in process, and what it wrote."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from click import ClickException

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass
class Run:
    """The messages of one run, and how it ended."""

    messages: list[dict[str, Any]]
    error: str | None = None
    records: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Type and stream of each message, runs of the same kind once."""
        kinds = [(m["type"], m.get("stream", "")) for m in self.messages]
        return [kind for before, kind in zip([None, *kinds], kinds, strict=False) if kind != before]

    @property
    def state(self) -> dict[str, Any]:
        """The last state written."""
        states = [m["value"] for m in self.messages if m["type"] == "STATE"]
        return states[-1] if states else {}

    @property
    def receipts(self) -> dict[str, dict[str, Any]]:
        """The last receipt of each collection."""
        return {r["collection"]: r for r in self.records["syncReceipts"]}

    def of(self, kind: str) -> list[str]:
        """Streams of the messages of one type, in order."""
        return [m["stream"] for m in self.messages if m["type"] == kind]


def parse(lines: Iterable[str], error: str | None = None) -> Run:
    """Messages out of lines."""
    run = Run([json.loads(line) for line in lines], error)
    for message in run.messages:
        if message["type"] == "RECORD":
            run.records[message["stream"]].append(message["record"])
    return run


def run_tap(config: dict[str, Any], *, state: Any = None, catalog: Any = None) -> Run:
    """Run the tap in this process; a run that ends badly has its one line in `error`."""
    from tap_oneroster import TapOneRoster

    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    error = None
    with redirect_stdout(output):
        try:
            TapOneRoster(config=dict(config), state=state, catalog=catalog).sync_all()
        except ClickException as problem:
            error = problem.message
    output.flush()
    return parse(output.buffer.getvalue().decode().split("\n")[:-1], error)
