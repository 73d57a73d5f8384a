"""The counsellor's page: a card a student, with reasons, classes and what is due next. Restricted."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _figures as figures
from .._figures import Raw, element
from ..reader import OneAfterOther
from . import parts, words
from .parts import paragraph
from .persons import BANNER, names_of, people

if TYPE_CHECKING:
    from datetime import date

    from ..reader import Reader, Row
    from .contents import Contents, School

DRAWN, MOST = 120_000, 280_000
"""Bytes of cards after which lines are not drawn any more, and after which cards are left out."""
PLACE = "table restricted.worklist"
CLASSES = 3
HEADS = {
    "new": ("New this week", "Found by the rule today, and not a week ago."),
    "still": ("Still on the list", "Found today and a week ago."),
    "resolved": ("Resolved since last week", "Found a week ago, and not today."),
    "cannot say": ("Cannot say", "There is nothing to judge by; that is not the same as fine."),
}


class Course(NamedTuple):
    """A class of a student: its title, the percent to date, and the percent of each week."""

    title: str
    percent: float
    weeks: list[float]


class Counsel:
    """Makes the page of each school; the schools come in the order of their ids."""

    def __init__(self, reader: Reader, of: Contents, *, names: bool) -> None:
        self._of = of
        self._is_named = names
        self._names: dict[str, str] = {}
        self._lists = OneAfterOther(reader.by_school(_queries(reader, of, names=names)))

    def page(self, its: School) -> str:
        """Return the page of a school."""
        rows = self._lists.of(its.id)
        self._names = names_of(rows.get("people", []))
        courses, due = _courses(rows.get("work", [])), _next(rows.get("due", []))
        by_status: defaultdict[str, list[Row]] = defaultdict(list)
        for row in rows.get("list", []):
            by_status[row["status"]].append(row)
        sections: list[tuple[str, Raw]] = [("", self._summary(by_status))]
        used = 0
        for status, (title, sentence) in HEADS.items():
            listed = sorted(
                by_status[status],
                key=lambda row: (-(row["tier"] or 0), self._name(row["student_id"]), row["student_id"]),
            )
            if status in ("new", "still"):
                cards: list[Raw] = []
                for row in listed:
                    if used > MOST:
                        break
                    cards.append(
                        self._card(row, courses.get(row["student_id"], []), due.get(row["student_id"]), used < DRAWN)
                    )
                    used += len(cards[-1].encode())
                left = len(listed) - len(cards)
                said = paragraph(f"{words.count(left)} more are in {PLACE}.") if left else ""
                body: list[object] = [element("ul", *cards, class_="cards") if cards else paragraph("Nobody."), said]
            else:
                lines = [
                    [self._name(row["student_id"]), words.grade(row["grade"] or "not stated"), row["reasons"] or ""]
                    for row in listed
                ]
                heads = ["Student", "Grade", "What"]
                table = parts.folded(title, heads, lines, (), "students", place=PLACE)
                body = [table if lines else paragraph("Nobody.")]
            sections.append(
                (
                    title,
                    figures.section(status.replace(" ", "-"), f"{title}: {len(listed):,}", paragraph(sentence), *body),
                )
            )
        sections.append(("", parts.not_given(self._of, ("attendance", "calendar_days", "final_grades"))))
        sections.append(("How to read this", figures.section("reading", "How to read this", *map(paragraph, READING))))
        line = f"As of {words.day(self._of.today)}."
        over = element("a", "The school's page", href=f"../school/{words.file_of(its.id)}")
        return parts.framed(
            f"{its.name} - worklist",
            f"{its.name}: who needs a next step",
            line,
            sections,
            over=over,
            banner=BANNER[self._is_named],
        )

    def _name(self, person: str) -> str:
        return self._names.get(person, person)

    def _summary(self, by_status: dict[str, list[Row]]) -> Raw:
        told = ", ".join(f"{len(by_status[status]):,} {status}" for status in HEADS)
        lacking = "No attendance was given, so its rules find nobody. " if "attendance" in self._of.not_given else ""
        return figures.section("all", "All of the list", paragraph(f"{lacking}{told[:1].upper()}{told[1:]}."))

    def _card(self, row: Row, courses: list[Course], due: tuple[date, str] | None, is_drawn: bool) -> Raw:
        status = Raw('<span class="word">new</span> ') if row["status"] == "new" else ""
        lines = [
            paragraph(
                status,
                element("strong", self._name(row["student_id"])),
                f" {words.grade(row['grade'] or 'not stated')}, tier {row['tier']}",
            ),
            paragraph(row["reasons"] or ""),
        ]
        if courses:
            worst = sorted(courses, key=lambda course: (course.percent, course.title))[:CLASSES]
            shown = []
            for course in worst:
                drawn = figures.sparkline(course.weeks, 60, 14, least=20) if is_drawn and len(course.weeks) > 1 else ""
                shown.append(element("span", f"{course.title}: {course.percent:.0f} % ", drawn, class_="pair"))
            lines.append(paragraph(*shown))
        lines.append(paragraph(f"Next due: {due[1]}, {words.day(due[0])}." if due else "Nothing is due.", kind="soft"))
        return element("li", *lines)


READING = (
    (
        "A rule with reasons finds students; there is no score, and demographics have no part in it. A flag is a rule in a class. Tier 1 is one "
        "flag; tier 2 two, or failing a core subject; tier 3 three, or flags of both attendance and courses. The limits are in the settings."
    ),
    (
        "The list is a start of a conversation: look at the student's work and ask before you act. The percents are those of published results, and "
        "the line shows the percent of each week's work. The share of each group whom the rule finds is in mart worklist_equity."
    ),
)


def _queries(reader: Reader, of: Contents, *, names: bool) -> dict[str, str]:
    t = reader.table
    listed = t("restricted.worklist", "student_id", "school_id", "status", "tier", "reasons")
    students, results = (
        t("restricted.worklist_student", "person_id", "grade"),
        t("restricted.fct_result", "counted_points"),
    )
    classes, weights = t("restricted.dim_class", "title"), t("restricted.class_weighting", "weight")
    members, items = (
        t("restricted.fct_enrollment", "begin_date"),
        t("restricted.stg_oneroster__line_items", "due_date", "title"),
    )
    courses = t("restricted.dim_course", "title")
    today = f"date '{of.today}'"
    current = (
        f"select distinct m.person_id, m.school_id, m.class_id from {members} as m where m.role = 'student' and m.begin_date <= {today}"
        f" and (m.end_date is null or m.end_date > {today})"
    )
    everybody = f"select distinct school_id, student_id as person_id from {listed}"
    on_list = f"select student_id, school_id from {listed} where status in ('new', 'still')"
    return ({"people": people(reader, everybody)} if names else {}) | {
        "list": f"select l.student_id, l.school_id, l.status, l.tier, l.reasons, s.grade from {listed} as l left join"
        f" (select distinct person_id, school_id, grade from {students} where as_of = {today}) as s"
        " on l.student_id = s.person_id and l.school_id = s.school_id",
        "work": f"select c.school_id, c.person_id, c.class_id, r.category_id, r.window_date, w.weight,"
        f" coalesce(k.title, d.title, c.class_id) as title, sum(r.counted_points) as points, sum(r.max_points) as most"
        f" from ({current}) as c inner join ({on_list}) as o on c.person_id = o.student_id and c.school_id = o.school_id"
        f" inner join {results} as r on c.person_id = r.person_id and c.class_id = r.class_id"
        f" left join {classes} as d on c.class_id = d.class_id left join {courses} as k on d.course_id = k.course_id"
        f" left join {weights} as w on r.class_id = w.class_id and r.category_id = w.category_id"
        f" where r.is_counted and r.is_in_class and r.max_points > 0 and (r.window_date is null or r.window_date <= {today})"
        " group by c.school_id, c.person_id, c.class_id, r.category_id, r.window_date, w.weight, coalesce(k.title, d.title, c.class_id)",
        "due": f"select c.school_id, c.person_id, i.due_date, min(i.title) as title from ({current}) as c"
        f" inner join ({on_list}) as o on c.person_id = o.student_id and c.school_id = o.school_id"
        f" inner join {items} as i on c.class_id = i.class_id where i.due_date >= {today}"
        " group by c.school_id, c.person_id, i.due_date",
    }


def _courses(rows: list[Row]) -> dict[str, list[Course]]:
    """Return the classes of each student, each with its percent as the rules have it: by weights where each category has one."""
    work: defaultdict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        work[row["person_id"], row["class_id"], row["title"]].append(row)
    found: defaultdict[str, list[Course]] = defaultdict(list)
    for (person, _, title), its in work.items():
        weeks: defaultdict[Any, list[float]] = defaultdict(lambda: [0.0, 0.0])
        categories: defaultdict[tuple[Any, Any], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for row in its:
            for sums in (
                categories[row["category_id"], row["weight"]],
                *([weeks[row["window_date"]]] if row["window_date"] else []),
            ):
                sums[0] += row["points"]
                sums[1] += row["most"]
        weights = [weight for _, weight in categories]
        if None not in weights and sum(weights) > 0:
            percent = 100 * sum(w * got / most for (_, w), (got, most) in categories.items()) / sum(weights)
        else:
            percent = 100 * sum(got for got, _ in categories.values()) / sum(most for _, most in categories.values())
        found[person].append(Course(title, percent, [100 * got / most for _, (got, most) in sorted(weeks.items())]))
    return found


def _next(rows: list[Row]) -> dict[str, tuple[date, str]]:
    found: dict[str, tuple[date, str]] = {}
    for row in rows:
        its = (row["due_date"], row["title"] or "work")
        if row["person_id"] not in found or its < found[row["person_id"]]:
            found[row["person_id"]] = its
    return found
