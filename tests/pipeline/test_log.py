"""What a run says: few lines if there is little to tell, how far it is if it takes long, and what it was at its end."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import tap_oneroster._core.log as tap_log
import target_oneroster._core.log as target_log
from oneroster_sample.bundle import write_bundle
from oneroster_sample.provider import Knobs, Provider
from target_oneroster.bundle.target import TargetOneRosterCSV

from tests.singer import run_tap
from tests.support.tap import settings
from tests.target.mini import encode
from tests.warehouse.conftest import House

BIN = Path(sys.executable).parent
FIRST, NIGHT, REFUSED = 60, 15, 10


class Nights:
    """Tap and target as processes with a pipe between them, night after night."""

    def __init__(self, folder):
        self.folder = folder
        self.state = None

    def run(self, config, target="target-oneroster-duckdb", place="filepath", **environment):
        """One night; the lines of both logs."""
        settings = {"tap": config, "target": {place: str(self.folder / target)}}
        for name, content in settings.items():
            (self.folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        command = [str(BIN / "tap-oneroster"), "--config", str(self.folder / "tap.json")]
        if self.state:
            (self.folder / "state.json").write_text(self.state, encoding="utf-8")
            command += ["--state", str(self.folder / "state.json")]
        environment = {**os.environ, **environment}
        with (
            (self.folder / "tap.log").open("w+b") as tap_log,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=tap_log, env=environment) as tap,
        ):
            loader = subprocess.run(
                [str(BIN / target), "--config", str(self.folder / "target.json")],
                stdin=tap.stdout,
                capture_output=True,
                text=True,
                env=environment,
                check=False,
            )
        self.state = loader.stdout.splitlines()[-1] if loader.stdout else self.state
        return [*(self.folder / "tap.log").read_text(encoding="utf-8").splitlines(), *loader.stderr.splitlines()]


@pytest.fixture
def nights(tmp_path):
    return Nights(tmp_path)


def test_a_quiet_night_of_a_service_is_few_lines(nights, district):
    """Tap and target together; what was read, what became of it, and at which rate is in them."""
    with Provider(district) as provider:
        first = nights.run(settings(provider))
    with Provider(district.changed()) as provider:
        night = nights.run(settings(provider))
    assert len(first) <= FIRST
    assert len(night) <= NIGHT
    text = "\n".join(night)
    for told in (
        r"Records read: [\d,]+ in [\d.]+ s, [\d,]+ a second",
        r"Records loaded: ",
        r"users \d+ \(\d+ deleted\)",
    ):
        assert re.search(told, text)
    assert re.search(r"users \d+ new, \d+ changed", text)
    assert re.search(r"\d+ tables: nothing new", text)
    assert "Beginning sync" not in text
    assert "METRIC" not in text


def test_a_quiet_night_of_a_drop_folder_is_few_lines(nights, district, tmp_path):
    """A night without a new bundle, and one with: neither repeats the table of the first."""
    folder = tmp_path / "drop"
    folder.mkdir()
    write_bundle(district, folder / "0.zip")
    config = {"mode": "csv", "csv_path": f"{folder}/*.zip"}
    assert len(nights.run(config)) <= FIRST
    night = nights.run(config)
    assert len(night) <= NIGHT
    assert any("collections: nothing new" in line for line in night)
    write_bundle(district.changed(), folder / "1.zip")
    night = nights.run(config)
    assert len(night) <= NIGHT
    assert any("enrollments" in line and " new" in line for line in night)


def test_a_quiet_bundle_is_few_lines(nights, district, bundle):
    """The target of bundles says how many rows it wrote, and at which rate."""
    lines = nights.run(
        {"mode": "csv", "csv_path": str(bundle("1.2"))}, target="target-oneroster-csv", place="output_path"
    )
    assert len(lines) <= FIRST
    assert any(re.search(r"Rows written: [\d,]+ in [\d.]+ s, [\d,]+ a second", line) for line in lines)


def test_a_wrong_secret_is_a_few_lines(nights, district):
    """One of them matters, and it is not lost among the others."""
    with Provider(district) as provider:
        lines = nights.run({**settings(provider), "client_secret": "wrong"})
    assert len(lines) <= REFUSED
    assert any(line.startswith("Error: token_url: status 401") for line in lines)


def test_what_deviates_has_a_row_of_its_own_also_at_night(nights, district, tmp_path):
    """Only the collection that is odd is in the table; the others stay one line."""
    folder = tmp_path / "drop"
    config = {"mode": "csv", "csv_path": str(folder), "settle_seconds": 0}
    write_bundle(district, folder)
    nights.run(config)
    write_bundle(district.changed(), folder)
    orgs = (folder / "orgs.csv").read_text(encoding="utf-8").replace(",school,", ",playground,")
    (folder / "orgs.csv").write_text(orgs, encoding="utf-8")
    os.utime(folder / "orgs.csv", ((folder / "users.csv").stat().st_mtime,) * 2)
    lines = nights.run(config)
    rows = [line for line in lines if re.search(r"\bbulk\b", line)]
    assert len(rows) == 1
    assert "orgs" in rows[0]
    assert any("orgs: type" in line for line in lines)


@pytest.mark.parametrize("way", ["LOGLEVEL", "SINGER_SDK_LOG_CONFIG"])
def test_the_routine_lines_of_the_sdk_can_be_had(nights, bundle, tmp_path, way):
    """With the log at DEBUG, or in a log configuration of one's own, which decides for each logger."""
    path = tmp_path / "log.json"
    loggers = {"singer_sdk.metrics": {"level": "INFO"}, "tap-oneroster.users": {"level": "INFO"}}
    path.write_text(json.dumps({"version": 1, "disable_existing_loggers": False, "loggers": loggers}), encoding="utf-8")
    value = {"LOGLEVEL": "DEBUG", "SINGER_SDK_LOG_CONFIG": str(path)}[way]
    text = "\n".join(nights.run({"mode": "csv", "csv_path": str(bundle("1.2"))}, **{way: value}))
    assert "Beginning sync of 'users'" in text
    assert "METRIC" in text
    assert ("Beginning sync of 'orgs'" in text) is (way == "LOGLEVEL")


