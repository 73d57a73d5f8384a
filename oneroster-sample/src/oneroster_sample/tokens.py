"""The token endpoint: OAuth 2 client credentials, by Basic header or form body, with scopes and expiry."""

from __future__ import annotations

import hmac
import time
from base64 import b64decode
from dataclasses import dataclass, field
from secrets import token_urlsafe
from threading import Lock
from typing import Any
from urllib.parse import unquote_plus

from ._core.model import FILES, SCOPE_PREFIXES, VIEWS, Version, scope_uri


def scopes_of(version: Version) -> tuple[str, ...]:
    """Return the short names of all scopes that give access to a collection of that version."""
    collections = [f.collection for f in FILES if f.collection and f.exists_in(version)]
    collections += [view.collection for view in VIEWS]
    return tuple(dict.fromkeys(scope for c in collections for scope in c.scopes(version)))


@dataclass
class TokenDesk:
    """Issues tokens to one client, and knows their scopes and expiry."""

    version: Version
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    """Short names of the scopes that the client may have."""
    _tokens: dict[str, tuple[float, frozenset[str]]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def issue(self, form: dict[str, str], authorization: str | None, lifetime: int) -> tuple[int, dict[str, Any]]:
        """Return status and body of the response to a token request."""
        if form.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        if not self._is_client(form, authorization):
            return 401, {"error": "invalid_client"}
        asked = form.get("scope", "").split()
        prefix = SCOPE_PREFIXES[self.version]
        names = [scope.removeprefix(prefix) for scope in asked] if asked else list(self.scopes)
        granted = [name for name in names if name in self.scopes]
        if not granted:
            return 400, {"error": "invalid_scope"}
        token = token_urlsafe(24)
        with self._lock:
            self._tokens[token] = (time.monotonic() + lifetime, frozenset(granted))
        return 200, {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": lifetime,
            "scope": " ".join(scope_uri(name, self.version) for name in granted),
        }

    def _is_client(self, form: dict[str, str], authorization: str | None) -> bool:
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        if authorization and authorization.lower().startswith("basic "):
            try:
                client, _, secret = b64decode(authorization[6:], validate=True).decode().partition(":")
            except ValueError:
                return False
        # The OAuth standard percent-encodes both inside a Basic header; most clients send them unencoded.
        return any(
            hmac.compare_digest(f"{a}:{b}".encode(), f"{self.client_id}:{self.client_secret}".encode())
            for a, b in ((client, secret), (unquote_plus(client), unquote_plus(secret)))
        )

    def refusal(self, authorization: str | None, scopes: tuple[str, ...]) -> int | None:
        """Return 401 for a missing, unknown or expired token, 403 for one without the scopes; None if it is valid."""
        kind, _, token = (authorization or "").partition(" ")
        with self._lock:
            expires, granted = self._tokens.get(token, (0.0, frozenset()))
        if kind.lower() != "bearer" or time.monotonic() >= expires:
            return 401
        return None if granted & set(scopes) else 403

    def forget(self) -> None:
        """Invalidate all tokens, like a service that restarts."""
        with self._lock:
            self._tokens.clear()
