"""What a release must be, in plain Python over the nights' rows: written without looking at the tap's SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oneroster_core.model import file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.release.nights import Rows

BY_SCHOOL = ("classes", "enrollments", "lineItems", "results", "roles", "scoreScales", "classResources")


@dataclass
class Judge:
    """The nights, from which of them each school is released, and who each id is."""

    nights: Sequence[Rows]
    released: Mapping[str, int]
    people: Mapping[str, str]
    """For each id that a person ever had the one of the first night."""

    @property
    def newest(self) -> Rows:
        """The newest night that anything is released of."""
        return self.nights[max(self.released.values()) - 1]

    @property
    def held(self) -> dict[str, int]:
        """Schools that stay behind."""
        return {s: n for s, n in self.released.items() if n < max(self.released.values())}

    def school(self, rows: Rows, name: str, row: Mapping[str, Any]) -> str:
        """The school of a row in its night."""
        match name:
            case "classes":
                return str(row["schoolSourcedId"])
            case "roles":
                return str(row["orgSourcedId"])
            case "results":
                return self.school(rows, "lineItems", rows["lineItems"][row["lineItemSourcedId"]])
            case _:
                return self.school(rows, "classes", rows["classes"][row["classSourcedId"]])

    def of(self, rows: Rows, name: str, school: str) -> dict[str, dict[str, Any]]:
        """The rows of a school in a night."""
        return {k: row for k, row in rows[name].items() if self.school(rows, name, row) == school}

    def who(self, row: Mapping[str, Any]) -> str:
        """The person of a row, whatever the id is; empty if it is about none."""
        its_id = row.get("userSourcedId") or row.get("studentSourcedId") or ""
        return self.people.get(its_id, its_id)

    def students(self, rows: Rows) -> dict[str, set[str]]:
        """The schools at which each student has a class."""
        found: dict[str, set[str]] = {}
        for row in rows["enrollments"].values():
            if row["role"] == "student":
                found.setdefault(self.who(row), set()).add(self.school(rows, "enrollments", row))
        return found

    def waiting(self) -> set[str]:
        """Persons whose rows at released schools may be those of an earlier night, by the rules of the design.

        They moved into a held school, or came back under another id while a held school has the old one.
        """
        now = self.students(self.newest)
        found = set()
        for school, night in self.held.items():
            then = self.nights[night - 1]
            found |= {p for p, at in now.items() if school in at and school not in self.students(then).get(p, set())}
            rows = [row for name in ("enrollments", "results", "roles") for row in self.of(then, name, school).values()]
            found |= {
                self.who(row)
                for row in rows
                if (row.get("userSourcedId") or row["studentSourcedId"]) not in self.newest["users"]
            }
        for _ in range(3):  # who waits keeps guardians and children under their former ids, too
            found |= {
                self.people.get(agent, agent)
                for night in self.nights
                for key, user in night["users"].items()
                for agent in user["agentSourcedIds"] or ()
                if self.people.get(key, key) in found and agent not in self.newest["users"]
            }
        return found

    def dangling(self, rows: Rows) -> Iterator[str]:
        """References of a release without a row."""
        for name, of in rows.items():
            for its in file(name).fields:
                if not its.refers_to or not its.csv or its.refers_to not in rows:
                    continue
                for row in of.values():
                    value = row.get(its.name)
                    for one in value if isinstance(value, list) else [value]:
                        if one is not None and one not in rows[its.refers_to]:
                            yield f"{name}.{its.name}"
