"""What the staged rows of both targets have in common."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from ..errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path


class Staging:
    """The rows of a run that have arrived so far, in files of one folder."""

    def __init__(self, folder: Path, *, secrets: bool = False, zone: tzinfo = UTC) -> None:
        self.folder = folder
        self.zone = zone
        """Zone of times without a zone."""
        self.nested: set[str] = set()
        """Files whose rows were nested in their parents' records: a parent brings all its rows."""
        self._secrets = secrets
        self._numbers = 0
        self._streams: dict[str, str] = {}

    def claim(self, place: str, stream: str) -> None:
        """Assign a file or table to a stream; the rows of two streams in one could not be distinguished later."""
        owner = self._streams.setdefault(place, stream)
        if owner != stream:
            raise Misconfigured(
                f"Streams {owner} and {stream} both go to {place}. Leave one out, or bring them together before."
            )

    def take_numbers(self, rows: int) -> int:
        """Reserve `rows` numbers of a sequence over all rows of the run, and return the first."""
        first = self._numbers
        self._numbers += rows
        return first
