"""A OneRoster service as a source."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import requests

from .._core.coerce.dates import to_utc_text
from .._core.errors import SetupError
from .._core.http.addresses import Address
from .._core.http.auth import Anonymous, Bearer, ClientCredentials, Credentials, NoToken, OAuth1
from .._core.http.client import HttpClient, Reply
from .._core.http.pace import Backoff, Pace
from .._core.http.presets import filled_in
from .._core.model import VIEWS, Service, Version, file
from ..policy import Policy
from ..source import FatalSourceError, Pass, Request
from .collection_pass import AbsentPass, Earlier, RestPass, Wish
from .paging.pages import Habits, Pages
from .paging.window import Workers
from .records.decode import PageDecoder
from .records.forms import forms_of
from .scopes import scopes_for
from .version import find_version, other_version

__all__ = ["RestSource"]

logger = logging.getLogger(__name__)

_PARENTS = {view.name: view.parent for view in VIEWS}


@dataclass(frozen=True, slots=True)
class Access:
    """What proves to the service who asks."""

    method: str
    token_url: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    access_token: str | None = None
    style: str = "basic"
    scopes: tuple[str, ...] | None = None
    """Scopes to ask for; None for those that the streams need."""
    signature: str = "HMAC-SHA256"

    def credentials(self, http: HttpClient, streams: frozenset[str], version: Version) -> Credentials:
        """Credentials for these streams of a service of this version."""
        match self.method:
            case "oauth2":
                scopes = self.scopes
                if scopes is None:
                    scopes = tuple(scopes_for(streams, version))
                return ClientCredentials(
                    http.post_form,
                    self.token_url or "",
                    self.client_id or "",
                    self.client_secret or "",
                    style=self.style,
                    scopes=scopes,
                )
            case "oauth1":
                return OAuth1(self.client_id or "", self.client_secret or "", self.signature)
            case "bearer":
                return Bearer(self.access_token or "")
            case _:
                return Anonymous()


class RestSource:
    """Collections of a service, each read in one pass over its pages."""

    stands_still = False
    problems = ()

    def __init__(
        self,
        address: Address,
        http: HttpClient,
        access: Access,
        habits: Habits,
        policy: Policy,
        *,
        streams: frozenset[str],
        version: Version | None = None,
        status_filter: str | None = None,
        accept_missing: bool = False,
        on_invalid: str = "report",
    ) -> None:
        self._address = address
        self._http = http
        self._access = access
        self._habits = habits
        self._policy = policy
        self._streams = streams
        self._asked_version = version
        self._status_filter = status_filter
        self._accept_missing = accept_missing
        self._on_invalid = on_invalid
        self._workers: Workers[Reply] = Workers(habits.max_concurrency)
        self._version: Version | None = None
        self._earlier = Earlier()
        self._known: set[str] = set()

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        *,
        streams: frozenset[str],
        user_agent: str,
        backoff: Backoff | None = None,
    ) -> RestSource:
        """The service that the tap's settings describe; nothing is asked of it yet."""
        from .settings import rest_errors

        if errors := rest_errors(config):
            raise SetupError("; ".join(errors))
        config = filled_in(config)
        version = config["oneroster_version"]
        scopes = config.get("scopes")
        habits = Habits(
            page_size=config["page_size"],
            max_concurrency=config["max_concurrency"],
            supports_filter=config["supports_filter"],
            supports_sort=config["supports_sort"],
            on_total_mismatch=config.get("on_total_mismatch") or "fail",
        )
        http = HttpClient(
            user_agent=config.get("user_agent") or user_agent,
            timeout=config["timeout_seconds"],
            ca_bundle=config.get("ca_bundle"),
            connections=habits.max_concurrency,
            pace=Pace(config.get("requests_per_minute")),
            backoff=backoff,
        )
        return cls(
            Address.read(config["base_url"]),
            http,
            Access(
                method=config["auth_method"],
                token_url=config.get("token_url"),
                client_id=config.get("client_id"),
                client_secret=config.get("client_secret"),
                access_token=config.get("access_token"),
                style=config["token_auth_style"],
                scopes=None if scopes is None else _words(scopes),
                signature=config["oauth1_signature_method"],
            ),
            habits,
            Policy(
                secrets=config["include_passwords"],
                metadata_keys=tuple(config["metadata_keys"]),
                zone=ZoneInfo(config["source_time_zone"]),
            ),
            streams=streams,
            version=None if version == "auto" else Version(version),
            status_filter=config.get("status_filter"),
            accept_missing=config["missing_collections"] == "accept",
            on_invalid=config["on_invalid"],
        )

    @property
    def version(self) -> Version:
        """The version that the service speaks: as set, as its path says, or as it answers."""
        if self._version is None:
            version = self._address.check_version(self._asked_version)
            if version is None:
                version = find_version(self._http, self._probe, self._log_in)
                logger.info("the service speaks OneRoster %s", version.value)
            else:
                version = self._sign_in(version)
            self._version = version
        return self._version

    def _sign_in(self, version: Version) -> Version:
        """Sign in for the version that the settings name; where scopes or orgs are refused, try the other version.

        Return the version that the service speaks. The settings decide only if `oneroster_version` is set.
        """
        self._log_in(version)
        refused: NoToken | None = None
        try:
            self._http.credentials.ready()
            if self._asked_version or not self._is_not_found(version):
                return version
        except NoToken as error:
            if not error.blames_scopes or self._access.scopes is not None:
                raise
            refused = error
        other = other_version(version)
        try:
            find_version(self._http, self._probe, self._log_in, (other,))
        except FatalSourceError:
            if refused:
                raise NoToken(f"{refused} ({version.value} was tried, and {other.value}, too)") from None
            self._log_in(version)
            return version
        if self._asked_version:
            raise SetupError(
                f"orgs: the service answers as OneRoster {other.value} only, and oneroster_version is"
                f" {version.value}: set oneroster_version to auto"
            )
        logger.warning(
            "base_url names OneRoster %s, whose %s the service refuses; it speaks %s, which is read",
            version.value,
            "scopes" if refused else "paths",
            other.value,
        )
        return other

    def _is_not_found(self, version: Version) -> bool:
        reply = self._http.get(self._probe(version), f"orgs of {version.value}", few_tries=True)
        return bool(reply.status == requests.codes.not_found)

    def _log_in(self, version: Version) -> None:
        self._http.credentials = self._access.credentials(self._http, self._streams, version)

    def _probe(self, version: Version) -> str:
        return self._address.url(version, Service.ROSTERING, "/orgs", {"limit": "1", "offset": "0"})

    def ask(self, service: Service, path: str, query: dict[str, str], what: str) -> Reply:
        """The answer to one request, whatever its status: to find out how the service behaves."""
        return self._http.get(self._address.url(self.version, service, path, query), what, few_tries=True)

    def passes(self, request: Request) -> Iterable[Pass]:
        """One part, which reads the collection and feeds all streams asked for."""
        return self._passes(request)

    def _passes(self, request: Request) -> Iterator[Pass]:
        version = self.version
        home = file(_PARENTS.get(request.file.name, request.file.name))
        if not home.exists_in(version) or home.collection is None:
            rule = f"not part of OneRoster {version.value}"
            yield AbsentPass(request.streams, self._address.host, version, rule)
            return
        yield self._pass(request, version)

    def _pass(self, request: Request, version: Version) -> RestPass:
        wish = Wish(
            request.file,
            request.streams,
            since=to_utc_text(request.since) if request.since else None,
            status=self._status_filter if request.since is None else None,
            on_invalid=self._on_invalid,
            accept_missing=self._accept_missing,
            accept_fewer=self._habits.on_total_mismatch == "accept",
        )
        derived = [s for s in request.streams if s.name != request.file.name]
        forms = forms_of(request.file, secrets=self._policy.secrets, derived=derived)
        collection = request.file.collection
        if collection is None:
            raise FatalSourceError(f"{request.file.name}: not a collection of the standard")
        pages = Pages(
            request.file,
            PageDecoder(request.file, forms),
            self._http,
            self._workers,
            lambda query: self._address.url(version, request.file.service, collection.path, query),
            self._habits,
            wish.filter,
            self._known,
        )
        return RestPass(wish, pages, self._policy, version, self._address.host, self._earlier)

    def close(self) -> None:
        """Let go of the connections; what is still being asked for is not waited for."""
        self._http.close()
        self._workers.close()


def _words(scopes: str | Iterable[str]) -> tuple[str, ...]:
    return tuple(scopes.split()) if isinstance(scopes, str) else tuple(scopes)
