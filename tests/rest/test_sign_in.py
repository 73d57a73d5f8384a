"""Signing in: cookies, tokens that cannot be sent, the error words of OAuth 2, the version that a path names."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oneroster_sample.provider import Provider
from tap_oneroster._core.errors import FatalSourceError, MissingCollection, SetupError, SourceError
from tap_oneroster._core.http.auth import NoToken, header_error
from tap_oneroster._core.http.presets import filled_in
from tap_oneroster.rest.settings import rest_errors

from tests.support.odd_service import Asked, Dressed, OddService

from .conftest import DEFAULTS, DISTRICT, Reader, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

USERS = [{"sourcedId": f"u{n}"} for n in range(25)]


@contextmanager
def reading(
    *,
    dress: Callable[[Asked, Dressed], None] | None = None,
    dress_token: Callable[[Asked, Dressed], None] | None = None,
    **settings: Any,
) -> Iterator[tuple[Reader, OddService]]:
    """A reader of a service whose answers are dressed, and the service."""
    settings = {"oneroster_version": "1.2", "page_size": 10, **settings}
    with OddService({"users": USERS}, dress=dress, dress_token=dress_token) as service:
        reader = Reader(service, **settings)  # type: ignore[arg-type]
        try:
            yield reader, service
        finally:
            reader.source.close()


def cookie_of(asked: Asked) -> str:
    return asked.headers.get("Cookie", "")


@pytest.mark.parametrize("version", ["1.2", "auto"])
def test_the_cookie_of_the_token_answer_is_on_the_first_data_request(version: str) -> None:
    """A load balancer with sticky sessions answers 403 without it."""

    def dress_token(asked: Asked, answer: Dressed) -> None:
        answer.headers["Set-Cookie"] = "node=7; Path=/"

    def dress(asked: Asked, answer: Dressed) -> None:
        if cookie_of(asked) != "node=7":
            answer.status = 403

    with reading(dress=dress, dress_token=dress_token, oneroster_version=version) as (reader, service):
        assert len(reader.read("users").ids("users")) == 25
    assert [asked.path for asked in service.asked].count("/token") == 1
    assert all(cookie_of(asked) == "node=7" for asked in service.asked if asked.path != "/token")


@pytest.mark.parametrize("renewal", ["refused with 401", "expired"])
def test_the_cookie_of_a_renewed_token_is_on_the_next_request(renewal: str) -> None:
    """Each token belongs to a node of its own, and only that node takes it."""
    tokens = 0

    def dress_token(asked: Asked, answer: Dressed) -> None:
        nonlocal tokens
        tokens += 1
        life = 3600 if renewal == "refused with 401" else 0.001
        answer.body = json.dumps({"access_token": f"t{tokens}", "expires_in": life}).encode()
        answer.headers["Set-Cookie"] = f"node={tokens}; Path=/"

    pages = 0

    def dress(asked: Asked, answer: Dressed) -> None:
        nonlocal pages
        pages += 1
        number = asked.headers["Authorization"].removeprefix("Bearer t")
        if cookie_of(asked) != f"node={number}":
            answer.status = 403
        elif pages == 2 and renewal == "refused with 401":
            answer.status = 401

    with reading(dress=dress, dress_token=dress_token, max_concurrency=1) as (reader, _):
        assert len(reader.read("users").ids("users")) == 25
    assert tokens > 1


@settings(max_examples=12, deadline=None)
@given(st.lists(st.none() | st.tuples(st.sampled_from("ab"), st.text("xyz01", min_size=1, max_size=4)), max_size=6))
def test_whatever_cookies_answers_set_the_next_request_bears_the_latest(sets: list[tuple[str, str] | None]) -> None:
    """Set by the token or by any page, and replaced at any time; otherwise the service answers 403."""
    jar: dict[str, str] = {}
    to_come = iter(sets)

    def set_next(answer: Dressed) -> None:
        if pair := next(to_come, None):
            jar[pair[0]] = pair[1]
            answer.headers["Set-Cookie"] = f"{pair[0]}={pair[1]}; Path=/"

    def dress(asked: Asked, answer: Dressed) -> None:
        sent = dict(one.strip().split("=", 1) for one in cookie_of(asked).split(";") if one)
        if sent != jar:
            answer.status = 403
        set_next(answer)

    with reading(dress=dress, dress_token=lambda _, answer: set_next(answer), max_concurrency=1) as (reader, _):
        assert len(reader.read("users").ids("users")) == 25


@pytest.mark.parametrize("method", ["oauth2", "oauth1", "bearer", "none"])
def test_cookies_that_an_answer_sets_are_kept_however_we_sign_in(method: str) -> None:
    """The first answer sets one, by a redirect to the same place; all later requests must bear it."""

    def dress(asked: Asked, answer: Dressed) -> None:
        if cookie_of(asked) != "node=7":
            answer.status = 302
            answer.headers |= {"Set-Cookie": "node=7; Path=/", "Location": asked.path}

    version = "1.1" if method == "oauth1" else "1.2"
    more: dict[str, Any] = {"auth_method": method, "access_token": "t", "oneroster_version": version, "page_size": 100}
    with reading(dress=dress, **more) as (reader, service):
        assert len(reader.read("users").ids("users")) == 25
    assert [cookie_of(asked) for asked in service.asked if asked.path != "/token"].count("") == 1


RIGHT = {**DEFAULTS, "base_url": "https://x.example", "token_url": "https://x.example/t", "client_id": "i"}
RIGHT |= {"client_secret": "s", "access_token": "a"}


@pytest.mark.parametrize("setting", ["access_token", "client_id", "client_secret", "user_agent"])
@pytest.mark.parametrize("inside", ["\n", "\r\n", "\x00", "\x7f", "\x1b"])
def test_a_setting_that_cannot_stand_in_a_header_is_one_line_without_its_value(setting: str, inside: str) -> None:
    errors = rest_errors({**RIGHT, setting: f"hush{inside}Injected: hush"})
    assert [error.partition(":")[0] for error in errors] == [setting]
    assert "cannot stand in a header" in errors[0]
    assert "hush" not in errors[0]
    assert "\n" not in errors[0]


@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\t", "\n\n"])
def test_ends_of_settings_are_trimmed(end: str) -> None:
    """Secrets come out of files, and files end with a line end."""
    names = ("access_token", "client_id", "client_secret", "user_agent", "base_url", "token_url")
    config = {**RIGHT, "user_agent": "me"}
    odd = config | {name: f"{end}{config[name]}{end}" for name in names}
    assert rest_errors(odd) == []
    assert filled_in(odd) == filled_in(config)
    with served(client_secret="sample-secret" + end, client_id=end + "sample-client") as reader:
        assert reader.once("orgs").ids("orgs")


def test_letters_that_need_no_header_may_stand_in_id_and_secret() -> None:
    assert header_error("client_secret", "Schlüssel-日本") is None
    assert header_error("access_token", "日本")
    assert header_error("user_agent", "Gymnasium Süd") is None


@pytest.mark.parametrize("end", ["\n", "\r\n", " "])
def test_a_token_with_a_line_end_is_trimmed(end: str) -> None:
    def dress_token(asked: Asked, answer: Dressed) -> None:
        answer.body = json.dumps({"access_token": f"{end}tok{end}"}).encode()

    with reading(dress_token=dress_token) as (reader, service):
        assert len(reader.read("users").ids("users")) == 25
    assert service.asked[-1].headers["Authorization"] == "Bearer tok"


@pytest.mark.parametrize("inside", ["\n", "\r\nX-Injected: ", "\x00", "日"])
def test_a_token_that_cannot_be_sent_is_one_line_and_never_logged(
    inside: str, caplog: pytest.LogCaptureFixture
) -> None:
    def dress_token(asked: Asked, answer: Dressed) -> None:
        answer.body = json.dumps({"access_token": f"hush{inside}hush"}).encode()

    caplog.set_level(logging.DEBUG)
    with reading(dress_token=dress_token) as (reader, _), pytest.raises(SetupError, match="token_url: ") as caught:
        reader.once("users")
    assert "cannot stand in a header" in str(caught.value)
    assert "hush" not in str(caught.value) + caplog.text
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 4


WORDS = {
    "invalid_scope": r"check scopes",
    "invalid_client": r"check client_id, client_secret and token_auth_style",
    "invalid_grant": r"check client_id, client_secret and token_auth_style",
    "unauthorized_client": r"check client_id, auth_method and scopes",
    "unsupported_grant_type": r"check token_url, auth_method and token_auth_style",
    "invalid_request": r"check token_auth_style, and scopes",
}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("version", ["1.2", "auto"])
def test_the_error_words_of_oauth_2_are_named_with_advice(word: str, status: int, version: str) -> None:
    def dress_token(asked: Asked, answer: Dressed) -> None:
        answer.status = status
        answer.body = json.dumps({"error": word, "error_description": "hush"}).encode()

    with (
        reading(dress_token=dress_token, oneroster_version=version) as (reader, _),
        pytest.raises(NoToken, match=rf"token_url: status {status}\W+{word}.*{WORDS[word]}") as caught,
    ):
        reader.once("users")
    assert "hush" not in str(caught.value)
    assert caught.value.exit_code == 4


def test_a_word_that_the_standard_does_not_have_is_not_repeated() -> None:
    def dress_token(asked: Asked, answer: Dressed) -> None:
        answer.status, answer.body = 401, b'{"error": "hush"}'

    with reading(dress_token=dress_token) as (reader, _), pytest.raises(NoToken, match="no token was given") as caught:
        reader.once("users")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("body", [b"{}", b'{"error": "temporarily_unavailable"}', b'{"error": ["x"]}'])
def test_a_token_service_that_is_down_is_worth_another_try(body: bytes) -> None:
    def dress_token(asked: Asked, answer: Dressed) -> None:
        answer.status, answer.body = 503, body

    with reading(dress_token=dress_token) as (reader, service), pytest.raises(NoToken, match="try later") as caught:
        reader.once("users")
    assert caught.value.exit_code == 1
    assert len(service.asked) == 6


def test_no_connection_names_the_host() -> None:
    with served(base_url="http://127.0.0.1:1") as reader:
        with pytest.raises(FatalSourceError, match=r"127\.0\.0\.1:1: no connection") as caught:
            reader.once("orgs")
        assert caught.value.exit_code == 1
    with (
        served(token_url="http://localhost:1/t") as reader,
        pytest.raises(FatalSourceError, match="token_url: localhost:1: no connection"),
    ):
        reader.once("orgs")


def test_a_refused_sign_in_at_a_collection_ends_with_4_and_a_service_that_is_down_with_1() -> None:
    statuses = {"users": 401, "classes": 403, "courses": 404, "enrollments": 503}

    def dress(asked: Asked, answer: Dressed) -> None:
        answer.status = statuses.get(asked.collection, 200)

    with reading(dress=dress) as (reader, _):
        codes = {}
        for name, status in statuses.items():
            with pytest.raises(SourceError) as caught:
                reader.once(name)
            codes[name] = caught.value.exit_code
            assert isinstance(caught.value, MissingCollection) is (status in {403, 404})
    assert codes == {"users": 4, "classes": 4, "courses": 4, "enrollments": 1}


PATHS = {"1.1": "/ims/oneroster/v1p1", "1.2": "/ims/oneroster/rostering/v1p2"}


@pytest.mark.parametrize(("named", "spoken"), [("1.1", "1.2"), ("1.2", "1.1")])
def test_a_path_that_names_another_version_than_the_service_speaks_is_found_out(
    named: str, spoken: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The token is refused because of scopes of the wrong version; the other version is tried before scopes are blamed."""
    with Provider(DISTRICT, version=spoken) as provider:
        reader = Reader(provider, base_url=provider.base_url + PATHS[named])
        pull = reader.read("orgs")
        reader.source.close()
    assert pull.facts["orgs"].version == spoken
    assert len(pull.ids("orgs")) == 3
    assert f"base_url names OneRoster {named}" in caplog.text
    assert f"it speaks {spoken}" in caplog.text


