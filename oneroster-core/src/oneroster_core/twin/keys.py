"""Pseudonyms: keyed ids that are the same every night, and that nobody without the key can compute or reverse.

    consumer key = HKDF-SHA-256(master key, salt = 32 zero bytes, info = "oneroster-twin/1" | consumer | epoch), 32 bytes
    domain key   = HMAC-SHA-256(consumer key, domain)
    mark         = HMAC-SHA-256(domain key, tenant | id)
    pseudonym    = the first 128 bits of the mark as a UUID of version 8

`|` is the byte 0x1f, texts are UTF-8. Sources: RFC 2104 (HMAC), RFC 5869 (HKDF), RFC 9562 (UUID).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from abc import ABC, abstractmethod
from collections.abc import Sequence

from typing_extensions import override

_INFO = "oneroster-twin/1"
_SEPARATOR = "\x1f"
_BLOCK = 64
_INNER, _OUTER = bytes(byte ^ 0x36 for byte in range(256)), bytes(byte ^ 0x5C for byte in range(256))
_MOST_KEPT = 100_000
"""References that a domain remembers: 270 bytes each. They repeat, so most are found here."""

# A UUID is 36 characters and a line end; the digits of a mark come in this order.
_FORM = b"xxxxxxxx-xxxx-8xxx-xxxx-xxxxxxxxxxxx\n"
_VERSION_AT, _VARIANT_AT = 14, 19
_PLACES = [(at, number) for number, at in enumerate(at for at in range(36) if _FORM[at] != ord("-"))]
_VARIANT = bytes.maketrans(b"0123456789abcdef", b"89ab" * 4)
_DIGITS = 64
"""Hexadecimal digits of a mark."""


def new_key() -> str:
    """Return a new master key: 32 random bytes in base64."""
    import secrets

    return base64.b64encode(secrets.token_bytes(32)).decode()


def decode_key(text: str) -> bytes:
    """Return the bytes of a master key in base64; raise ValueError, without the key, if it is no base64 or too short."""
    try:
        key = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64; oneroster-twin key makes one") from None
    if len(key) < 32:
        raise ValueError("is shorter than 32 bytes; oneroster-twin key makes one")
    return key


def consumer_key(master: bytes, consumer: str, epoch: int) -> bytes:
    """Return the key of a consumer in an epoch (RFC 5869)."""
    extracted = hmac.digest(bytes(32), master, "sha256")
    info = _SEPARATOR.join((_INFO, consumer, str(epoch))).encode()
    return hmac.digest(extracted, info + b"\x01", "sha256")


def key_check(key: bytes) -> str:
    """Return the digits by which a policy recognises its consumer key; they say nothing about the key."""
    return hmac.digest(key, b"check", "sha256").hex()[:8]


def uuids(marks: Sequence[bytes]) -> list[str]:
    """Return the UUIDs of marks (32 bytes each): all digits of one place at once, a tenth of the time of one by one."""
    if not marks:
        return []
    digits = b"".join(marks).hex().encode()
    text = bytearray(_FORM * len(marks))
    for at, number in _PLACES:
        if at == _VARIANT_AT:
            text[at :: len(_FORM)] = digits[number::_DIGITS].translate(_VARIANT)
        elif at != _VERSION_AT:
            text[at :: len(_FORM)] = digits[number::_DIGITS]
    return text[:-1].decode("ascii").split("\n")


def _encoded(ids: Sequence[str]) -> list[bytes]:
    """Return the UTF-8 of texts: all at once, unless one holds a line end."""
    texts = "\n".join(ids).encode("utf-8", "surrogatepass").split(b"\n")
    return texts if len(texts) == len(ids) else [one.encode("utf-8", "surrogatepass") for one in ids]


class Domain:
    """The marks and pseudonyms of one kind of id."""

    def __init__(self, key: bytes, tenant: str) -> None:
        """`key` is the consumer key's for this domain."""
        padded = key.ljust(_BLOCK, b"\0")
        # HMAC of many short texts: both halves of the key are hashed once, and their states are copied.
        self._inner = hashlib.sha256(padded.translate(_INNER))
        self._inner.update((tenant + _SEPARATOR).encode())
        self._outer = hashlib.sha256(padded.translate(_OUTER))
        self._kept: dict[str, str] = {}

    def marks(self, ids: Sequence[str]) -> list[bytes]:
        """Return the mark of each id: 32 bytes, of which the pseudonym shows the first 16."""
        copy_inner, copy_outer = self._inner.copy, self._outer.copy
        marks: list[bytes] = []
        add = marks.append
        for text in _encoded(ids):
            inner = copy_inner()
            inner.update(text)
            outer = copy_outer()
            outer.update(inner.digest())
            add(outer.digest())
        return marks

    def pseudonyms(self, ids: Sequence[str | None]) -> list[str | None]:
        """Return the pseudonyms of references, which repeat; None stays None."""
        kept = self._kept
        found: list[str | None] = list(map(kept.get, ids))  # type: ignore[arg-type]
        if None in found and (new := list(filter(None, set(ids).difference(kept)))):
            if len(kept) + len(new) > _MOST_KEPT:
                kept.clear()
                new = list(filter(None, set(ids)))
            kept.update(zip(new, uuids(self.marks(new)), strict=True))
            found = list(map(kept.get, ids))  # type: ignore[arg-type]
        return found


