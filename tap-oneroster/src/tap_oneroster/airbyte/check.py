"""Check that the settings are right and that the source answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.model import FILES, file
from ..open_source import make_source
from ..source import MissingCollection, Request

if TYPE_CHECKING:
    from .._core.model import File
    from .tap import AirbyteTap

_OTHER_SERVICES = ("categories", "resources")


def check(tap: AirbyteTap) -> str:
    """Read the first records of the first collection that the source offers; raise SourceError if there is none."""
    small = [one for one in FILES if one.small]
    candidates = sorted(small, key=lambda one: one.name != "orgs") + [file(name) for name in _OTHER_SERVICES]
    missing: MissingCollection | None = None
    for candidate in candidates:
        try:
            return _try(tap, candidate)
        except MissingCollection as error:
            missing = missing or error
    raise missing or MissingCollection("no collection can be read")


def _try(tap: AirbyteTap, of: File) -> str:
    # With missing_collections=fail, a missing collection cannot pass as success; only this collection's scopes are
    # requested.
    source = make_source(
        {**tap.config, "missing_collections": "fail"},
        streams=frozenset({of.name}),
        user_agent=f"{tap.name}/{tap.plugin_version}",
        say=tap.logger.info,
    )
    try:
        name = tap.run.source_name
        for one_pass in source.passes(Request(of, (of,))):
            name = one_pass.facts[of.name].source
            if next(iter(one_pass), None):
                break
    finally:
        source.close()
    return f"{name}: {of.name} can be read"