@pytest.mark.parametrize("method", ["oauth2", "bearer"])
@pytest.mark.parametrize(("named", "spoken"), [("1.1", "1.2"), ("1.2", "1.1")])
def test_a_path_of_another_version_is_found_out_where_the_token_is_granted(
    named: str, spoken: str, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The service grants every token, and answers 404 under the path that it does not have."""

    def dress(asked: Asked, answer: Dressed) -> None:
        answer.status = (
            200 if asked.path.startswith("/ims/oneroster" + PATHS[spoken].removeprefix("/ims/oneroster")) else 404
        )

    with OddService(dress=dress) as service:
        reader = Reader(service, base_url=service.base_url + PATHS[named], auth_method=method, access_token="t")  # type: ignore[arg-type]
        pull = reader.read("orgs")
        reader.source.close()
    assert (pull.facts["orgs"].version, pull.ids("orgs")) == (spoken, ["o1"])
    assert f"it speaks {spoken}" in caplog.text


@pytest.mark.parametrize("life", ["1" + "0" * 400, "[3600]", '"one hour"', "-5", "0", "null"])
def test_a_life_of_the_token_that_is_none_is_passed_over(life: str) -> None:
    def dress_token(asked: Asked, answer: Dressed) -> None:
        del asked
        answer.body = b'{"access_token": "t", "expires_in": %s}' % life.encode()

    with reading(dress_token=dress_token) as (reader, service):
        assert reader.read("orgs").ids("orgs") == ["o1"]
        assert len([one for one in service.asked if one.path == "/token"]) == 1


@pytest.mark.parametrize(("named", "spoken"), [("1.1", "1.2"), ("1.2", "1.1")])
@pytest.mark.parametrize("by", ["path", "setting"])
def test_a_version_that_is_set_is_not_overruled_but_named(named: str, spoken: str, by: str) -> None:
    with Provider(DISTRICT, version=spoken) as provider:
        address = provider.base_url + (PATHS[named] if by == "path" else "")
        reader = Reader(provider, base_url=address, oneroster_version=named)
        with pytest.raises(SetupError, match=f"answers as OneRoster {spoken} only, and oneroster_version is {named}"):
            reader.read("orgs")
        reader.source.close()


@pytest.mark.parametrize("base", ["", PATHS["1.1"], PATHS["1.2"]])
def test_scopes_are_blamed_once_both_versions_were_tried(base: str) -> None:
    with Provider(DISTRICT, scopes=["unheard.of"]) as provider:
        reader = Reader(provider, base_url=provider.base_url + base)
        with pytest.raises(NoToken, match="invalid_scope: check scopes") as caught:
            reader.read("orgs")
        reader.source.close()
    assert "1.1" in str(caught.value)
    assert "1.2" in str(caught.value)


def test_a_wrong_secret_is_not_tried_with_the_other_version() -> None:
    """Accounts are locked after a few wrong tries."""
    with Provider(DISTRICT) as provider:
        reader = Reader(provider, base_url=provider.base_url + PATHS["1.2"], client_secret="wrong")
        with pytest.raises(NoToken, match="invalid_client"):
            reader.read("orgs")
        reader.source.close()
        assert len(provider.requests) == 1


def test_a_redirect_to_no_address_is_one_line() -> None:
    def dress(asked: Asked, answer: Dressed) -> None:
        answer.status, answer.headers["Location"] = 302, "http://[hush"

    with reading(dress=dress) as (reader, _), pytest.raises(SourceError, match="redirects to no address") as caught:
        reader.once("users")
    assert "hush" not in str(caught.value)
