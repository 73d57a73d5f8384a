"""Nights of a service and a warehouse, the tap as a process between them: what dies, vanishes or moves deletes nothing."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from oneroster_sample.district import District
from oneroster_sample.provider import Knobs, Provider

from tests.support.tap import select, settings
from tests.tap.warehouse import Warehouse

TAP = Path(sys.executable).with_name("tap-oneroster")
DISTRICT = District(seed=11, schools=4, students_per_school=30, gradebook=False)
LONG_AGO = "2020-01-01T00:00:00.000Z"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


class Night:
    """One tap, on its way."""

    def __init__(self, folder, config, streams, state):
        command: list[str | Path] = [TAP]
        contents = {"config": config, "catalog": select(config, *streams), "state": state}
        for option, content in contents.items():
            if content is not None:
                path = folder / f"{option}.json"
                path.write_text(json.dumps(content), encoding="utf-8")
                command += [f"--{option}", path]
        self._log = folder / "log.txt"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},  # what the tap writes is on its way at once
            )
        self.lines: list[str] = []

    def until(self, kind, stream, count):
        """Read on until so many messages of a stream have come."""
        for line in self.process.stdout:
            self.lines.append(line)
            message = json.loads(line)
            count -= message["type"] == kind and message.get("stream") == stream
            if not count:
                return
        pytest.fail(f"the tap ended before: {self.log[-500:]}")

    def kill(self):
        """End it as a machine that loses power does."""
        self.process.send_signal(signal.SIGKILL)
        self.finish()

    def finish(self):
        self.lines += self.process.stdout.readlines()
        self.process.wait(240)
        self.process.stdout.close()

    @property
    def log(self):
        return self._log.read_text(encoding="utf-8")

    @property
    def activated(self):
        return [m["stream"] for m in map(json.loads, self.lines) if m["type"] == "ACTIVATE_VERSION"]

    @property
    def receipts(self):
        records = [m["record"] for m in map(json.loads, self.lines) if m["type"] == "RECORD" and "runId" in m["record"]]
        return {record["collection"]: record for record in records}


class Nights:
    """Starts taps over some streams of a provider."""

    def __init__(self, folder):
        self._folder = folder
        self.started: list[Night] = []

    def start(self, provider, *streams, state=None, **more):
        config = settings(provider, oneroster_version="1.2", **more)
        self.started.append(Night(self._folder, config, streams, state))
        return self.started[-1]

    def whole(self, provider, *streams, **more):
        """A tap that has ended."""
        one = self.start(provider, *streams, **more)
        one.finish()
        return one


@pytest.fixture
def night(tmp_path):
    nights = Nights(tmp_path)
    yield nights
    for one in nights.started:
        if one.process.poll() is None:
            one.kill()


@contextmanager
def stuck_after(pages):
    """A service that answers so many pages and then keeps the tap waiting."""
    go_on = Event()

    def wait(number):
        if number >= pages:
            go_on.wait(240)

    knobs = Knobs(page_cap=20, before_page=wait)
    try:
        yield knobs
    finally:
        go_on.set()


def due(state):
    """The state, with the full read of everything overdue."""
    state = copy.deepcopy(state)
    for bookmark in state["bookmarks"].values():
        bookmark["full_read_at"] = LONG_AGO
    return state


def truth(name):
    return {record["sourcedId"] for record in DISTRICT.active(name, "1.2")}


def test_a_tap_that_is_killed_in_the_middle_loses_nothing_and_deletes_nothing(night):
    """What was there stays, what was read is read again, and the row that vanished goes with the whole read only."""
    warehouse = Warehouse()
    gone = sorted(truth("enrollments"))[5]
    with Provider(DISTRICT) as service:
        first = night.whole(service, "courses", "enrollments")
        assert first.process.returncode == 0, first.log
        warehouse.load(first.lines)
    assert warehouse.ids("enrollments") == truth("enrollments")
    before = warehouse.state
    with (
        stuck_after(4) as knobs,
        Provider(DISTRICT, knobs_for={"enrollments": knobs}) as service,
    ):
        knobs.without = {gone}
        killed = night.start(service, "courses", "enrollments", state=due(before), max_concurrency=1)
        killed.until("RECORD", "enrollments", 40)
        killed.kill()
        assert killed.process.returncode == -signal.SIGKILL
        warehouse.load(killed.lines)
    assert killed.activated == ["courses"]
    assert killed.receipts == {}
    assert warehouse.ids("enrollments") == truth("enrollments")
    state = warehouse.state
    assert state["bookmarks"]["enrollments"]["counts"] == before["bookmarks"]["enrollments"]["counts"]
    assert state["bookmarks"]["enrollments"]["full_read_at"] == LONG_AGO
    with Provider(DISTRICT, knobs=Knobs(without={gone})) as service:
        resumed = night.whole(service, "courses", "enrollments", state=state)
        assert resumed.process.returncode == 0, resumed.log
        warehouse.load(resumed.lines)
    assert resumed.activated == ["courses", "enrollments"]
    assert warehouse.ids("enrollments") == truth("enrollments") - {gone}


def test_a_tap_that_is_killed_on_its_first_night_starts_again(night):
    warehouse = Warehouse()
    with stuck_after(3) as knobs, Provider(DISTRICT, knobs_for={"users": knobs}) as service:
        killed = night.start(service, "users", max_concurrency=1)
        killed.until("RECORD", "users", 20)
        killed.kill()
        warehouse.load(killed.lines)
    assert killed.activated == []
    assert not (warehouse.state or {}).get("bookmarks", {}).get("users", {}).get("replication_key_value")
    with Provider(DISTRICT) as service:
        resumed = night.whole(service, "users", state=warehouse.state)
        warehouse.load(resumed.lines)
    assert warehouse.ids("users") == truth("users")


def test_a_tap_that_dies_after_2_of_5_records_deletes_nothing_downstream(night):
    district = District(seed=11, schools=3, students_per_school=10, gradebook=False)
    warehouse = Warehouse()
    with Provider(district) as service:
        warehouse.load(night.whole(service, "orgs").lines)
    assert len(warehouse.ids("orgs")) == 5
    with stuck_after(2) as knobs, Provider(district, knobs=knobs) as service:
        knobs.page_cap = 1
        dying = night.start(service, "orgs", state=warehouse.state, max_concurrency=1)
        dying.until("RECORD", "orgs", 2)
        dying.kill()
        warehouse.load(dying.lines)
    assert dying.activated == []
    assert len(warehouse.ids("orgs")) == 5


def test_two_tenants_in_one_table_do_not_delete_each_other(night):
    """Both districts have the same ids, and one of them loses a row."""
    warehouse = Warehouse()
    gone = sorted(truth("users"))[3]
    states: dict[str, Any] = {}
    for evening in (1, 2):
        for tenant in ("north", "south"):
            lost = {gone} if (evening, tenant) == (2, "south") else set()
            with Provider(DISTRICT, knobs=Knobs(without=lost)) as service:
                state = due(states[tenant]) if evening == 2 else None
                run = night.whole(service, "users", state=state, tenant=tenant)
            assert run.process.returncode == 0, run.log
            assert run.activated == []
            warehouse.load(run.lines)
            states[tenant] = warehouse.state
    assert warehouse.ids("users", tenant="north") == truth("users")
    assert warehouse.ids("users", tenant="south") == truth("users")
    assert warehouse.rows("users") == 2 * len(truth("users"))


def test_a_school_that_vanishes_from_the_service_stops_the_activation(night):
    """Its rows stay in the warehouse until one run sets accept_shrink."""
    warehouse = Warehouse()
    with Provider(DISTRICT) as service:
        warehouse.load(night.whole(service, "enrollments").lines)
    before = warehouse.state
    school = next(iter(before["bookmarks"]["enrollments"]["counts"]["schools"]))
    lost = warehouse.ids("enrollments", schoolSourcedId=school)
    assert lost
    with Provider(DISTRICT, knobs=Knobs(without=lost)) as service:
        stopped = night.whole(service, "enrollments", state=due(before))
        warehouse.load(stopped.lines)
        assert stopped.process.returncode == 3
        assert stopped.activated == []
        assert f"school {school}" in stopped.log.splitlines()[-1]
        assert warehouse.ids("enrollments") == truth("enrollments")
        accepted = night.whole(service, "enrollments", state=warehouse.state, accept_shrink=True)
        warehouse.load(accepted.lines)
        assert accepted.process.returncode == 0, accepted.log
    assert warehouse.ids("enrollments") == truth("enrollments") - lost


@pytest.mark.parametrize("flight", [1, 4])
def test_totals_that_move_all_through_the_pull_still_end_in_a_complete_run(night, flight):
    """Before every page two rows go and one comes; who was there all the time is there at the end."""
    ids = sorted(truth("enrollments"))
    knobs = Knobs(page_cap=20, without=set(ids[600:640]))

    def churn(number):
        knobs.without = knobs.without - {ids[600 + number % 40]} | set(ids[2 * number : 2 * number + 2])

    knobs.before_page = churn
    warehouse = Warehouse()
    with Provider(DISTRICT, knobs_for={"enrollments": knobs}) as service:
        run = night.whole(service, "enrollments", max_concurrency=flight)
    assert run.process.returncode == 0, run.log
    warehouse.load(run.lines)
    assert run.receipts["enrollments"]["complete"] is True
    if flight == 1:
        assert run.receipts["enrollments"]["deviations"]["total changed during the read"] > 20
    assert run.activated == ["enrollments"]
    assert set(ids) - knobs.without - set(ids[600:640]) <= warehouse.ids("enrollments")
