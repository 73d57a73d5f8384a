"""The baseline: the simplest target, based on the SDK's `RecordSink` with its validation, and `csv.DictWriter`."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from singer_sdk import Target
from singer_sdk import typing as th
from singer_sdk.sinks import RecordSink


class CsvSink(RecordSink):
    """One file for each stream, with rows in the order of arrival."""

    def setup(self) -> None:
        """Open the file and write its header."""
        folder = Path(self.config["output_path"])
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / f"{self.stream_name}.csv").open("w", encoding="utf-8", newline="")
        self._writer = csv.DictWriter(self._file, list(self.schema["properties"]), extrasaction="ignore")
        self._writer.writeheader()

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Write one row."""
        self._writer.writerow(record)

    def clean_up(self) -> None:
        """Close the file."""
        self._file.close()
        super().clean_up()


class MinimalTarget(Target):
    """Writes CSV files, nothing else."""

    name = "target-minimal"
    config_jsonschema = th.PropertiesList(th.Property("output_path", th.StringType, required=True)).to_dict()
    default_sink_class = CsvSink


if __name__ == "__main__":
    MinimalTarget.cli()
