"""Nobody's name leaves the records: canaries in every personal field and every secret, and a look at all else."""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from dataclasses import replace

import oneroster_sample.service as service_module
import pytest
from oneroster_sample.answers import status_info
from oneroster_sample.district import District
from oneroster_sample.provider import Knobs, Provider
from singer_sdk.exceptions import ConfigValidationError

from tests.support.tap import pull

DISTRICT = District(seed=7, schools=1, students_per_school=15)
STREAMS = ("users", "roles", "userProfiles", "demographics", "results", "orgs")
HOLDERS = frozenset(STREAMS) - {"orgs"}
"""Streams whose records may hold canaries."""
PERSONAL = (
    "givenName",
    "familyName",
    "middleName",
    "preferredFirstName",
    "preferredLastName",
    "username",
    "email",
    "sms",
    "phone",
    "identifier",
    "userMasterIdentifier",
    "password",
    "pronouns",
)


def plant(record):
    """A canary where a person shows; where no text belongs, too: what cannot be read must not be quoted."""
    number = record["sourcedId"]
    if "familyName" in record:
        record |= {name: f"CANARY-{name}-{number}" for name in PERSONAL}
        record["sourcedId"] = f"CANARY-id-{number}"
        record["userIds"] = [{"type": "CANARY-type", "identifier": f"CANARY-userId-{number}"}]
        record["homeAddress"] = f"CANARY-homeAddress-{number}"
        record["metadata"] = {"religion": f"CANARY-religion-{number}"}
        record["enabledUser"] = f"CANARY-enabledUser-{number}"
        record["dateLastModified"] = f"CANARY-modified-{number}" if number.endswith("3") else record["dateLastModified"]
    elif "birthDate" in record:
        record |= {
            "birthDate": f"CANARY-{number}",
            "sex": "CANARY-sex",
            "asian": "CANARY-asian",
            "cityOfBirth": "CANARY",
        }
    elif "comment" in record or "scoreDate" in record:
        record |= {"comment": f"CANARY-comment-{number}", "score": "CANARY-score", "textScore": "CANARY-textScore"}
    return record


@contextmanager
def service(knobs=None, **more):
    """A provider full of canaries, with a secret that is one."""
    knobs = replace(knobs or Knobs(), spelling=(knobs and knobs.spelling) or plant)
    settings = {"client_id": "CANARY-client", "client_secret": "CANARY-secret+/=:%", **more}
    with Provider(DISTRICT, knobs=knobs, **settings) as running:
        yield running


@pytest.fixture(autouse=True)
def canaries(monkeypatch, caplog):
    """Canaries also in tokens, in pages for people and in the words of errors; and a log that leaves nothing out."""
    monkeypatch.setattr(
        service_module,
        "status_info",
        lambda version, status, description, code=None: status_info(version, status, "CANARY-words", code),
    )
    monkeypatch.setattr(service_module, "_LOGIN_PAGE", b"<html>CANARY-page</html>")
    monkeypatch.setattr("oneroster_sample.tokens.token_urlsafe", lambda n: "CANARY-token-" + secrets.token_hex(n))
    monkeypatch.setattr("tap_oneroster._core.http.pace.Backoff.wait", lambda *_: 0.0)
    caplog.set_level("DEBUG")


def held_elsewhere(run, log):
    """Lines other than the holders' records in which a canary sits."""
    lines = [json.dumps(m) for m in run.messages if m["type"] != "RECORD" or m["stream"] not in HOLDERS]
    return [line for line in [*lines, run.error or "", *log.splitlines()] if "CANARY" in line]


def nameless(record):
    """Every third record has no id."""
    planted = plant(record)
    if sum(map(ord, record["sourcedId"])) % 3 == 0:
        planted["sourcedId"] = ""
    return planted


def shuffled(record):
    """Copies that differ, values of every wrong kind."""
    planted = plant(record)
    if "familyName" in planted:
        planted |= {
            "givenName": ["CANARY", "CANARY"],
            "email": {"CANARY": "CANARY"},
            "roles": "CANARY",
            "agents": "CANARY",
        }
    return planted


