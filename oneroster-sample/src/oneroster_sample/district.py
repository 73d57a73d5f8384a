"""A school district that never was, of any size, the same on every machine.

Rows stream: whatever the size, a district holds one school's plan at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from . import accounts, assessing, catalogue, enrolling, grading, library
from ._core.model import FILES, File, Service, Version, file
from .plan import Plan
from .rows import Row
from .sizes import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
_METADATA = {
    "classes": ("building", "schedule.day"),
    "orgs": ("gradeSpan", "address.city"),
    "users": ("busRoute", "jp.kanaGivenName", "jp.kanaFamilyName"),
}


@dataclass(frozen=True, kw_only=True)
class District(Plan):
    """A district on one day of its life.

    `District(seed=1, schools=3, students_per_school=120)`, or `District.of_size(2_000_000)` for an
    exact number of enrollments. `changed(1)` is the same district a day later.
    """

    @classmethod
    def of_size(cls, enrollments: int, **settings: Any) -> District:
        """A district with exactly that many enrollments on day 0."""
        return plan_of(cls, enrollments, settings)

    def changed(self, days: int = 1) -> District:
        """The same district some days later: people came, left, were edited, and a few rows vanished."""
        return replace(self, day=self.day + days)

    def files(self, version: Version | str = V1_2) -> tuple[File, ...]:
        """Files of which this district has rows, those that only REST has among them."""
        version = Version(version)
        return tuple(f for f in FILES if f.exists_in(version) and (self.gradebook or f.service != Service.GRADEBOOK))

    def rows(self, name: str, version: Version | str = V1_2) -> Iterator[Row]:
        """Rows of a file as a service would show them: with those to be deleted, without those that vanished.

        Every row has all fields of the model, in its order, empty ones as None; fields that the
        version lacks are empty.
        """
        if file(name) not in self.files(version):
            return iter(())
        return _SOURCES[name](self, Version(version))

    def active(self, name: str, version: Version | str = V1_2) -> Iterator[Row]:
        """Rows of a file as a bulk bundle has them: what is there, and nothing else."""
        return (row for row in self.rows(name, version) if row["status"] == "active")

    def changes(self, name: str, version: Version | str = V1_2, *, since: int = 0) -> Iterator[Row]:
        """Rows of a file that changed after day `since`; what left or vanished comes as `tobedeleted`."""
        first = f"{self.year.date(since + 1)}T"
        rows = enrolling.enrollments(self, graves=True) if name == "enrollments" else self.rows(name, version)
        return (row for row in rows if row["dateLastModified"] >= first)

    def metadata_keys(self, name: str) -> tuple[str, ...]:
        """Keys that `metadata` has in the rows of a file, in the order of their columns."""
        return _METADATA.get(name, ())

    def count(self, name: str, version: Version | str = V1_2) -> int:
        """Number of rows of a file, counted one by one."""
        return sum(1 for _ in self.rows(name, version))
