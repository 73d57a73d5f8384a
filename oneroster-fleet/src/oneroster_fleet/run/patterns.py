"""Which streams and fields are read: patterns as in Meltano's `select`, applied to a catalog."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMED_ONLY = frozenset({"demographics"})
"""Streams that `*` does not mean."""


def selected(catalog: dict[str, Any], patterns: Sequence[str]) -> dict[str, Any]:
    """Return a catalog in which what the patterns say is selected, and nothing else.

    A pattern is STREAM or STREAM.FIELD, with `*` and `?`; one with `!` in front takes away, whatever its place.
    """
    wanted = [_parts(pattern) for pattern in patterns if not pattern.startswith("!")]
    unwanted = [_parts(pattern[1:]) for pattern in patterns if pattern.startswith("!")]
    for stream in catalog["streams"]:
        name = stream["tap_stream_id"]
        its = [field for stream_, field in wanted if _means(stream_, name)]
        without = [field for stream_, field in unwanted if fnmatchcase(name, stream_)]
        is_read = bool(its) and "*" not in without
        for entry in stream["metadata"]:
            path, metadata = entry["breadcrumb"], entry["metadata"]
            if not path:
                metadata["selected"] = is_read
            else:
                field = ".".join(path[1::2])
                chosen = any(fnmatchcase(field, pattern) for pattern in its)
                metadata["selected"] = is_read and chosen and not any(fnmatchcase(field, p) for p in without)
    return catalog


def _parts(pattern: str) -> tuple[str, str]:
    stream, _, field = pattern.strip().partition(".")
    return stream, field or "*"


def _means(pattern: str, stream: str) -> bool:
    return pattern == stream if stream in NAMED_ONLY else fnmatchcase(stream, pattern)
