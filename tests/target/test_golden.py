"""Whole bundles to the byte, for both versions and all modes: a change of one byte is a change someone approves.

`./run test tests/target/test_golden.py --snapshot-update` writes them anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .conftest import Place, files_of
from .mini import Rows, lines, row, rows

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

MODES: dict[str, dict[str, Any]] = {
    "bulk": {"file_mode": "bulk"},
    "delta": {"file_mode": "delta"},
    "mixed": {"file_mode": "bulk", "file_modes": {"users": "delta", "enrollments": "delta", "results": "delta"}},
}


def eventful(version: str) -> Rows:
    """A district with something deleted, something left out, and cells that need quotes."""
    district = rows(version)
    del district["courseResources"]
    row(district, "orgs", "s1")["metadata"] = {"b": 'x "y", z', "a.c": "1"}
    row(district, "courses", "c1")["title"] = 'Art, "modern"\r\nand old'
    row(district, "classes", "k1")["metadata"] = {"size": 12}
    district["enrollments"].append(
        row(district, "enrollments", "e1")
        | {"sourcedId": "e3", "status": "tobedeleted", "dateLastModified": "2026-02-03T04:05:06.789Z"}
    )
    return district


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_bundle_to_the_byte(place: Place, snapshot: SnapshotAssertion, version: str, mode: str) -> None:
    """The same files in a folder and in a zip; lines are shown without their CRLF, anything else would be seen."""
    settings = {"oneroster_version": version, "metadata": "keep", "source_system_name": 'A "B", C'} | MODES[mode]
    place.run(lines(eventful(version)), **settings)
    assert place.findings() == set()
    files = place.files()
    assert {name: data.decode().split("\r\n") for name, data in sorted(files.items())} == snapshot
    archive = place.output.with_name("bundle.zip")
    place.run(lines(eventful(version)), **settings, output_path=str(archive))
    assert files_of(archive) == files
