"""Results of the whole year: work every week in classes with a gradebook, in points, letters and scales.

Some students do worse than before, fail, or hand nothing in from four weeks before day 0 on, and `slippage` tells whom a
rule of at-risk students finds.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from ._core.model import Version
from .changes import student_life
from .dice import mix, root, salt
from .grading import CATEGORY_COUNT, SCALED, TITLES, letter
from .rows import Row, row
from .subjects import GRADEBOOK, SUBJECTS
from .year import SchoolYear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .nights import Night
    from .plan import Plan, School

POINTS = (100, 20, 50, 4)
"""Most points of the items, in turn."""
WINDOW = 28
"""Days in which students slip."""
_RESULT = salt("weekly result")


class _Week(NamedTuple):
    """The work of one week."""

    number: int
    assigned: str
    due: str
    period: str

    @property
    def points(self) -> int:
        return POINTS[self.number % len(POINTS)]


class _Result(NamedTuple):
    student: str
    place: int
    class_id: str
    subject: int
    week: _Week
    status: str
    percent: int | None
    score_date: str
    stamp: str
    state: str
    """Status of the record."""
    late: bool
    suffix: str

    @property
    def id(self) -> str:
        return f"r.{self.student}.{SUBJECTS[self.subject].code}{self.week.number + 1}{self.suffix}"

    @property
    def item(self) -> str:
        return f"{self.class_id}/li-{self.week.number + 1}"


@lru_cache(maxsize=16)
def _weeks(ends: int, today: str) -> tuple[_Week, ...]:
    """Return the weeks of a school year whose work is assigned by today: on Monday, due on Friday."""
    year = SchoolYear(ends)
    periods = [session for session in year.sessions() if session.type == "gradingPeriod"]
    weeks: list[_Week] = []
    monday = date.fromisoformat(year.start)
    monday += timedelta(-monday.weekday() % 7)
    while (assigned := monday.isoformat()) <= today:
        due = (monday + timedelta(4)).isoformat()
        period = next((its.id for its in periods if its.start <= due < its.end), None)
        if period is None:
            break
        weeks.append(_Week(len(weeks), assigned, due, period))
        monday += timedelta(7)
    return tuple(weeks)


def _after(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days)).isoformat()


def _weeks_of(plan: Plan, school: School) -> tuple[_Week, ...]:
    return _weeks(school.year.ends, plan.year.date(plan.day))


def line_items(plan: Plan, version: Version) -> Iterator[Row]:
    """Yield the rows of lineItems: one for each week and class with a gradebook."""
    for school in plan.all_schools():
        for its in school.classes():
            for week in _weeks_of(plan, school) if its.subject in GRADEBOOK else ():
                values: Row = {
                    "sourcedId": f"{its.id}/li-{week.number + 1}",
                    "status": "active",
                    "dateLastModified": plan.year.stamp_at(week.assigned, its.number * 64 + week.number),
                    "title": f"{TITLES[week.number % len(TITLES)]} ({week.number + 1})",
                    "assignDate": week.assigned,
                    "dueDate": week.due,
                    "classSourcedId": its.id,
                    "categorySourcedId": f"cat_{1 + its.number % CATEGORY_COUNT:02d}",
                    "academicSessionSourcedId": week.period,
                    "resultValueMin": 0,
                    "resultValueMax": week.points,
                    "schoolSourcedId": school.id if version == Version.V1_2 else None,
                    "assignDateTime": f"{week.assigned}T09:00:00.000Z",
                    "dueDateTime": f"{week.due}T15:30:00.000Z",
                }
                yield row("lineItems", values)


def line_item_scales(plan: Plan) -> Iterator[Row]:
    """Yield the rows of lineItemScoreScales."""
    for school in plan.all_schools():
        for its in school.classes():
            for week in _weeks_of(plan, school) if its.subject == SCALED else ():
                item = f"{its.id}/li-{week.number + 1}"
                values: Row = {
                    "sourcedId": f"{item}/scale",
                    "status": "active",
                    "dateLastModified": plan.year.stamp_at(week.assigned, its.number * 64 + week.number),
                    "lineItemSourcedId": item,
                    "scoreScaleSourcedId": f"{its.id}/scale",
                }
                yield row("lineItemScoreScales", values)


def _results(plan: Plan) -> Iterator[_Result]:
    """Yield the results of the students of the start, once the work is due."""
    today = plan.year.date(plan.day)
    for school in plan.all_schools():
        drawn = root(plan.seed, _RESULT, school.number)
        grades = len(school.grades)
        weeks = [week for week in _weeks_of(plan, school) if week.due <= today]
        slips_from = school.year.date(-WINDOW)
        for index in range(school.students):
            own = mix(drawn, school.pupil(index), school.years)
            life = student_life(plan, school, index)
            classes = school.classes_of(index % grades, index // grades)
            begin = school.year.moving_day if plan.old_school(school, index) else school.year.start
            for subject in GRADEBOOK:
                for week in weeks:
                    if week.due < begin:
                        continue
                    draw = mix(own, subject, week.number)
                    status, percent = _marked(own, draw, week, late=week.due > slips_from)
                    marked = _after(week.due, draw >> 40 & 3)
                    if status != "not submitted" and marked > today:  # waits for the teacher
                        status, percent = "submitted", None
                    done = week.due if status in ("not submitted", "submitted") else marked
                    gone = life.status != "active"
                    yield _Result(
                        school.student_id(index),
                        index,
                        classes[subject],
                        subject,
                        week,
                        status,
                        percent,
                        done,
                        life.stamp if gone else plan.year.stamp_at(done, draw),
                        life.status,
                        draw >> 12 & 15 == 0,
                        school.suffix,
                    )


def _marked(own: int, draw: int, week: _Week, *, late: bool) -> tuple[str, int | None]:
    """Return the status of a result, and its percent: by the kind of student, from four weeks before day 0 on."""
    noise = (draw >> 20) % 9 - 4
    if own % 23 == 0:
        return "fully graded", 88 + noise - 25 * late
    if own % 29 == 1:
        return "fully graded", 48 + noise
    if late and own % 31 == 2 and week.number % 4:
        return "not submitted", None
    if not late and draw % 45 == 1:
        return "not submitted", None
    if draw % 40 == 2:
        return "exempt", None
    return "fully graded", 70 + (own >> 8) % 25 + noise


def results(plan: Plan, version: Version) -> Iterator[Row]:
    """Yield the rows of results.

    The first work in reading and writing is marked in letters only. What 1.1 has no column for (late, missing, the
    letter) is in its metadata.
    """
    for result in _results(plan):
        in_letters = result.subject == SCALED and result.percent is not None
        text = letter(result.percent) if in_letters and result.percent is not None else None
        score = None if result.percent is None else round(result.percent * result.week.points / 100, 2)
        values: Row = {
            "sourcedId": result.id,
            "status": result.state,
            "dateLastModified": result.stamp,
            "lineItemSourcedId": result.item,
            "studentSourcedId": result.student,
            "scoreStatus": result.status,
            "score": score,
            "scoreDate": result.score_date,
        }
        missing = result.status == "not submitted"
        if version == Version.V1_1:
            values["score"] = score or 0
            said = {"late": result.late, "missing": missing}
            values["metadata"] = {key: "true" for key, value in said.items() if value}
            values["metadata"] |= {"letter": text} if text else {}
        else:
            values["textScore"] = text
            if text and not result.week.number:
                values["score"] = None
            values |= {"classSourcedId": result.class_id, "late": result.late, "missing": missing}
        yield row("results", values)


def result_scales(plan: Plan) -> Iterator[Row]:
    """Yield the rows of resultScoreScales."""
    for result in _results(plan):
        if result.subject == SCALED:
            values: Row = {
                "sourcedId": f"{result.id}/scale",
                "status": result.state,
                "dateLastModified": result.stamp,
                "resultSourcedId": result.id,
                "scoreScaleSourcedId": f"{result.class_id}/scale",
            }
            yield row("resultScoreScales", values)


def slippage(plan: Plan, night: Night, version: Version) -> dict[str, list[list[str]]]:
    """Return students and classes that rules find: slipping, failing, and missing work.

    slipping: the mean percent of the last 28 days is 10 points or more below the one before, with 3 results in each;
    failing: below 60 percent of all points, of 3 results or more; missing: 3 or more of the last 28 days, or a quarter of
    4 or more that are not exempt. Students who left, or moved to another school, are left out.
    """
    found: defaultdict[str, list[list[str]]] = defaultdict(list, slipping=[], failing=[], missing=[])
    since = _after(plan.year.date(plan.day), -WINDOW)
    own: list[_Result] = []
    for result in chain(_results(plan), [None]):
        if own and (result is None or (result.student, result.subject) != (own[0].student, own[0].subject)):
            move = night.pupils.get(own[0].student)
            elsewhere = night.gone_by(own[0].student) is not None or (move is not None and move.kind == "transfer")
            if own[0].state == "active" and not elsewhere:
                for rule in _broken(own, since, version):
                    found[rule].append([night.user_id(own[0].student), night.class_id(own[0].class_id)])
            own = []
        if result is not None:
            own.append(result)
    return dict(found)


def _broken(own: list[_Result], since: str, version: Version) -> Iterator[str]:
    """Yield the rules that the results of a student in a class break."""
    scored = [
        (result, result.percent)
        for result in own
        if result.percent is not None
        and not (version == Version.V1_2 and result.subject == SCALED and not result.week.number)
    ]
    before = [percent for result, percent in scored if result.week.due <= since]
    latest = [percent for result, percent in scored if result.week.due > since]
    if len(before) >= 3 <= len(latest) and sum(latest) / len(latest) <= sum(before) / len(before) - 10:
        yield "slipping"
    points = sum(result.week.points for result, _ in scored)
    if len(scored) >= 3 and sum(percent * result.week.points for result, percent in scored) < 60 * points:
        yield "failing"
    due = [result for result in own if result.week.due > since and result.status != "exempt"]
    missing = sum(result.status == "not submitted" for result in due)
    if missing >= 3 or (len(due) >= 4 and missing * 4 >= len(due)):
        yield "missing"
