"""Who and what is in scope: decided by the rows' own attributes, with whole references. Pure; ids as 64-bit hashes."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from ..model import file
from .policy import GUARDIANS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
    from datetime import date

    from .policy import Scope
    from .rows import Rows

_OWNERS = ("classSourcedId", "userSourcedId", "studentSourcedId")
"""A row whose class or person is out of scope goes, even where the standard lets it have none."""
_LATER = ("lineItems", "scoreScales", "assessmentLineItems", "results")
"""Streams whose rows are in scope by their references, and that other rows refer to; each after what it refers to."""


class OutOfScope(Exception):
    """A scope that the source does not fit: `key` is the line of the policy, the message says what is wrong."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


class ScopeSets:
    """The ids in scope, by stream; a stream without a set has no limit of its own."""

    def __init__(self) -> None:
        self._sets: dict[str, Container[str]] = {}

    def add(self, stream: str, ids: Container[str]) -> None:
        """Set the ids of a stream."""
        self._sets[stream] = ids

    def limits(self, stream: str) -> bool:
        """True if some rows of the stream may be out of scope."""
        return stream in self._sets

    def holds(self, stream: str, one: str) -> bool:
        """True if a row of the stream is in scope."""
        return one in self._sets[stream]

    def keeps(self, rows: Rows) -> list[bool] | None:
        """Return for each row whether it is in scope; None if all are."""
        kept: list[bool] | None = None
        for stream, values in self._decisive(rows):
            ids = self._sets[stream]
            fits = [one in ids if one else True for one in values]
            kept = fits if kept is None else [a and b for a, b in zip(kept, fits, strict=True)]
        return None if kept is None or all(kept) else kept

    def _decisive(self, rows: Rows) -> Iterable[tuple[str, Sequence[Any]]]:
        """Yield the references that decide about a row, each with its stream."""
        if rows.file.name in self._sets:
            yield rows.file.name, rows.raw("sourcedId")
            return
        for field in rows.file.fields:
            if field.refers_to in self._sets and not field.kind.is_list and (field.required or field.name in _OWNERS):
                yield field.refers_to, rows.raw(field.name)


def streams_needed(scope: Scope, named: Collection[str]) -> tuple[str, ...]:
    """Return the streams to read before any row leaves, in their order; `named` are those of the policy."""
    needed = []
    if scope.schools is not None:
        needed.append("orgs")
    if scope.sessions is not None or scope.current:
        needed.append("academicSessions")
    if _limits_classes(scope):
        needed += ["classes", "courses"]
    if _limits_users(scope):
        needed.append("users")
    limited = {*needed}
    for stream in _LATER:
        if any(field.refers_to in limited for field in file(stream).fields if field.required or field.name in _OWNERS):
            limited.add(stream)
            if any(
                field.refers_to == stream for name in (*named, *_LATER) for field in file(name).fields if name in named
            ):
                needed.append(stream)
    if "results" in needed and "lineItems" not in needed:
        needed.insert(needed.index("results"), "lineItems")
    return tuple(needed)


def _limits_classes(scope: Scope) -> bool:
    return scope.schools is not None or scope.grades is not None or scope.sessions is not None or scope.current


def _limits_users(scope: Scope) -> bool:
    return scope.schools is not None or scope.grades is not None or scope.users is not None


