"""The command, as a person uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from oneroster_core.twin.keys import decode_key
from singer_sdk.exceptions import ConfigValidationError
from tap_oneroster.twin.command import command

from tests.support.twin import EVERYTHING, KEY, by_csv, check_of, twin_run, write


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("TAP_ONEROSTER_TWIN_KEY", KEY)


def test_a_key_is_made_and_its_check_is_shown(tmp_path, capsys):
    """The policy may lack its key_check, or have a wrong one: this command is how it gets one."""
    assert command(["key"]) == 0
    assert len(decode_key(capsys.readouterr().out)) == 32
    path = write(tmp_path, {"orgs": "'*'"}, check="00000000")
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "key_check" not in line))
    assert command(["key", "--policy", str(path)]) == 0
    assert capsys.readouterr().out == f"key_check: '{check_of()}'\n"


def test_a_policy_without_a_key_check_has_its_lines_right(tmp_path, capsys):
    """Faults beside the key_check name the line in the file, and what is no policy is one line."""
    path = write(tmp_path, {"orgs": "'*'", "users": ["nme"]}, check="wrong")
    assert command(["key", "--policy", str(path)]) == 4
    assert capsys.readouterr().err.startswith("policy.yml:8: users: no such field")
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "key_check" not in line))
    assert command(["key", "--policy", str(path)]) == 4
    assert capsys.readouterr().err.startswith("policy.yml:7: users: no such field")
    path.write_bytes(b"\xff\xfe")
    for place, expected in (
        (path, "policy.yml: a policy must be text in UTF-8"),
        (tmp_path, f"{tmp_path.name}: a policy that cannot be read ("),
        (tmp_path / "nothing.yml", "nothing.yml: no such policy file"),
    ):
        for words in (["key", "--policy"], ["check"], ["elements"]):
            assert command([*words, str(place)]) == 4
            assert capsys.readouterr().err.startswith(expected)


def test_check_says_what_a_bundle_would_lack(tmp_path, capsys):
    """A policy that is right may still not be enough for a bundle of the standard."""
    assert command(["check", str(write(tmp_path, {"users": ["givenName"], "enrollments": "'*'"}))]) == 0
    said = capsys.readouterr().out
    assert "a 1.2 bundle needs users.enabledUser: name it or give a treatment\n" in said
    assert "a 1.2 bundle needs classes, to which enrollments.classSourcedId refers" in said
    assert "policy.yml: can be used" in said
    assert command(["check", str(write(tmp_path, EVERYTHING, more=["agreement: {ends: 2999-01-01}"]))]) == 0
    assert "needs" not in capsys.readouterr().out


def test_check_says_that_grades_have_two_digits(tmp_path, capsys):
    """A grade that nobody has leaves all its students out, without a fault."""
    for grades, is_told in (("[6, 7]", True), ("['06', KG]", False)):
        path = write(tmp_path, {"orgs": "'*'"}, more=[f"scope: {{grades: {grades}}}"])
        assert command(["check", str(path)]) == 0
        assert ("the standard writes 06, not 6" in capsys.readouterr().out) == is_told


def test_check_says_all_faults_at_once(tmp_path, capsys, monkeypatch):
    """One line each, on standard error, and 4."""
    path = write(tmp_path, {"users": ["givenNam"], "org": "'*'"}, more=["agreement: {ends: 2026-01-01}"])
    assert command(["check", str(path), "--today", "2026-02-01"]) == 4
    monkeypatch.delenv("ONEROSTER_TODAY")
    faults = capsys.readouterr().err.splitlines()
    assert [fault.split(": ")[0] for fault in faults] == ["policy.yml:6", "policy.yml:8", "policy.yml:9"]
    assert command(["check", str(write(tmp_path, {"orgs": "'*'"}, check="12345678"))]) == 4
    assert "another key" in capsys.readouterr().err
    assert command(["check", str(tmp_path / "nothing.yml")]) == 4
    assert capsys.readouterr().err == "nothing.yml: no such policy file\n"


def test_preview_shows_rows_before_and_after_and_small_cells(bundle, tmp_path, capsys):
    """Before a consumer has them; the report of cells counts, and names nobody."""
    policy = write(tmp_path, EVERYTHING | {"demographics": ["sex: keep"]}, more=["min_cell: 10"])
    assert command(["preview", str(policy), "--csv-path", str(bundle("1.1")), "--rows", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:7]] == ["users:", *["before", "after"] * 3]
    assert '"sourcedId":"districtAdministrator.D-001"' in lines[1]
    assert "D-001" not in lines[2]
    assert lines[-2].startswith("cells by school, grade, sex: ")
    assert "persons in such cells" in lines[-1]
    assert command(["preview", str(policy), "--csv-path", str(bundle("1.1")), "--stream", "students"]) == 4
    assert command(["preview", str(policy), "--csv-path", str(tmp_path / "nothing")]) == 4
    assert "Traceback" not in capsys.readouterr().err


def test_what_is_not_what_it_should_be_is_one_line(bundle, tmp_path, capsys, monkeypatch):
    """A day, a number, a file of receipts, an earlier list, a time zone."""
    policy = str(write(tmp_path, EVERYTHING))
    odd = tmp_path / "odd"
    for text in ("[1]", '{"collection": "users", "distinct": "many"}', '{"collection": "users", "distinct": [1]}', "x"):
        odd.write_text(text)
        assert command(["elements", policy, "--receipts", str(odd)]) == 4
        assert capsys.readouterr().err == "--receipts names a file that is not JSON lines of syncReceipts\n"
    odd.write_text("a,b\nc,d\n")
    assert command(["elements", policy, "--against", str(odd)]) == 4
    assert capsys.readouterr().err == "--against names a file that is no earlier list in CSV\n"
    with pytest.raises(SystemExit):
        command(["preview", policy, "--csv-path", str(bundle("1.2")), "--rows", "-1"])
    assert "argument --rows: " in capsys.readouterr().err
    with pytest.raises(ConfigValidationError, match="source_time_zone"):
        twin_run(by_csv(bundle("1.2"), source_time_zone="Mars/Olympus"), policy)
    monkeypatch.setenv("ONEROSTER_TODAY", "tomorrow")
    assert command(["check", policy]) == 4
    assert capsys.readouterr().err == "ONEROSTER_TODAY: must be a day, as in 2029-06-30\n"
    with pytest.raises(ConfigValidationError, match="ONEROSTER_TODAY: must be a day"):
        twin_run(by_csv(bundle("1.2")), policy)


def test_the_command_is_installed_with_the_tap(tmp_path):
    """And ends with 4 if the command line is wrong."""
    tool = Path(sys.executable).with_name("oneroster-twin")
    done = subprocess.run([tool, "check", "nothing.yml"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (4, "nothing.yml: no such policy file\n")
    assert subprocess.run([tool, "bogus"], capture_output=True).returncode == 4
