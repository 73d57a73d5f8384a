"""The words of the board: a scripted week with each situation, and who is due."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.fleet import Desk

TUESDAY = "2026-08-11T10:00:00-05:00"
GOOD: dict[str, Any] = {
    "exit": 0,
    "why": "",
    "started": "2026-08-11T08:15:00Z",
    "finished": "2026-08-11T08:20:00Z",
    "run": "r",
}
MONDAY: dict[str, Any] = {
    "exit": 0,
    "why": "",
    "started": "2026-08-10T08:15:00Z",
    "finished": "2026-08-10T08:20:00Z",
    "run": "r",
}
SITUATIONS: dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None, str, str | None]] = {
    # the record of the last run, a hold beside the state, the word, since when
    "loaded tonight": (GOOD, None, "fresh", "2026-08-11T08:20:00Z"),
    "a brake held it": (GOOD | {"exit": 3, "why": "held"}, None, "held", "2026-08-11T08:20:00Z"),
    "a person holds it": (GOOD, {"why": "w", "until": "2026-08-12", "when": "2026-08-11T00:00:00Z"}, "held", "2026-08-11T00:00:00Z"),
    "a hold that is over today": (GOOD, {"why": "w", "until": "2026-08-11"}, "fresh", "2026-08-11T08:20:00Z"),
    "a hold without an end": (None, {"why": "w", "until": None}, "held", None),
    "a wrong secret": (GOOD | {"exit": 4}, None, "misconfigured", "2026-08-11T08:20:00Z"),
    "a service that is down": (GOOD | {"exit": 1}, None, "failed", "2026-08-11T08:20:00Z"),
    "too long": (GOOD | {"exit": 124}, None, "failed", "2026-08-11T08:20:00Z"),
    "killed": (GOOD | {"exit": 137}, None, "failed", "2026-08-11T08:20:00Z"),
    "the engine will try again": (
        GOOD | {"exit": 1, "retries_left": 2, "last_success": "2026-08-10T20:00:00Z"}, None, "late", "2026-08-11T09:15:00Z"
    ),
    "the engine will try again, but it is old": (
        GOOD | {"exit": 1, "retries_left": 2, "last_success": "2026-08-09T08:20:00Z"}, None, "failed", "2026-08-11T08:20:00Z"
    ),
    "not started tonight": (MONDAY, None, "late", "2026-08-11T09:15:00Z"),
    "stopped by somebody": (
        GOOD | {"exit": 143, "last_success": "2026-08-10T08:20:00Z"}, None, "late", "2026-08-11T09:15:00Z"
    ),
    "new": (None, None, "never", None),
}  # fmt: skip


def test_a_week_with_each_situation(desk: Desk) -> None:
    """Each has exactly its word, and the time since when it holds."""
    ids = {name: f"d{n}" for n, name in enumerate(SITUATIONS)}
    desk.file("".join(f"- {{id: {id_}}}\n" for id_ in ids.values()))
    for name, (last, hold, _, _) in SITUATIONS.items():
        if last:
            desk.put(ids[name], **last)
        if hold:
            desk.put(ids[name], "hold.json", **hold)
    desk.set("ONEROSTER_FLEET_NOW", TUESDAY)
    rows = {row["id"]: (row["word"], row["since"]) for row in json.loads("".join(desk("list", "--json")[1]))}
    assert {name: rows[ids[name]] for name in SITUATIONS} == {n: its[2:] for n, its in SITUATIONS.items()}


@pytest.mark.parametrize(
    ("moment", "word"),
    [
        ("2026-08-12T03:14:00-05:00", "fresh"),  # not yet its time
        ("2026-08-12T04:14:00-05:00", "fresh"),  # within the grace
        ("2026-08-12T04:15:00-05:00", "late"),
        ("2026-08-12T05:30:00-05:00", "late"),
    ],
)
def test_late_begins_an_hour_after_the_schedule(desk: Desk, moment: str, word: str) -> None:
    desk.file("- {id: a}\n")
    desk.put("a", **GOOD)
    desk.set("ONEROSTER_FLEET_NOW", moment)
    assert json.loads("".join(desk("list", "--json")[1]))[0]["word"] == word


def test_late_is_also_what_is_older_than_fresh_within(desk: Desk) -> None:
    """With a schedule of once a week, fresh_within says how old is too old."""
    desk.file("- {id: a, schedule: '15 3 * * 1', fresh_within: 2d}\n")
    desk.put("a", **MONDAY)
    desk.set("ONEROSTER_FLEET_NOW", "2026-08-12T03:00:00-05:00")
    assert desk("list")[1][0].split()[1] == "fresh"
    desk.set("ONEROSTER_FLEET_NOW", "2026-08-12T03:21:00-05:00")
    assert desk("list")[1][0].split()[1] == "late"
    assert [line.split()[0] for line in desk("list", "--late")[1]] == ["a"]


@pytest.mark.parametrize(
    ("last", "moment", "due"),
    [
        (None, TUESDAY, True),
        (GOOD, TUESDAY, False),
        (MONDAY, TUESDAY, True),
        (GOOD | {"exit": 1}, TUESDAY, True),
        (GOOD | {"exit": 3}, TUESDAY, False),  # the next run would end the same
        (GOOD | {"exit": 4}, TUESDAY, False),  # and this one may lock the account
        (GOOD | {"exit": 4}, "2026-08-12T03:15:00-05:00", True),
        (GOOD, "2026-08-12T03:15:00-05:00", True),
        (GOOD, "2026-08-12T03:14:59-05:00", False),
    ],
)
def test_who_is_due(desk: Desk, last: dict[str, Any] | None, moment: str, due: bool) -> None:
    """A district whose last success is older than the last time of its schedule."""
    desk.file("- {id: a, provider: aeries}\n")
    if last:
        desk.put("a", **last)
    desk.set("ONEROSTER_FLEET_NOW", moment)
    found = json.loads("".join(desk("list", "--json")[1]))
    assert found[0]["due"] is due
    assert set(found[0]) == {"id", "provider", "word", "due", "since"}
    assert len(desk("list", "--due")[1]) == due


def test_due_after_the_clocks_changed(desk: Desk) -> None:
    """03:15 in the night of the change is 08:15 of UTC, and not 09:15."""
    desk.file("- {id: a}\n")
    desk.put("a", **MONDAY | {"finished": "2026-03-08T08:10:00Z"})
    desk.set("ONEROSTER_FLEET_NOW", "2026-03-08T03:16:00-05:00")
    assert desk("list", "--due")[1]
    desk.put("a", **MONDAY | {"finished": "2026-03-08T08:15:00Z"})
    assert not desk("list", "--due")[1]
