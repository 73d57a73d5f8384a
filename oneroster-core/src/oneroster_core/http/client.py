"""The HTTP client: connection reuse, bounded retries, and credentials only for the host they belong to."""

from __future__ import annotations

import logging
from string import digits
from typing import Any, NamedTuple
from urllib.parse import urljoin

import requests
import urllib3.exceptions
from typing_extensions import override

from ..errors import FatalSourceError, SetupError, SourceError
from .addresses import host_of, same_origin
from .auth import Anonymous, Credentials
from .limits import MOST_BYTES, TIMES, LimitedAdapter, Overdue, Oversize
from .pace import Backoff, Pace, retry_after
from .reply import AnswerTooLong, Reply

logger = logging.getLogger(__name__)
logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # it logs addresses, which hold ids, and headers

_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_REDIRECTS = 5
_WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529}
_MAY_PASS = (
    requests.ConnectionError,
    requests.Timeout,
    urllib3.exceptions.HTTPError,  # raised while the body is read
    Overdue,
)
_FAULT = 500
_FEW = 2
_FIRST_CONTACT_TRIES = 3
_CONNECT_SECONDS = 30.0
_MOST_OTHER_BYTES = 1 << 20
"""Maximum size in bytes of a response without records: a token, or an error page."""


class _Sent(NamedTuple):
    request: requests.PreparedRequest
    reply: Reply


class _Session(requests.Session):
    """A session that does not follow redirects itself: requests would read their bodies without a size limit."""

    def __init__(self) -> None:
        super().__init__()
        self._sample: tuple[str, requests.PreparedRequest] | None = None
        """The beginning of an address, and a request for it without credentials and cookies; others differ in the offset."""

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        return None

    @override
    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare a request; for the pages of one collection, quote the address and check the headers only once."""
        beginning = request.url.rstrip(digits)
        if request.method != "GET" or not beginning.endswith("=") or self.cookies:
            return super().prepare_request(request)
        sample = self._sample
        if not sample or sample[0] != beginning:
            first = requests.Request("GET", request.url, headers=self.headers, auth=Anonymous()).prepare()
            self._sample = sample = beginning, first
        prepared = sample[1].copy()
        # Quoting does not change digits, and those at the end of a query do not change what is before them.
        prepared.url = (prepared.url or "").rstrip(digits) + request.url[len(beginning) :]
        prepared.prepare_auth(request.auth, prepared.url)
        return prepared


class HttpClient:
    """Sends requests to one service; safe to use from several threads."""

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
        """Origins that have answered at least once."""
        self._environment: dict[str, Any] = {}
        self._session = _Session()
        self._session.headers.update(
            {"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
        )
        self._ca_bundle = ca_bundle
        adapter = LimitedAdapter(pool_connections=4, pool_maxsize=connections + 2)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def get(self, url: str, what: str, *, few_tries: bool = False) -> Reply:
        """Send a GET request; `what` names it in messages, because addresses contain queries.

        Temporary errors are retried; the last reply is returned whatever its status. `few_tries`: retry server errors
        (5xx) less often, because they may mean that the service does not support the request.
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
            try:
                target = urljoin(url, reply.headers["Location"])
                stays = same_origin(url, target)
            except ValueError:
                raise SourceError(f"{what}: the service redirects to no address; check base_url") from None
            if not stays:
                raise SourceError(
                    f"{what}: the service redirects to another host, which gets no credentials"
                    " from here; set base_url to where the API is (a log-in page means that the"
                    " address is not the API's)"
                )
            url = target
        raise SourceError(f"{what}: the service redirects in a circle; check base_url")

    def post_form(self, url: str, data: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """Send a form (a token request) without credentials other than those in the form."""
        request = requests.Request("POST", url, data=data, headers=headers, auth=Anonymous())
        _, reply = self._send(request, "token_url")
        if reply.status in _REDIRECTS:
            raise SetupError("token_url: redirects elsewhere, and secrets do not follow; set the final address")
        try:
            return reply.status, reply.body
        except ValueError:
            return reply.status, b""

    def _send(self, request: requests.Request, what: str, *, few_tries: bool = False) -> _Sent:
        """Send until a retry would not help or none is left."""
        origin = _origin(request.url)
        tried = 0
        while True:
            tried += 1
            self.pace.take_turn()
            try:
                sent = self._once(request, what)
            except (requests.RequestException, urllib3.exceptions.HTTPError, Overdue) as error:
                self._give_up(error, what, tried, origin)
                problem, asked = _name(error), None
            else:
                self._answered.add(origin)
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

    def _give_up(self, error: Exception, what: str, tried: int, origin: str) -> None:
        """Raise if a retry would not help; a host that has never answered gets only a few tries."""
        host = host_of(origin)
        if isinstance(error, requests.exceptions.SSLError):
            raise FatalSourceError(
                f"{what}: {host}: the service's certificate is not valid or not trusted here; have it"
                " renewed, or set ca_bundle to the authority that signed it"
            ) from None
        if not isinstance(error, _MAY_PASS):
            raise SetupError(f"{what}: not an address that can be called") from None
        answered = origin in self._answered
        kind = SourceError if answered else FatalSourceError
        if isinstance(error, Overdue):
            if tried >= _FEW:
                raise kind(
                    f"{what}: {host}: the answer did not end within {TIMES * self._timeout[1]:g} s, {tried} times;"
                    " raise timeout_seconds, or lower page_size"
                )
            return
        tries = self._backoff.tries
        if tried >= (tries if answered else min(tries, _FIRST_CONTACT_TRIES)):
            raise kind(
                f"{what}: {host}: {_name(error)}, {tried} times; check the address, the network and timeout_seconds"
            ) from None

    def _once(self, request: requests.Request, what: str) -> _Sent:
        credentials: Credentials = request.auth
        prepared = credentials.prepare(lambda: self._session.prepare_request(request))
        origin = _origin(prepared.url or "")
        settings = self._environment.get(origin)
        if settings is None:
            # Proxies and certificates that the environment sets; looked up once because it is slow.
            settings = self._session.merge_environment_settings(origin, {}, False, self._ca_bundle, None)
            self._environment[origin] = settings
        most = _MOST_OTHER_BYTES if request.method == "POST" else MOST_BYTES
        try:
            response = self._session.send(
                prepared, timeout=self._timeout, allow_redirects=False, **{**settings, "stream": True}
            )
            if request.method == "GET" and 200 <= response.status_code < 300:
                raw = response.raw.read(decode_content=False)
            else:
                raw = _read_small(response)
        except Oversize:
            raise AnswerTooLong(what, most) from None
        return _Sent(prepared, Reply(response.status_code, response.headers, raw, what, most))

    def close(self) -> None:
        """Wake waiting threads and close the connections."""
        self.pace.stop()
        self._session.close()


def _origin(url: str) -> str:
    """Return the part of an address before its path."""
    return "/".join(url.split("/", 3)[:3])


def _read_small(response: requests.Response) -> bytes:
    """Read a body that holds no records; return nothing if it is an error page that is too long."""
    raw: bytes = response.raw.read(_MOST_OTHER_BYTES + 1, decode_content=False)
    if len(raw) <= _MOST_OTHER_BYTES:
        return raw
    response.close()
    if 200 <= response.status_code < 300:
        raise Oversize
    return b""


def _name(error: Exception) -> str:
    if isinstance(error, requests.exceptions.ProxyError):
        return "no connection through the proxy that the environment names"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, urllib3.exceptions.HTTPError):
        return "the answer was cut short"
    return "no connection, or it broke"