@pytest.fixture
def talkative(monkeypatch, caplog):
    """Progress is told each time it is asked for; returns what was told."""
    for module in (tap_log, target_log):
        monkeypatch.setattr(module, "_SECONDS", 0.0)
    caplog.set_level(logging.INFO)
    return caplog


@pytest.mark.parametrize("mode", ["rest", "csv"])
def test_progress_counts_each_stream_for_itself(talkative, district, bundle, mode):
    """A count never runs backwards where rows of roles come between those of users, and the share ends at 100 %."""
    if mode == "rest":
        with Provider(district, knobs=Knobs(page_cap=20)) as provider:
            run_tap(settings(provider))
    else:
        run_tap({"mode": "csv", "csv_path": str(bundle("1.2"))})
    told = defaultdict(list)
    for message in talkative.messages:
        if found := re.fullmatch(r"(\w+): ([\d,]+) records, [\d,]+ a second, (\d+)% done, \d+:\d\d left", message):
            told[found[1]].append((int(found[2].replace(",", "")), int(found[3])))
    assert {"users", "enrollments"} <= told.keys()
    for steps in told.values():
        assert steps == sorted(steps)
        assert steps[-1][1] == 100
    if mode == "rest":
        assert len(told["users"]) > 3


def test_the_targets_say_how_far_they_are(talkative, bundle, tmp_path):
    """While they read, and while they load or write, which may take as long."""
    run = run_tap({"mode": "csv", "csv_path": str(bundle("1.2"))})
    talkative.clear()
    House(tmp_path / "house.duckdb").run(run.messages)
    assert any(re.match(r"reading: [\d,]+ lines, [\d,]+ a second", message) for message in talkative.messages)
    assert any(re.match(r"loading \w+: \d+:\d\d so far", message) for message in talkative.messages)
    talkative.clear()
    TargetOneRosterCSV(config={"output_path": str(tmp_path / "out.zip")}).listen(io.BytesIO(encode(run.messages)))  # type: ignore[arg-type]
    assert any(re.match(r"reading: [\d,]+ lines", message) for message in talkative.messages)
    assert any(re.match(r"checking and writing: \d+:\d\d so far", message) for message in talkative.messages)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of POSIX")
def test_on_a_terminal_one_line_moves(district, tmp_path):
    """It is written over itself, is no longer than the terminal is wide, and is gone in the end."""
    import pty

    with Provider(district, knobs=Knobs(page_cap=10, latency_seconds=0.05)) as provider:
        (tmp_path / "tap.json").write_text(json.dumps(settings(provider)), encoding="utf-8")
        ours, its = pty.openpty()
        with subprocess.Popen(
            [BIN / "tap-oneroster", "--config", tmp_path / "tap.json"], stdout=subprocess.DEVNULL, stderr=its
        ) as tap:
            os.close(its)
            seen = b""
            try:
                while piece := os.read(ours, 65536):
                    seen += piece
            except OSError:  # Linux says so at the end of a terminal
                pass
            assert tap.wait() == 0
        os.close(ours)
    moves = re.findall(rb"\x1b\[K([^\r\n\x1b]+)\r(?!\n)", seen)
    assert len(moves) > 3
    assert all(b" records, " in move and len(move) < 80 for move in moves)
    assert not any(b"a second" in line and b"\x1b" not in line and b"Records" not in line for line in seen.split(b"\n"))


@pytest.mark.parametrize("before", ["rest", "csv"])
def test_a_warehouse_that_changes_its_binding_says_so_once(nights, district, bundle, before):
    """Derived rows come with other ids: the run that changes says what to expect, the next one is quiet again."""
    with Provider(district) as provider:
        configs = {"rest": settings(provider), "csv": {"mode": "csv", "csv_path": str(bundle("1.2"))}}
        after = configs.keys() - {before}
        told = []
        for mode in (before, before, *after, *after):
            nights.state = None
            told.append([line for line in nights.run(configs[mode]) if "was fed by" in line])
    assert [len(lines) for lines in told] == [0, 0, 1, 0]
    assert re.search("roles.*other ids.*marked deleted", told[2][0])
    house = House(nights.folder / "target-oneroster-duckdb")
    roles = house.query('SELECT count(*), count(DISTINCT "sourcedId") FROM roles WHERE _sdc_deleted_at IS NULL')
    assert roles == [(len(list(district.active("roles"))),) * 2]


def test_a_bundle_of_users_alone_says_what_to_select(nights, bundle):
    """In 1.2 a user needs a role: the line names roles, and the files that importers of rosters want."""
    from tests.support.tap import select

    config = {"mode": "csv", "csv_path": str(bundle("1.2"))}
    run = run_tap(config, catalog=select(config, "users"))
    target = TargetOneRosterCSV(config={"output_path": str(nights.folder / "out.zip")})
    with pytest.raises(Exception, match=r"Select in the tap, too, .*enrollments, orgs, roles\.$"):
        target.listen(io.BytesIO(encode(run.messages)))  # type: ignore[arg-type]
    run = run_tap(config, catalog=select(config, "enrollments"))
    target = TargetOneRosterCSV(config={"output_path": str(nights.folder / "out.zip")})
    with pytest.raises(Exception, match=r"Select in the tap, too, .*classes.*users"):
        target.listen(io.BytesIO(encode(run.messages)))  # type: ignore[arg-type]
