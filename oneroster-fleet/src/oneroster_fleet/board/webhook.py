"""Tells changes of words to a webhook, in Slack's form: at once, but each provider at most once in ten minutes."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from .._core.webhook import post_json, was_taken
from ..clock import moment, written
from ..errors import FleetError
from ..stores.base import BOARD_RECORD
from ..words import NEEDS_A_PERSON, Word

if TYPE_CHECKING:
    from ..stores import Store
    from .contents import Contents, Line

OWN = "_board"
"""Where the board remembers what it told; no district has such an id."""
APART = timedelta(minutes=10)
NAMED = 10


def tell(of: Contents, store: Store, url: str) -> None:
    """Post what changed since the last time, a post for each provider; and the digest, once a day.

    Raises:
        FleetError: A post was not taken; what it says is told the next time.
    """
    memory = store.records(BOARD_RECORD, [OWN]).get(OWN, {})
    words: dict[str, str] = dict(memory.get("words", {}))
    posted: dict[str, str] = dict(memory.get("posted", {}))
    failed = 0
    for provider, lines in of.providers.items():
        changed = [line for line in lines if _is_news(line, words.get(line.district.id))]
        last = moment(posted.get(provider))
        if not changed or (last is not None and timedelta(0) <= of.at - last < APART):
            continue
        body = {"text": _text(provider, lines, changed, words)}
        if was_taken(partial(post_json, url, body)):
            posted[provider] = written(of.at)
            words |= {line.district.id: line.word.value for line in changed}
        else:
            failed += 1
    digest = memory.get("digest", "")
    day = _digest_day(of)
    if day and day != digest and day > digest:
        if was_taken(partial(post_json, url, {"text": _digest(of)})):
            digest = day
        else:
            failed += 1
    known = {line.district.id for line in of.lines}
    store.put(
        OWN, BOARD_RECORD, {"words": {i: w for i, w in words.items() if i in known}, "posted": posted, "digest": digest}
    )
    if failed:
        raise FleetError(f"--webhook: {failed} of the posts were not taken; they are sent the next time")


def _is_news(line: Line, before: str | None) -> bool:
    """True if a word changed into or out of one that needs a person. That a run begins or is due again is no news."""
    if line.word == Word.RUNNING:
        return False
    if before is None:
        return line.word in NEEDS_A_PERSON and line.word != Word.NEVER
    return before != line.word


def _text(provider: str, lines: list[Line], changed: list[Line], before: dict[str, str]) -> str:
    groups: dict[Word, list[Line]] = {}
    for line in changed:
        groups.setdefault(line.word, []).append(line)
    parts = [f"{provider or 'No provider'}: {len(changed):,} of {len(lines):,} districts changed"]
    for word, its in groups.items():
        names = ", ".join(_name(line, before) for line in its[:NAMED])
        more = f" and {len(its) - NAMED:,} more" if len(its) > NAMED else ""
        parts.append(f"- {len(its):,} {word}: {names}{more}")
        if whys := list(dict.fromkeys(line.row.words.why for line in its if line.row.words.why)):
            parts.append(f"  {whys[0]}" + (f" (and {len(whys) - 1} other reasons)" if len(whys) > 1 else ""))
    return "\n".join(parts)


def _name(line: Line, before: dict[str, str]) -> str:
    was = before.get(line.district.id)
    return f"{line.district.name or line.district.id}{f' (was {was})' if was else ''}"


def _digest_day(of: Contents) -> str:
    """Return the day whose digest is due; empty if none is."""
    if not of.board.digest_at:
        return ""
    local = of.at.astimezone(of.zone)
    return local.date().isoformat() if f"{local:%H:%M}" >= of.board.digest_at else ""


def _digest(of: Contents) -> str:
    counted = ", ".join(f"{n:,} {word}" for word, n in of.counts.items())
    names = ", ".join(f"{line.district.name or line.district.id} ({line.word})" for line in of.needing[:NAMED])
    more = f" and {len(of.needing) - NAMED:,} more" if len(of.needing) > NAMED else ""
    return f"{len(of.lines):,} districts: {counted}." + (f"\nThese need a person: {names}{more}." if names else "")
