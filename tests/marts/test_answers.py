"""Questions in words, written down before the code; answers in numbers that tell no small one; and who asks about a person."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from oneroster_marts import project
from oneroster_marts.answers.ask import ABOUT_PERSONS, Unclear, understand
from oneroster_marts.answers.asked import Asked, CannotSay
from oneroster_marts.answers.cells import hidden_of, with_another
from oneroster_marts.answers.metrics import DIMENSIONS, metrics
from oneroster_marts.answers.query import Answers
from oneroster_marts.reader import open_reader
from oneroster_marts.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .warehouses import Desk

PHRASINGS = yaml.safe_load((Path(__file__).parent / "phrasings.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def answers(town: Desk) -> Iterator[Answers]:
    town("ask", "students")  # writes the settings
    settings = read_settings(town.folder / "marts.json", project.inputs(), {})
    with open_reader(settings) as reader:
        yield Answers(reader, settings.small_cell)


def test_there_are_sixty_phrasings_and_twenty_that_cannot_be_known() -> None:
    assert len(PHRASINGS["known"]) == 60
    assert len(PHRASINGS["unknown"]) == 20
    assert {its["metric"] for its in PHRASINGS["known"]} <= metrics().keys()


@pytest.mark.parametrize("its", PHRASINGS["known"], ids=lambda its: its["ask"])
def test_a_phrasing_is_understood(its: dict[str, Any], answers: Answers) -> None:
    asked = understand(its["ask"], answers)
    assert (asked.metric, list(asked.by), asked.since) == (its["metric"], its.get("by", []), its.get("since", ""))
    assert asked.where.keys() == its.get("where", {}).keys()
    for name, value in its.get("where", {}).items():
        names = [answers.name(name, key) for key in asked.where[name]]
        assert value in asked.where[name] or all(value in name.casefold() for name in names)
    assert asked.order == its.get("order", asked.order)
    answer = answers.query(asked)
    assert answer["sentence"].endswith(".")
    assert answer["definition"]
    assert answer["load"] == "2026-11-16"


@pytest.mark.parametrize("question", PHRASINGS["unknown"])
def test_what_the_marts_do_not_know_is_not_answered(question: str, town: Desk) -> None:
    assert town("ask", question) == 1
    assert town.out.count("\n") == 1
    assert not any(character.isdigit() for character in town.out), "no number is invented"


@pytest.mark.parametrize("its", PHRASINGS["unclear"], ids=lambda its: its["ask"])
def test_where_two_fit_it_asks_back(its: dict[str, Any], answers: Answers) -> None:
    with pytest.raises(Unclear, match="which is meant") as asked_back:
        understand(its["ask"], answers)
    assert set(asked_back.value.between) == set(its["between"])


@pytest.mark.parametrize("question", PHRASINGS["person"])
def test_a_question_about_a_person_gets_one_sentence(question: str, town: Desk) -> None:
    assert town("ask", question) == 1
    assert town.out == f"{ABOUT_PERSONS}\n"


def test_it_shows_what_it_understood(town: Desk) -> None:
    assert town("ask", "Which grade has most missing work at Saint Elie?") == 0
    first = town.out.splitlines()[0]
    assert first == 'understood: Missing work; by grade; school: Saint-Élie High School "3"; highest first'


def test_a_question_to_which_there_is_no_number_is_not_answered(town: Desk) -> None:
    """It is understood, no class of a homeroom is in the mart, and the exit code says that there is no answer."""
    assert town("ask", "class size by course in homeroom") == 1
    assert "There is no number for this." in town.out
    assert town.out.startswith("understood: ")
    assert town("ask", "--json", "class size by course in homeroom") == 1
    assert json.loads(town.out)["answered"] is False


@pytest.mark.parametrize("question", ["class size at Hogwarts", "students in grade 13", "students at school 00009"])
def test_a_school_or_a_grade_that_does_not_exist_is_one_sentence(question: str, town: Desk) -> None:
    assert town("ask", question) == 1
    assert town.out.count("\n") == 1
    assert re.match("I do not know what|There is no", town.out)


def test_as_json_it_says_what_it_understood_and_whether_it_answered(town: Desk) -> None:
    assert town("ask", "--json", "class size by grade") == 0
    answer = json.loads(town.out)
    assert answer["answered"] is True
    assert answer["understood"]["metric"] == "class_size"
    assert {"rows", "sentence", "n", "load", "definition", "hidden"} <= answer.keys()
    assert {"grade", "value", "n", "hidden"} == answer["rows"][0].keys()
    assert town("ask", "--json", "the budget") == 1
    assert json.loads(town.out)["answered"] is False


def test_answers_are_the_numbers_of_the_marts(answers: Answers, town: Desk) -> None:
    day = "day = date '2026-11-16' and class_type = 'all'"
    (row,) = town.rows("shared.enrollment_count", where=f"{day} and school_id = '00001' and grade = '07'")
    where: dict[str, tuple[str, ...]] = {"school": ("00001",), "grade": ("07",)}
    (size,) = answers.query(Asked("class_size", where=where))["rows"]
    assert size["value"] == pytest.approx(row["mean_class_size"], abs=0.05)
    (students,) = answers.query(Asked("students"))["rows"]
    rows = town.rows("shared.enrollment_count", where=f"{day} and grade = 'all'")
    assert students["value"] == sum(its["students"] for its in rows)
    (week,) = town.rows("shared.school_cockpit", where="school_id = '00002' and grade = 'all' and week = '2026-11-16'")
    (attendance,) = answers.query(Asked("attendance", where={"school": ("00002",)}))["rows"]
    assert attendance["value"] == pytest.approx(week["attendance_rate"], abs=0.05)
    course = "school_id = '00003' and course_id = 'Crs.MTH-10' and term_id = '2027-S1'"
    (passed,) = town.rows("shared.course_completion", where=course)
    where = {"school": ("00003",), "course": ("Crs.MTH-10",)}
    (rate,) = answers.query(Asked("pass_rate", where=where))["rows"]
    assert rate["value"] == pytest.approx(passed["pass_rate"], abs=0.05)
    (failed,) = answers.query(Asked("fail_rate", where=where))["rows"]
    assert failed["value"] == pytest.approx(100 - passed["pass_rate"], abs=0.05)
    (seats,) = answers.query(Asked("licence_seats"))["rows"]
    assert seats["value"] == sum(its["seats"] for its in town.rows("shared.licence_gap"))
    shares = [its["flagged_rate"] for its in town.rows("shared.worklist_equity", where="demographic = 'all'")]
    assert answers.query(Asked("flagged_rate"))["hidden"] >= shares.count(None) > 0


@pytest.mark.parametrize("name", metrics())
def test_each_metric_is_described_and_answers(name: str, answers: Answers) -> None:
    metric = metrics()[name]
    assert metric.definition.endswith(".")
    assert "{value}" in metric.sentence
    assert metric.dimensions.keys() <= set(DIMENSIONS)
    since = "2026-11-01" if metric.how == "change" else ""
    answer = answers.query(Asked(name, tuple(metric.dimensions)[:1], since=since))
    assert answer["rows"] or name.startswith(("transfers", "withdrawals"))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked("student"), "There is no metric student; the nearest is students."),
        (Asked("students", ("scool",)), "There is no dimension scool; the nearest is school."),
        (Asked("students", ("week",)), "Students enrolled is not known by week; it is by school, grade."),
        (Asked("students", where={"school": ("Nowhere",)}), "There is no school Nowhere"),
        (Asked("students", since="2026-10-05"), "Students enrolled is known for today only."),
        (Asked("students_change"), "Since when? Name a date such as 2026-10-05."),
        (Asked("attendance", since="October"), "since: must be a date such as 2026-10-05."),
        (Asked("course_percent", ("school", "grade", "course")), "Ask by two different dimensions at most."),
        (Asked("group_percent", ("sex", "race_ethnicity")), "Ask for one demographic at a time"),
    ],
    ids=map(str, range(9)),
)
def test_what_cannot_be_asked_is_one_sentence(asked: Asked, said: str, answers: Answers) -> None:
    with pytest.raises(CannotSay) as reason:
        answers.query(asked)
    assert str(reason.value).startswith(said)


def test_a_school_is_named_by_its_name_too(answers: Answers) -> None:
    assert (
        answers.query(Asked("students", where={"school": ('Saint-Élie High School "3"',)}))["rows"][0]["value"] == 338
    )


def test_two_values_are_compared(answers: Answers) -> None:
    found = answers.compare("mean_percent", "grade", "07", "08")
    assert found["sentence"].startswith("Mean percent: 07 ")
    assert found["difference"] == pytest.approx(found["rows"][0]["value"] - found["rows"][1]["value"], abs=0.05)


def test_a_small_grade_alone_hides_the_school_as_a_whole() -> None:
    cells = [
        ("a", "01", 30),
        ("a", "02", 6),
        ("b", "01", 6),
        ("b", "02", 5),
        ("b", "03", 20),
        ("c", "01", 2),
        ("c", "02", 3),
    ]
    found = hidden_of(cells, 10)
    assert found.grades == {("a", "02"), ("b", "01"), ("b", "02"), ("c", "01"), ("c", "02")}
    assert found.schools == {"a", "c"}, "of b two are hidden, and they are eleven together"


def test_a_small_course_is_hidden_with_another() -> None:
    assert with_another({"a": 30, "b": 6, "c": 20}, 10) == {"b", "c"}
    assert with_another({"a": 30, "b": 1, "c": 2, "d": 20}, 10) == {"b", "c", "d"}
    assert with_another({"a": 30, "b": 20}, 10) == set()


def test_a_mart_that_is_not_built_is_one_line(sample: Path, tmp_path: Path) -> None:
    from .warehouses import duckdb_desk

    desk = duckdb_desk(tmp_path, sample)
    for arguments in (("ask", "students"), ("push",)):
        assert desk(*arguments) == 2
        assert desk.err == "oneroster-marts: marts_path: no such file; run oneroster-marts build first\n"
        assert desk.out == ""
