"""What a night changed, and which event did it: the answers against which an audit is tested (`truth.json`).

The rows of the night before and of the night are read side by side, and only what differs is kept, so the memory follows
the change. Counts are by cell: file, school, role and term. A cell with `*` is a sum, an empty one means that the row has
no school, role or term.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from ._core.model import Version, file
from .changes import student_life
from .events import CLASS_KINDS, PUPIL_KINDS
from .rollover import rollover
from .tables import ALL_COUNTS, COUNTS, Key, Table
from .weekly import slippage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .district import District
    from .finishing import Item
    from .rows import Row

REASONS = (
    "class has a new id",
    "person has a new id",
    "left the district",
    "moved to another school",
    "another section of the course",
    "class closed",
    "no class left, person still there",
    "dropped the class",
)
"""Why a student's enrollment is gone: the first that holds."""
DIMENSIONS = {
    "classes": ("school", "term"),
    "courses": ("school",),
    "enrollments": ("school", "role", "term"),
    "lineItems": ("school",),
    "roles": ("school", "role"),
    "users": ("school", "role"),
}
"""What cells of a file have; cells of other files are empty."""
_LEFT_OUT = frozenset({"status", "dateLastModified"})


class _Class(NamedTuple):
    terms: tuple[str, ...]
    course: str | None


class _Pair(NamedTuple):
    """A row of the night before and of the night, both None if there is none; and the event that parted them."""

    origin: str
    old: Row | None
    new: Row | None
    event: int | None


