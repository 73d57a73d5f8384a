"""Supported stores, the packages they need, and how an address is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

SFTP = frozenset({"sftp", "ssh"})
WEB = frozenset({"http", "https"})
_EXTRAS = {
    **dict.fromkeys(SFTP, "sftp"),
    **dict.fromkeys(("s3", "s3a"), "s3"),
    **dict.fromkeys(("gs", "gcs"), "gcs"),
    **dict.fromkeys(("abfs", "abfss", "az"), "azure"),
}
BATCH_PROTOCOLS = frozenset({"file"}) | (_EXTRAS.keys() - SFTP)
"""Stores that can hold batch files: the local disk and object stores."""

_IN_THE_CLEAR = re.compile(r"(?i)(?<![a-z])(http|ftp)://(?!(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/]|\Z))")
# Up to the last @ of the host part; if a password contains a slash, up to the last @ of the URL.
_LOGIN = re.compile(r"(?<=://)(?:[^/]*@|[^/@:]*:(?!\d*(?:/|\Z)).*@)")
_QUERY = re.compile(r"\?[^?]*=.*|#.*", re.DOTALL)


def protocol_of(url: str) -> str:
    """Return the protocol of a URL in lower case, or ``file`` for a path."""
    return url.partition("://")[0].lower() if "://" in url else "file"


def extra_of(protocol: str) -> str | None:
    """Return the extra of a plugin's package that installs a store's dependencies."""
    return _EXTRAS.get(protocol)


def is_in_the_clear(url: str, options: Mapping[str, Any]) -> bool:
    """True if the URL or the options lead to a store without encryption."""
    return any(_IN_THE_CLEAR.search(text) for text in (url, *_texts(options)))


def shown(url: str) -> str:
    """Return a path, or a URL without login, query and fragment, because they may hold secrets."""
    if "://" not in url:
        return url
    url = _LOGIN.sub("", url)
    return url.partition("?")[0].partition("#")[0] if protocol_of(url) in WEB else _QUERY.sub("", url)


def _texts(options: Any) -> Iterator[str]:
    """Yield all texts in nested options."""
    if isinstance(options, str):
        yield options
    elif isinstance(options, dict):
        for value in options.values():
            yield from _texts(value)
