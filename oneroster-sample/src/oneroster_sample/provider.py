"""A small but real OneRoster provider: an HTTP server on this machine only that serves a district.

In a test: ``with Provider(District(), version="1.2") as provider: provider.base_url …``

For benchmarks, start it in a separate process (``oneroster-sample serve``) and read everything once before measuring:
records are encoded and pages compressed on first use. After that, a response is a join of bytes and a write, about a
millisecond for 5,000 records.
"""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from time import time
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec
from typing_extensions import override

from ._core.model import Version, scope_uri
from .answers import Answer, status_info
from .knobs import Knobs
from .service import Service
from .signatures import SignatureDesk
from .tokens import TokenDesk, scopes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .district import District

__all__ = ["Handler", "Knobs", "Provider", "Request", "Server"]

TOKEN_PATH = "/token"  # noqa: S105
_SECRETS = frozenset({"client_secret", "password"})


@dataclass(frozen=True)
class Request:
    """A received request without its secrets, and its status (0: the connection was closed)."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    form: dict[str, str]
    collection: str | None
    status: int
    began: float = 0.0
    """Seconds since 1970, as `ended`, which is when the response was made."""
    ended: float = 0.0


class Provider:
    """A OneRoster service; use it as a context manager.

    Args:
        district: The district whose records it serves.
        version: Version of the standard.
        knobs: Its behaviour.
        knobs_for: Its behaviour for some collections, by name (`enrollments`, `schools`).
        scopes: Short names of the scopes its client may have; by default all.
        client_id: The client's id.
        client_secret: The client's secret.
        auth: How clients authenticate: oauth2 tokens, oauth1 signatures, the secret as bearer token, or none.
        port: Port on 127.0.0.1; 0 chooses a free one.
        at: Address at which another server answers for it; it then has none of its own, and cannot be started.
    """

    def __init__(
        self,
        district: District,
        *,
        version: Version | str = Version.V1_2,
        knobs: Knobs | None = None,
        knobs_for: Mapping[str, Knobs] | None = None,
        scopes: Iterable[str] | None = None,
        client_id: str = "sample-client",
        client_secret: str = "sample-secret",  # noqa: S107
        auth: Literal["oauth2", "oauth1", "bearer", "none"] = "oauth2",
        port: int = 0,
        at: str = "",
    ) -> None:
        self.version = Version(version)
        self.knobs = knobs or Knobs()
        self.knobs_for = dict(knobs_for or {})
        self.client_id, self.client_secret = client_id, client_secret
        self.requests: list[Request] = []
        """The requests, in the order of their responses."""
        granted = scopes_of(self.version) if scopes is None else tuple(scopes)
        self.scopes = tuple(scope_uri(name, self.version) for name in granted)
        self.auth = auth
        self._signatures = SignatureDesk(client_id, client_secret)
        self.tokens = TokenDesk(self.version, client_id, client_secret, granted)
        if not at:
            self._server = Server(("127.0.0.1", port), self)
        self.base_url = at or f"http://127.0.0.1:{self._server.server_port}"
        self.token_url = self.base_url + TOKEN_PATH
        self.service = Service(district, self.version, self.base_url, self.tokens)
        if not at:
            self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Provider:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self) -> None:
        """Serve until interrupted."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def use(self, district: District) -> None:
        """Serve another district from now on, such as the same one a day later."""
        self.service.use(district)

    @property
    def revision(self) -> int:
        """Revision of the data, as in `Knobs.revision_header`; it can be set."""
        return self.service.revision

    @revision.setter
    def revision(self, value: int) -> None:
        self.service.revision = value

    @property
    def credential_sheet(self) -> str:
        """The credentials sheet that a vendor would provide: addresses, client, scopes."""
        lines = [
            f"OneRoster {self.version.value} provider, on this machine only",
            f"base URL       {self.base_url}",
            f"token URL      {self.token_url}",
            f"client id      {self.client_id}",
            f"client secret  {self.client_secret}",
            *(f"{'' if n else 'scopes':<15}{scope}" for n, scope in enumerate(self.scopes)),
        ]
        return "\n".join(lines)

    def trusts(self, method: str, target: str, authorization: str | None) -> bool:
        """True if a request is authenticated by other means than a token."""
        match self.auth:
            case "oauth1":
                return self._signatures.accepts(method, self.base_url + target, authorization)
            case "bearer":
                return authorization == f"Bearer {self.client_secret}"
            case "none":
                return True
            case _:
                return False

    def asked_for(self, collection: str) -> list[Request]:
        """Return the requests for a collection."""
        return [request for request in self.requests if request.collection == collection]


