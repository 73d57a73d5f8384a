"""What goes wrong on the first evening with a new vendor: one line for each, which says what to check."""

from __future__ import annotations

import re
from typing import Any

import pytest
from oneroster_sample.district import District
from oneroster_sample.provider import Knobs, Provider
from singer_sdk.exceptions import ConfigValidationError

from tests.rest.certificates import Authority, over_tls
from tests.support.tap import pull

DISTRICT = District(seed=7, schools=1, students_per_school=10, gradebook=False)
CORE = ("roster-core.readonly",)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr("tap_oneroster._core.http.pace.Backoff.wait", lambda *_: 0.0)


NEW = {"oneroster_version": "1.2"}
BAD: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "wrong URL": ({}, {"base_url": "{base}/wrong"}, r"base_url: no OneRoster service .*1\.2: status 404; 1\.1: "),
    "wrong URL, version set": ({}, {"base_url": "{base}/wrong", **NEW}, "orgs: status 404: .*check base_url and"),
    "nobody there": ({}, {"base_url": "http://127.0.0.1:1"}, "no connection, .*check the address, the network"),
    "wrong token URL": ({}, {"token_url": "{base}/x"}, "token_url: status 40[45]: no token service there; check"),
    "wrong secret": ({}, {"client_secret": "hush"}, "token_url: status 401: .*check client_id, client_secret"),
    "wrong id": ({}, {"client_id": "somebody"}, "token_url: status 401: .*check client_id, client_secret"),
    "missing scope": ({"scopes": ("assessment.readonly",)}, {}, "token_url: status 400, invalid_scope: check scopes"),
    "missing scope, found out late": (
        {"scopes": ("roster-demographics.readonly",)},
        {"scopes": [], **NEW},
        "orgs: status 403: the account may not read it; check scopes",
    ),
    "log-in page": ({"knobs": Knobs(html_instead_of_json=True)}, NEW, "orgs: .*a web page where JSON.*check base_url"),
    "log-in page, version open": (
        {"knobs": Knobs(html_instead_of_json=True)},
        {},
        "base_url: no OneRoster service .*no list of orgs in the answer.*check the address",
    ),
    "log-in page elsewhere": (
        {"knobs": Knobs(redirect_to="http://localhost:9/hush")},
        {},
        "redirects to another host.*set base_url",
    ),
    "version and path disagree": (
        {},
        {"base_url": "{base}/ims/oneroster/v1p1", **NEW},
        r"base_url names version 1\.1 and oneroster_version is 1\.2: make them agree",
    ),
    "the service's version is another": (
        {"version": "1.1"},
        NEW,
        "token_url: .*check scopes|orgs: .*oneroster_version",
    ),
}


@pytest.mark.parametrize("mistake", BAD)
def test_bad_input_is_one_line_that_says_what_to_check(mistake):
    provided, set_, says = BAD[mistake]
    with Provider(DISTRICT, **provided) as provider:
        places = {"base_url", "token_url"} & set_.keys()
        set_ = set_ | {name: set_[name].replace("{base}", provider.base_url) for name in places}
        run = pull(provider, "orgs", **set_)
    assert run.error
    assert re.search(says, run.error), run.error
    assert "\n" not in run.error
    assert "hush" not in run.error
    assert set(run.of("RECORD")) <= {"syncReceipts"}
    assert run.of("ACTIVATE_VERSION") == []
    assert not any(receipt["complete"] for receipt in run.receipts.values())


@pytest.mark.parametrize("wrong", ["expired", "unknown authority"])
def test_a_certificate_that_does_not_hold_is_one_line(tmp_path, wrong):
    pytest.importorskip("cryptography", reason="certificates are made with it")
    authority = Authority(tmp_path)
    expired = wrong == "expired"
    with over_tls(Provider(DISTRICT), authority.server(days=-2 if expired else 9)) as provider:
        run = pull(provider, "orgs", **({"ca_bundle": str(authority.bundle)} if expired else {}))
        assert provider.requests == []
    assert re.search("certificate is not valid or not trusted here; have it renewed, or set ca_bundle", run.error)
    assert "\n" not in run.error


@pytest.mark.parametrize("status", [403, 404])
def test_a_collection_the_service_does_not_offer_is_named_and_the_others_go_on(status):
    knobs = {"demographics": Knobs(fail_first_n=10**6, fail_status=status)}
    with Provider(DISTRICT, knobs_for=knobs) as provider:
        run = pull(provider, "orgs", "demographics", "users")
        accepted = pull(provider, "orgs", "demographics", "users", missing_collections="accept")
    assert re.match(f"demographics: status {status}: .*; deselect the stream, or set missing_collections", run.error)
    assert "\n" not in run.error
    assert run.of("ACTIVATE_VERSION") == ["orgs", "users"]
    complete = {name: receipt["complete"] for name, receipt in run.receipts.items()}
    assert complete == {"orgs": True, "users": True, "demographics": False}
    assert "demographics" not in accepted.of("ACTIVATE_VERSION")
    assert accepted.error is None
    assert accepted.receipts["demographics"]["mode"] == "absent"


def test_a_scope_that_was_not_granted_costs_its_stream_only():
    with Provider(DISTRICT, scopes=CORE) as provider:
        run = pull(provider, "orgs", "demographics", "users")
    assert re.match("demographics: status 403: the account may not read it; check scopes", run.error)
    assert run.of("ACTIVATE_VERSION") == ["orgs", "users"]


@pytest.mark.parametrize("setting", ["base_url", "token_url"])
@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://10.0.0.8/oneroster", "must start with https://"),
        ("https://me:hush@district.example", "must not hold credentials"),
        ("district.example", "must start with https://"),
    ],
)
def test_an_address_that_is_not_safe_is_refused_at_the_start(setting, address, says):
    with Provider(DISTRICT) as provider:
        with pytest.raises(ConfigValidationError, match=f"{setting}: {says}") as refused:
            pull(provider, "orgs", **{setting: address})
        assert provider.requests == []
    assert "hush" not in " ".join(refused.value.errors)
