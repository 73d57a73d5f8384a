"""A small service on this machine whose every answer a test can dress as it likes."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Asked:
    """A request that came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    form: dict[str, str]

    @property
    def collection(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


@dataclass
class Dressed:
    """An answer on its way; a test may change it, or write it by itself."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    write: Callable[[Any], None] | None = None
    """Writes everything to the socket's file, in place of the answer."""


class OddService:
    """A OneRoster service with these records, as long as it is entered.

    `dress` is called for each page and `dress_token` for each token, before they are sent.
    """

    client_id, client_secret = "odd-client", "odd-secret"

    def __init__(
        self,
        records: dict[str, list[Any]] | None = None,
        *,
        dress: Callable[[Asked, Dressed], None] | None = None,
        dress_token: Callable[[Asked, Dressed], None] | None = None,
    ) -> None:
        self.records = {"orgs": [{"sourcedId": "o1", "name": "One", "type": "school"}], **(records or {})}
        self.dress, self.dress_token = dress, dress_token
        self.asked: list[Asked] = []
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"service": self}))
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.base_url = f"http://{self.host}"
        self.token_url = f"{self.base_url}/token"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> OddService:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, asked: Asked) -> Dressed:
        """The answer to a request, dressed."""
        self.asked.append(asked)
        if asked.path == "/token":
            answer = Dressed(body=b'{"access_token": "t", "expires_in": 3600}')
            if self.dress_token:
                self.dress_token(asked, answer)
            return answer
        every = self.records.get(asked.collection, [])
        start = int(asked.query.get("offset", 0))
        page = every[start : start + int(asked.query.get("limit", 100))]
        rows = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in page]
        body = b'{"%s":[%s]}' % (asked.collection.encode(), b",".join(rows))
        answer = Dressed(headers={"X-Total-Count": str(len(every))}, body=body)
        if self.dress:
            self.dress(asked, answer)
        return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that had enough and went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    service: OddService
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        asked = Asked(
            self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers.items()), dict(parse_qsl(form))
        )
        answer = self.service.answer(asked)
        if answer.write:
            self.close_connection = True
            with suppress(OSError):  # the other side has had enough
                answer.write(self.wfile)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(b"" if answer.status == 204 else answer.body)

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        pass
