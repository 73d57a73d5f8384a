"""What goes over the wire: certificates that hold, hosts that may be called, and credentials that stay."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_sample.provider import Knobs, Provider
from tap_oneroster.source import FatalSourceError, SourceError

from .certificates import Authority, over_tls
from .conftest import DISTRICT, Reader, served

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    pytest.importorskip("cryptography", reason="certificates are made with it")
    return Authority(tmp_path_factory.mktemp("certificates"))


@contextmanager
def served_over_tls(context: ssl.SSLContext, **settings: Any) -> Iterator[Reader]:
    """A reader of a provider that speaks HTTPS."""
    with over_tls(Provider(DISTRICT, version="1.2", knobs=Knobs(page_cap=20)), context) as provider:
        reader = Reader(provider, oneroster_version="1.2", **settings)
        try:
            yield reader
        finally:
            reader.source.close()


def test_a_certificate_of_the_districts_own_authority_is_read_with_ca_bundle_and_not_without(
    authority: Authority, users: list[str]
) -> None:
    with served_over_tls(authority.server(), ca_bundle=str(authority.bundle)) as reader:
        assert sorted(reader.once("users").ids("users")) == users
    with served_over_tls(authority.server()) as reader:
        with pytest.raises(FatalSourceError, match=r"certificate is not valid or not trusted here; .* ca_bundle"):
            reader.once("users")
        assert reader.provider.requests == []


@pytest.mark.parametrize("wrong", [{"days": -3}, {"host": "other.example"}], ids=["expired", "of another host"])
def test_a_certificate_that_does_not_hold_is_refused_also_where_its_authority_is_trusted(
    authority: Authority, wrong: dict[str, Any]
) -> None:
    with served_over_tls(authority.server(**wrong), ca_bundle=str(authority.bundle)) as reader:
        with pytest.raises(FatalSourceError, match="certificate is not valid") as caught:
            reader.once("users")
        assert reader.provider.requests == []
    assert "\n" not in str(caught.value)


def test_the_oldest_tls_that_is_spoken_is_1_2(authority: Authority) -> None:
    context = authority.server()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with served_over_tls(context, ca_bundle=str(authority.bundle)) as reader:
        assert len(reader.once("orgs").ids("orgs")) == 3
    from urllib3.util.ssl_ import create_urllib3_context

    assert create_urllib3_context().minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("setting", ["base_url", "token_url"])
@pytest.mark.parametrize("address", ["http://10.0.0.8/oneroster", "https://me:hush@district.example"])
def test_an_address_that_would_show_credentials_is_refused_before_anything_is_sent(setting: str, address: str) -> None:
    with served() as reader, pytest.raises(FatalSourceError, match=f"{setting}: must ") as caught:
        Reader(reader.provider, **{setting: address})
    assert "hush" not in str(caught.value)
    assert reader.provider.requests == []


class _Listener(BaseHTTPRequestHandler):
    heard: list[dict[str, str]]

    def do_GET(self) -> None:
        self.heard.append(dict(self.headers.items()))
        self.send_response(200)
        self.end_headers()

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def stranger() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Another host, and the headers that it got."""
    heard: list[dict[str, str]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Listener,), {"heard": heard}))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/here", heard
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("method", ["oauth2", "bearer", "oauth1"])
def test_a_redirect_to_another_host_never_carries_authorization(
    stranger: tuple[str, list[dict[str, str]]], method: Any
) -> None:
    address, heard = stranger
    version = "1.1" if method == "oauth1" else "1.2"
    with (
        served(
            Knobs(redirect_to=address),
            version=version,
            provider={"auth": method},
            auth_method=method,
            access_token="sample-secret",
            oneroster_version=version,
        ) as reader,
        pytest.raises(SourceError, match="redirects to another host"),
    ):
        reader.once("users")
    assert heard == []


def test_links_to_another_host_are_never_called(stranger: tuple[str, list[dict[str, str]]]) -> None:
    """Even where nothing else leads on."""
    address, heard = stranger

    with served(Knobs(page_cap=20, link_tokens=True)) as reader:
        reader.provider.service.root = address.rpartition("/")[0]
        with pytest.raises(SourceError, match="another host"):
            reader.once("users")
    assert heard == []
