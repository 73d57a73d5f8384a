"""A district, and what a test needs to read it from a real service."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_sample.district import District
from oneroster_sample.provider import Knobs, Provider
from tap_oneroster._core.http.pace import Backoff
from tap_oneroster._core.model import FILES, derived_from, file
from tap_oneroster.rest.source import RestSource
from tap_oneroster.source import CollectionMoved, Facts, Request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tap_oneroster._core.model import File

DISTRICT = District(seed=3, schools=1, students_per_school=30)
STREAMS = frozenset(f.name for f in FILES)

DEFAULTS = {
    "mode": "rest",
    "oneroster_version": "auto",
    "auth_method": "oauth2",
    "token_auth_style": "basic",
    "oauth1_signature_method": "HMAC-SHA256",
    "page_size": 100,
    "max_concurrency": 4,
    "timeout_seconds": 10,
    "missing_collections": "fail",
    "supports_filter": "auto",
    "supports_sort": "auto",
    "include_passwords": False,
    "metadata_keys": ["*"],
    "source_time_zone": "UTC",
    "on_invalid": "report",
}


@dataclass
class Pull:
    """What one pass brought."""

    records: dict[str, list[Any]] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)
    attempts: int = 1

    def ids(self, stream: str) -> list[str]:
        """Ids of a stream's records, as they came."""
        return [record.sourcedId for record in self.records.get(stream, [])]


class Reader:
    """Reads collections of a provider, with the tap's settings."""

    def __init__(self, provider: Provider, **settings: Any) -> None:
        self.provider = provider
        connection = {
            "base_url": provider.base_url,
            "token_url": provider.token_url,
            "client_id": provider.client_id,
            "client_secret": provider.client_secret,
        }
        streams = settings.pop("streams", STREAMS)
        self.source = RestSource.from_config(
            {**DEFAULTS, **connection, **settings},
            streams=frozenset(streams),
            user_agent="tap-oneroster/test",
            backoff=Backoff(first=0.001, longest=0.01),
        )

    def once(
        self, name: str, *, since: datetime | None = None, streams: tuple[str, ...] = (), of: File | None = None
    ) -> Pull:
        """One attempt."""
        top = of or file(name)
        wanted = tuple(map(file, streams)) if streams else (top, *derived_from(name))
        pull = Pull()
        for part in self.source.passes(Request(top, wanted, since=since)):
            pull.facts = dict(part.facts)
            for batch in part:
                pull.records.setdefault(batch.file.name, []).extend(batch.records)
        return pull

    def read(self, name: str, **more: Any) -> Pull:
        """Up to three attempts, as the tap does it."""
        for attempt in (1, 2, 3):
            try:
                pull = self.once(name, **more)
            except CollectionMoved:
                if attempt == 3:
                    raise
            else:
                pull.attempts = attempt
                return pull
        raise AssertionError


@contextmanager
def served(
    knobs: Knobs | None = None, *, version: str = "1.2", provider: dict[str, Any] | None = None, **settings: Any
) -> Iterator[Reader]:
    """A reader of a provider with these knobs."""
    with Provider(DISTRICT, version=version, knobs=knobs, **(provider or {})) as running:
        reader = Reader(running, **settings)
        try:
            yield reader
        finally:
            reader.source.close()


@pytest.fixture(scope="session")
def users() -> list[str]:
    """Ids of all users of the district."""
    with served() as reader:
        return sorted(reader.read("users").ids("users"))
