"""Ids of rows that have no id in the source: name-based UUIDs over the columns that identify the row.

The same row must get the same id on every run and from either binding, or incremental loads break.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from ._types import File

__all__ = ["derived_id"]

# uuid5(NAMESPACE_URL, "https://purl.imsglobal.org/spec/or"); must never change.
_NAMESPACE = UUID("688ae30d-602f-58b8-9e96-02dbe56a67bf")


_SEPARATOR = "\x1f"


def derived_id(file: File, identity: tuple[str | None, ...], ordinal: int = 0) -> str:
    """Return the id of a derived row; `identity` holds the values of `file.derived.identity`, in its order.

    `ordinal` numbers, from 0, the rows of one parent that have the same identity.
    """
    parts = [part or "" for part in identity] if None in identity else identity
    digest = _begun(file.name).copy()
    digest.update(f"{_SEPARATOR.join(parts)}{_SEPARATOR}{ordinal}".encode())  # type: ignore[arg-type] # no part is None
    text: str = digest.hexdigest()
    # Set version 5 and the variant of RFC 9562, section 5.5: the same result as `uuid.uuid5` in a quarter of its time.
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


_VARIANT = {f"{digit:x}": f"{digit & 3 | 8:x}" for digit in range(16)}


@cache
def _begun(file_name: str) -> Any:
    """Return the hash state after the prefix that all ids of a file share."""
    return hashlib.sha1(_NAMESPACE.bytes + f"{file_name}\x1f".encode(), usedforsecurity=False)
