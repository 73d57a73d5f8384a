"""Dates and times in the notations that sources use; ambiguous ones are not read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, tzinfo
from itertools import chain
from struct import Struct

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE_AND_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]\d{2}:\d{2}", re.ASCII | re.IGNORECASE)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)
_UTC_MILLIS = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)
# ISO 8601 with a complete date: a month, a time or a period alone is not a moment.
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2}|\d{8}|\d{4}-?W\d{2}-?\d|\d{4}-\d{3})"
    r"(?:[T ](\d{2}[\d:]*(?:[.,]\d+)?))? ?(Z|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)

# Years outside this range are typing errors or sentinels such as 0001-01-01. 9999-12-31 is common and intended.
_FIRST_YEAR, _LAST_YEAR = 1850, 9999

# The canonical form as bytes, where a column is read by its positions.
_SHAPE = b"0000-00-00T00:00:00.000Z\n"
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_HOUR, _MINUTE, _SECOND = 11, 14, 17
_TWENTIES = bytes(code == ord("2") for code in range(256))
_ABOVE_THREE = bytes(code > ord("3") for code in range(256))
_DAY = Struct("10s15x")
_HUNDRED_DAYS = Struct("10s15x" * 100)
_valid_days: set[bytes] = set()
"""Days that a column had before; a district has a few hundred."""
_MOST_DAYS = 5_000


def _valid(year: str, month: str, day: str) -> str | None:
    try:
        value = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return value.isoformat() if _FIRST_YEAR <= value.year <= _LAST_YEAR else None


def _parsed(text: str) -> datetime | None:
    """Return the moment of an ISO 8601 text, at midnight if it has no time; None if the text is not ISO 8601."""
    found = _ISO.fullmatch(text)
    if not found:
        return None
    day, at, zone = found[1].upper(), found[2] or "00:00", (found[3] or "").upper()
    if ":" in at and day.isdigit():
        day = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    iso = f"{day}T{at}{zone}"
    with suppress(ValueError):  # the common forms, in a fifth of the time
        return datetime.fromisoformat(iso)
    # Imported here because most sources write the common forms, and the import takes a quarter of a second.
    import pendulum

    with suppress(ValueError):
        moment = pendulum.parse(iso, exact=True, tz=None)
        return moment if isinstance(moment, pendulum.DateTime) else None
    return None


def read_date(text: str) -> tuple[str | None, str | None]:
    """Return a calendar date as ``YYYY-MM-DD``, and the rule it broke, if any.

    A date and time gives its date as written, without a change of zone. If the order of day and month is unknown, the
    date is read only if one order is valid or both give the same date.
    """
    text = text.strip()
    if _ISO_DATE.fullmatch(text):
        value = _valid(text[:4], text[5:7], text[8:])
        return value, None if value else "unreadable date"
    value = None
    if found := _DATE_AND_TIME.match(text):
        year, month, day = found[1].split("-")
        value = _valid(year, month, day)
    elif found := _COMPACT.fullmatch(text) or _YEAR_FIRST.fullmatch(text):
        value = _valid(found[1], found[2], found[3])
    elif found := _YEAR_LAST.fullmatch(text):
        readings = {_valid(found[3], found[1], found[2]), _valid(found[3], found[2], found[1])}
        readings.discard(None)
        if len(readings) > 1:
            return None, "date whose day and month cannot be told apart"
        value = readings.pop() if readings else None
    elif moment := _parsed(text):
        value = moment.date().isoformat() if _FIRST_YEAR <= moment.year <= _LAST_YEAR else None
    return (value, "date in another notation") if value else (None, "unreadable date")


def to_utc_text(moment: datetime) -> str:
    """Return the moment as ``YYYY-MM-DDTHH:MM:SS.sssZ``; it must have a time zone."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def are_utc_millis(texts: Sequence[str]) -> bool:
    """True if all texts of a column that is not empty already have the canonical form."""
    lines = "\n".join(texts) + "\n"
    if not lines.isascii() or (raw := lines.encode()).translate(_DIGITS_TO_ZERO) != _SHAPE * len(texts):
        return False
    width = len(_SHAPE)
    if raw[_MINUTE::width].strip(b"012345") or raw[_SECOND::width].strip(b"012345"):
        return False
    tens, ones = raw[_HOUR::width], raw[_HOUR + 1 :: width]
    late = int.from_bytes(tens.translate(_TWENTIES), "big") & int.from_bytes(ones.translate(_ABOVE_THREE), "big")
    if late or tens.strip(b"012"):
        return False
    days = _days(raw)
    if days <= _valid_days:
        return True
    if len(_valid_days) > _MOST_DAYS:
        _valid_days.clear()
    new = [day.decode() for day in days - _valid_days]
    if not all(day < f"{_LAST_YEAR}" and _valid(day[:4], day[5:7], day[8:]) for day in new):
        return False
    _valid_days.update(days)
    return True


def _days(raw: bytes) -> set[bytes]:
    """Return the days of lines in the canonical form."""
    most = len(raw) - len(raw) % _HUNDRED_DAYS.size
    days = set(chain.from_iterable(_HUNDRED_DAYS.iter_unpack(raw[:most])))
    days.update(chain.from_iterable(_DAY.iter_unpack(raw[most:])))
    return days


def read_datetime(text: str, zone: tzinfo = UTC) -> tuple[str | None, str | None]:
    """Return a moment as ``YYYY-MM-DDTHH:MM:SS.sssZ`` in UTC, and the rule it broke, if any.

    Times without a zone are taken to be in `zone`.
    """
    text = text.strip()
    if _UTC_MILLIS.fullmatch(text):
        try:
            certain = _FIRST_YEAR <= datetime.fromisoformat(text).year < _LAST_YEAR
        except ValueError:
            certain = False
        return (text, None) if certain else (None, "unreadable date and time")
    rule = "date and time in another notation"
    moment = _parsed(text)
    if moment is None:
        day, _ = read_date(text) if not _DATE_AND_TIME.match(text) else (None, None)
        if day is None:
            return None, "unreadable date and time"
        moment = datetime.combine(date.fromisoformat(day), time())
    if not _FIRST_YEAR <= moment.year < _LAST_YEAR:
        return None, "unreadable date and time"
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
        rule = "date and time without a zone"
    return to_utc_text(moment), rule


def local_date(text: str, zone: tzinfo = UTC) -> tuple[str | None, str | None]:
    """Return the calendar date of a moment in `zone`, and the rule it broke, if any.

    A date without a time, or a time without a zone, gives the date as written.
    """
    text = text.strip()
    if _UTC_MILLIS.fullmatch(text):
        try:
            moment: datetime | None = datetime.fromisoformat(text)
        except ValueError:
            moment = None
    else:
        found = _ISO.fullmatch(text)
        moment = _parsed(text) if found and found[2] else None
    if moment is None:
        return read_date(text)
    if not _FIRST_YEAR <= moment.year < _LAST_YEAR:
        return None, "unreadable date"
    if moment.tzinfo is not None:
        moment = moment.astimezone(zone)
    return moment.date().isoformat(), None
