"""The school year: its sessions, its dates, and the times at which records were last changed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

_TIMES = tuple(f"T{6 + n * 7 % 12:02d}:{n * 13 % 60:02d}:{n * 29 % 60:02d}.{n * 37 % 1000:03d}Z" for n in range(4096))


class Session(NamedTuple):
    """One academic session."""

    id: str
    type: str
    title: str
    start: str
    end: str
    parent: str | None
    ends: int
    """The year in which its school year ends."""


class SchoolYear:
    """A school year of two semesters, four terms and eight grading periods.

    Days are counted from day 0, the 20th of November, when a district starts.
    """

    def __init__(self, ends: int) -> None:
        self.ends = ends
        self._first = date(ends - 1, 8, 17)
        self._zero = date(ends - 1, 11, 20)
        # Exclusive ends of the four terms; the second and the fourth also end a semester.
        bounds = (self._first, date(ends - 1, 10, 19), date(ends, 1, 16), date(ends, 3, 27), date(ends, 6, 12))
        self.start, self.end = bounds[0].isoformat(), bounds[4].isoformat()
        self.middle = bounds[2].isoformat()
        self.moving_day = date(ends - 1, 10, 5).isoformat()
        """The day on which students transfer to other schools and classes change their teacher."""
        self.id = f"SY/{ends}"
        self.semesters = tuple(f"{ends}-S{n}" for n in (1, 2))
        self.terms = tuple(f"{ends}-T{n}" for n in (1, 2, 3, 4))
        self.periods = tuple(f"gp@{ends}.{n}" for n in range(1, 9))
        self._bounds = bounds
        # Changes before day 0 are spread over the 142 days since July.
        self._days = tuple((date(ends - 1, 7, 1) + timedelta(n)).isoformat() for n in range(142))

    def date(self, day: int) -> str:
        """Return the calendar date of a day."""
        return (self._zero + timedelta(day)).isoformat()

    def stamp(self, number: int) -> str:
        """Return a moment between July and day 0, by number."""
        return self._days[(number >> 12) % 142] + _TIMES[number & 4095]

    @staticmethod
    def stamp_at(day: str, number: int) -> str:
        """Return a moment of a calendar day, by number."""
        return day + _TIMES[number & 4095]

    def stamp_on(self, day: int, number: int) -> str:
        """Return a moment of one day, by number."""
        return self.date(day) + _TIMES[number & 4095]

    def sessions(self) -> list[Session]:
        """Return all sessions, parents before children; the previous year has no parts."""
        start = [bound.isoformat() for bound in self._bounds]
        title = f"{self.ends - 1}-{self.ends}"
        last = date(self.ends - 2, 8, 18).isoformat(), date(self.ends - 1, 6, 13).isoformat()
        last_title = f"School year {self.ends - 2}-{self.ends - 1}"
        rows = [
            Session(f"SY/{self.ends - 1}", "schoolYear", last_title, *last, None, self.ends - 1),
            Session(self.id, "schoolYear", f"School year {title}", start[0], start[4], None, self.ends),
            Session(self.semesters[0], "semester", f'Fall semester "{title}"', start[0], start[2], self.id, self.ends),
            Session(self.semesters[1], "semester", f"Spring semester, {title}", start[2], start[4], self.id, self.ends),
        ]
        for n, term in enumerate(self.terms):
            parent = self.semesters[n // 2]
            rows.append(Session(term, "term", f"Term {n + 1}", start[n], start[n + 1], parent, self.ends))
        for n, period in enumerate(self.periods):
            begin, end = self._bounds[n // 2], self._bounds[n // 2 + 1]
            half = begin + (end - begin) / 2
            first, after = (begin, half) if n % 2 == 0 else (half, end)
            word = "Progress report" if n % 2 == 0 else "Report card"
            rows.append(
                Session(
                    period,
                    "gradingPeriod",
                    f"{word} {n // 2 + 1}",
                    first.isoformat(),
                    after.isoformat(),
                    self.terms[n // 2],
                    self.ends,
                )
            )
        return rows
