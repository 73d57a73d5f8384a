"""The gradebook: categories, line items, results, score scales and learning objectives."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._core.model import Version
from .catalogue import class_life, course_id
from .changes import Life, last_edit, life, student_life
from .dice import mix, pick, root, salt, uuid
from .rows import Row, row
from .subjects import GRADEBOOK, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .plan import ClassPlan, Plan, School
    from .year import SchoolYear

SCALED = GRADEBOOK[1]
"""The subject that is graded in letters: its classes have a score scale."""
_CATEGORIES = (
    ("Homework", 30),
    ("Tests & Quizzes", 45),
    ('Projects, "big" ones', 15),
    ("Participation", 10),
    ("Übung", None),
)
CATEGORY_COUNT = len(_CATEGORIES)
_LETTERS = (("A", "90-100"), ("B", "80-89"), ("C", "70-79"), ("D", "60-69"), ("F", "0-59"))
TITLES = ('Quiz "Fractions"', "Essay: the river's end, part 2")
_DUE = ((9, 2), (11, 5))  # hours and days: not at midnight, where a time zone could move the date
_RESULT, _CATEGORY, _OBJECTIVE = salt("result"), salt("category"), salt("objective")


class _Item(NamedTuple):
    id: str
    its: ClassPlan
    number: int
    life: Life


class _Result(NamedTuple):
    id: str
    year: SchoolYear
    student: str
    class_id: str
    subject: int
    item: int
    draw: int
    life: Life


def categories(plan: Plan, version: Version) -> Iterator[Row]:
    """Yield the rows of categories."""
    for n, (title, weight) in enumerate(_CATEGORIES):
        its = life(plan, _CATEGORY + n, 500)
        values: Row = {
            "sourcedId": f"cat_{n + 1:02d}",
            "status": its.status,
            "dateLastModified": its.stamp,
            "title": title,
            "weight": weight if version == Version.V1_2 else None,
        }
        yield row("categories", values)


def _items(plan: Plan) -> Iterator[tuple[School, _Item]]:
    for school in plan.all_schools():
        for its in school.classes():
            if its.subject in GRADEBOOK:
                for n in range(len(TITLES)):
                    now = life(plan, school.number * 20_000 + its.number * 2 + n, 90)
                    yield school, _Item(f"{its.id}/li-{n + 1}", its, n, now)


def line_items(plan: Plan, version: Version) -> Iterator[Row]:
    """Yield the rows of lineItems: two for each class with a gradebook."""
    for school, item in _items(plan):
        hour, days = _DUE[item.number]
        first = -30 + 12 * item.number + item.its.number % 9
        assigned, due = school.year.date(first), school.year.date(first + days)
        values: Row = {
            "sourcedId": item.id,
            "status": item.life.status,
            "dateLastModified": item.life.stamp,
            "title": TITLES[item.number],
            "description": "Bring a ruler, a pencil and your own words." if item.its.number % 2 else None,
            "assignDate": assigned,
            "dueDate": due,
            "classSourcedId": item.its.id,
            "categorySourcedId": f"cat_{1 + item.its.number % len(_CATEGORIES):02d}",
            "academicSessionSourcedId": school.year.periods[2],
            "resultValueMin": 0,
            "resultValueMax": 100,
            "schoolSourcedId": school.id if version == Version.V1_2 else None,
            "assignDateTime": f"{assigned}T{hour:02d}:00:00.000Z",
            "dueDateTime": f"{due}T{hour + 10}:30:00.000Z",
        }
        yield row("lineItems", values)


def score_scales(plan: Plan) -> Iterator[Row]:
    """Yield the rows of scoreScales: letters for each class in reading and writing."""
    for school in plan.all_schools():
        for its in school.classes():
            if its.subject == SCALED:
                now = class_life(plan, school, its)
                values: Row = {
                    "sourcedId": f"{its.id}/scale",
                    "status": now.status,
                    "dateLastModified": now.stamp,
                    "title": 'Letters, "A" to "F"',
                    "type": "letter",
                    "orgSourcedId": school.id,
                    "courseSourcedId": course_id(school.grades[its.grade], its.subject),
                    "classSourcedId": its.id,
                    "scoreScaleValue": [{"itemValueLHS": left, "itemValueRHS": right} for left, right in _LETTERS],
                }
                yield row("scoreScales", values)


def line_item_scales(plan: Plan) -> Iterator[Row]:
    """Yield the rows of lineItemScoreScales."""
    for _, item in _items(plan):
        if item.its.subject == SCALED:
            values: Row = {
                "sourcedId": f"{item.id}/scale",
                "status": item.life.status,
                "dateLastModified": item.life.stamp,
                "lineItemSourcedId": item.id,
                "scoreScaleSourcedId": f"{item.its.id}/scale",
            }
            yield row("lineItemScoreScales", values)


def _objective(place: int) -> str:
    return f"urn:uuid:{uuid(_OBJECTIVE + place)}"


def line_item_objectives(plan: Plan) -> Iterator[Row]:
    """Yield the rows of lineItemLearningObjectiveIds: for a class's first item, two from CASE and one unknown."""
    for _, item in _items(plan):
        if item.number:
            continue
        grade = item.its.grade
        objectives = (("case", _objective(grade)), ("case", _objective(grade + 100)), ("unknown", f"local:{grade}, b"))
        for n, (source, objective) in enumerate(objectives):
            values: Row = {
                "sourcedId": f"{item.id}/lo-{n + 1}",
                "status": item.life.status,
                "dateLastModified": item.life.stamp,
                "lineItemSourcedId": item.id,
                "source": source,
                "learningObjectiveId": objective,
            }
            yield row("lineItemLearningObjectiveIds", values)


