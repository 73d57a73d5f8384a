"""A table keeper as small as the protocol: rows by key, and a version that, once active, drops all others."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class Warehouse:
    """What a loader that knows ACTIVATE_VERSION would hold after some runs."""

    def __init__(self) -> None:
        self._keys: dict[str, list[str]] = {}
        self._rows: dict[str, dict[tuple[Any, ...], tuple[int | None, dict[str, Any]]]] = defaultdict(dict)
        self.state: Any = None
        """The last state that arrived."""

    def load(self, lines: Iterable[str]) -> None:
        """Take in what a run wrote; a last line that was cut off is dropped, as loaders drop it."""
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            match message["type"]:
                case "SCHEMA":
                    self._keys[message["stream"]] = message["key_properties"]
                case "RECORD":
                    record = message["record"]
                    key = tuple(record[name] for name in self._keys[message["stream"]])
                    self._rows[message["stream"]][key] = (message.get("version"), record)
                case "ACTIVATE_VERSION":
                    rows = self._rows[message["stream"]]
                    self._rows[message["stream"]] = {k: v for k, v in rows.items() if v[0] == message["version"]}
                case "STATE":
                    self.state = message["value"]

    def ids(self, stream: str, **having: Any) -> set[str]:
        """Ids of the rows of a table, all or those with these values."""
        rows = (record for _, record in self._rows[stream].values())
        return {r["sourcedId"] for r in rows if all(r[name] == value for name, value in having.items())}

    def rows(self, stream: str) -> int:
        """Number of rows of a table."""
        return len(self._rows[stream])