class Server(ThreadingHTTPServer):
    """An HTTP server that knows the connections that are open."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], provider: Provider | None = None, handler: type[Handler] | None = None
    ) -> None:
        self.provider = provider
        self._open: set[socket.socket] = set()
        self._open_lock = Lock()
        super().__init__(address, handler or Handler)

    @override
    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._open_lock:
            self._open.add(connection)
        return connection, address

    @override
    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    @override
    def server_close(self) -> None:
        """Also close connections that clients keep open, so that their threads end."""
        super().server_close()
        with self._open_lock:
            still_open = list(self._open)
        for connection in still_open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect; report other errors."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Answers for the provider of its server."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "oneroster-sample"
    disable_nagle_algorithm = True
    wbufsize = -1  # send header and body together

    def provider(self) -> tuple[Provider, str]:
        """Return who answers, and the target of the request at that provider."""
        assert self.server.provider is not None  # noqa: S101
        return self.server.provider, self.path

    def do_GET(self) -> None:
        """Answer a read."""
        self._read_form()
        path, query = self._address()
        provider, target = self.provider()
        endpoint = provider.service.endpoint(path)
        name = endpoint.name if endpoint else None
        knobs = provider.knobs_for.get(name or "", provider.knobs)
        trusted = provider.trusts(self.command, target, self.headers.get("Authorization"))
        self._send(provider.service.answer(path, query, self.headers, knobs, trusted=trusted), path, query, name)

    def do_POST(self) -> None:
        """Answer a request for a token."""
        form = self._read_form()
        path, query = self._address()
        provider, _ = self.provider()
        if path != TOKEN_PATH:
            self._not_allowed(path, query)
            return
        lifetime = provider.knobs.token_lifetime_seconds
        # Some clients send the grant in the address, but never id and secret.
        form = {**{key: value for key, value in query.items() if key in {"grant_type", "scope"}}, **form}
        status, body = provider.tokens.issue(form, self.headers.get("Authorization"), lifetime)
        if provider.knobs.bare_token:
            body = {key: value for key, value in body.items() if key not in {"expires_in", "scope"}}
        headers = {"Cache-Control": "no-store"}
        if status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="token"'
        self._send(Answer(status, msgspec.json.encode(body), headers), path, query, None, form)

    def do_PUT(self) -> None:
        """Refuse a change."""
        self._read_form()
        self._not_allowed(*self._address())

    do_DELETE = do_PUT

    def _address(self) -> tuple[str, dict[str, str]]:
        self._began = time()
        parts = urlsplit(self.provider()[1])
        return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))

    def _read_form(self) -> dict[str, str]:
        length = int(self.headers.get("Content-Length") or 0)
        return dict(parse_qsl(self.rfile.read(length).decode("utf-8", "replace"), keep_blank_values=True))

    def _not_allowed(self, path: str, query: dict[str, str]) -> None:
        body = status_info(self.provider()[0].version, 405, "This provider is read-only")
        self._send(Answer(405, msgspec.json.encode(body), {"Allow": "GET"}), path, query, None)

    def _send(
        self, answer: Answer, path: str, query: dict[str, str], name: str | None, form: dict[str, str] | None = None
    ) -> None:
        self._record(answer, path, query, name, form or {})
        if answer.closed:
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for key, value in answer.headers.items():
            self.send_header(key, value)
        self.end_headers()
        if answer.cut:
            self.close_connection = True
            self.wfile.write(answer.body[: len(answer.body) // 2])
            return
        self.wfile.write(answer.body)

    def _record(self, answer: Answer, path: str, query: dict[str, str], name: str | None, form: dict[str, str]) -> None:
        headers = dict(self.headers.items())
        if "Authorization" in headers:
            headers["Authorization"] = headers["Authorization"].partition(" ")[0] + " …"
        shown = {key: value for key, value in form.items() if key not in _SECRETS}
        request = Request(self.command, path, query, headers, shown, name, answer.status, self._began, time())
        self.provider()[0].requests.append(request)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing: tests read `Provider.requests`."""
