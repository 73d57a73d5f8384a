"""Runs the target in process, and reads what it wrote."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from target_oneroster.bundle.target import TargetOneRosterCSV

from .mini import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def files_of(output: Path) -> dict[str, bytes]:
    """The files of a bundle, folder or zip, by name."""
    if output.is_dir():
        return {path.name: path.read_bytes() for path in output.iterdir()}
    if not output.exists():
        return {}
    with zipfile.ZipFile(output) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@dataclass
class Place:
    """Where a test's bundle goes, and how it gets there."""

    output: Path
    report: Path
    config: dict[str, Any] = field(default_factory=dict)

    def run(self, messages: Iterable[Any] | bytes, **config: Any) -> None:
        """Give the target these messages."""
        settings = {"output_path": str(self.output), "report_path": str(self.report)} | self.config | config
        data = messages if isinstance(messages, bytes) else encode(messages)
        target = TargetOneRosterCSV(config=settings)
        try:
            target.listen(io.BytesIO(data))  # type: ignore[arg-type]
        finally:
            target.close()

    def files(self) -> dict[str, bytes]:
        """What is there now."""
        return files_of(self.output)

    def rows(self, name: str) -> list[dict[str, str]]:
        """Rows of a written file."""
        return list(csv.DictReader(io.StringIO(self.files()[f"{name}.csv"].decode(), newline="")))

    def ids(self, name: str) -> list[str]:
        """Ids of a written file; none where it is absent."""
        return [row["sourcedId"] for row in self.rows(name)] if f"{name}.csv" in self.files() else []

    def findings(self) -> set[tuple[str, str, str]]:
        """What the report has found: severity, column, rule."""
        report = json.loads(self.report.read_text())
        return {(f["severity"], f"{f['file']}.{f['field']}", f["rule"]) for f in report["findings"]}

    def strays(self) -> list[str]:
        """Files beside the bundle that should not be there."""
        return [path.name for path in self.output.parent.iterdir() if path.name.startswith(".")]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "out").mkdir()
    return Place(tmp_path / "out" / "bundle", tmp_path / "report.json")


@pytest.fixture(params=["folder", "zip"])
def any_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    (tmp_path / "out").mkdir()
    name = "bundle.zip" if request.param == "zip" else "bundle"
    return Place(tmp_path / "out" / name, tmp_path / "report.json")


@pytest.fixture
def published(place: Place) -> Callable[..., Place]:
    """A place where a bundle lies already."""

    def make(messages: Iterable[Any], **config: Any) -> Place:
        place.run(messages, **config)
        return place

    return make
