"""The page of memberships of a school: who is in which class, and who is in the learning platform only or not at all. Restricted."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from .. import _figures as figures
from .._figures import Raw, element
from ..reader import OneAfterOther
from . import parts, words
from .parts import paragraph
from .persons import BANNER, names_of, people

if TYPE_CHECKING:
    from ..reader import Reader, Row
    from .contents import Contents, School

KINDS = {
    "only_roster": "only in the roster: add to the platform",
    "only_lms": "only in the platform: remove there, or enroll",
    "role_differs": "has another role in the platform",
}
MOST = 370_000
"""Bytes of the lists of members, at most."""


class Membership:
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
        sections = [
            ("", self._out_of_step(rows.get("out", []))),
            ("", parts.not_given(self._of, ("lms_memberships",))),
            ("Classes", self._classes(rows.get("members", []))),
        ]
        line = f"Classes that go on, as of {words.day(self._of.today)}."
        over = element("a", "The school's page", href=f"../school/{words.file_of(its.id)}")
        title = f"{its.name} - class membership"
        return parts.framed(
            title, f"{its.name}: who is in which class", line, sections, over=over, banner=BANNER[self._is_named]
        )

    def _name(self, person: str) -> str:
        return self._names.get(person, person.removeprefix("unknown:"))

    def _out_of_step(self, rows: list[Row]) -> Raw:
        title = "Members who are out of step with the platform"
        if "lms_memberships" in self._of.not_given:
            return figures.section("out", title, paragraph(words.not_given("lms_memberships")))
        if not rows:
            return figures.section("out", title, paragraph("Nobody."))
        rows.sort(key=lambda row: (row["title"] or "", row["class_id"], row["kind"], row["person_id"]))
        lines = [
            [
                f"{row['title'] or ''} ({row['class_id']})",
                self._name(row["person_id"])
                + (", not in the roster" if row["person_id"].startswith("unknown:") else ""),
                KINDS.get(row["kind"], row["kind"]),
                row["lms"],
            ]
            for row in rows
        ]
        heads = ["Class", "Who", "What to do", "Platform"]
        caption = "Members of whom roster and platform differ"
        table = parts.folded(caption, heads, lines, (), "members", place="table restricted.lms_member_kind")
        return figures.section(
            "out", title, paragraph(f"{words.plural(len(rows), 'member is', 'members are')} out of step."), table
        )

    def _classes(self, rows: list[Row]) -> Raw:
        classes: defaultdict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            classes[row["title"] or "", row["class_id"]][row["role"]].append(self._name(row["person_id"]))
        if not classes:
            return figures.section("classes", "Classes and their members", paragraph("No class goes on."))
        lines = [
            [
                f"{title} ({key})",
                "; ".join(sorted(roles.get("teacher", []))),
                f"{len(roles.get('student', [])):,}",
                "; ".join(sorted(roles.get("student", []))),
            ]
            for (title, key), roles in sorted(classes.items())
        ]
        shown = parts.fitting(lines, MOST)
        left = len(lines) - len(shown)
        said = paragraph(f"{words.count(left)} more classes are in table restricted.fct_enrollment.") if left else ""
        heads = ["Class", "Teachers", "Students", "Who"]
        table = figures.table("Classes with their teachers and students", heads, shown, numbers=(2,))
        return figures.section("classes", "Classes and their members", table, said)


def _queries(reader: Reader, of: Contents, *, names: bool) -> dict[str, str]:
    enrollments = reader.table("restricted.fct_enrollment", "person_id", "begin_date", "is_present")
    classes = reader.table("restricted.dim_class", "title", "school_id")
    kinds = reader.table("restricted.lms_member_kind", "lms", "person_id", "kind")
    today = f"date '{of.today}'"
    members = (
        f"select distinct m.school_id, m.class_id, d.title, m.role, m.person_id from {enrollments} as m"
        f" inner join {classes} as d on m.class_id = d.class_id where m.role in ('student', 'teacher') and m.is_present"
        f" and m.begin_date <= {today} and (m.end_date is null or m.end_date > {today})"
    )
    out = (
        f"select d.school_id, k.class_id, d.title, k.lms, k.person_id, k.kind from {kinds} as k"
        f" inner join {classes} as d on k.class_id = d.class_id where k.kind <> 'in_both'"
    )
    everybody = (
        f"select school_id, person_id from ({members}) as its union select school_id, person_id from ({out}) as its"
    )
    return ({"people": people(reader, everybody)} if names else {}) | {"members": members, "out": out}