def _results(plan: Plan, subjects: Sequence[int] = GRADEBOOK, items: int = len(TITLES)) -> Iterator[_Result]:
    """Yield the results in these subjects, for the first line items of a class."""
    for school in plan.all_schools():
        grades, year, suffix = len(school.grades), school.year, school.suffix
        drawn = root(plan.seed, _RESULT, school.number)
        for index in range(school.students):
            user = school.student_id(index)
            its = student_life(plan, school, index)
            gone = its.status != "active"
            mine = school.classes_of(index % grades, index // grades)
            own = mix(drawn, school.pupil(index))
            for subject in subjects:
                for n in range(items):
                    draw = mix(own, subject * 2 + n + 100 * school.years)
                    edited = last_edit(draw % 1000, plan.day, 40) if plan.day and not gone else 0
                    stamp = plan.year.stamp_on(edited, draw) if edited else year.stamp(draw)
                    now = Life(its.status, its.stamp if gone else stamp, edited)
                    result_id = f"r.{user}.{SUBJECTS[subject].code}{n + 1}{suffix}"
                    yield _Result(result_id, year, user, mine[subject], subject, n, draw, now)


def results(plan: Plan, version: Version) -> Iterator[Row]:
    """Yield the rows of results: 1.1 requires a score, 1.2 has words for a missing one."""
    old = version == Version.V1_1
    for result in _results(plan):
        draw, graded = result.draw, result.draw & 15 < 13
        score = _score(result) if graded else None
        number = int(result.class_id[-1])
        values: Row = {
            "sourcedId": result.id,
            "status": result.life.status,
            "dateLastModified": result.life.stamp,
            "lineItemSourcedId": f"{result.class_id}/li-{result.item + 1}",
            "studentSourcedId": result.student,
            "scoreStatus": "fully graded" if graded else pick(("not submitted", "exempt", "submitted"), draw >> 4),
            "score": 0 if old and score is None else score,
            "scoreDate": result.year.date(number % 4 - 4),
            "comment": '-1 point: "units" missing, see p. 4' if draw >> 8 & 15 == 0 else None,
        }
        if not old:
            if score is not None and result.subject == SCALED:
                values["textScore"] = letter(score)
            values["classSourcedId"] = result.class_id
            values["missing"] = values["scoreStatus"] == "not submitted"
            values["late"] = draw >> 12 & 15 == 0
            if draw >> 16 & 1:
                values["inProgress"] = values["incomplete"] = False
        yield row("results", values)


def _score(result: _Result) -> float:
    score = 40 + (result.draw >> 20) % 121 / 2
    return min(100.0, score + 1) if result.life.edited else score


def letter(score: float) -> str:
    """Return the letter of a percentage."""
    return next(letter for letter, span in _LETTERS if score >= int(span.partition("-")[0]))


def result_scales(plan: Plan) -> Iterator[Row]:
    """Yield the rows of resultScoreScales."""
    for result in _results(plan, (SCALED,)):
        values: Row = {
            "sourcedId": f"{result.id}/scale",
            "status": result.life.status,
            "dateLastModified": result.life.stamp,
            "resultSourcedId": result.id,
            "scoreScaleSourcedId": f"{result.class_id}/scale",
        }
        yield row("resultScoreScales", values)


def result_objectives(plan: Plan) -> Iterator[Row]:
    """Yield the rows of resultLearningObjectiveIds: for some results of a class's first item."""
    for result in _results(plan, items=1):
        if result.draw >> 28 & 7:
            continue
        for n, source in enumerate(("case", "unknown")[: 1 + (result.draw >> 31 & 1)]):
            values: Row = {
                "sourcedId": f"{result.id}/lo-{n + 1}",
                "status": result.life.status,
                "dateLastModified": result.life.stamp,
                "resultSourcedId": result.id,
                "source": source,
                "learningObjectiveId": "local:x" if n else _objective(result.draw >> 32 & 7),
                "score": (result.draw >> 36) % 9 / 2,
                "textScore": "secure" if n else None,
            }
            yield row("resultLearningObjectiveIds", values)
