"""Getting in: addresses, versions, credentials, scopes, and what is said when it does not work."""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from jsonschema import Draft7Validator
from oneroster_sample.provider import Knobs
from tap_oneroster import TapOneRoster
from tap_oneroster._core.http.addresses import Address, address_error
from tap_oneroster._core.http.auth import ClientCredentials
from tap_oneroster._core.http.presets import PRESETS, filled_in
from tap_oneroster._core.model import Service, Version
from tap_oneroster.rest.probe import probe
from tap_oneroster.rest.scopes import scopes_for
from tap_oneroster.rest.settings import REST_SETTINGS, rest_errors
from tap_oneroster.source import FatalSourceError, SourceError

from .conftest import DEFAULTS, served

ODD_SECRET = "a+b/c=%:d e&f"
HOST = "https://district.example"


def url(base: str, version: Version, service: Service = Service.ROSTERING) -> str:
    return Address.read(base).url(version, service, "/orgs", {"limit": "1"})


@pytest.mark.parametrize("tail", ["", "/", "/ims/oneroster", "/ims/oneroster/"])
def test_the_standards_path_is_added_where_base_url_leaves_it_out(tail: str) -> None:
    assert url(f"{HOST}/x{tail}", Version.V1_1) == f"{HOST}/x/ims/oneroster/v1p1/orgs?limit=1"
    assert url(f"{HOST}/x{tail}", Version.V1_2) == f"{HOST}/x/ims/oneroster/rostering/v1p2/orgs?limit=1"
    assert Address.read(f"{HOST}/x{tail}").version is None


def test_a_version_in_the_path_counts() -> None:
    old = Address.read(f"{HOST}/ims/oneroster/v1p1/")
    assert old.version == Version.V1_1
    assert old.url(Version.V1_1, Service.GRADEBOOK, "/results", {}) == f"{HOST}/ims/oneroster/v1p1/results?"
    new = Address.read(f"{HOST}/a/ims/oneroster/rostering/v1p2")
    assert new.version == Version.V1_2
    assert new.url(Version.V1_2, Service.GRADEBOOK, "/results", {}) == f"{HOST}/a/ims/oneroster/gradebook/v1p2/results?"
    bare = Address.read(f"{HOST}/api/v1p1")
    assert bare.url(Version.V1_1, Service.ROSTERING, "/orgs", {}) == f"{HOST}/api/v1p1/orgs?"


def test_a_version_that_path_and_settings_disagree_on_is_refused() -> None:
    with pytest.raises(FatalSourceError, match="make them agree"):
        Address.read(f"{HOST}/ims/oneroster/v1p1").check_version(Version.V1_2)


def test_queries_are_percent_encoded() -> None:
    made = Address.read(HOST).url(Version.V1_1, Service.ROSTERING, "/users", {"filter": "a>='2 0'"})
    assert made.endswith("/users?filter=a%3E%3D%272%200%27")


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("http://district.example", "https"),
        ("ftp://district.example", "https"),
        ("district.example", "https"),
        ("https://u:p@district.example", "credentials"),
        ("https://[::1", "not an address"),
    ],
)
def test_addresses_that_are_not_safe_are_refused_unquoted(address: str, problem: str) -> None:
    found = address_error("base_url", address)
    assert found
    assert found.startswith("base_url: ")
    assert problem in found
    assert "district" not in found.replace("https://district.example/path", "")


@pytest.mark.parametrize("address", ["http://localhost:8000/x", "http://127.0.0.1", "http://[::1]:1", HOST])
def test_plain_http_is_for_this_machine_only(address: str) -> None:
    assert address_error("base_url", address) is None


def test_scopes_follow_the_streams() -> None:
    def short(streams: set[str], version: Version) -> list[str]:
        return [scope.rpartition("/")[2] for scope in scopes_for(streams, version)]

    assert short({"users", "roles", "students", "syncReceipts"}, Version.V1_1) == [
        "roster-core.readonly",
        "roster.readonly",
    ]
    assert short({"users", "classResources"}, Version.V1_2) == ["roster-core.readonly"]
    assert short({"demographics"}, Version.V1_2) == ["roster-demographics.readonly"]
    assert short({"results", "resources"}, Version.V1_2) == ["resource-core.readonly", "gradebook-core.readonly"]
    assert short({"assessmentResults"}, Version.V1_2) == ["assessment.readonly"]
    assert short({"scoreScales"}, Version.V1_1) == []


@pytest.mark.parametrize("style", ["basic", "body", "query"])
def test_secrets_with_odd_characters_arrive_whole(style: str) -> None:
    with served(provider={"client_secret": ODD_SECRET, "client_id": "id+/="}, token_auth_style=style) as reader:
        assert len(reader.once("orgs").ids("orgs")) == 3
        tokens = [r for r in reader.provider.requests if r.method == "POST"]
    assert len(tokens) == 1
    assert not any("secret" in key for key in tokens[0].query)
    if style == "query":
        assert tokens[0].query["grant_type"] == "client_credentials"
        assert "scope" in tokens[0].query


