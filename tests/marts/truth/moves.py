"""Marts of moves between schools."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .rows import Row, Rows, between, later, monday

SETTLED = 14
"""Days into the year after which whoever comes is late."""


class Moves(Rows):
    """What the events of the generator say, and what two enrollments of a pupil tell."""

    def transfer(self) -> list[Row]:
        """The moves that the events made, and those of which two enrollments of a pupil tell."""
        words = {"transfer": "transfer", "dual": "dual", "reentry": "re-entry"}
        told = {
            its["student"]: (words[event["kind"]], its["school"], its.get("other", its["school"]))
            for event in self.known["events"]
            if event["kind"] in words
            for its in event["students"]
        }
        own: defaultdict[str, list[Row]] = defaultdict(list)
        for its in self.students:
            own[its["user"]].append(its)
        rows = []
        for student, spans in own.items():
            its_move = told.get(student)
            if its_move and its_move[0] == "re-entry" and self._never_left(spans):
                its_move = None
            for kind, source, target in self._moves(spans, its_move):
                ends = [its["end"] for its in spans if its["school"] == source]
                last = (min(ends) if kind == "re-entry" else max(ends)) if ends else None
                first = self.today if its_move else None
                if target and not first:
                    first = min(its["begin"] for its in spans if its["school"] == target)
                rows.append(
                    {
                        "student_id": student,
                        "kind": kind,
                        "from_school_id": source,
                        "to_school_id": target,
                        "last_day": later(last, -1) if last else None,
                        "first_day": first,
                        "days_between": between(last, first) if last and first else None,
                    }
                )
        return rows

    def _never_left(self, spans: list[Row]) -> bool:
        """An enrollment that vanished lasted until that was found, so the student was there all the time."""
        last: str = max(its["end"] for its in spans if its["begin"] < self.today)
        return last > later(self.today, -SETTLED)

    def _moves(self, spans: list[Row], told: tuple[str, str, str] | None) -> list[tuple[str, str | None, str | None]]:
        moves: list[tuple[str, str | None, str | None]] = [told] if told else []
        here = {its["school"] for its in spans if its["end"] > self.today}
        gone = {its["school"] for its in spans} - here
        if not told and here and gone:
            moves += [("transfer", source, target) for source in gone for target in here]
        if not here:
            moves.append(("withdrawal", max(spans, key=lambda its: its["end"])["school"], None))
        if min(its["begin"] for its in spans) > later(self._district.year.start, SETTLED):
            moves.append(("late entry", None, spans[0]["school"]))
        return moves

    def transfer_count(self) -> list[Row]:
        moves: defaultdict[tuple[Any, ...], set[str]] = defaultdict(set)
        for its in self.transfer():
            week = monday(its["first_day"] or its["last_day"])
            moves[week, its["from_school_id"], its["to_school_id"], its["kind"]].add(its["student_id"])
        names = ("week", "from_school_id", "to_school_id", "kind")
        return [dict(zip(names, key, strict=True)) | {"students": len(who)} for key, who in moves.items()]