GOOD = {
    "as the standard says": Knobs(),
    "small pages": Knobs(page_cap=7),
    "filter refused": Knobs(refuse_filter=400),
    "filter ignored": Knobs(refuse_filter="ignored"),
    "sort refused": Knobs(refuse_sort=500, page_cap=7),
    "503 at first": Knobs(fail_first_n=2),
    "401 once": Knobs(status_401_once=True),
    "bodies cut short": Knobs(cut_first_n=1),
    "another wrapper": Knobs(wrapper_alias="data"),
    "records repeated": Knobs(page_cap=7, duplicate_rows=3),
    "links by token": Knobs(page_cap=7, link_tokens=True),
    "total beside the records": Knobs(page_cap=7, total_header=False, body_totals=True),
    "values of every wrong kind": Knobs(page_cap=7, spelling=shuffled),
}
BAD = {
    "connections die": Knobs(page_cap=4, die_after_pages=2),
    "a log-in page": Knobs(html_instead_of_json=True),
    "no envelope": Knobs(drop_envelope=True),
    "offset ignored": Knobs(page_cap=4, ignore_offset=True),
    "links of no use": Knobs(page_cap=4, link_tokens=True, link_fault="tilde"),
    "503 for good": Knobs(fail_first_n=10**6),
    "429 for good": Knobs(fail_first_n=10**6, fail_status=429),
    "401 for good": Knobs(fail_first_n=10**6, fail_status=401),
    "403": Knobs(fail_first_n=10**6, fail_status=403),
    "404": Knobs(fail_first_n=10**6, fail_status=404),
    "400": Knobs(fail_first_n=10**6, fail_status=400),
    "bodies always cut short": Knobs(cut_first_n=10**6),
    "redirected": Knobs(redirect_to="http://localhost:9/CANARY?token=CANARY"),
    "records without an id": Knobs(page_cap=7, spelling=nameless),
    "empty pages for good": Knobs(page_cap=4, refuse_sort=400, page_lengths=[4, 4, *[0] * 500]),
}


@pytest.mark.parametrize("way", GOOD)
def test_a_run_that_ends_well_names_nobody(way, caplog):
    """A night that reads everything, and one that filters."""
    with service() as provider:
        state = pull(provider, *STREAMS).state
    with service(GOOD[way]) as provider:
        whole = pull(provider, *STREAMS)
        later = pull(provider, *STREAMS, state=state, full_refresh_days=0, lookback_seconds=10**8)
    for run in (whole, later):
        assert run.error is None
        assert "CANARY" in json.dumps(run.records["users"])
        assert held_elsewhere(run, caplog.text) == []


@pytest.mark.parametrize("way", BAD)
def test_a_run_that_goes_wrong_names_nobody(way, caplog):
    with service() as provider:
        state = pull(provider, *STREAMS).state
    with service(BAD[way]) as provider:
        run = pull(provider, *STREAMS, state=state, full_refresh_days=0, lookback_seconds=10**8)
    assert run.error
    assert held_elsewhere(run, caplog.text) == []
    for stream, bookmark in state["bookmarks"].items():
        if not run.receipts.get(stream, {}).get("complete"):
            assert run.state.get("bookmarks", state["bookmarks"])[stream] == bookmark


@pytest.mark.parametrize(
    ("provided", "set_"),
    [
        ({}, {"client_secret": "CANARY-wrong"}),
        ({}, {"client_secret": "CANARY-wrong", "token_auth_style": "body"}),
        ({}, {"client_secret": "CANARY-wrong", "token_auth_style": "query"}),
        ({}, {"scopes": "CANARY-scope"}),
        ({"auth": "bearer"}, {"auth_method": "bearer", "access_token": "CANARY-other"}),
        ({"auth": "oauth1", "version": "1.1"}, {"auth_method": "oauth1", "client_secret": "CANARY-other"}),
    ],
)
def test_credentials_that_are_refused_are_not_quoted(provided, set_, caplog):
    with service(**provided) as provider:
        run = pull(provider, "users", **set_)
    assert run.error
    assert held_elsewhere(run, caplog.text) == []


def test_a_setting_that_cannot_be_sent_is_not_quoted(caplog):
    """It would end a header early, so it is refused before the first request."""
    with service() as provider, pytest.raises(ConfigValidationError, match="user_agent: holds a line end") as refused:
        pull(provider, "users", user_agent="CANARY\nCANARY")
    assert "CANARY" not in f"{refused.value}{refused.value.errors}{caplog.text}"
