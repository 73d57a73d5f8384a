"""A fictional school district of any size, the same on every machine.

Rows are streamed: at any size, only one school's plan is in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from . import accounts, assessing, catalogue, enrolling, grading, library, weekly
from ._core.model import FILES, File, Service, Version, file
from .nights import TOMBSTONES, Night
from .plan import Plan
from .rows import Row
from .sizes import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .finishing import Item

__all__ = ["District", "Row"]

V1_1, V1_2 = Version.V1_1, Version.V1_2

_SOURCES: dict[str, Callable[[Plan, Version], Iterator[Row]]] = {
    "academicSessions": lambda plan, _: catalogue.academic_sessions(plan),
    "assessmentLineItems": lambda plan, _: assessing.assessment_line_items(plan),
    "assessmentResults": lambda plan, _: assessing.assessment_results(plan),
    "categories": grading.categories,
    "classResources": lambda plan, _: library.class_resources(plan),
    "classes": lambda plan, _: catalogue.classes(plan),
    "courseResources": lambda plan, _: library.course_resources(plan),
    "courses": lambda plan, _: catalogue.courses(plan),
    "demographics": accounts.demographics,
    "enrollments": lambda plan, _: enrolling.enrollments(plan),
    "lineItemLearningObjectiveIds": lambda plan, _: grading.line_item_objectives(plan),
    "lineItemScoreScales": lambda plan, _: grading.line_item_scales(plan),
    "lineItems": grading.line_items,
    "orgs": lambda plan, _: catalogue.orgs(plan),
    "resources": lambda plan, _: library.resources(plan),
    "resultLearningObjectiveIds": lambda plan, _: grading.result_objectives(plan),
    "resultScoreScales": lambda plan, _: grading.result_scales(plan),
    "results": grading.results,
    "roles": lambda plan, _: accounts.roles(plan),
    "scoreScales": lambda plan, _: grading.score_scales(plan),
    "userProfiles": lambda plan, _: accounts.user_profiles(plan),
    "userResources": lambda plan, _: accounts.user_resources(plan),
    "users": accounts.users,
}
_WEEKLY: dict[str, Callable[[Plan, Version], Iterator[Row]]] = {
    "lineItemScoreScales": lambda plan, _: weekly.line_item_scales(plan),
    "lineItems": weekly.line_items,
    "resultLearningObjectiveIds": lambda *_: iter(()),
    "resultScoreScales": lambda plan, _: weekly.result_scales(plan),
    "results": weekly.results,
}
"""Files that differ if there is work of every week."""
_METADATA = {
    "classes": ("building", "schedule.day"),
    "orgs": ("gradeSpan", "address.city"),
    "users": ("busRoute", "jp.kanaGivenName", "jp.kanaFamilyName"),
}


@dataclass(frozen=True, kw_only=True)
class District(Plan):
    """A district on one day.

    `District(seed=1, schools=3, students_per_school=120)`, or `District.of_size(2_000_000)` for an exact number of
    enrollments. `changed(1)` is the same district a day later.
    """

    @classmethod
    def of_size(cls, enrollments: int, **settings: Any) -> District:
        """Return a district with exactly that many enrollments on day 0."""
        return plan_of(cls, enrollments, settings)

    def changed(self, days: int = 1) -> District:
        """Return the same district some days later: people arrived, left or were edited, and a few rows disappeared."""
        return replace(self, day=self.day + days)

    def files(self, version: Version | str = V1_2) -> tuple[File, ...]:
        """Return the files of which this district has rows, including those that only REST has."""
        version = Version(version)
        return tuple(f for f in FILES if f.exists_in(version) and (self.gradebook or f.service != Service.GRADEBOOK))

    def rows(self, name: str, version: Version | str = V1_2) -> Iterator[Row]:
        """Yield the rows of a file as a service shows them: with deleted rows, without those that disappeared.

        Every row has all fields of the model, in its order; empty fields, and fields that the version lacks, are None.
        """
        if not self.night.events:
            return self._plain(name, Version(version))
        return self._shown(name, Version(version))

    @cached_property
    def night(self) -> Night:
        """What the events up to this day changed; raise EventError if one of them cannot happen."""
        return Night(self, self.events)

    def _plain(self, name: str, version: Version, *, graves: bool = False) -> Iterator[Row]:
        if file(name) not in self.files(version):
            return iter(())
        if graves and name == "enrollments":
            return enrolling.enrollments(self, graves=True)
        source = _WEEKLY.get(name) if self.weekly else None
        return (source or _SOURCES[name])(self, version)

    def _shown(self, name: str, version: Version) -> Iterator[Row]:
        events = self.night.events
        for item in self.night.items(name, version, self._plain(name, version)):
            if item.row:
                yield item.row
            for number, grave in item.graves:
                if not item.row and events[number].kind in TOMBSTONES and number == item.by[-1]:
                    yield grave

    def items(self, name: str, version: Version | str = V1_2) -> Iterator[Item]:
        """Yield the rows of a file with their origins, and what the events did to them."""
        version = Version(version)
        return self.night.items(name, version, self._plain(name, version, graves=True))

    def active(self, name: str, version: Version | str = V1_2) -> Iterator[Row]:
        """Yield the rows of a file as in a bulk bundle: only active rows."""
        return (row for row in self.rows(name, version) if row["status"] == "active")

    def changes(self, name: str, version: Version | str = V1_2, *, since: int = 0) -> Iterator[Row]:
        """Yield the rows of a file that changed after day `since`; deleted and disappeared rows are `tobedeleted`."""
        first = f"{self.year.date(since + 1)}T"
        return (row for row in self._with_graves(name, Version(version)) if row["dateLastModified"] >= first)

    def _with_graves(self, name: str, version: Version) -> Iterator[Row]:
        if not self.night.events:
            yield from self._plain(name, version, graves=True)
            return
        for item in self.items(name, version):
            yield from (grave for _, grave in item.graves)
            if item.row:
                yield item.row

    def metadata_keys(self, name: str, version: Version | str = V1_2) -> tuple[str, ...]:
        """Return the keys that `metadata` has in the rows of a file, in the order of their columns."""
        if self.weekly and name == "results" and version == V1_1:
            return ("late", "missing", "letter")
        return _METADATA.get(name, ())

    def count(self, name: str, version: Version | str = V1_2) -> int:
        """Count the rows of a file one by one."""
        return sum(1 for _ in self.rows(name, version))
