"""Check OAuth 1.0a signatures as RFC 5849 defines, independently of the client's code."""

from __future__ import annotations

import hmac
import re
import time
from base64 import b64encode
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_DIGESTS = {"HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256"}
_PARAMETER = re.compile(r'([a-z_]+)="([^"]*)"')
_SKEW_SECONDS = 300


def _escape(text: str) -> str:
    return quote(text, safe="~")


class SignatureDesk:
    """The credentials of one consumer, and the nonces it has used."""

    def __init__(self, key: str, secret: str) -> None:
        self._key, self._secret = key, secret
        self._nonces: set[str] = set()

    def accepts(self, method: str, url: str, authorization: str | None) -> bool:
        """True if the header signs exactly this request, and its nonce is new."""
        if not authorization or not authorization.startswith("OAuth "):
            return False
        oauth = {key: unquote(value) for key, value in _PARAMETER.findall(authorization)}
        signature = oauth.pop("oauth_signature", "")
        digest = _DIGESTS.get(oauth.get("oauth_signature_method", ""))
        nonce, moment = oauth.get("oauth_nonce", ""), oauth.get("oauth_timestamp", "0")
        if digest is None or oauth.get("oauth_consumer_key") != self._key or not moment.isdigit():
            return False
        if not nonce or nonce in self._nonces or abs(time.time() - int(moment)) > _SKEW_SECONDS:
            return False
        self._nonces.add(nonce)
        base = self._base(method, url, oauth)
        right = hmac.new(f"{_escape(self._secret)}&".encode(), base.encode(), digest).digest()
        return hmac.compare_digest(b64encode(right).decode(), signature)

    @staticmethod
    def _base(method: str, url: str, oauth: dict[str, str]) -> str:
        """Return the text that is signed (RFC 5849, section 3.4.1)."""
        parts = urlsplit(url)
        pairs = [*parse_qsl(parts.query, keep_blank_values=True), *oauth.items()]
        parameters = "&".join(f"{a}={b}" for a, b in sorted((_escape(a), _escape(b)) for a, b in pairs))
        address = f"{parts.scheme}://{parts.netloc.lower()}{parts.path}"
        return "&".join((method, _escape(address), _escape(parameters)))
