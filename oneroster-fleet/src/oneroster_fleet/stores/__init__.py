"""Where states, records and locks of a fleet are kept: a folder, PostgreSQL, or an object store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ..errors import Misconfigured, StoreDown
from ..secrets import resolve_text
from .base import Records, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Records", "Store", "open_states"]


def open_states(address: str, environment: Mapping[str, str] = os.environ) -> Store:
    """Open the store that `state` of the fleet file names.

    Raises:
        Misconfigured: The address is of no kind that is known, or a package is missing.
        StoreDown: It cannot be reached.
    """
    address = resolve_text("state", address, environment)
    scheme = address.partition("://")[0].lower() if "://" in address else ""
    if not scheme:
        raise Misconfigured("state: must be file:///…, postgresql://…, s3://… or env:NAME")
    if scheme == "file":
        from .folder import Folder

        return Folder(Path(unquote(urlsplit(address).path)))
    if scheme in ("postgresql", "postgres"):
        from .sql import Sql

        return Sql(address)
    from fsspec.registry import known_implementations, registry

    if scheme.partition("::")[0] not in {*known_implementations, *registry, "memory"}:
        raise Misconfigured("state: no such kind of store; it must be file:///…, postgresql://…, s3://… or env:NAME")
    from .._core.errors import StoreError, StoreUnreachable
    from .._core.stores.open import open_store
    from .objects import Objects

    try:
        return Objects(*open_store(address, {}, setting="state", package="oneroster-fleet"))
    except StoreUnreachable:
        raise StoreDown("state: the store cannot be reached") from None
    except StoreError as error:
        raise Misconfigured(f"state: {error}") from None