@pytest.mark.parametrize(("scopes", "sent"), [([], None), ("a b", "a b"), (["x"], "x")])
def test_scopes_can_be_set_and_may_be_empty(scopes: Any, sent: str | None) -> None:
    with served(scopes=scopes, oneroster_version="1.2") as reader:
        with pytest.raises(FatalSourceError, match="invalid_scope") if sent else nullcontext():
            reader.once("orgs")
        assert reader.provider.requests[0].form.get("scope") == sent


def test_demographics_scope_is_asked_for_only_with_that_stream() -> None:
    for streams, asked in (({"users"}, False), ({"users", "demographics"}, True)):
        with served(streams=streams) as reader:
            reader.once("users")
            assert ("demographics" in reader.provider.requests[0].form["scope"]) is asked


def test_a_wrong_secret_names_the_settings_and_no_value() -> None:
    with (
        served(client_secret="wrong-secret", oneroster_version="1.2") as reader,
        pytest.raises(FatalSourceError, match="check client_id, client_secret") as caught,
    ):
        reader.once("orgs")
    assert "wrong-secret" not in str(caught.value)
    with (
        served(client_secret="wrong-secret") as reader,
        pytest.raises(FatalSourceError, match="check client_id, client_secret"),
    ):
        reader.once("orgs")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_the_version_is_found_out(version: str) -> None:
    with served(version=version) as reader:
        assert reader.source.version.value == version
        assert reader.once("orgs").facts["orgs"].version == version


def test_no_service_at_the_address_says_what_was_tried() -> None:
    with served(base_url="http://127.0.0.1:1") as reader, pytest.raises(FatalSourceError, match="no connection"):
        reader.once("orgs")
    with served() as reader:
        address = reader.provider.base_url + "/elsewhere"
        with served(base_url=address, token_url=reader.provider.token_url) as lost:
            with pytest.raises(FatalSourceError, match=r"1.2: status 404; 1.1: ") as caught:
                lost.once("orgs")
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", ["HMAC-SHA256", "HMAC-SHA1"])
def test_signed_requests_are_accepted_by_an_independent_verifier(method: str) -> None:
    """Filters, sorting and paging are part of what is signed."""
    with served(
        Knobs(page_cap=20),
        version="1.1",
        provider={"auth": "oauth1", "client_secret": ODD_SECRET},
        auth_method="oauth1",
        oauth1_signature_method=method,
    ) as reader:
        assert len(reader.once("users").ids("users")) == 83
        reader.once("users", since=datetime(2030, 1, 1, tzinfo=UTC))
        assert any("filter" in r.query for r in reader.provider.asked_for("users"))
        assert {r.status for r in reader.provider.asked_for("users")} == {200}


def test_a_wrong_signature_is_refused_in_one_line() -> None:
    with served(
        version="1.1", provider={"auth": "oauth1"}, auth_method="oauth1", client_secret="x", oneroster_version="1.1"
    ) as reader:
        with pytest.raises(SourceError, match="orgs, offset 0: status 401: check client_id"):
            reader.once("orgs")
        assert len(reader.provider.requests) == 1


def test_a_static_token_and_none_at_all() -> None:
    with served(
        version="1.1", provider={"auth": "bearer", "client_secret": "t"}, auth_method="bearer", access_token="t"
    ) as reader:
        assert len(reader.once("orgs").ids("orgs")) == 3
    with served(provider={"auth": "none"}, auth_method="none") as reader:
        assert len(reader.once("orgs").ids("orgs")) == 3


def test_threads_that_meet_a_401_renew_the_token_once() -> None:
    with served(Knobs(page_cap=5, latency_seconds=0.02), max_concurrency=8, oneroster_version="1.2") as reader:
        reader.once("orgs")
        reader.provider.tokens.forget()
        assert len(reader.once("users").ids("users")) == 83
        tokens = [r for r in reader.provider.requests if r.method == "POST"]
    assert len(tokens) == 2


def test_a_token_is_renewed_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def send(url: str, data: str, headers: dict[str, str]) -> tuple[int, bytes]:
        asked.append(data)
        return 200, b'{"access_token":"t%d","expires_in":"60"}' % len(asked)

    import requests

    credentials = ClientCredentials(send, "https://x.example", "i", "s")
    request = requests.Request("GET", "https://x.example", auth=credentials)
    assert credentials.prepare(request.prepare).headers["Authorization"] == "Bearer t1"
    assert credentials.prepare(request.prepare).headers["Authorization"] == "Bearer t1"
    now = time.monotonic()
    monkeypatch.setattr("tap_oneroster._core.http.auth.time", SimpleNamespace(monotonic=lambda: now + 45))
    assert credentials.prepare(request.prepare).headers["Authorization"] == "Bearer t2"


