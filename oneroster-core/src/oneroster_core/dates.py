"""Dates and times in the notations that sources use, read only where the reading is certain."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo

__all__ = ["local_date", "read_date", "read_datetime", "to_utc_text"]

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_DATE_AND_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]\d{2}:\d{2}")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})\Z")
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})\Z")
_YEAR_LAST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\Z")
_UTC_MILLIS = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z\Z")

# Years outside are typing errors or sentinels (0001-01-01, 9999-12-31 is common and meant).
_FIRST_YEAR, _LAST_YEAR = 1850, 9999


def _valid(year: str, month: str, day: str) -> str | None:
    try:
        value = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return value.isoformat() if _FIRST_YEAR <= value.year <= _LAST_YEAR else None


def read_date(text: str) -> tuple[str | None, str | None]:
    """A calendar date as ``YYYY-MM-DD``, and the rule it broke, if any.

    A date and time gives its date as written, never shifted to another zone. Day and month in
    either order are read only where just one order makes a date or both make the same.
    """
    text = text.strip()
    if _ISO_DATE.match(text):
        value = _valid(text[:4], text[5:7], text[8:])
        return value, None if value else "unreadable date"
    value = None
    if found := _DATE_AND_TIME.match(text):
        year, month, day = found[1].split("-")
        value = _valid(year, month, day)
    elif found := _COMPACT.match(text) or _YEAR_FIRST.match(text):
        value = _valid(found[1], found[2], found[3])
    elif found := _YEAR_LAST.match(text):
        readings = {_valid(found[3], found[1], found[2]), _valid(found[3], found[2], found[1])}
        readings.discard(None)
        if len(readings) > 1:
            return None, "date whose day and month cannot be told apart"
        value = readings.pop() if readings else None
    return (value, "date in another notation") if value else (None, "unreadable date")


def to_utc_text(moment: datetime) -> str:
    """The moment as ``YYYY-MM-DDTHH:MM:SS.sssZ``; it must know its zone."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def read_datetime(text: str, zone: tzinfo = UTC) -> tuple[str | None, str | None]:
    """A moment as ``YYYY-MM-DDTHH:MM:SS.sssZ`` in UTC, and the rule it broke, if any.

    `zone` is where times without a zone were written.
    """
    text = text.strip()
    rule = None if _UTC_MILLIS.match(text) else "date and time in another notation"
    try:
        if rule is None and _FIRST_YEAR <= datetime.fromisoformat(text).year < _LAST_YEAR:
            return text, None
        moment = datetime.fromisoformat(text)
    except ValueError:
        day, _ = read_date(text) if not _DATE_AND_TIME.match(text) else (None, None)
        if day is None:
            return None, "unreadable date and time"
        moment = datetime.fromisoformat(day)
    if not _FIRST_YEAR <= moment.year < _LAST_YEAR:
        return None, "unreadable date and time"
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
        rule = "date and time without a zone"
    return to_utc_text(moment), rule


def local_date(text: str, zone: tzinfo = UTC) -> tuple[str | None, str | None]:
    """The calendar date that a moment has in `zone`, and the rule it broke, if any.

    A date without a time, or a time without a zone, is that date as it is written.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return read_date(text)
    if not _FIRST_YEAR <= moment.year < _LAST_YEAR:
        return None, "unreadable date"
    if moment.tzinfo is not None:
        moment = moment.astimezone(zone)
    return moment.date().isoformat(), None
