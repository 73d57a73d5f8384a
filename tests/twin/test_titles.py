"""Titles that hold a teacher's name, wherever the district is read from; and what is kept in memory to know them."""

from __future__ import annotations

import io
import json

import pytest
from oneroster_sample.provider import Knobs, Provider
from tap_oneroster._core.twin.titles import NameTitles
from target_oneroster.warehouse.target import TargetOneRosterDuckDB

from tests.singer import run_tap
from tests.support.twin import by_csv, rest_settings, rewritten, twin_run, write

ELEMENTS = {"classes": "'*'", "courses": "'*'"}
NAME = "Zqxjova"


@pytest.fixture(scope="module")
def named(bundle, tmp_path_factory):
    """Bundles in which one teacher has a rare name, and one class is named after her."""
    folder = tmp_path_factory.mktemp("named")

    def change(name, row):
        if name == "users" and row["sourcedId"] == teacher:
            row["familyName"] = NAME
        if name == "classes" and row["sourcedId"] == first["class"]:
            row["title"] = f"Art with Ms. {NAME}"

    made, first = {}, {}
    for version in ("1.1", "1.2"):
        clear = run_tap(by_csv(bundle(version)))
        teacher = next(r["userSourcedId"] for r in clear.records["roles"] if r["role"] == "teacher")
        first["class"] = clear.records["classes"][0]["sourcedId"]
        made[version] = rewritten(folder / f"{version}.zip", bundle(version), change)
    return made


def warehouse(path, folder):
    """Settings of a warehouse with this bundle."""
    file = folder / "w.duckdb"
    target = TargetOneRosterDuckDB(config={"filepath": str(file), "history": True})
    lines = b"".join(json.dumps(message).encode() + b"\n" for message in run_tap(by_csv(path)).messages)
    target.listen(io.BytesIO(lines))  # type: ignore[arg-type]
    return {"mode": "warehouse", "warehouse_path": str(file)}


@pytest.mark.parametrize("place", ["1.1", "1.2", "warehouse"])
def test_a_title_with_a_teacher_s_name_is_replaced(place, named, tmp_path):
    """The others are as they were."""
    config = warehouse(named["1.2"], tmp_path) if place == "warehouse" else by_csv(named[place])
    run = twin_run(config, write(tmp_path, ELEMENTS))
    assert run.error is None
    titles = [record["title"] for record in run.records["classes"]]
    assert len(titles) > 20
    assert NAME not in json.dumps(run.messages)
    clear = [record["title"] for record in run_tap(by_csv(named["1.2"])).records["classes"]]
    assert len(set(clear) - set(titles)) == 1


@pytest.mark.parametrize("place", ["1.1", "1.2", "1.1 REST", "1.2 REST"])
def test_the_names_of_users_are_not_collected(place, named, district, tmp_path, monkeypatch):
    """Where all roles come first nobody waits; of a service at most a page of users does."""
    waiting = []
    take = NameTitles.take_users

    def watched(self, rows):
        take(self, rows)
        waiting.append(len(self._waiting))

    monkeypatch.setattr(NameTitles, "take_users", watched)
    policy = write(tmp_path, ELEMENTS)
    if place.endswith("REST"):
        with Provider(district, version=place[:3], knobs=Knobs(page_cap=20)) as provider:
            assert twin_run(rest_settings(provider), policy).error is None
    else:
        assert twin_run(by_csv(named[place]), policy).error is None
    assert waiting
    assert max(waiting) <= (20 if place.endswith("REST") else 0)
