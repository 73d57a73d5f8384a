"""Waiting between tries: it doubles, differs from client to client, is bounded, and obeys the service."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Timer

import pytest
from tap_oneroster._core.http.pace import Backoff, Pace, Stopped, retry_after


def test_waits_double_up_to_the_longest_and_are_spread() -> None:
    backoff = Backoff(first=1.0, longest=10.0)
    for tried, most in enumerate((1.0, 2.0, 4.0, 8.0, 10.0, 10.0), start=1):
        waits = {backoff.wait(tried) for _ in range(50)}
        assert most / 2 <= min(waits)
        assert max(waits) <= most
        assert len(waits) > 10


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), (" 0.5 ", 0.5), ("-3", 0), ("", None), ("soon", None), ("nan", None), ("1e999", float("inf"))],
)
def test_retry_after_in_seconds(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}) == seconds


def test_retry_after_as_a_date() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
    assert 55 < (retry_after({"Retry-After": in_a_minute}) or 0) <= 60
    assert retry_after({"Retry-After": in_a_minute.replace("GMT", "")}) is not None
    assert retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after({"Retry-After": "Wed, 99 Oct 99999 07:28:00 GMT"}) is None


def test_a_wait_ends_with_the_run() -> None:
    pace = Pace()
    Timer(0.1, pace.stop).start()
    started = time.monotonic()
    with pytest.raises(Stopped):
        pace.sleep(60)
    assert time.monotonic() - started < 30
