"""A whole sample district through tap and target: what goes in comes out."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.singer import run_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Place


def rows_of(files: dict[str, bytes]) -> dict[str, list[tuple[tuple[str, str], ...]]]:
    """Rows by file as named cells, sorted: order of rows, of metadata columns and of a user's orgs has no meaning."""
    return {
        name: sorted(
            tuple(sorted((k, ",".join(sorted(v.split(","))) if k == "orgSourcedIds" else v) for k, v in row.items()))
            for row in csv.DictReader(io.StringIO(data.decode(), newline=""))
        )
        for name, data in files.items()
        if name not in {"manifest.csv", "demographics.csv"}  # demographics are not selected by default
    }


def files_in(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def carry(source: Path, place: Place, version: str) -> dict[str, bytes]:
    """One bundle through tap and target."""
    run = run_tap({"mode": "csv", "csv_path": str(source), "settle_seconds": 0, "include_passwords": True})
    assert run.error is None
    place.run(
        run.messages,
        oneroster_version=version,
        metadata="keep",
        include_passwords=True,
        require_receipts=True,
        accept_shrink=True,
    )
    return place.files()


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_district_survives(bundle: Callable[[str], Path], place: Place, version: str) -> None:
    """Every row and every cell, in both versions, with nothing to complain about."""
    files = carry(bundle(version), place, version)
    assert rows_of(files) == rows_of(files_in(bundle(version)))
    assert place.findings() == set()


def test_1_1_to_1_2_and_back(bundle: Callable[[str], Path], place: Place) -> None:
    """What 1.1 can say is unchanged after a detour through 1.2."""
    carry(bundle("1.1"), place, "1.2")
    detour = place.output.rename(place.output.with_name("detour"))
    files = carry(detour, place, "1.1")
    assert rows_of(files) == rows_of(files_in(bundle("1.1")))
