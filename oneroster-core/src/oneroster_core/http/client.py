"""HTTP as a careful client speaks it: kept connections, bounded retries, no credentials astray."""

from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from ..errors import FatalSourceError, SourceError
from .addresses import same_origin
from .auth import Anonymous, Credentials
from .pace import Backoff, Pace, retry_after

__all__ = ["HttpClient", "Reply"]

logger = logging.getLogger(__name__)

_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_REDIRECTS = 5
_WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529}
_MAY_PASS = (
    requests.ConnectionError,
    requests.Timeout,
    urllib3.exceptions.HTTPError,  # while the body is read
)
_FAULT = 500
_FEW = 2
_FIRST_CONTACT_TRIES = 3
_CONNECT_SECONDS = 30.0


class Reply(NamedTuple):
    """An answer that came whole, whatever its status.

    It waits for its turn as it came: compressed, it takes a tenth of the memory.
    """

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> bytes:
        """The body, decompressed; ValueError where that cannot be done."""
        encoding = self.headers.get("Content-Encoding", "").strip().lower()
        if encoding in {"", "identity"}:
            return self.raw
        try:
            if encoding in {"gzip", "x-gzip"}:
                return gzip.decompress(self.raw)
            # With zlib's header, as the standard has it, or without, as some servers do.
            return zlib.decompress(self.raw, 15 if self.raw[:1] == b"x" else -15)
        except (OSError, EOFError, zlib.error):
            raise ValueError("compressed body that cannot be read") from None


class _Sent(NamedTuple):
    request: requests.PreparedRequest
    reply: Reply


class HttpClient:
    """Sends requests for one service, from any thread."""

    def __init__(
        self,
        *,
        user_agent: str,
        timeout: float = 120.0,
        ca_bundle: str | None = None,
        connections: int = 4,
        pace: Pace | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.credentials: Credentials = Anonymous()
        self.pace = pace or Pace()
        self._backoff = backoff or Backoff()
        self._timeout = (min(_CONNECT_SECONDS, timeout), timeout)
        self._answered: set[str] = set()
        """Hosts that have answered, if only once."""
        self._environment: dict[str, Any] = {}
        self._session = requests.Session()
        self._session.headers.update(
            {
                "User-Agent": user_agent,
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
            }
        )
        self._ca_bundle = ca_bundle
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=connections + 2)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def get(self, url: str, what: str, *, few_tries: bool = False) -> Reply:
        """Get an address; `what` names it in messages, since addresses hold queries.

        Statuses that may pass are tried again; the last answer is given back whatever its status.
        `few_tries`: a fault inside the service may well mean that it does not take the request.
        """
        renewed = False
        for _ in range(_MOST_REDIRECTS + 1):
            request = requests.Request("GET", url, auth=self.credentials)
            sent, reply = self._send(request, what, few_tries=few_tries)
            if reply.status == requests.codes.unauthorized and not renewed:
                renewed = True
                if self.credentials.renew(sent):
                    _, reply = self._send(request, what, few_tries=few_tries)
            if reply.status not in _REDIRECTS or "Location" not in reply.headers:
                return reply
            target = urljoin(url, reply.headers["Location"])
            if not same_origin(url, target):
                raise SourceError(
                    f"{what}: the service redirects to another host, which gets no credentials"
                    " from here; set base_url to where the API is (a log-in page means that the"
                    " address is not the API's)"
                )
            url = target
        raise SourceError(f"{what}: the service redirects in a circle; check base_url")

    def post_form(self, url: str, data: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """Send a form (a token request), without any credentials but those in it."""
        request = requests.Request("POST", url, data=data, headers=headers, auth=Anonymous())
        _, reply = self._send(request, "token_url")
        if reply.status in _REDIRECTS:
            raise FatalSourceError("token_url: redirects elsewhere, and secrets do not follow; set the final address")
        try:
            return reply.status, reply.body
        except ValueError:
            return reply.status, b""

    def _send(self, request: requests.Request, what: str, *, few_tries: bool = False) -> _Sent:
        """Send until there is an answer that will not change by waiting, or no try is left."""
        host = urlsplit(request.url).netloc
        tried = 0
        while True:
            tried += 1
            self.pace.take_turn()
            try:
                sent = self._once(request)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                self._give_up(error, what, tried, answered=host in self._answered)
                problem, asked = _name(error), None
            else:
                self._answered.add(host)
                reply = sent.reply
                few = few_tries and reply.status == _FAULT
                if reply.status not in _WORTH_ANOTHER_TRY or tried >= (_FEW if few else self._backoff.tries):
                    return sent
                problem, asked = f"status {reply.status}", retry_after(reply.headers)
                if asked is not None and asked > self._backoff.longest_asked:
                    return sent
            delay = self._backoff.wait(tried) if asked is None else asked
            logger.info("%s: %s, trying again in %.1f s", what, problem, delay)
            if asked is not None:
                self.pace.hold(delay)
            else:
                self.pace.sleep(delay)

    def _give_up(self, error: Exception, what: str, tried: int, *, answered: bool) -> None:
        """Raise where another try is of no use; a service that never answered gets few."""
        if isinstance(error, requests.exceptions.SSLError):
            raise FatalSourceError(
                f"{what}: the service's certificate is not valid or not trusted here; have it"
                " renewed, or set ca_bundle to the authority that signed it"
            ) from None
        if not isinstance(error, _MAY_PASS):
            raise FatalSourceError(f"{what}: not an address that can be called") from None
        tries = self._backoff.tries
        if tried >= (tries if answered else min(tries, _FIRST_CONTACT_TRIES)):
            kind = SourceError if answered else FatalSourceError
            raise kind(
                f"{what}: {_name(error)}, {tried} times; check the address, the network and timeout_seconds"
            ) from None

    def _once(self, request: requests.Request) -> _Sent:
        prepared = self._session.prepare_request(request)
        origin = "/".join((prepared.url or "").split("/", 3)[:3])
        settings = self._environment.get(origin)
        if settings is None:
            # Proxies and authorities that the environment names; looked up once, since it costs.
            settings = self._session.merge_environment_settings(origin, {}, False, self._ca_bundle, None)
            self._environment[origin] = settings
        response = self._session.send(
            prepared, timeout=self._timeout, allow_redirects=False, **{**settings, "stream": True}
        )
        raw = response.raw.read(decode_content=False)
        return _Sent(prepared, Reply(response.status_code, response.headers, raw))

    def close(self) -> None:
        """Wake those who wait, and let go of the connections."""
        self.pace.stop()
        self._session.close()


def _name(error: Exception) -> str:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, urllib3.exceptions.HTTPError):
        return "the answer was cut short"
    return "no connection, or it broke"
