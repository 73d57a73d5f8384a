"""Ids of rows that a source does not name: name-based UUIDs over what identifies the row.

The same row gets the same id on every run, from either binding, or incremental loads break.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from ._types import File

__all__ = ["derived_id"]

# uuid5(NAMESPACE_URL, "https://purl.imsglobal.org/spec/or"); never to be changed.
_NAMESPACE = UUID("688ae30d-602f-58b8-9e96-02dbe56a67bf")


def derived_id(file: File, identity: tuple[str | None, ...], ordinal: int = 0) -> str:
    """Id of a derived row; `identity` holds the values of `file.derived.identity`, in its order.

    `ordinal` numbers, from 0, the rows of one parent that share an identity.
    """
    name = "\x1f".join((file.name, *(part or "" for part in identity), str(ordinal)))
    return str(uuid5(_NAMESPACE, name))
