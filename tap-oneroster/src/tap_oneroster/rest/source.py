"""A OneRoster service as a source."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import requests

from .._core.coerce.dates import to_utc_text
from .._core.errors import SetupError
from .._core.http.addresses import Address
from .._core.http.auth import Anonymous, Bearer, ClientCredentials, Credentials, NoToken, OAuth1
from .._core.http.client import HttpClient
from .._core.http.pace import Backoff, Pace
from .._core.http.presets import filled_in
from .._core.model import Service, Version, home_of
from ..policy import Policy
from ..source import Facts, FatalSourceError, Pass, Request, SilentPass
from .collection_pass import Earlier, RestPass, Wish
from .paging.pages import Habits, Pages
from .paging.window import Workers
from .records.decode import PageDecoder
from .records.forms import forms_of
from .scopes import scopes_for
from .version import find_version, other_version

if TYPE_CHECKING:
    from .._core.http.reply import Reply

logger = logging.getLogger(__name__)


class RestSource:
    """A service whose collections are each read in one pass over their pages."""

    stands_still = False
    problems = ()

    def __init__(self, config: Mapping[str, Any], http: HttpClient, streams: frozenset[str]) -> None:
        """`config` holds checked settings with all defaults."""
        self._config = config
        self._http = http
        self._streams = streams
        self._address = Address.read(config["base_url"])
        self._habits = Habits(**{name: config[name] for name in Habits.__dataclass_fields__ if name in config})
        self._policy = Policy.of(config)
        version = config["oneroster_version"]
        self._asked_version = None if version == "auto" else Version(version)
        self._workers: Workers[Reply] = Workers(self._habits.max_concurrency)
        self._version: Version | None = None
        self._earlier = Earlier()
        self._known: set[str] = set()

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], *, streams: frozenset[str], user_agent: str, backoff: Backoff | None = None
    ) -> RestSource:
        """Return the service that the tap's settings describe; no request is sent yet."""
        from .settings import rest_errors

        if errors := rest_errors(config):
            raise SetupError("; ".join(errors))
        config = filled_in(config)
        http = HttpClient(
            user_agent=config.get("user_agent") or user_agent,
            timeout=config["timeout_seconds"],
            ca_bundle=config.get("ca_bundle"),
            connections=config["max_concurrency"],
            pace=Pace(config.get("requests_per_minute")),
            backoff=backoff,
        )
        return cls(config, http, streams)

    @property
    def version(self) -> Version:
        """The service's version: from the settings, its path, or its answers."""
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
        """Sign in with the version of the settings; if its scopes or its paths are refused, try the other version.

        Return the service's version. Raise SetupError if it contradicts `oneroster_version`.
        """
        self._log_in(version)
        refused: NoToken | None = None
        try:
            self._http.credentials.ready()
            if self._asked_version or not self._is_not_found(version):
                return version
        except NoToken as error:
            if not error.blames_scopes or self._config.get("scopes") is not None:
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
        self._http.credentials = _credentials(self._config, self._http, self._streams, version)

    def _probe(self, version: Version) -> str:
        return self._address.url(version, Service.ROSTERING, "/orgs", {"limit": "1", "offset": "0"})

    def ask(self, service: Service, path: str, query: dict[str, str], what: str) -> Reply:
        """Return the reply to one request with any status, to test the behaviour of the service."""
        return self._http.get(self._address.url(self.version, service, path, query), what, few_tries=True)

    def passes(self, request: Request) -> Iterator[Pass]:
        """Yield one part, which reads the collection and feeds all requested streams."""
        version = self.version
        home = home_of(request.file.name)
        if not home.exists_in(version) or home.collection is None:
            yield SilentPass({stream.name: self._absent(version) for stream in request.streams})
            return
        yield self._pass(request, version)

    def _absent(self, version: Version) -> Facts:
        deviations = Counter({f"not part of OneRoster {version.value}": 1})
        return Facts(self._address.host, "absent", version.value, deviations=deviations, complete=True)

    def _pass(self, request: Request, version: Version) -> RestPass:
        wish = Wish(
            request.file,
            request.streams,
            since=to_utc_text(request.since) if request.since else None,
            status=self._config.get("status_filter") if request.since is None else None,
            on_invalid=self._config["on_invalid"],
            accept_missing=self._config["missing_collections"] == "accept",
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
        """Close the connections without waiting for pending requests."""
        self._http.close()
        self._workers.close()


def _credentials(config: Mapping[str, Any], http: HttpClient, streams: frozenset[str], version: Version) -> Credentials:
    """Return credentials for a service of this version, with scopes for the collections of these streams."""
    match config["auth_method"]:
        case "oauth2":
            scopes = config.get("scopes")
            if scopes is None:
                scopes = scopes_for(streams, version)
            return ClientCredentials(
                http.post_form,
                config["token_url"],
                config["client_id"],
                config["client_secret"],
                style=config["token_auth_style"],
                scopes=scopes.split() if isinstance(scopes, str) else scopes,
            )
        case "oauth1":
            return OAuth1(config["client_id"], config["client_secret"], config["oauth1_signature_method"])
        case "bearer":
            return Bearer(config["access_token"])
        case _:
            return Anonymous()
