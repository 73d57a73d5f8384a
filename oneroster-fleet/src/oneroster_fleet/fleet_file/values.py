"""The keys of a fleet file, and what their values may be. Each converter raises ValueError with what to do, never a value."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from .. import clock

if TYPE_CHECKING:
    from collections.abc import Callable

ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Key(Struct, frozen=True):
    """A key: how its value is read, and what it is for. The documentation is derived from it."""

    read: Callable[[Any], Any]
    text: str


def _words(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be text")
    return value


def _id(value: Any) -> str:
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise ValueError("must be 1 to 63 of a-z, 0-9 and -, and begin with a letter or a digit")
    return value


def _slug(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[\w.-]{1,100}", value):
        raise ValueError("must be a word of letters, digits, _, - and .")
    return value


def _zone(value: Any) -> str:
    clock.zone(_words(value))
    return str(value)


def _duration(value: Any) -> str:
    clock.duration(value if isinstance(value, str) else "")
    return str(value)


def _window(value: Any) -> str:
    clock.Window.parse(value if isinstance(value, str) else "")
    return str(value)


def _schedule(value: Any) -> str:
    clock.has_a_time_in(value if isinstance(value, str) else "", None, ())
    return " ".join(value.split())


def _list(value: Any, read: Callable[[Any], Any] = _words) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("must be a list")  # noqa: TRY004 - callers turn ValueError into a line
    return [read(item) for item in value]


def _windows(value: Any) -> list[str]:
    return _list(value, _window)


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("must be a list of names and values")  # noqa: TRY004
    return {str(name): its for name, its in value.items()}


def _whole_number(least: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"must be a whole number, at least {least}")
        return value

    return read


def _date(value: Any) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    if type(value) is date:
        return value
    raise ValueError("must be a date such as 2026-08-20")


def _clock_time(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError("must be a time of day such as '07:30', in quotes")
    return value


def _version(value: Any) -> int:
    if value != 1:
        raise ValueError("must be 1")
    return 1


HOLD = {
    "until": Key(_date, "the first day on which it runs again"),
    "why": Key(_words, "who asked, and for what reason"),
}
LEVELS = {
    "agency": Key(_slug, "a word for the body that the district belongs to; a tag in Airflow"),
    "schedule": Key(_schedule, "cron expression of five fields, on the district's clocks"),
    "time_zone": Key(_zone, "time zone of schedule, window, blackout and hold"),
    "window": Key(_window, "no run starts outside, such as `'02:00-06:00'`; half open"),
    "blackout": Key(_windows, "windows of the day in which no run starts"),
    "fresh_within": Key(_duration, "an older last success is late"),
    "grace": Key(_duration, "how long after its schedule a district without success is late"),
    "retries": Key(_whole_number(0), "how often Airflow repeats a run that ended with 1 or 124"),
    "retry_delay": Key(_duration, "time before the first repetition; doubled each time, at most 1h"),
    "timeout": Key(_duration, "a run that takes longer is stopped, and ends with 124"),
    "loader": Key(_mapping, "`name`: the command of the loader; and its settings"),
    "tap": Key(_mapping, "settings of tap-oneroster (`name`: another tap's command)"),
    "secrets": Key(_mapping, "a reference for each secret setting of tap or loader (`loader.NAME` where both have it)"),
    "select": Key(_list, "patterns as in Meltano's `select`; demographics only where named"),
    "pass_to_loader": Key(_list, "names of variables that the loader sees, too, such as AWS_PROFILE"),
    "audit": Key(_words, "the audit's JSON report of the district, for the board"),
}
"""Keys of a district that providers and defaults may have, too."""
DISTRICT = {
    "id": Key(_id, "names state, tenant, folder, schema and DAG; never reused for another district"),
    "name": Key(_words, "how people call it"),
    "provider": Key(_slug, "one of `providers`"),
    **LEVELS,
    "hold": Key(_mapping, "`why`, and `until`: no run starts before that day"),
    "secrets_expire": Key(_date, "the day on which its credentials end; the board says it 30 days before"),
    "faults": Key(_list, "in a generated file: what was wrong"),
}
PROVIDER = {
    "concurrent": Key(_whole_number(1), "runs at the same time; the slots of the pool"),
    "per_host": Key(_whole_number(1), "runs at the same time for one host and port"),
    **LEVELS,
}
BOARD = {
    "digest_at": Key(_clock_time, "time of day of the digest"),
    "time_zone": Key(_zone, "time zone of the digest and the page"),
}
TOP = {
    "version": Key(_version, "1"),
    "state": Key(_words, "where states are kept: file:///…, postgresql://…, s3://…, or env:NAME"),
    "log_dir": Key(_words, "folder of the logs (default: logs, beside the fleet file)"),
    "board": Key(_mapping, "`digest_at`, `time_zone`"),
    "defaults": Key(_mapping, "keys of a district, for all"),
    "generated": Key(_mapping, "in a generated file: by what"),
}
