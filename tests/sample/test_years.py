"""A second school year: a share of the schools rolled over, and the truth says which."""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_sample import __main__ as cli
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.events import parse_events
from oneroster_sample.subjects import GRADES

from .nights import Tables, check, parts, read_bundle, two_nights

if TYPE_CHECKING:
    from pathlib import Path

Years = tuple[Tables, Tables, dict[str, Any]]
SIZE: dict[str, Any] = {"schools": 8, "students_per_school": 21, "seed": 5}


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Years:
    """A bundle of the first year, one of the second in which three of four schools rolled over, and its truth."""
    folder = tmp_path_factory.mktemp("years")
    write_bundle(District(**SIZE), folder / "first.zip")
    assert not (folder / "truth.json").exists()
    write_bundle(District(**SIZE, years=2, rolled=0.75), folder / "second.zip")
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return read_bundle(folder / "first.zip"), read_bundle(folder / "second.zip"), truth["rollover"]


def year_of(tables: Tables, session: str) -> str:
    """The school year of a session."""
    row = tables["academicSessions"][session]
    return row["sourcedId"] if row["type"] == "schoolYear" else year_of(tables, row["parentSourcedId"])


def test_both_years_have_their_sessions(years: Years) -> None:
    """Sessions of the first year stay as they are; the second begins after its end, and its terms join up."""
    first, second, truth = years
    assert first["academicSessions"].items() <= second["academicSessions"].items()
    new = [row for its, row in second["academicSessions"].items() if its not in first["academicSessions"]]
    assert len(new) == len(first["academicSessions"]) - 1
    assert {year_of(second, row["sourcedId"]) for row in new} == {truth["year"]}
    assert {row["schoolYear"] for row in new} == {"2028"}
    begin = second["academicSessions"][truth["year"]]["startDate"]
    assert second["academicSessions"][truth["last_year"]]["endDate"] < begin
    terms = sorted((row["startDate"], row["endDate"]) for row in new if row["type"] == "term")
    assert all(one[1] == other[0] for one, other in itertools.pairwise(terms))


def test_classes_of_schools_that_rolled_over_are_in_the_new_year(years: Years) -> None:
    """Those of the others are the same to the cell, with their enrollments of students."""
    first, second, truth = years
    assert (len(truth["rolled"]), len(truth["kept"])) == (6, 2)
    found = Counter(
        (row["schoolSourcedId"], year_of(second, term))
        for row in second["classes"].values()
        for term in parts(row["termSourcedIds"])[:1]
    )
    assert found == {(school, told["year"]): told["classes"] for school, told in truth["schools"].items()}
    for name in ("classes", "enrollments"):
        own = [
            {its: row for its, row in tables[name].items() if row["schoolSourcedId"] in truth["kept"]}
            for tables in (first, second)
        ]
        if name == "enrollments":  # transfers between a school that rolled over and one that did not are not there
            own = [{its: row for its, row in rows.items() if "@" not in its} for rows in own]
            own = [{its: row | {"beginDate": ""} for its, row in rows.items()} for rows in own]
            own = [{its: row for its, row in rows.items() if row["role"] == "student"} for rows in own]
        assert own[0] == own[1]
        assert not {its for its, row in second[name].items() if row["schoolSourcedId"] in truth["rolled"]} & set(
            first[name]
        )


def test_pupils_rise_enter_and_leave(years: Years) -> None:
    """Promoted ones rise by one grade; who left early was not in the highest grade of the school."""
    first, second, truth = years

    def pupils(tables: Tables) -> dict[str, dict[str, int]]:
        found: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for its, row in tables["users"].items():
            if row["grades"]:
                found[row["primaryOrgSourcedId"]][its] = GRADES.index(row["grades"])
        return found

    old, new = pupils(first), pupils(second)
    for school, told in truth["schools"].items():
        stayed = set(old[school]) & set(new[school])
        steps = Counter(new[school][its] - old[school][its] for its in stayed)
        if not told["rolled"]:
            assert steps == {0: told["same_grade"]}
            assert set(old[school]) == set(new[school])
            continue
        gone = {its: grade for its, grade in old[school].items() if its not in new[school]}
        highest = max(old[school].values())
        assert steps == {1: told["promoted"]}
        assert len(set(new[school]) - set(old[school])) == told["entered"]
        assert sorted(its for its, grade in gone.items() if grade < highest) == told["left_early"]
        assert sum(grade == highest for grade in gone.values()) == told["graduated"]
    names = ("givenName", "familyName", "username", "userMasterIdentifier")
    for its in set(first["users"]) & set(second["users"]):
        assert [first["users"][its][name] for name in names] == [second["users"][its][name] for name in names]


def test_events_of_the_second_year_are_told(tmp_path: Path) -> None:
    """Nights with events count from day 0 of the second year."""
    events = parse_events(["1:calendar:00001", "2:people:00002", "2:transfer:00003:3", "2:half:00004"])
    made = District(schools=5, students_per_school=14, years=2, rolled=0.6, events=events).changed(2)
    old, new, truth = two_nights(made, tmp_path, "1.2", since=1)
    check(old, new, truth)
    assert truth["rollover"]["rolled"]


def test_the_command_makes_a_second_year(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--year 2` and `--year 2028` are the same; a year or a share that makes no sense is one clear line."""
    size = ["--schools", "2", "--students-per-school", "5", "--only", "academicSessions,classes"]
    for year in ("2", "2028"):
        path = tmp_path / year / "bundle.zip"
        assert cli.main(["bundle", *size, "--year", year, "--rolled", "0.5", str(path)]) == 0
    made = [(tmp_path / year / name).read_bytes() for name in ("bundle.zip", "truth.json") for year in ("2", "2028")]
    assert made[0] == made[1]
    assert made[2] == made[3]
    for wrong in (["--year", "0"], ["--year", "2", "--rolled", "95"]):
        capsys.readouterr()
        assert cli.main(["bundle", *size, *wrong, str(tmp_path / "x.zip")]) == 1
        assert "1 to 5 school years, and the share of schools that rolled over is 0 to 1\n" in capsys.readouterr().err
