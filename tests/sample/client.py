"""A plain client for the provider's tests, on the standard library: it shares nothing with the tap."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

if TYPE_CHECKING:
    from types import TracebackType

    from oneroster_sample.provider import Provider


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Client:
    """One kept connection to a provider, with a token of its own."""

    def __init__(self, provider: Provider, scope: str | None = None) -> None:
        self.provider = provider
        self.connection = HTTPConnection(urlsplit(provider.base_url).netloc, timeout=240)
        self.token: str | None = None
        reply = self.ask_token(scope)
        self.token = reply.json["access_token"]

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def ask_token(self, scope: str | None = None, *, secret: str | None = None, in_body: bool = False) -> Reply:
        """Ask for a token, by Basic header or in the form's body."""
        client, secret = self.provider.client_id, secret or self.provider.client_secret
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if in_body:
            form |= {"client_id": client, "client_secret": secret}
        else:
            headers["Authorization"] = "Basic " + b64encode(f"{client}:{secret}".encode()).decode()
        return self.send("POST", self.provider.token_url, urlencode(form), headers)

    def get(self, path: str, headers: Any = None, **query: Any) -> Reply:
        """Read below the base path of rostering, or of another service where `path` says so (``gradebook:results``)."""
        service, _, rest = path.rpartition(":")
        base = "/ims/oneroster/v1p1/"
        if self.provider.version.value == "1.2":
            base = f"/ims/oneroster/{service or 'rostering'}/v1p2/"
        url = f"{self.provider.base_url}{base}{rest}"
        if query:
            url += "?" + urlencode(query, quote_via=quote)
        return self.follow(url, headers)

    def follow(self, url: str, headers: dict[str, str] | None = None) -> Reply:
        """Read a whole URL."""
        return self.send("GET", url, None, {"Authorization": f"Bearer {self.token}"} | (headers or {}))

    def send(self, method: str, url: str, body: str | None, headers: dict[str, str]) -> Reply:
        """Send a request over the one connection."""
        target = url.removeprefix(self.provider.base_url)
        self.connection.request(method, target, body, headers)
        response = self.connection.getresponse()
        data = response.read()
        if response.headers.get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        return Reply(response.status, dict(response.headers.items()), data)

    def ids(self, collection: str, **query: Any) -> list[str]:
        """Ids of the records of one page."""
        (records,) = self.get(collection, **query).json.values()
        return [record["sourcedId"] for record in records]
