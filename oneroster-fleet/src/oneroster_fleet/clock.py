"""Time as a fleet means it: now, durations, windows of the day, and the last time of a schedule. Zones with daylight saving."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOW = "ONEROSTER_FLEET_NOW"
"""The variable that replaces the clock: ISO 8601 with an offset."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_MOST_TIMES = 600


def now(environment: Mapping[str, str] = os.environ) -> datetime:
    """Return the time, in UTC. Raise Misconfigured if the variable that replaces the clock is not a time."""
    given = environment.get(NOW)
    if not given:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        found = datetime.min  # noqa: DTZ901 - a time without an offset is refused below
    if found.tzinfo is None:
        raise Misconfigured(f"{NOW}: must be a time with an offset, as 2026-08-11T03:15:00-05:00")
    return found.astimezone(UTC)


def written(at: datetime) -> str:
    """Return a time as text: UTC, whole seconds."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def moment(text: str | None) -> datetime | None:
    """Return the time of such a text; None if there is none, or if it is no such text: one record stops no other."""
    try:
        found = datetime.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        return None
    return found if found and found.tzinfo else None


def duration(text: str) -> timedelta:
    """Return the length that `30s`, `10m`, `2h` or `7d` means. Raise ValueError for anything else."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if not found:
        raise ValueError("must be a duration such as 30s, 10m, 2h or 7d")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def zone(name: str) -> ZoneInfo:
    """Return a time zone. Raise ValueError if there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone; name one as America/Chicago") from None


@dataclass(frozen=True, slots=True)
class Window:
    """A part of each day, half open, on the clocks of a district. It may go over midnight."""

    start: time_of_day
    end: time_of_day

    @classmethod
    def parse(cls, text: str) -> Window:
        """Return the window of `02:00-06:00`. Raise ValueError for anything else."""
        found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", text)
        if not found:
            raise ValueError("must be a window such as 02:00-06:00")
        start = time_of_day(int(found[1]), int(found[2]))
        return cls(start, time_of_day(int(found[3]), int(found[4])) if found[3] else time_of_day())

    def holds(self, at: datetime, its_zone: ZoneInfo) -> bool:
        """True if a time is inside.

        Clocks that are turned back show an hour twice: both are inside. A window that lies wholly in the hour that is
        skipped in spring is open in the hour after it, so that no night is without one.
        """
        local = at.astimezone(its_zone)
        clock = local.time().replace(fold=0)
        if self._has(clock):
            return True
        ends = [datetime.combine(local.date(), edge, its_zone) for edge in (self.start, self.end)]
        skipped = all(edge.astimezone(UTC).astimezone(its_zone).time() != edge.time() for edge in ends)
        return skipped and ends[0].timestamp() <= at.timestamp() < ends[1].timestamp()

    def _has(self, clock: time_of_day) -> bool:
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


def last_time(schedule: str, at: datetime, its_zone: ZoneInfo) -> datetime | None:
    """Return the newest time of a schedule that is not after `at`; None if it has none within years."""
    from cronsim import CronSim

    # Times of a schedule are whole minutes, and the iterator begins before the time that it is given.
    start = (at.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE).astimezone(its_zone)
    found: datetime | None = next(CronSim(schedule, start, reverse=True), None)
    return found.astimezone(UTC) if found else None


_MINUTE = timedelta(minutes=1)


def has_a_time_in(schedule: str, window: Window | None, blackouts: Sequence[Window]) -> bool:
    """True if a time of the schedule is in the window and outside all blackouts. Raise ValueError for a wrong schedule."""
    from cronsim import CronSim, CronSimError

    wrong = "must be a cron expression of five fields, such as 15 3 * * *"
    if len(schedule.split()) != 5:
        raise ValueError(wrong)
    try:
        times = CronSim(schedule, datetime(2026, 1, 1, tzinfo=UTC))
        for _, at in zip(range(_MOST_TIMES), times, strict=False):
            clock = at.time()
            if (window is None or window._has(clock)) and not any(b._has(clock) for b in blackouts):
                return True
    except (CronSimError, ValueError):
        raise ValueError(wrong) from None
    return False
