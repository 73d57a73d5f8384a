"""What goes wrong: no stream looks complete that is not, no state moves, and the exit code is not 0."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.provider import Knobs
from tap_oneroster.singer.streams import CollectionStream

from tests.airbyte.source import SOURCE, Source, configured, parse
from tests.support.tap import broken


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """No waiting between tries."""
    monkeypatch.setattr("tap_oneroster._core.http.pace.Backoff.wait", lambda *_: 0.0)


def test_a_service_that_stops_in_the_middle(rest, service):
    """The stream is incomplete, says why, and nothing of it goes out; the others are done."""
    first = rest.read("enrollments", "orgs")
    service.knobs_for["enrollments"] = Knobs(page_cap=50, die_after_pages=3)
    outcome = rest.read("enrollments", "orgs", "users", enrollments="full_refresh", state=first.states)
    assert outcome.code == 1
    assert outcome.statuses["enrollments"] == ["STARTED", "RUNNING", "INCOMPLETE"]
    assert outcome.statuses["orgs"][-1] == outcome.statuses["users"][-1] == "COMPLETE"
    assert outcome.counts.keys() == {"orgs", "users"}
    assert "enrollments" not in outcome.records
    (error,) = outcome.errors
    assert error["stream_descriptor"]["name"] == "enrollments"
    assert error["failure_type"] == "system_error"
    assert "\n" not in error["message"]


def test_a_stream_made_from_records_that_did_not_all_come_is_incomplete(rest, service):
    service.knobs_for["users"] = Knobs(page_cap=50, die_after_pages=1)
    outcome = rest.read("roles", "orgs")
    assert outcome.code == 1
    assert outcome.statuses["roles"][-1] == "INCOMPLETE"
    assert outcome.counts.keys() == {"orgs"}
    assert "roles" not in outcome.records


def test_an_account_that_is_refused_reads_nothing(rest):
    """Every stream is incomplete, also those that were not begun; another try would be in vain."""
    rest.config["client_secret"] = "secret-name"
    outcome = rest.read("orgs", "users", "roles", "syncReceipts")
    assert outcome.code == 4
    assert {name: words[-1] for name, words in outcome.statuses.items()} == {
        **dict.fromkeys(("orgs", "users", "roles"), "INCOMPLETE"),
        "syncReceipts": "COMPLETE",
    }
    assert outcome.counts.keys() == {"syncReceipts"}
    assert outcome.errors[0]["failure_type"] == "config_error"
    assert "secret-name" not in outcome.text


def test_rows_that_cannot_be_read_fail_the_read_though_receipts_were_not_chosen(csv, tmp_path):
    """The receipt that would say so is not written; the read fails all the same."""
    csv.config["csv_path"] = str(
        broken(tmp_path / "d.zip", csv.config["csv_path"], "users.csv", lambda data: data + b"too,few,cells\r\n")
    )
    outcome = csv.read("users", "orgs")
    assert outcome.code == 1
    assert outcome.statuses["users"][-1] == "INCOMPLETE"
    assert outcome.counts.keys() == {"orgs"}
    assert "1 of" in outcome.errors[0]["message"]
    csv.config["on_invalid"] = "accept"
    assert csv.read("users", "orgs").code == 0


def test_a_snapshot_that_lost_too_much_does_not_overwrite(district, tmp_path):
    """A stream that is read whole still knows how many rows there were: overwriting would delete those that are gone."""
    source = Source(tmp_path, {"mode": "csv", "csv_path": str(tmp_path / "d.zip")})
    write_bundle(district, tmp_path / "d.zip")
    first = source.read("users", users="full_refresh")
    write_bundle(District(seed=7, schools=1, students_per_school=10), tmp_path / "d.zip")
    outcome = source.read("users", users="full_refresh", state=first.states)
    assert outcome.code == 3
    assert outcome.statuses["users"][-1] == "INCOMPLETE"
    assert "more than 20 % are gone" in outcome.errors[0]["message"]
    source.config["accept_shrink"] = True
    assert source.read("users", users="full_refresh", state=first.states).statuses["users"][-1] == "COMPLETE"


@pytest.mark.parametrize("mode", ["overwrite", "append_dedup"])
def test_an_end_that_nothing_proves_overwrites_nothing(rest, service, mode):
    """Rows that were not shown would be deleted; appended, what came is welcome, and the bookmark stays."""
    service.knobs_for["users"] = Knobs(total_header=False, link_header=False, refuse_sort=400)
    chosen = configured(rest.catalog, ["users", "roles", "orgs"], {"users": "full_refresh", "roles": "full_refresh"})
    for stream in chosen["streams"]:
        stream["destination_sync_mode"] = mode
    outcome = rest("read", catalog=chosen)
    words = {name: found[-1] for name, found in outcome.statuses.items()}
    if mode == "append_dedup":
        assert (outcome.code, set(words.values())) == (0, {"COMPLETE"})
        assert outcome.records["users"]
        assert "replication_key_value" not in str([s for s in outcome.states if "users" in str(s)])
        return
    assert outcome.code == 3
    assert words == {"users": "INCOMPLETE", "roles": "INCOMPLETE", "orgs": "COMPLETE"}
    assert "users" not in outcome.records
    (error,) = outcome.errors
    assert "choose incremental" in error["message"]


def test_a_stream_that_is_not_offered_is_not_passed_over(csv):
    """A catalog of other settings: what is there is read, what is not fails."""
    catalog = configured({**csv.catalog, "streams": csv.catalog["streams"][:2]})
    catalog["streams"][0]["stream"]["name"] = "students"
    outcome = csv("read", catalog=catalog)
    assert outcome.code == 4
    assert outcome.statuses["students"] == ["STARTED", "INCOMPLETE"]
    assert outcome.statuses[catalog["streams"][1]["stream"]["name"]][-1] == "COMPLETE"
    assert outcome.errors[0]["stream_descriptor"]["name"] == "students"
    assert outcome.errors[0]["failure_type"] == "config_error"


def test_a_fault_of_our_own_is_told_without_values(csv, monkeypatch):
    """Where it is, not what it was about; nothing that was begun looks complete."""
    name = csv.config["csv_path"]

    def fault(*_, **__):
        raise KeyError(name)

    monkeypatch.setattr(CollectionStream, "write_records", fault)
    outcome = csv.read("orgs", "users")
    assert outcome.code == 1
    assert {words[-1] for words in outcome.statuses.values()} == {"INCOMPLETE"}
    (error,) = outcome.errors
    assert error["failure_type"] == "system_error"
    assert "KeyError" in error["message"]
    assert "streams.py" in error["stack_trace"] or "delivery.py" in error["stack_trace"]
    assert name not in outcome.text
    assert not outcome.of("STATE")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A source whose lines do not fit into a pipe."""
    folder = tmp_path_factory.mktemp("large")
    write_bundle(District.of_size(60_000), folder / "d.zip", only=["enrollments", "orgs"])
    source = Source(folder, {"mode": "csv", "csv_path": str(folder / "d.zip")})
    catalog = configured(source.catalog, ["orgs", "enrollments", "syncReceipts"])
    return [SOURCE, *source.arguments("read", catalog=catalog)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_signal_ends_the_read_at_once(large, unbuffered):
    """143, never -15, which PyAirbyte takes for a good end; what was cut off has no state and no end."""
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(large, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as source:
        begun = []
        for line in source.stdout:
            begun.append(line)
            if line.startswith(b'{"type":"RECORD","record":{"stream":"enrollments"'):
                break
        time.sleep(0.3)  # the pipe is full by now, the source waits in a write
        source.send_signal(signal.SIGTERM)
        rest = source.stdout.read()
        log = source.stderr.read().decode()
        assert source.wait(240) == 143
    text = (b"".join(begun) + rest).decode()
    outcome = parse("".join(line for line in text.splitlines(keepends=True) if line.endswith("\n")))
    assert outcome.statuses["enrollments"] == ["STARTED", "RUNNING"]
    assert "enrollments" not in outcome.counts
    assert "syncReceipts" not in outcome.records
    assert "Traceback" not in log


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_signal_before_all_is_loaded_is_no_good_end():
    """Half a second goes by until the SDK is there; in it, too, the code is 143."""
    code = """
import os, signal, sys
from tap_oneroster.airbyte import start
assert "singer_sdk" not in sys.modules and "msgspec" not in sys.modules
class Loading:
    def __getattr__(self, name):
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
sys.modules["tap_oneroster.airbyte.command"] = Loading()
start.main()
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=240).returncode == 143


def test_a_destination_that_goes_away_is_one_line(large):
    with subprocess.Popen(large, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as source:
        source.stdout.readline()
        source.stdout.close()
        log = source.stderr.read().decode()
        assert source.wait(240) == 1
    assert "stopped reading" in log
    assert "Traceback" not in log
    assert "BrokenPipeError" not in log


def test_a_fault_while_checking_is_told_without_values(csv, monkeypatch):
    """There is no status then: nobody knows whether the source answers."""
    path = csv.config["csv_path"]

    def fault(*_, **__):
        raise KeyError(path)

    monkeypatch.setattr("tap_oneroster.airbyte.command.check", fault)
    outcome = csv("check")
    assert outcome.code
    assert not outcome.of("CONNECTION_STATUS")
    assert outcome.errors[0]["failure_type"] == "system_error"
    assert path not in outcome.text


def test_a_mistake_on_the_command_line_has_no_traceback(tmp_path):
    for arguments in (["read"], ["discover", "--config", str(tmp_path / "none.json")]):
        done = subprocess.run([SOURCE, *arguments], capture_output=True, text=True)
        assert done.returncode == 4
        assert "Traceback" not in done.stderr
        assert all(json.loads(line)["type"] in {"LOG", "TRACE"} for line in done.stdout.splitlines())
