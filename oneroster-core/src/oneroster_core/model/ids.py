"""Ids of rows that have no id in the source: name-based UUIDs over the columns that identify the row.

The same row must get the same id on every run and from either binding, or incremental loads break.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._types import File

# uuid5(NAMESPACE_URL, "https://purl.imsglobal.org/spec/or"); must never change.
_NAMESPACE = UUID("688ae30d-602f-58b8-9e96-02dbe56a67bf")


_SEPARATOR = "\x1f"


def derived_id(file: File, identity: tuple[str | None, ...], ordinal: int = 0) -> str:
    """Return the id of a derived row; `identity` holds the values of `file.derived.identity`, in its order.

    `ordinal` numbers, from 0, the rows of one parent that have the same identity.
    """
    (made,) = derived_ids(file, [identity], ordinal)
    return made


def derived_ids(file: File, identities: Iterable[tuple[str | None, ...]], ordinal: int = 0) -> list[str]:
    """Return the ids of derived rows, as `derived_id` makes each."""
    begun, end, variant = _begun(file.name).copy, f"{_SEPARATOR}{ordinal}", _VARIANT
    made = []
    for identity in identities:
        parts: Any = [part or "" for part in identity] if None in identity else identity
        digest = begun()
        digest.update(f"{_SEPARATOR.join(parts)}{end}".encode())
        text: str = digest.hexdigest()
        # Version 5 and the variant of RFC 9562, section 5.5: the same as `uuid.uuid5` makes in a quarter of its time.
        made.append(f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant[text[16]]}{text[17:20]}-{text[20:32]}")
    return made


_VARIANT = {f"{digit:x}": f"{digit & 3 | 8:x}" for digit in range(16)}


@cache
def _begun(file_name: str) -> Any:
    """Return the hash state after the prefix that all ids of a file share."""
    return hashlib.sha1(_NAMESPACE.bytes + f"{file_name}\x1f".encode(), usedforsecurity=False)
