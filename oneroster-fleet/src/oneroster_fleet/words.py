"""The words of the board: what is so with a district now (pure)."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from .clock import moment
from .district import Hold

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .district import District

HELD, MISCONFIGURED = 3, 4
ENDED_OTHERWISE = frozenset({0, HELD, MISCONFIGURED, 130, 143})
"""Codes of a last run that are no failure: it ended well, was held, was refused, or somebody stopped it."""


CLOCKS_DIFFER = timedelta(hours=1)
"""So much the clocks of two machines may differ."""


class Word(StrEnum):
    """One word for a district, the one that needs a person most first."""

    HELD = "held"
    MISCONFIGURED = "misconfigured"
    FAILED = "failed"
    RUNNING = "running"
    LATE = "late"
    NEVER = "never"
    FRESH = "fresh"


NEEDS_A_PERSON = frozenset({Word.HELD, Word.MISCONFIGURED, Word.FAILED, Word.LATE, Word.NEVER})


class Words(Struct, frozen=True):
    """The word of a district, since when, and why."""

    word: Word
    since: datetime | None
    why: str


def hold_of(district: District, record: Mapping[str, Any] | None) -> Hold | None:
    """Return the hold of a district: that of `oneroster-fleet hold`, or else that of the fleet file."""
    from datetime import date

    if record is not None:
        try:
            until = date.fromisoformat(record["until"]) if record.get("until") else None
        except (TypeError, ValueError):  # a hold that cannot be read is in force until it is released
            until = None
        who, when = str(record.get("who", "")), str(record.get("when", ""))
        why = str(record.get("why") or "the record of its hold cannot be read; release it, or hold it anew")
        return Hold(why, until, who, when)
    return district.hold


def last_good(last: Mapping[str, Any] | None) -> datetime | None:
    """Return when a district last ended well."""
    if not last:
        return None
    return moment(last.get("finished") if last.get("exit") == 0 else last.get("last_success"))


def _is_ahead(success: datetime | None, at: datetime) -> bool:
    """True if a success is dated later than now: a clock was wrong. It would count as fresh until that day comes."""
    return success is not None and success - at > CLOCKS_DIFFER


def is_due(district: District, last: Mapping[str, Any] | None, at: datetime) -> bool:
    """True if a run has to be started: the last success is older than the last time of the schedule.

    Not if a run since then was held or refused: the next one would end the same, and may lock the account.
    """
    scheduled = district.last_due(at)
    if scheduled is None:
        return False
    success = last_good(last)
    if success is not None and success >= scheduled and not _is_ahead(success, at):
        return False
    begun = moment(last.get("started")) if last else None
    return not (last and last.get("exit") in (HELD, MISCONFIGURED) and begun is not None and begun >= scheduled)


def word_of(
    district: District,
    last: Mapping[str, Any] | None,
    hold: Hold | None,
    running: Mapping[str, Any] | None,
    at: datetime,
    fault: str = "",
) -> Words:
    """Return the word of a district: the first rule that holds, in the order of `Word`.

    `last` is its `last.json`, `running` the content of its lock if one is held, `fault` a mistake in the fleet file.
    """
    code = last.get("exit") if last else None
    why = str(last.get("why", "")) if last else ""
    finished = moment(last.get("finished")) if last else None
    success = last_good(last)
    if hold and hold.is_in_force(at, district.zone):
        until = f" (until {hold.until})" if hold.until else ""
        return Words(Word.HELD, moment(hold.when) if hold.when else None, f"{hold.why}{until}")
    if code == HELD:
        return Words(Word.HELD, finished, why)
    if fault:
        return Words(Word.MISCONFIGURED, None, fault)
    if code == MISCONFIGURED:
        return Words(Word.MISCONFIGURED, finished, why)
    is_old = success is not None and at - success > district.length("fresh_within")
    if code is not None and code not in ENDED_OTHERWISE and last and (not last.get("retries_left") or is_old):
        return Words(Word.FAILED, finished, why)
    begun = moment(running.get("started")) if running else None
    if begun is not None and at - begun < district.length("timeout"):
        return Words(Word.RUNNING, begun, "")
    if success is None:
        return Words(Word.NEVER, None, why)
    return _late(district, success, why, at) or Words(Word.FRESH, success, "")


def _late(district: District, success: datetime, why: str, at: datetime) -> Words | None:
    if _is_ahead(success, at):
        why = "its last success is dated in the future; look at the clock of the machine that ran it, and run it again"
        return Words(Word.LATE, None, why)
    scheduled = district.last_due(at)
    if scheduled is not None and success < scheduled and at >= scheduled + district.length("grace"):
        return Words(Word.LATE, scheduled + district.length("grace"), why or "no run ended well since its schedule")
    oldest = success + district.length("fresh_within")
    return Words(Word.LATE, oldest, why or "its last success is too old") if at > oldest else None
