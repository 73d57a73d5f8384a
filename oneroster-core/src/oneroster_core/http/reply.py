"""A complete response, and its body as text: decompressed, within limits, without a byte order mark."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from ..errors import SourceError
from .limits import MOST_BYTES

_MOST_MEMBERS = 100
_MOST_LAYERS = 3
_GZIP, _ZLIB, _DEFLATE = 31, 15, -15
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class AnswerTooLong(SourceError):
    """A response is longer than any valid response can be."""

    def __init__(self, what: str, most: int) -> None:
        check = "lower page_size, or ask the vendor" if most == MOST_BYTES else "check the address"
        super().__init__(f"{what}: the answer is longer than {most >> 20} MiB; {check}")


class Reply(NamedTuple):
    """A complete response with any status.

    The body stays compressed until it is read, which takes a tenth of the memory.
    """

    status: int
    headers: Mapping[str, str]
    raw: bytes
    what: str = "answer"
    """Names the request in messages."""
    most: int = MOST_BYTES
    """Maximum size of the body in bytes."""

    @property
    def ok(self) -> bool:
        """True if the status is a success (2xx)."""
        return 200 <= self.status < 300

    @property
    def body(self) -> bytes:
        """Return the body as UTF-8; raise ValueError if it cannot be decompressed, AnswerTooLong if it is too long.

        The first bytes decide the compression, because services and proxies send wrong headers. JSON never begins like
        gzip or zlib; raw deflate has no such mark and is tried only if the header names it.
        """
        body = self.raw
        for _ in range(_MOST_LAYERS):
            if body[:2] == b"\x1f\x8b":
                body = self._inflate(body, _GZIP)
            elif body[:1] == b"x" and len(body) > 1 and not int.from_bytes(body[:2], "big") % 31:
                body = self._inflate(body, _ZLIB)
            else:
                break
        if body is self.raw and "deflate" in self.headers.get("Content-Encoding", "").lower():
            try:
                body = self._inflate(body, _DEFLATE)
            except ValueError:
                if not body.lstrip(codecs.BOM_UTF8 + b" \t\r\n").startswith((b"{", b"[", *_UTF_16)):
                    raise
        if body.startswith(_UTF_16):
            body = body.decode("utf-16").encode()
        while body.startswith(codecs.BOM_UTF8):
            body = body[len(codecs.BOM_UTF8) :]
        return body

    def _inflate(self, data: bytes, form: int) -> bytes:
        """Decompress all members, up to `most` bytes in total."""
        members: list[bytes] = []
        room = self.most
        while data and len(members) < _MOST_MEMBERS:
            unpacker = zlib.decompressobj(form)
            try:
                members.append(unpacker.decompress(data, room + 1))
            except zlib.error:
                raise ValueError("compressed body that cannot be read") from None
            room -= len(members[-1])
            if room < 0:
                raise AnswerTooLong(self.what, self.most)
            if not unpacker.eof:
                raise ValueError("compressed body that was cut short")
            data = unpacker.unused_data.lstrip(b"\0")
        if data:
            raise ValueError("compressed body in too many parts")
        return b"".join(members)
