"""Authentication: OAuth 2 client credentials, OAuth 1.0a, a bearer token, or none."""

from __future__ import annotations

import base64
import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import msgspec
import requests
from typing_extensions import override

from ..errors import FatalSourceError, SetupError

_RENEW_BEFORE = 30.0
"""Stop using a token this many seconds before it expires, but not before half of its life."""
_UNSTATED_LIFE = 1500.0
"""Seconds for which a token without a stated life is used; a 401 renews it earlier."""
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x1f\x7f-\x9f]|[^\x00-\xff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ENCODED = {"client_id", "client_secret"}
"""Settings that are encoded before they are sent, so they may contain any character."""
_ADVICE = {
    "invalid_client": "check client_id, client_secret and token_auth_style",
    "invalid_grant": "check client_id, client_secret and token_auth_style",
    "unauthorized_client": "the account may not sign in like this; check client_id, auth_method and scopes, or ask the vendor",
    "access_denied": "the account may not sign in like this; check client_id, auth_method and scopes, or ask the vendor",
    "unsupported_grant_type": "check token_url, auth_method and token_auth_style",
    "invalid_request": "check token_auth_style, and scopes (the service may want some)",
}
"""Advice for the error words of OAuth 2 (RFC 6749, section 5.2)."""
_PASSES = {408, 425, 429}


def header_error(setting: str, value: str) -> str | None:
    """Return why a text cannot be sent in a header, without quoting it; None if it can."""
    if (_CONTROL if setting in _ENCODED else _NOT_IN_A_HEADER).search(value):
        return f"{setting}: holds a line end or another character that cannot stand in a header; copy it again"
    return None


class NoToken(SetupError):
    """The token service refused to give a token."""

    def __init__(self, message: str, *, exit_code: int = SetupError.exit_code, blames_scopes: bool = False) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.blames_scopes = blames_scopes
        """True if the cause may be scopes of the wrong version."""


class Credentials(requests.auth.AuthBase):
    """Adds credentials to each request, and renews them if the service rejects them."""

    def ready(self) -> None:
        """Get a token if one is needed, so that a refusal is known before the first request."""

    def prepare(self, make: Callable[[], requests.PreparedRequest]) -> requests.PreparedRequest:
        """Return the request that `make` prepares, with valid credentials and the cookies that belong to them."""
        return make()

    def renew(self, refused: requests.PreparedRequest) -> bool:
        """Renew the credentials after a 401; return False if they cannot be renewed."""
        del refused
        return False


class Anonymous(Credentials):
    """Sends no credentials, and prevents requests from adding those of a .netrc file."""

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Bearer(Credentials):
    """Sends a fixed token."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token.strip()}"

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


class OAuth1(Credentials):
    """Signs each request with two-legged OAuth 1.0a, over the exact address that is sent."""

    def __init__(self, key: str, secret: str, method: str) -> None:
        # Imported here because it takes 30 ms, and OAuth 2 does not need it.
        from oauthlib.oauth1 import Client

        logging.getLogger("oauthlib").setLevel(logging.WARNING)  # its lower levels log keys and signatures
        self._make: Callable[[], Any] = lambda: Client(key, client_secret=secret, signature_method=method)

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # Each request needs its own client, which holds nonce and time: threads share this object.
        _, headers, _ = self._make().sign(request.url, http_method=request.method)
        request.headers["Authorization"] = headers["Authorization"]
        return request


@dataclass(eq=False, repr=False)
class ClientCredentials(Credentials):
    """Gets tokens by OAuth 2 client credentials; all threads share one token."""

    send: Callable[[str, str, dict[str, str]], tuple[int, bytes]]
    """Posts a form to an address, with headers; returns status and body."""
    token_url: str
    client_id: str
    client_secret: str
    style: str = "basic"
    scopes: Sequence[str] = ()
    granted: frozenset[str] | None = None
    """Scopes that the token response granted; None if it named none."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _header: str | None = None
    _until: float = 0.0
    _accepted: tuple[str, str] | None = None

    @override
    def ready(self) -> None:
        with self._lock:
            self._renew_if_old()

    @override
    def prepare(self, make: Callable[[], requests.PreparedRequest]) -> requests.PreparedRequest:
        """Get a token, unless the current one is still valid, and prepare the request with it.

        The token response may set cookies. No other thread replaces them before the request has both.
        """
        with self._lock:
            self._renew_if_old()
            return make()

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header or ""
        return request

    @override
    def renew(self, refused: requests.PreparedRequest) -> bool:
        """Get a new token, unless another thread has already done so since the request was sent."""
        with self._lock:
            if refused.headers.get("Authorization") == self._header:
                self._get_token()
        return True

    def _renew_if_old(self) -> None:
        if self._header is None or time.monotonic() >= self._until:
            self._get_token()

    def _get_token(self) -> None:
        self._header = None
        status, body = self._ask()
        answer = _object(body)
        if not 200 <= status < 300:
            raise self._refusal(status, answer)
        token = answer.get("access_token")
        token = token.strip() if isinstance(token, str) else ""
        if not token:
            raise SetupError(f"token_url: status {status}, but no access_token in the answer; check the address")
        if header_error("access_token", token):
            raise SetupError(
                "token_url: the access_token in the answer holds a line end or another character that cannot"
                " stand in a header; ask the vendor"
            )
        life = _seconds(answer.get("expires_in"))
        scope = answer.get("scope")
        self.granted = frozenset(scope.split()) if isinstance(scope, str) and scope else None
        self._until = time.monotonic() + max(life - _RENEW_BEFORE, life / 2)
        self._header = f"Bearer {token}"

    def _ask(self) -> tuple[int, bytes]:
        """Request a token in the configured style; for Basic, try the raw header first, then the percent-encoded one.

        The standard encodes id and secret before Base64, but most services do not expect it.
        """
        form = {"grant_type": "client_credentials"}
        if scope := " ".join(self.scopes):
            form["scope"] = scope
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if self.style == "body":
            form |= {"client_id": self.client_id, "client_secret": self.client_secret}
            return self.send(self.token_url, urlencode(form), headers)
        raw = (self.client_id, self.client_secret)
        encoded = (quote_plus(self.client_id), quote_plus(self.client_secret))
        url, data = self.token_url, urlencode(form)
        if self.style == "query":
            url += ("&" if "?" in url else "?") + urlencode(form, quote_via=quote)
            data = ""
        pairs = (self._accepted,) if self._accepted else tuple(dict.fromkeys((raw, encoded)))
        for pair in pairs:
            status, body = self.send(url, data, {**headers, "Authorization": _basic(*pair)})
            if status < requests.codes.bad_request:
                self._accepted = pair
            if status not in {400, 401, 403}:
                break
        return status, body

    def _refusal(self, status: int, answer: dict[str, Any]) -> FatalSourceError:
        """Return the error for a refused token; it quotes only the standard's error code from the body."""
        word = answer.get("error")
        if word == "invalid_scope":
            return NoToken(
                f"token_url: status {status}, invalid_scope: check scopes (the account may lack one, or the"
                " service takes none: scopes may be empty) and token_auth_style",
                blames_scopes=True,
            )
        if isinstance(word, str) and word in _ADVICE:
            return NoToken(f"token_url: status {status}: {word}; {_ADVICE[word]}")
        if status >= 500 or status in _PASSES or word in {"server_error", "temporarily_unavailable"}:
            return NoToken(
                f"token_url: status {status}: the token service is down or cannot do it; try later, or ask the vendor",
                exit_code=FatalSourceError.exit_code,
            )
        if status in {requests.codes.not_found, requests.codes.method_not_allowed}:
            return NoToken(f"token_url: status {status}: no token service there; check the address")
        return NoToken(
            f"token_url: status {status}: no token was given; check client_id, client_secret and token_auth_style",
            blames_scopes=status == requests.codes.bad_request,
        )


def _object(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body; empty if the body is not a JSON object."""
    try:
        answer = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def _seconds(value: Any) -> float:
    """Return the life of a token in seconds, given as a number or as text."""
    try:
        life = float(value)
    except (TypeError, ValueError, OverflowError):
        return _UNSTATED_LIFE
    return life if 0 < life < float("inf") else _UNSTATED_LIFE
