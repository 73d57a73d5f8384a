"""What must not run is refused before the first request: exit 4, one line that names the policy's line, and no value."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from oneroster_core.twin.lined import PolicyError
from oneroster_core.twin.policy import read_policy
from oneroster_sample.provider import Provider
from singer_sdk.exceptions import ConfigValidationError
from tap_oneroster import TapOneRoster
from tap_oneroster.twin.policy_file import today

from tests.singer import run_tap
from tests.support.twin import KEY, by_csv, check_of, rest_settings, twin_run, write

ELEMENTS = {"users": ["givenName"], "orgs": "'*'"}
OTHER = base64.b64encode(bytes(range(1, 33))).decode()
SHORT = base64.b64encode(b"CANARY-too-short").decode()


def refusal(config):
    """The faults with which a run is refused."""
    with pytest.raises(ConfigValidationError) as error:
        TapOneRoster(config=config)
    return error.value.errors


KEYS = {
    "another key": (OTHER, "policy.yml:5: key_check is of another key, consumer or epoch"),
    "no key": (None, "twin_key: must be set where the policy's mode is keyed"),
    "a short key": (SHORT, "twin_key: is shorter than 32 bytes"),
    "no base64": ("CANARY!", "twin_key: is not base64"),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_wrong_key_reads_nothing(name, district, tmp_path):
    """With a wrong key everybody would be new, and the next night would delete the old ones downstream."""
    key, expected = KEYS[name]
    with Provider(district) as provider:
        config = rest_settings(provider, twin=str(write(tmp_path, ELEMENTS)))
        faults = refusal({**config, **({"twin_key": key} if key else {})})
        assert provider.requests == []
    assert len(faults) == 1
    assert faults[0].startswith(expected)
    assert "CANARY" not in faults[0]
    assert (key or "!") not in faults[0]


POLICIES = {
    "expired": (["agreement: {ends: 2026-05-31}"], {}, 6, "the agreement has ended"),
    "unknown key": (["CANARYscope: {}"], {}, 6, "no such key"),
    "empty list": (["scope: {schools: []}"], {}, 6, "an empty list keeps nothing"),
    "empty scope": (["scope: {}"], {}, 6, "an empty scope keeps nobody"),
    "unknown role": (["scope: {users: [CANARY]}"], {}, 6, "a role that the standard does not have"),
    "current grades": (["scope: {grades: current}"], {}, 6, "current is a word for sessions only"),
    "no number": (["min_cell: CANARY"], {}, 6, "min_cell must be a number"),
    "names of another version": (["names: 7"], {}, 6, "names must be one of: 1"),
    "unknown stream": ([], {"CANARYusers": "'*'"}, 7, "no such stream"),
    "a view": ([], {"students": "'*'"}, 7, "no such stream"),
    "unknown field": ([], {"users": ["CANARYname"]}, 7, "no such field"),
    "unknown treatment": ([], {"users": ["email: CANARY"]}, 7, "users.email: must be one of: fake, hmac, keep, drop"),
    "a real id": ([], {"users": ["sourcedId: keep"]}, 7, "users.sourcedId: must be one of: keyed"),
    "a real reference": ([], {"enrollments": ["userSourcedId: keep"]}, 7, "must be one of: keyed, drop"),
    "a secret": ([], {"users": ["password"]}, 7, "a password never leaves"),
    "all of a secret": ([], {"users": ["password: '*'"]}, 7, "a password never leaves"),
    "a treatment for all": ([], {"users": ["'*': keep"]}, 7, "'*' takes no treatment"),
    "all metadata": ([], {"users": ["metadata: keep"]}, 7, "name the keys"),
    "a shifted date": ([], {"enrollments": ["beginDate: shift"]}, 7, "a date like this is kept or dropped"),
    "no list": ([], {"users": "{a: b}"}, 7, "must be '*' or a list of fields"),
    "a field twice": ([], {"users": ["givenName: fake", "givenName: keep"]}, 7, "users.givenName: stands here twice"),
    "twice": (["min_cell: 1", "min_cell: 2"], {}, 7, "a key that stands here twice"),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_fault_is_one_line_with_file_and_line(name, district, tmp_path, monkeypatch):
    """And nothing of what stands there."""
    monkeypatch.setenv("ONEROSTER_TODAY", "2026-06-01")
    more, elements, line, expected = POLICIES[name]
    with Provider(district) as provider:
        config = rest_settings(provider, twin=str(write(tmp_path, elements or ELEMENTS, more=more)), twin_key=KEY)
        faults = refusal(config)
        assert provider.requests == []
    assert len(faults) == 1
    assert faults[0].startswith(f"policy.yml:{line}: ")
    assert expected in faults[0]
    assert "CANARY" not in faults[0]


def test_all_faults_come_at_once_in_the_order_of_lines(tmp_path):
    """So that one look mends them all."""
    path = write(tmp_path, {"usrs": "'*'", "orgs": ["nme"]}, more=["epoch2: 1", "scope: {schools: []}"])
    with pytest.raises(PolicyError) as error:
        read_policy(path.read_text(), "policy.yml", today())
    lines = [int(fault.split(":")[1]) for fault in error.value.faults]
    assert lines == sorted(lines)
    assert len(lines) == 4


_BILLION = "".join(
    f"{two}: &{two} [{', '.join([f'*{one}'] * 9)}]\n" for one, two in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "a: [", "- a", "\x00", "? [a]\n: b", "a: &x [*x]", "x: " + "[" * 50 + "]" * 50),
        "x: " + "[" * 20_000 + "]" * 20_000,
        "a: &a [x, x, x, x, x, x, x, x, x]\n" + _BILLION,
        "version: 1\n--- 2",
    ],
)
def test_what_is_no_policy_is_a_fault_too(text, tmp_path):
    """Whatever the file holds, a person reads one line."""
    path = tmp_path / "policy.yml"
    path.write_text(text)
    faults = refusal({"mode": "csv", "csv_path": "x", "twin": str(path), "twin_key": KEY})
    assert faults
    assert all(fault.startswith("policy.yml:") for fault in faults)


def test_the_last_day_of_an_agreement_counts(bundle, tmp_path, monkeypatch):
    """It runs on the last day, and not on the next."""
    policy = write(tmp_path, ELEMENTS, more=["agreement: {ends: 2026-06-01}"])
    monkeypatch.setenv("ONEROSTER_TODAY", "2026-06-01")
    assert twin_run(by_csv(bundle("1.2")), policy).records["users"]
    monkeypatch.setenv("ONEROSTER_TODAY", "2026-06-02")
    assert "has ended" in refusal(by_csv(bundle("1.2"), twin=str(policy), twin_key=KEY))[0]


def test_a_consumer_is_never_renamed(bundle, tmp_path):
    """By its key, and where there is none, by its state."""
    path = write(tmp_path, ELEMENTS, consumer="renamed", check=check_of("reading-app"))
    assert "another key, consumer or epoch" in refusal(by_csv("x", twin=str(path), twin_key=KEY))[0]
    first = twin_run(by_csv(bundle("1.2")), write(tmp_path, ELEMENTS, mode="clear"), key=None)
    renamed = write(tmp_path, ELEMENTS, mode="clear", consumer="renamed")
    run = twin_run(by_csv(bundle("1.2")), renamed, key=None, state=first.state)
    assert run.error == (
        "policy.yml:2: the state is of another consumer; a consumer is never renamed, and each has a state of its own;"
        " nothing was read"
    )
    assert not run.records
    assert "the state is of a twin" in run_tap(by_csv(bundle("1.2")), state=first.state).error


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"include_passwords": True}, "include_passwords: a twin has no passwords"),
        ({"include_views": True}, "include_views: a twin has no views"),
    ],
)
def test_settings_that_contradict_a_twin_are_refused(settings, expected, tmp_path):
    """Rather than be passed over."""
    assert expected in refusal(by_csv("x", twin=str(write(tmp_path, ELEMENTS)), twin_key=KEY, **settings))[0]
    assert "means something only where twin is set" in refusal(by_csv("x", twin_key=KEY))[0]


def test_the_command_line_ends_with_4_and_one_line(tmp_path):
    """As a scheduler sees it; discovery, too, refuses a policy that it cannot read."""
    (tmp_path / "config.json").write_text('{"mode": "csv", "csv_path": "x", "twin": "policy.yml"}')
    write(tmp_path, {"users": ["CANARY"]})
    for more in ([], ["--discover"]):
        command = [str(Path(sys.executable).with_name("tap-oneroster")), "--config", "config.json", *more]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ})
        assert done.returncode == 4
        assert done.stdout == ""
        said = [line for line in done.stderr.splitlines() if "policy.yml" in line]
        assert len(said) == 1
        assert "policy.yml:7: users: no such field" in said[0]
        assert "CANARY" not in done.stderr
        assert "Traceback" not in done.stderr