def test_the_service_learns_who_asks() -> None:
    with served() as reader:
        reader.once("orgs")
        headers = reader.provider.requests[-1].headers
    assert headers["User-Agent"] == "tap-oneroster/test"
    assert "gzip" in headers["Accept-Encoding"]
    with served(user_agent="district") as reader:
        reader.once("orgs")
        assert reader.provider.requests[-1].headers["User-Agent"] == "district"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"base_url": None}, "base_url"),
        ({"base_url": "http://x.example"}, "base_url"),
        ({"token_url": None}, "token_url"),
        ({"token_url": "http://x.example"}, "token_url"),
        ({"client_id": None}, "client_id"),
        ({"ca_bundle": "/nowhere/authorities.pem"}, "ca_bundle"),
        ({"auth_method": "bearer"}, "access_token"),
        ({"auth_method": "oauth1", "oneroster_version": "1.2"}, "auth_method"),
    ],
)
def test_wrong_combinations_are_refused_by_name(change: dict[str, Any], named: str) -> None:
    right = {**DEFAULTS, "base_url": HOST, "token_url": HOST, "client_id": "i", "client_secret": "shh"}
    assert rest_errors(right) == []
    errors = rest_errors({**right, **change})
    assert any(error.startswith(f"{named}: ") for error in errors)
    assert not any("shh" in error or "\n" in error for error in errors)


def test_every_setting_is_described() -> None:
    for setting in REST_SETTINGS:
        ((_, schema),) = setting.to_dict().items()
        assert schema["title"]
        assert schema["description"].endswith(".")


def test_a_preset_fills_in_what_is_left_open_and_no_more() -> None:
    assert filled_in({})["page_size"] == 1000
    known = filled_in({"provider": "edfi", "max_concurrency": 2, "page_size": None})
    assert (known["page_size"], known["requests_per_minute"], known["max_concurrency"]) == (500, 100, 2)
    assert filled_in({"provider": "infinite_campus", "token_auth_style": "body"})["token_auth_style"] == "body"


def test_presets_hold_settings_that_exist_and_values_they_may_have() -> None:
    schema: dict[str, Any] = {}
    for setting in REST_SETTINGS:
        schema |= setting.to_dict()
    validator = Draft7Validator({"properties": schema, "additionalProperties": False})
    for preset in PRESETS:
        assert list(validator.iter_errors(dict(preset.settings))) == []
        assert preset.notes.endswith(".")
        for name in ("base_url", "token_url"):
            if name in preset.settings:
                assert address_error(name, preset.settings[name]) is None


def test_the_probe_tells_how_a_service_behaves_without_anyones_name() -> None:
    knobs = Knobs(page_cap=10, refuse_filter=400, refuse_sort="ignored")
    with served(knobs, provider={"scopes": ("roster-core.readonly",), "client_secret": "hush"}) as reader:
        p = reader.provider
        sheet = {
            "base_url": p.base_url,
            "token_url": p.token_url,
            "client_id": "sample-client",
            "client_secret": "hush",
        }
        config = TapOneRoster(config={"mode": "rest", **sheet}, setup_mapper=False).config
        report = list(probe(config, demographics=True))
        names = {user.familyName for user in reader.once("users").records["users"]}
    text = "\n".join(report)
    assert report[0] == "OneRoster 1.2, token style basic"
    assert "pages are capped at 10 rows, though 1000 were asked for" in report
    assert any(line.startswith("not granted") and "demographics" in line and "results" in line for line in report)
    assert '  supports_filter: "false"' in report
    assert '  supports_sort: "false"' in report
    assert "hush" not in text
    assert not any(name in text for name in names)


@pytest.mark.parametrize("asked", [False, True])
def test_the_probe_explains_its_words_and_leaves_demographics_alone(asked: bool) -> None:
    """Demographics are off by default in the tap, so the probe asks for them only if somebody wants it."""
    with served() as reader:
        p = reader.provider
        sheet = {
            "base_url": p.base_url,
            "token_url": p.token_url,
            "client_id": p.client_id,
            "client_secret": p.client_secret,
        }
        config = TapOneRoster(config={"mode": "rest", **sheet}, setup_mapper=False).config
        report = list(probe(config, demographics=asked))
        assert bool(p.asked_for("demographics")) is asked
    text = "\n".join(report)
    for word in ("wrapper", "far page", "unknown id"):
        assert re.search(rf"^  {word} +\w", text, re.MULTILINE)
    assert ("demographics: not read" in text) is not asked


def test_the_probe_says_why_there_is_no_way_in() -> None:
    with served() as reader:
        p = reader.provider
        sheet = {"base_url": p.base_url, "token_url": p.token_url, "client_id": "x", "client_secret": "hush"}
        report = list(probe(TapOneRoster(config={"mode": "rest", **sheet}, setup_mapper=False).config))
    assert report[-1] == "no way in was found"
    assert len(report) == 4
    assert all("token_url: status 401" in line for line in report[:-1])
