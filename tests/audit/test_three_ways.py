"""One result by three ways in: two bundles loaded, a service read twice, and `diff` of the two bundles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_core.model import file
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.events import parse_events
from oneroster_sample.provider import Provider

from tests.audit.nights import load
from tests.support.tap import settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.audit.conftest import Desk

EVENTS = ["2:calendar:00002", "2:transfer:00001:1", "2:half:00003"]
MADE = District(seed=5, schools=3, students_per_school=20, events=parse_events(EVENTS))
COUNTS = ("before", "added", "removed", "changed", "now")


def counts(files: list[dict[str, Any]]) -> dict[str, list[int]]:
    """The numbers of the files that have rows in bundles, too; one way names files without rows, the other does not."""
    known = {row["file"]: [row[name] for name in COUNTS] for row in files}
    return {name: numbers for name, numbers in known.items() if any(numbers) and "ssessment" not in name}


@pytest.mark.slow
def test_the_result_is_the_same_by_three_ways(desk: Desk, tmp_path: Path) -> None:
    """Bundles through tap and target, the same nights over REST, and the bundles compared directly."""
    desk.policy("warehouse: warehouse.duckdb\nmax_age_hours: 1000000\nsmall: 5\n")
    bundles = [tmp_path / "1.zip", tmp_path / "2.zip"]
    for day, bundle in enumerate(bundles, 1):
        write_bundle(MADE.changed(day), bundle, truth=tmp_path / "truth.json")
        load({"mode": "csv", "csv_path": str(bundle)}, desk.house.path)
        desk("run")
    by_csv = desk.report()

    assert desk("diff", *map(str, bundles), "--json") == 0
    directly = json.loads(desk.out)

    for path in desk.folder.glob("*.duckdb*"):
        path.unlink()
    with Provider(MADE.changed(1)) as provider:
        for day in (1, 2):
            provider.use(MADE.changed(day))
            load(settings(provider), desk.house.path)
            desk("run")
    by_rest = desk.report()

    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))["files"]
    found = counts(by_csv["files"])
    assert counts(directly["files"]) == found
    over_rest = counts(by_rest["files"])
    assert over_rest.keys() == found.keys()
    for name, numbers in over_rest.items():
        if file(name).derived:  # over REST their ids are made of their content, so a change is one row gone and one new
            assert (numbers[0], numbers[4]) == (found[name][0], found[name][4]), name
        else:
            assert numbers == found[name], name
    for name in ("enrollments", "classes", "users", "orgs", "courses", "results"):
        assert found[name] == [truth[name][what] for what in COUNTS], name
    assert by_csv["held_schools"] == by_rest["held_schools"]
    assert [school["id"] for school in by_csv["held_schools"]] == ["00002", "00003"]