class Ids(ABC):
    """Where the ids of a twin come from."""

    are_numbered = False
    """True if rows that nothing refers to get ids by their references and a number (`numbered`)."""

    @abstractmethod
    def own(self, domain: str, ids: Sequence[str]) -> tuple[list[str], list[bytes]]:
        """Return the pseudonyms of rows of a stream, and for each 32 bytes of which the last 16 may be used elsewhere."""

    @abstractmethod
    def pseudonyms(self, domain: str, ids: Sequence[str | None]) -> list[str | None]:
        """Return the pseudonyms of references to a stream."""

    @abstractmethod
    def identifiers(self, kind: str, values: Sequence[str | None], owners: Sequence[bytes]) -> list[str | None]:
        """Return pseudonyms of what other systems call a person; `owners` are the bytes of the persons (`own`)."""

    def numbered(self, stream: str, keys: Sequence[tuple[str | None, ...]]) -> list[int]:
        """Return for each row how many rows of this pass had the same key before."""
        raise NotImplementedError(stream, len(keys))

    def begin(self, stream: str) -> None:  # noqa: B027 # only numbered ids know of passes
        """Begin a pass over a stream."""

    def close(self) -> None:  # noqa: B027 # only a crosswalk opens something
        """Close what was opened."""


class KeyedIds(Ids):
    """Ids by the consumer key."""

    def __init__(self, key: bytes, tenant: str = "") -> None:
        """`key` is the consumer key; `tenant` the district's name, if several share the key."""
        self._key = key
        self._tenant = tenant
        self._domains: dict[str, Domain] = {}

    def _domain(self, name: str) -> Domain:
        if name not in self._domains:
            self._domains[name] = Domain(hmac.digest(self._key, name.encode(), "sha256"), self._tenant)
        return self._domains[name]

    @override
    def own(self, domain: str, ids: Sequence[str]) -> tuple[list[str], list[bytes]]:
        marks = self._domain(domain).marks(ids)
        return uuids(marks), marks

    @override
    def pseudonyms(self, domain: str, ids: Sequence[str | None]) -> list[str | None]:
        return self._domain(domain).pseudonyms(ids)

    @override
    def identifiers(self, kind: str, values: Sequence[str | None], owners: Sequence[bytes]) -> list[str | None]:
        held = [value.strip() for value in values if value]
        made = iter(uuids(self._domain(f"identifier:{kind}").marks(held)))
        return [next(made) if value else None for value in values]


class ClearIds(Ids):
    """Ids as they are: nothing is keyed."""

    @override
    def own(self, domain: str, ids: Sequence[str]) -> tuple[list[str], list[bytes]]:
        return list(ids), [bytes(32)] * len(ids)

    @override
    def pseudonyms(self, domain: str, ids: Sequence[str | None]) -> list[str | None]:
        return list(ids)

    @override
    def identifiers(self, kind: str, values: Sequence[str | None], owners: Sequence[bytes]) -> list[str | None]:
        return list(values)
