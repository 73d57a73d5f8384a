"""The requests for the pages of a collection: what is prepared once for all of them, and what is not."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
import requests
from oneroster_core.http.auth import Anonymous, Bearer, OAuth1
from oneroster_core.http.client import HttpClient

if TYPE_CHECKING:
    from collections.abc import Iterator


class Service:
    """A service that notes the requests that it gets: the address without its host, and the headers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, str]]] = []
        self.left = Event()
        """Set once a connection was closed."""
        heard, left = self.heard, self.left

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                heard.append((self.path, {k: v for k, v in self.headers.items() if k != "Host"}))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def finish(self) -> None:
                super().finish()
                left.set()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.root = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def services() -> Iterator[list[Service]]:
    """Two services."""
    made = [Service(), Service()]
    threads = [Thread(target=one.server.serve_forever, kwargs={"poll_interval": 0.02}) for one in made]
    for thread in threads:
        thread.start()
    yield made
    for one, thread in zip(made, threads, strict=True):
        one.server.shutdown()
        one.server.server_close()
        thread.join()


@pytest.fixture
def client() -> Iterator[HttpClient]:
    """A client."""
    made = HttpClient(user_agent="tap-oneroster/test")
    yield made
    made.close()


@pytest.mark.parametrize(
    "beginning",
    [
        "/users?limit=100&sort=sourcedId&orderBy=asc&offset=",
        "/users?limit=100&filter=sourcedId%3E'a%20%7e%2500'&offset=",
        "/us ers/ü?filter=a b'ü&offset=",
        "/users?offset=00",
        "/users/",
        "/users/%",
        "?offset=",
    ],
)
def test_every_page_is_requested_as_requests_would_do_it(
    services: list[Service], client: HttpClient, beginning: str
) -> None:
    """The address is quoted in the same way, and the headers are the same."""
    service, _ = services
    headers = {"User-Agent": "tap-oneroster/test", "Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
    for page in (0, 100, 7, 2000, 41):
        url = f"{service.root}{beginning}{page}"
        client.get(url, "users")
        requests.get(url, headers={**headers, "Connection": "keep-alive"}, timeout=60)
    assert service.heard[::2] == service.heard[1::2]
    assert len(service.heard) == 10


def test_every_page_has_the_credentials_of_its_time(services: list[Service], client: HttpClient) -> None:
    """A token that was renewed is on the next request, and a signature is made for each address."""
    service, _ = services
    for credentials in (Bearer("one"), Bearer("two"), OAuth1("key", "secret", "HMAC-SHA256"), Anonymous()):
        client.credentials = credentials
        for page in (1, 2):
            client.get(f"{service.root}/users?offset={page}", "users")
    sent = [headers.get("Authorization", "") for _, headers in service.heard]
    assert sent[:4] == ["Bearer one"] * 2 + ["Bearer two"] * 2
    assert len(set(sent[4:6])) == 2
    assert all(one.startswith("OAuth ") for one in sent[4:6])
    assert sent[6:] == ["", ""]


def test_two_services_in_turn_each_get_their_own_requests(services: list[Service], client: HttpClient) -> None:
    """The connections that the latest request used are those of its host only."""
    for page in range(3):
        for number, service in enumerate(services):
            client.get(f"{service.root}/of/{number}?offset={page}", "users")
    for number, service in enumerate(services):
        assert [path for path, _ in service.heard] == [f"/of/{number}?offset={page}" for page in range(3)]


def test_a_client_that_is_closed_leaves_no_connection_open(services: list[Service], client: HttpClient) -> None:
    """The connections of the latest request are closed like all others, and a later request opens new ones."""
    service, _ = services
    for page in (1, 2):
        assert client.get(f"{service.root}/users?offset={page}", "users").ok
        assert not service.left.is_set()
        client.close()
        assert service.left.wait(60)
        service.left.clear()
    assert len(service.heard) == 2
