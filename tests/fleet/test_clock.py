"""Windows, schedules and the clock, over the two nights a year that are not like others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from oneroster_fleet.clock import Window, duration, has_a_time_in, last_time, now
from oneroster_fleet.errors import Misconfigured

CHICAGO = ZoneInfo("America/Chicago")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200), ("7d", 604800)])
def test_durations(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "m", "-1m", "1.5h", "10 m", "1w"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="must be a duration"):
        duration(text)


@pytest.mark.parametrize("text", ["", "2:00-6:00", "02:00", "02:00-25:00", "02:60-03:00", "24:00-02:00"])
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(ValueError, match="must be a window"):
        Window.parse(text)


@pytest.mark.parametrize(
    ("window", "clock", "is_open"),
    [
        ("02:00-06:00", "01:59", False),
        ("02:00-06:00", "02:00", True),
        ("02:00-06:00", "05:59", True),
        ("02:00-06:00", "06:00", False),
        ("22:00-02:00", "23:00", True),
        ("22:00-02:00", "01:59", True),
        ("22:00-02:00", "02:00", False),
        ("22:00-24:00", "23:59", True),
        ("22:00-24:00", "00:00", False),
        ("00:00-24:00", "12:00", True),
    ],
)
def test_a_window_is_half_open(window: str, clock: str, is_open: bool) -> None:
    """On the clocks of the district, also over midnight."""
    assert Window.parse(window).holds(at(f"2026-06-10T{clock}:00-05:00"), CHICAGO) is is_open


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-03-08T01:59:00-06:00", False),
        ("2026-03-08T03:00:00-05:00", True),  # the minute after: 02:00 to 03:00 is not there
        ("2026-03-08T05:59:00-05:00", True),
        ("2026-03-08T06:00:00-05:00", False),
        ("2026-11-01T01:30:00-05:00", False),  # 01:30 comes twice
        ("2026-11-01T01:30:00-06:00", False),
        ("2026-11-01T02:00:00-06:00", True),
        ("2026-11-01T06:00:00-06:00", False),
    ],
)
def test_a_window_over_daylight_saving(moment: str, is_open: bool) -> None:
    assert Window.parse("02:00-06:00").holds(at(moment), CHICAGO) is is_open


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    window = Window.parse("01:00-02:00")
    assert window.holds(at("2026-11-01T01:30:00-05:00"), CHICAGO)
    assert window.holds(at("2026-11-01T01:30:00-06:00"), CHICAGO)


def test_a_window_in_the_hour_that_is_skipped_is_open_in_the_next() -> None:
    """Otherwise the district would not run in that night at all."""
    window = Window.parse("02:00-02:30")
    assert [window.holds(at(f"2026-03-08T03:{m}:00-05:00"), CHICAGO) for m in ("00", "29", "30")] == [True, True, False]
    assert not window.holds(at("2026-03-09T03:00:00-05:00"), CHICAGO)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-06-10T03:15:00-05:00", "2026-06-10T03:15:00-05:00"),
        ("2026-06-10T03:14:59-05:00", "2026-06-09T03:15:00-05:00"),
        ("2026-06-10T03:15:30-05:00", "2026-06-10T03:15:00-05:00"),
        ("2026-03-08T12:00:00-05:00", "2026-03-08T03:15:00-05:00"),
        ("2026-03-08T03:00:00-05:00", "2026-03-07T03:15:00-06:00"),
        ("2026-11-01T12:00:00-06:00", "2026-11-01T03:15:00-06:00"),
    ],
)
def test_the_last_time_of_a_schedule(moment: str, expected: str) -> None:
    """That of the wall clock of the district, in winter and in summer."""
    assert last_time("15 3 * * *", at(moment), CHICAGO) == at(expected)


def test_a_schedule_in_the_hour_that_is_skipped_has_a_time_that_night() -> None:
    assert last_time("15 2 * * *", at("2026-03-08T12:00:00-05:00"), CHICAGO) == at("2026-03-08T03:00:00-05:00")


def test_a_schedule_and_windows() -> None:
    window, blackout = Window.parse("02:00-06:00"), Window.parse("03:00-04:00")
    assert has_a_time_in("15 3 * * *", window, [])
    assert not has_a_time_in("15 3 * * *", window, [blackout])
    assert has_a_time_in("15 */2 * * *", window, [blackout])
    assert not has_a_time_in("0 6 * * *", window, [])
    with pytest.raises(ValueError, match="five fields"):
        has_a_time_in("* * * * * *", window, [])


def test_the_clock_can_be_set() -> None:
    """With an offset: without one nobody knows which time is meant."""
    assert now({"ONEROSTER_FLEET_NOW": "2026-08-11T03:15:00-05:00"}) == datetime(2026, 8, 11, 8, 15, tzinfo=UTC)
    assert abs(now({}) - datetime.now(UTC)) < timedelta(minutes=1)
    for text in ("2026-08-11T03:15:00", "tomorrow"):
        with pytest.raises(Misconfigured, match="with an offset"):
            now({"ONEROSTER_FLEET_NOW": text})
