"""A night with events: the rows of a district as the events up to its day leave them.

Rows are changed one at a time while they stream by. Each comes with its origin, the id it has without events, and with
the numbers of the events that touched it, so that `truth` can say what each event did.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .belonging import HOME, home_of
from .choices import Choices, Move, choose
from .finishing import Change, Finish, Item, new_id
from .subjects import SUBJECTS, subjects_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._core.model import Version
    from .events import Event
    from .plan import Plan
    from .rows import Row

ABSENCE = 21
"""Days for which a pupil who comes back was away."""
TOMBSTONES = frozenset({"transfer", "close"})
"""Kinds whose removed rows a service shows as `tobedeleted`; the rows of others vanish."""


class Night:
    """The events of a district up to its day."""

    def __init__(self, plan: Plan, events: tuple[Event, ...]) -> None:
        self.plan = plan
        self.choices: Choices = choose(replace(plan, day=0, events=()), events)
        self.events = {n: event for n, event in enumerate(events) if event.day <= plan.day}
        self._calendars = [n for n, event in self.events.items() if event.kind == "calendar"]
        self._peoples = [n for n, event in self.events.items() if event.kind == "people"]
        self.closed = {school: n for school, n in self.choices.closed.items() if n in self.events}
        self.pupils = {user: move for user, move in self.choices.pupils.items() if move.event in self.events}
        touched = {event.school for event in self.events.values() if event.school}
        self._touched = touched | {move.school.id for move in self.pupils.values()}
        self._without_roles = [
            event.school
            for event in self.events.values()
            if event.word in ("roles", "roles.orgSourcedId", "roles.userSourcedId")
        ]
        self.roles = (self._without_roles, self.closed, self.pupils)
        """What decides about the orgs of persons."""
        # Teachers of two schools bring what happens at one of them to the other.
        self._touched_persons = self._touched | self._visited(touched)

    def _visited(self, schools: set[str]) -> set[str]:
        plan = self.plan
        numbers = [int(school) - 1 for school in schools]
        return {plan.school((n + step) % plan.schools).id for n in numbers for step in (-1, 1)}

    def renamed_user(self, user: str) -> tuple[int, ...]:
        """Return the numbers of the events that gave a person a new id."""
        return tuple(n for n in self._peoples if self._home_at(user, n) == self.events[n].school)

    def _home_at(self, user: str, number: int) -> str:
        move = self.pupils.get(user)
        if move and move.kind == "transfer" and move.event < number:
            return move.other.id
        return home_of(user)

    def renamed_class(self, its_id: str) -> tuple[int, ...]:
        """Return the numbers of the events that gave a class a new id."""
        return self.rebuilt(its_id.partition(".")[0]) if self._calendars else ()

    def class_id(self, its_id: str) -> str:
        """Return the id of a class now."""
        return new_id("c", self.renamed_class(its_id), its_id)

    def user_id(self, user: str) -> str:
        """Return the id of a person now."""
        return new_id("u", self.renamed_user(user), user)

    def rebuilt(self, school: str) -> tuple[int, ...]:
        """Return the numbers of the events that gave a school's classes and enrollments new ids."""
        return tuple(n for n in self._calendars if self.events[n].school == school)

    def places(self, user: str, orgs: list[str]) -> list[str]:
        """Return the orgs of a person now: those of the plan, moved and closed by the events."""
        move = self.pupils.get(user)
        if move and move.kind == "transfer":
            orgs = [move.other.id if org == move.school.id else org for org in orgs]
        elif move and move.kind == "dual":
            orgs = [*orgs, move.other.id]
        return [org for org in dict.fromkeys(orgs) if org not in self.closed]

    def gone_by(self, user: str) -> int | None:
        """Return the number of the event that took a person out of the district, if one did."""
        if not self.closed:
            return None
        places = self._orgs(user, home_of(user))
        if self.places(user, places):
            return None
        move = self.pupils.get(user)
        places += [move.other.id] if move else []
        return max(self.closed[place] for place in places if place in self.closed)

    def items(self, name: str, version: Version, rows: Iterator[Row]) -> Iterator[Item]:
        """Yield the rows of a file as the events leave them."""
        finish = Finish(self, name, version)
        home = HOME.get(name)
        special: dict[str, Callable[[Row], Iterator[Change]]] = {
            "classes": self._class,
            "enrollments": self._enrollment,
            "orgs": self._org,
            "roles": self._role,
            "userResources": self._resource,
            "users": self._user,
        }
        work = special.get(name, _as_it_is)
        touched = self._touched_persons if name in ("users", "roles", "enrollments", "userProfiles") else self._touched
        always = finish.always or (name in ("users", "roles", "orgs") and bool(self.closed))
        by_user = name == "enrollments"
        if not self.events:
            yield from (Item(row["sourcedId"], row) for row in rows)
            return
        for row in rows:
            if not always:
                its_home = home(row) if home else ""
                if its_home not in touched and not (by_user and home_of(row["userSourcedId"]) in touched):
                    yield Item(row["sourcedId"], row)
                    continue
            yield from map(finish, work(row))

    def _class(self, row: Row) -> Iterator[Change]:
        by: list[int] = []
        shift = self.choices.classes.get(row["sourcedId"])
        if shift and shift.event in self.events and shift.what != "teacher":
            by.append(shift.event)
            column, is_list = _MOVED[shift.what]
            row[column] = [shift.to] if is_list else shift.to
        yield Change(row, by)

    def _enrollment(self, row: Row) -> Iterator[Change]:
        by: list[int] = []
        its_id, user = row["sourcedId"], row["userSourcedId"]
        removed = self._halved(its_id)
        shift = self.choices.classes.get(row["classSourcedId"])
        if shift and shift.event in self.events and shift.what == "teacher" and its_id.endswith("/t1"):
            by.append(shift.event)
            row["userSourcedId"] = shift.to
        move = self.pupils.get(user)
        if move is None or row["schoolSourcedId"] != move.school.id:
            yield Change(row, by, removed)
            return
        made: list[Row] = []
        if move.kind == "transfer":
            removed = move.event if removed is None else min(removed, move.event)
        elif move.kind == "reentry" and (again := self._again(move, row)):
            by.append(move.event)
            made.append(again)
        if move.kind != "reentry" and its_id == f"{user}-{SUBJECTS[0].code}{move.school.suffix}":
            made += self._made(move, row)
        yield Change(row, by, removed)
        for new in made:
            yield Change(new, [move.event], self._halved(new["sourcedId"]), move.event)

    def _halved(self, its_id: str) -> int | None:
        number = self.choices.halves.get(its_id)
        return number if number in self.events else None

    def _again(self, move: Move, row: Row) -> Row | None:
        """End an enrollment three weeks ago, and return the one that begins today; None if it was not running."""
        back, left = self.plan.year.date(move.day), self.plan.year.date(move.day - ABSENCE)
        begin, end = row["beginDate"], row["endDate"]
        if begin >= left or (end is not None and end <= back):
            return None
        again = row | {"sourcedId": f"{row['sourcedId']}.back{move.day}", "beginDate": back}
        row["endDate"] = left
        return again

    def _made(self, move: Move, row: Row) -> Iterator[Row]:
        """Yield the enrollments at the other school: all of the grade there, or one."""
        other, year = move.other, move.other.year
        grade = move.school.grades[move.place % len(move.school.grades)]
        able = [n for n, sections in enumerate(other.sections) if sections]
        place = min(able, key=lambda n: abs(other.grades[n] - grade))
        begin = self.plan.year.date(move.day)
        classes = other.classes_of(place, move.place)
        for k in [1] if move.kind == "dual" else range(subjects_in(other.grades[place])):
            start = max(begin, year.middle) if k == 8 else begin
            end = (None, year.middle, year.end)[max(0, k - 6)]
            if end is None or start < end:
                yield row | {
                    "sourcedId": f"{row['userSourcedId']}-{SUBJECTS[k].code}.{other.id}.{move.day}",
                    "classSourcedId": classes[k],
                    "schoolSourcedId": other.id,
                    "beginDate": start,
                    "endDate": end,
                }

    def _org(self, row: Row) -> Iterator[Change]:
        by: list[int] = []
        if row["childSourcedIds"] and self.closed:
            row["childSourcedIds"] = [child for child in row["childSourcedIds"] if child not in self.closed]
            by.append(max(self.closed.values()))
        yield Change(row, by)

    def _role(self, row: Row) -> Iterator[Change]:
        user, org = row["userSourcedId"], row["orgSourcedId"]
        by: list[int] = []
        move = self.pupils.get(user)
        if not move or org != move.school.id:
            yield Change(row, by, self.closed.get(org))
            return
        day = self.plan.year.date(move.day)
        if move.kind == "transfer":
            by.append(move.event)
            org = row["orgSourcedId"] = move.other.id
            row["beginDate"] = day
        yield Change(row, by, self.closed.get(org))
        if move.kind == "dual":
            new = row | {"sourcedId": f"{user}/role.dual", "orgSourcedId": move.other.id, "beginDate": day}
            new["roleType"], new["userProfileSourcedId"] = "primary", None
            yield Change(new, [move.event], self.closed.get(move.other.id), move.event)

    def _resource(self, row: Row) -> Iterator[Change]:
        by: list[int] = []
        if org := row["orgSourcedId"]:
            user = row["userSourcedId"]
            self._move(row, "orgSourcedId", next(iter(self.places(user, [org])), None), user, by)
        yield Change(row, by)

    def _user(self, row: Row) -> Iterator[Change]:
        by: list[int] = []
        user = row["sourcedId"]
        if orgs := row["orgSourcedIds"]:
            self._move(row, "orgSourcedIds", self.places(user, orgs), user, by)
        elif org := row["primaryOrgSourcedId"]:
            self._move(row, "primaryOrgSourcedId", next(iter(self.places(user, self._orgs(user, org))), None), user, by)
        if self.closed and (agents := row["agentSourcedIds"]):
            gone = {agent: number for agent in agents if (number := self.gone_by(agent)) is not None}
            if gone:
                row["agentSourcedIds"] = [agent for agent in agents if agent not in gone] or None
                by += gone.values()
        yield Change(row, by)

    def orgs(self, user: str) -> list[str]:
        """Return the orgs of the roles of a person, ended ones included."""
        home = home_of(user)
        if any(school in (None, home) for school in self._without_roles):
            return []
        orgs = self._orgs(user, home)
        if user[0].isdigit():
            number = int(home) - 1
            school = self.plan.school(number)
            place = school.place((int(user) - 1) % 100_000)
            old = None if place is None else self.plan.old_school(school, place)
            orgs += [old.id] if old else []
        return self.places(user, orgs)

    def _orgs(self, user: str, home: str) -> list[str]:
        """Return the orgs at which a person works or learns without events."""
        if user.startswith("Tch.") and user.endswith("-001") and self.plan.schools > 1:
            return [home, self.plan.school(int(home) % self.plan.schools).id]
        return [home]

    def _move(self, row: Row, name: str, value: Any, user: str, by: list[int]) -> None:
        """Set a cell that names orgs of a person."""
        before = row[name]
        if before == value:
            return
        row[name] = value
        move = self.pupils.get(user)
        if move and move.kind != "reentry":
            by.append(move.event)
        gone = {before} if isinstance(before, str) else set(before)
        by += [number for org, number in self.closed.items() if org in gone]


_MOVED = {
    "period": ("periods", True),
    "room": ("location", False),
    "term": ("termSourcedIds", True),
    "course": ("courseSourcedId", False),
}
"""The column of a class that says what is moved, and whether it is a list."""


def _as_it_is(row: Row) -> Iterator[Change]:
    yield Change(row, [])