class Truth:
    """The difference between two nights of a district, while its rows are read.

    Args:
        now: The district on the night.
        since: The day with which it is compared.
        version: Version of the standard.
    """

    def __init__(self, now: District, since: int, version: Version) -> None:
        self._now, self._before, self._version = now, now.changed(since - now.day), version
        self._events = {n for n, event in now.night.events.items() if event.day > since}
        self._stayed: Counter[tuple[str, Key]] = Counter()
        self._moves: Counter[tuple[int | None, str, Key | None, Key | None, bool]] = Counter()
        self._pairs: defaultdict[int, defaultdict[str, list[list[str]]]] = defaultdict(lambda: defaultdict(list))
        self._reasons: Counter[tuple[int | str | None, str, str]] = Counter()
        self._losers: defaultdict[tuple[int | str | None, str, str], set[str]] = defaultdict(set)
        self._touched: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
        """Persons in classes that an event moved, by event and role."""
        old, new = _classes(self._before, version), _classes(now, version)
        self._old_classes, self._new_classes = dict(old.values()), dict(new.values())
        self._renamed_classes = {
            its_id for origin, (its_id, _) in old.items() if origin in new and new[origin][0] != its_id
        }
        self._scheduled = {
            now.night.class_id(its): shift.event
            for its, shift in now.night.choices.classes.items()
            if shift.event in self._events
        }

    def follow(self, name: str) -> Iterator[Row]:
        """Yield the active rows of a file, as `District.active` does, and count what changed."""
        pairs = self._side_by_side(name)
        if name == "enrollments":
            pairs = self._with_reasons(pairs)
        old_key, new_key = (
            self._keys(name, self._before, self._old_classes),
            self._keys(name, self._now, self._new_classes),
        )
        columns = [field.name for field in file(name).columns(self._version) if field.name not in _LEFT_OUT]
        content = itemgetter(*columns)
        # A row that is the same has the same cells, unless other files decide about them: roles, or the class.
        by_class, settled = name == "enrollments", name != "users" or self._before.night.roles == self._now.night.roles
        moved = {its for its in {**self._old_classes, **self._new_classes} if self._terms(its) is None}
        for pair in pairs:
            old, new = pair.old, pair.new
            its = new_key(pair.origin, new) if new else None
            if new and its and settled and old == new and not (by_class and new["classSourcedId"] in moved):
                self._stayed[name, its] += 1
                yield new
                continue
            was = old_key(pair.origin, old) if old else None
            event = self._mover(pair, moved if by_class else set())
            if old and new and old["sourcedId"] == new["sourcedId"]:
                changed = old != new and content(old) != content(new)
                if was is not None and was == its and not changed:
                    self._stayed[name, its] += 1
                else:
                    self._moves[event, name, was, its, changed] += 1
            else:
                if old:
                    self._moves[pair.event, name, was, None, False] += 1
                if new:
                    self._moves[pair.event, name, None, its, False] += 1
                if old and new and pair.event is not None:
                    self._pairs[pair.event][name].append([old["sourcedId"], new["sourcedId"]])
            if new:
                yield new

    def _mover(self, pair: _Pair, moved: set[str]) -> int | None:
        """Return the event of a pair: an enrollment goes to other cells with its class, if that moved to other terms."""
        if pair.event is None and pair.new and pair.new.get("classSourcedId") in moved:
            return self._scheduled.get(pair.new["classSourcedId"])
        return pair.event

    def _terms(self, class_id: str) -> tuple[str, ...] | None:
        """Return the terms that a class has on both nights; None if they differ."""
        old, new = self._old_classes.get(class_id), self._new_classes.get(class_id)
        return old.terms if old and new and old.terms == new.terms else None

    def _side_by_side(self, name: str) -> Iterator[_Pair]:
        """Pair the rows of both nights by their origin; rows of the earlier one are never missing in the later one."""
        before = self._before.items(name, self._version)
        waiting = next(before, None)
        for item in self._now.items(name, self._version):
            old = None
            if waiting is not None and waiting.origin == item.origin:
                old, waiting = waiting.row, next(before, None)
            if old and old["status"] != "active":
                old = None
            new = item.row if item.row and item.row["status"] == "active" else None
            if old or new:
                yield _Pair(item.origin, old, new, self._cause(item, old, new) if item.by else None)
        if waiting is not None:
            raise RuntimeError(f"{name}: rows of two nights are not in the same order, from {waiting.origin}")

    def _cause(self, item: Item, old: Row | None, new: Row | None) -> int | None:
        """Return the event of this night that made the difference; None if it is an everyday one."""
        if new is None:
            causes = [n for n, _ in item.graves[:1]] if item.row is None else []
        elif old is None:
            causes = [] if item.made is None else [item.made]
        elif old["sourcedId"] != new["sourcedId"]:
            causes = [n for n, _ in item.graves]
        else:
            causes = list(item.by)
        return min((n for n in causes if n in self._events), default=None)

    def _keys(self, name: str, district: District, classes: dict[str, _Class]) -> Callable[[str, Row], Key]:
        """Return what gives the key of a row, by its origin and its cells."""
        school = file(name).school
        nowhere = _Class((), None)
        match name:
            case "enrollments":
                return lambda _, row: (
                    (row["schoolSourcedId"] or "",),
                    row["role"] or "",
                    classes.get(row["classSourcedId"], nowhere).terms,
                )
            case "classes":
                return lambda _, row: ((row["schoolSourcedId"] or "",), "", tuple(row["termSourcedIds"] or ()))
            case "roles":
                return lambda _, row: ((row["orgSourcedId"] or "",), row["role"] or "", ())
            case "users" if self._version == Version.V1_1:
                return lambda _, row: (tuple(row["orgSourcedIds"] or ()), row["role"] or "", ())
            case "users":
                return lambda origin, _: (tuple(district.night.orgs(origin)), "", ())
        if school:
            return lambda _, row: ((row[school] or "",), "", ())
        return lambda *_: ((), "", ())

    def _with_reasons(self, pairs: Iterator[_Pair]) -> Iterator[_Pair]:
        """Find out why enrollments are gone; all of a student follow one another."""
        for student, group in groupby(pairs, key=lambda pair: _student(pair.origin)):
            if student:
                own = list(group)
                self._explain(student, own)
                yield from map(self._touch, own)
            else:
                yield from map(self._touch, group)

    def _touch(self, pair: _Pair) -> _Pair:
        """Keep who is in a class that an event moved."""
        if pair.new and (event := self._scheduled.get(pair.new["classSourcedId"])) is not None:
            self._touched[event, pair.new["role"]].add(pair.new["userSourcedId"])
        return pair

    def _explain(self, student: str, own: list[_Pair]) -> None:
        lost = [(p, p.old) for p in own if p.old and not (p.new and p.new["sourcedId"] == p.old["sourcedId"])]
        if not lost:
            return
        left = self._has_left(student)
        reissued = not left and self._now.night.renamed_user(student) != self._before.night.renamed_user(student)
        there = [pair.new for pair in own if pair.new]
        schools = {row["schoolSourcedId"] for row in there}
        courses = {(row["schoolSourcedId"], self._course(row)) for row in there}
        for pair, row in lost:
            school, class_id = row["schoolSourcedId"], row["classSourcedId"]
            course = self._old_classes[class_id].course if class_id in self._old_classes else None
            holds = (
                class_id in self._renamed_classes,
                reissued,
                left,
                bool(schools) and school not in schools,
                (school, course) in courses,
                class_id not in self._new_classes,
                not schools,
                True,
            )
            reason = REASONS[holds.index(True)]
            for event in {pair.event, "all"}:
                self._reasons[event, school, reason] += 1
                self._losers[event, school, reason].add(student)

    def _course(self, row: Row) -> str | None:
        its = self._new_classes.get(row["classSourcedId"])
        return its.course if its else None

    def _has_left(self, student: str) -> bool:
        now, number = self._now, int(student) - 1
        school = now.school(number // 100_000)
        place = school.place(number % 100_000)
        if place is None or student_life(now, school, place).status != "active":
            return True
        return now.night.gone_by(student) is not None or self._drops("users", school.id)

    def _drops(self, name: str, school: str) -> bool:
        return any(
            (event.kind, event.word) == ("drop-file", name) and event.school in (None, school)
            for event in self._now.night.events.values()
        )

    def result(self) -> dict[str, Any]:
        """Return the truth, once all files have been followed."""
        now, before = self._now, self._before
        totals = Table()
        own: defaultdict[int | None, Table] = defaultdict(Table)
        for (name, key), count in self._stayed.items():
            totals.add(name, key, key, count, changed=False)
        for (event, name, was, its, changed), count in self._moves.items():
            totals.add(name, was, its, count, changed=changed)
            own[event].add(name, was, its, count, changed=changed)
        return {
            "seed": now.seed,
            "version": self._version.value,
            "since": before.day,
            "day": now.day,
            "dimensions": DIMENSIONS,
            "files": totals.files(ALL_COUNTS),
            "cells": totals.cells(ALL_COUNTS),
            "reasons": self._reasons_of("all"),
            "everyday": self._part(None, own[None]),
            "events": [self._event(n, own[n]) for n in sorted(self._events)],
            "rollover": rollover(now),
            "results": slippage(now, now.night, self._version) if now.weekly else None,
        }

    def _part(self, event: int | None, table: Table) -> dict[str, Any]:
        return {
            "files": table.files(COUNTS),
            "cells": table.cells(COUNTS),
            "reasons": self._reasons_of(event),
        }

    def _reasons_of(self, event: int | str | None) -> list[dict[str, Any]]:
        return [
            {"school": school, "reason": reason, "enrollments": count, "students": len(self._losers[key])}
            for key in sorted((k for k in self._reasons if k[0] == event), key=lambda k: (k[1], REASONS.index(k[2])))
            for (_, school, reason), count in [(key, self._reasons[key])]
        ]

    def _event(self, number: int, table: Table) -> dict[str, Any]:
        night = self._now.night
        event = night.events[number]
        said: dict[str, Any] = {"event": str(event), "day": event.day, "kind": event.kind, "school": event.school}
        said |= self._part(number, table)
        if event.kind in ("calendar", "people"):
            said["new_ids"] = dict(self._pairs[number])
        elif event.kind in PUPIL_KINDS:
            moves = [(user, move) for user, move in night.pupils.items() if move.event == number]
            said["students"] = [
                {"student": night.user_id(user), "school": move.school.id}
                | ({} if event.kind == "reentry" else {"other": move.other.id})
                for user, move in moves
                if not self._has_left(user)
            ]
        elif event.kind in CLASS_KINDS:
            shifts = [(class_id, shift) for class_id, shift in night.choices.classes.items() if shift.event == number]
            said["classes"] = [
                {"class": night.class_id(its), "moved": shift.what, "to": shift.to} for its, shift in shifts
            ]
            said["moved"] = dict(Counter(shift.what for _, shift in shifts))
            said["students"] = len(self._touched[number, "student"])
            said["teachers"] = len(self._touched[number, "teacher"])
        elif event.word:
            said["file"], _, column = event.word.partition(".")
            said |= {"column": column} if column else {}
        return said

    def write(self, path: Path) -> None:
        """Write the truth as JSON; only its owner can read it, since it holds ids of persons."""
        write_private(path, self.result())


def _classes(district: District, version: Version) -> dict[str, tuple[str, _Class]]:
    """Return id, terms and course of each class, by its origin."""
    terms: dict[tuple[str, ...], tuple[str, ...]] = {}
    classes = {}
    for item in district.items("classes", version):
        if item.row and item.row["status"] == "active":
            its = tuple(item.row["termSourcedIds"] or ())
            classes[item.origin] = (
                item.row["sourcedId"],
                _Class(terms.setdefault(its, its), item.row["courseSourcedId"]),
            )
    return classes


def _student(origin: str) -> str | None:
    """Return the student of an enrollment by its origin; None if it is one of the staff."""
    return None if "/" in origin else origin.partition("-")[0]


def write_private(path: Path, content: Any) -> None:
    """Write JSON to a file that only its owner can read."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as text:
            json.dump(content, text, ensure_ascii=False)
            text.write("\n")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
