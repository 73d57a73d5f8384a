"""The OAuth 2 scopes that the selected streams need."""

from __future__ import annotations

from collections.abc import Iterable

from .._core.model import RECEIPTS, Version, file, home_of, scope_uri

_NOT_COLLECTIONS = {RECEIPTS.name}


def scopes_for(streams: Iterable[str], version: Version) -> list[str]:
    """Return the URIs of scopes that give access to the collections of these streams.

    1.1 services differ in which of two scopes they require for core collections, so both are requested; in 1.2 the core
    scope is sufficient.
    """
    names: dict[str, None] = {}
    for stream in sorted(streams):
        if stream in _NOT_COLLECTIONS:
            continue
        of = home_of(stream)
        home = file(of.derived.parent) if of.derived else of
        if home.collection is None or not home.exists_in(version):
            continue
        scopes = home.collection.scopes(version)
        if version == Version.V1_1:
            names |= dict.fromkeys(scopes)
        else:
            core = [scope for scope in scopes if "-core." in scope]
            names[(core or list(scopes))[0]] = None
    return [scope_uri(name, version) for name in names]