class ScopeBuilder:
    """Finds out what is in scope, from the rows of the streams that `streams_needed` names, in that order.

    `take` gets the columns of some rows; `done` ends a stream. `pack` makes a small container of hashes.
    """

    def __init__(self, scope: Scope, today: date, pack: Callable[[Iterable[int]], Any]) -> None:
        self.sets = ScopeSets()
        self._scope = scope
        self._today = today.isoformat()
        self._pack = pack
        self._parents: dict[str, str | None] = {}
        self._named: set[str] = set()
        self._schools: set[int] | None = None
        """Hashes of the named schools; an ancestor of one admits nobody."""
        self._orgs: set[str] = set()
        self._sessions: set[int] | None = None
        self._classes: set[int] = set()
        self._courses: set[int] = set()
        self._kept = array("q")
        self._students, self._others, self._guardians = array("q"), array("q"), array("q")
        self._graded = array("q")
        self._agents = array("q")
        """Pairs: a person, and somebody who is an agent of that person."""

    def take(self, stream: str, rows: Rows) -> None:
        """Take some rows."""
        match stream:
            case "orgs":
                self._take_orgs(rows)
            case "academicSessions":
                self._take_sessions(rows)
            case "classes":
                self._take_classes(rows)
            case "courses":
                self._take_courses(rows)
            case "users":
                self._take_users(rows)
            case "roles":
                self._take_roles(rows)
            case _:
                kept = self.sets.keeps(rows)
                ids = rows.raw("sourcedId")
                self._kept.extend(hash(one) for place, one in enumerate(ids) if kept is None or kept[place])

    def done(self, stream: str) -> None:
        """End a stream; raise OutOfScope if it holds nothing of what the scope names."""
        match stream:
            case "orgs":
                self._done_orgs()
            case "academicSessions":
                self._done_sessions()
            case "classes":
                if not self._classes:
                    raise OutOfScope("scope", "no class is in this scope: it would be empty")
                self.sets.add("classes", self._pack(self._classes))
            case "courses":
                self.sets.add("courses", self._pack(self._courses))
                self._set_orgs()
            case "users":
                self._done_users()
            case _:
                self.sets.add(stream, self._pack(self._kept))
                self._kept = array("q")

    # --- orgs, sessions ---------------------------------------------------------------------------------------------

    def _take_orgs(self, rows: Rows) -> None:
        wanted = set(self._scope.schools or ())
        for one, number, parent in zip(
            rows.raw("sourcedId"), rows.raw("identifier"), rows.raw("parentSourcedId"), strict=True
        ):
            self._parents[one] = parent
            for word in {one, number} & wanted:
                self._named.add(one)
                self._orgs.add(word or "")

    def _done_orgs(self) -> None:
        missing = len(set(self._scope.schools or ()) - self._orgs)
        if missing:
            raise OutOfScope("scope", f"{missing} of the schools named here are not in the source")
        self._schools = {hash(one) for one in self._named}
        self._orgs = _upwards(self._named, self._parents)
        self._set_orgs()
        self._parents, self._named = {}, set()

    def _set_orgs(self) -> None:
        if self._schools is not None:
            self.sets.add("orgs", self._pack(map(hash, self._orgs)))

    def _take_sessions(self, rows: Rows) -> None:
        wanted = set(self._scope.sessions or ())
        names = ("sourcedId", "parentSourcedId", "startDate", "endDate")
        for one, parent, start, end in zip(*map(rows.raw, names), strict=True):
            self._parents[one] = parent
            is_current = self._scope.current and start and end and start <= self._today < end
            if one in wanted or is_current:
                self._named.add(one)

    def _done_sessions(self) -> None:
        wanted = self._scope.sessions
        if wanted is not None and (missing := len(set(wanted) - self._named)):
            raise OutOfScope("scope", f"{missing} of the sessions named here are not in the source")
        if not self._named:
            raise OutOfScope("scope", "no session is current on this day: the scope would be empty")
        kept = _upwards(self._named, self._parents) | _downwards(self._named, self._parents)
        self._sessions = {hash(one) for one in kept}
        self.sets.add("academicSessions", self._pack(self._sessions))
        self._parents, self._named = {}, set()

    # --- classes, courses -------------------------------------------------------------------------------------------

    def _take_classes(self, rows: Rows) -> None:
        names = ("sourcedId", "courseSourcedId", "schoolSourcedId", "grades", "termSourcedIds")
        for one, course, school, grades, terms in zip(*map(rows.raw, names), strict=True):
            if (
                (self._schools is None or hash(school) in self._schools)
                and (self._scope.grades is None or not grades or not set(grades).isdisjoint(self._scope.grades))
                and (self._sessions is None or any(hash(term) in self._sessions for term in terms or ()))
            ):
                self._classes.add(hash(one))
                if course:
                    self._courses.add(hash(course))

    def _take_courses(self, rows: Rows) -> None:
        for one, org in zip(rows.raw("sourcedId"), rows.raw("orgSourcedId"), strict=True):
            if org and hash(one) in self._courses:
                self._orgs.add(org)

    # --- users ------------------------------------------------------------------------------------------------------

    def _allows(self, word: str) -> bool:
        return self._scope.users is None or word in self._scope.users

    def _take_roles(self, rows: Rows) -> None:
        names = ("userSourcedId", "orgSourcedId", "role", "status")
        for user, org, word, status in zip(*map(rows.raw, names), strict=True):
            if not user or not word or status == "tobedeleted" or not self._allows(word):
                continue
            if word in GUARDIANS:
                self._guardians.append(hash(user))
            elif self._schools is None or hash(org) in self._schools:
                (self._students if word == "student" else self._others).append(hash(user))

    def _take_users(self, rows: Rows) -> None:
        wanted = self._scope.grades
        with_agents = any(map(self._allows, GUARDIANS))
        for one, grades, agents in zip(*map(rows.raw, ("sourcedId", "grades", "agentSourcedIds")), strict=True):
            if wanted is not None and grades and not set(grades).isdisjoint(wanted):
                self._graded.append(hash(one))
            if with_agents:
                for agent in agents or ():
                    self._agents.extend((hash(one), hash(agent)))

    def _done_users(self) -> None:
        students = set(self._students)
        if self._scope.grades is not None:
            students &= set(self._graded)
        agents = {agent for one, agent in zip(self._agents[::2], self._agents[1::2], strict=True) if one in students}
        kept = students.union(self._others, agents.intersection(self._guardians))
        if not kept:
            raise OutOfScope("scope", "nobody is in this scope: the twin would be empty")
        self.sets.add("users", self._pack(kept))
        for one in (self._students, self._others, self._guardians, self._graded, self._agents):
            del one[:]


def _upwards(ids: Iterable[str], parents: Mapping[str, str | None]) -> set[str]:
    """Return these ids and all their ancestors."""
    found: set[str] = set()
    for one in ids:
        at: str | None = one
        while at is not None and at not in found:
            found.add(at)
            at = parents.get(at)
    return found


def _downwards(ids: Iterable[str], parents: Mapping[str, str | None]) -> set[str]:
    """Return these ids and all their descendants."""
    found = set(ids)
    while more := {one for one, parent in parents.items() if parent in found and one not in found}:
        found |= more
    return found
