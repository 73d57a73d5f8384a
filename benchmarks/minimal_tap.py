"""The baseline: the simplest tap, based on the SDK and `csv.DictReader`."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream, Tap
from singer_sdk import typing as th

if TYPE_CHECKING:
    from collections.abc import Iterator


class CsvStream(Stream):
    """One file, all columns as text, the SDK's defaults for everything else."""

    def __init__(self, tap: Tap, path: Path) -> None:
        self._path = path
        with path.open(encoding="utf-8", newline="") as text:
            header = next(csv.reader(text))
        schema = th.PropertiesList(*(th.Property(name, th.StringType) for name in header)).to_dict()
        super().__init__(tap, schema=schema, name=path.stem)
        self.primary_keys = ["sourcedId"]

    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        """Yield rows from `csv.DictReader`."""
        with self._path.open(encoding="utf-8", newline="") as text:
            yield from csv.DictReader(text)


class MinimalTap(Tap):
    """Reads the CSV files of a folder, one at a time."""

    name = "tap-minimal"
    config_jsonschema = th.PropertiesList(th.Property("path", th.StringType, required=True)).to_dict()

    def discover_streams(self) -> list[Stream]:
        """Return one stream for each file."""
        paths = sorted(Path(self.config["path"]).glob("*.csv"))
        return [CsvStream(self, path) for path in paths if path.stem != "manifest"]


if __name__ == "__main__":
    MinimalTap.cli()
