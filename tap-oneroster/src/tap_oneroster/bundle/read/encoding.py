"""Decode a file of unknown encoding: UTF-8, UTF-16 or Windows-1252."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from typing import Protocol

BLOCK = 96 * 1024
"""Bytes read at a time."""
_LONGEST_LINE = 4 * 2**20

# Bytes that Windows-1252 does not define decode to U+FFFE, which `charmap_decode` reports as an error.
_WINDOWS = bytes(range(256)).decode("cp1252", errors="replace").replace("\ufffd", "\ufffe")

INVISIBLE = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060"
"""Invisible characters: byte order mark, zero-width blanks and joiners, marks of direction."""
_INVISIBLE = {character.encode() for character in INVISIBLE}

_TWO = "UTF-8 and another encoding in one file"
_NO_TEXT = "text in an encoding that is neither UTF-8, UTF-16 nor Windows-1252"


class Readable(Protocol):
    """The part of a file's interface that is used here."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; empty at the end."""


class UnreadableText(ValueError):
    """The bytes are not text, or not CSV. The message says why, without quoting them; `rows` are the rows before them."""

    def __init__(self, problem: str, rows: Sequence[list[str]] = ()) -> None:
        super().__init__(problem)
        self.rows = rows


class TextBlocks:
    """Reads a file in blocks of whole lines, as UTF-8 whatever its encoding is.

    UTF-16 is recognized by the first bytes, with or without a mark. Everything else is UTF-8 until a byte that cannot
    be UTF-8; then the file is Windows-1252 if all text before was ASCII and no text after is UTF-8. So no file is read
    in two encodings. `deviations` lists what was found.
    """

    def __init__(self, stream: Readable, size: int = BLOCK) -> None:
        self._stream = stream
        self._size = size
        self.deviations: list[str] = []
        self._ascii = True
        self._windows = False
        self._utf16: codecs.IncrementalDecoder | None = None

    def __iter__(self) -> Iterator[bytes]:
        return map(self._to_utf8, self._blocks())

    def _blocks(self) -> Iterator[bytes]:
        data = self._begin(self._stream.read(self._size))
        rest, first = b"", True
        while data:
            block = rest + (self._from_utf16(self._utf16, data) if self._utf16 else data)
            if first:
                block, first = self._without_invisible(block), False
            # Cut at CR only if the block has no LF, and never inside a CRLF.
            end = block.rfind(b"\n") + 1 or block.rfind(b"\r", 0, len(block) - 1) + 1
            if end:
                yield block[:end]
            elif len(block) > _LONGEST_LINE:
                raise UnreadableText(f"a line longer than {_LONGEST_LINE:,} bytes")
            rest = block[end:]
            data = self._stream.read(self._size)
        if self._utf16:
            rest += self._from_utf16(self._utf16, b"", final=True)
        if rest:
            yield rest

    def _to_utf8(self, block: bytes) -> bytes:
        if block.isascii():
            return block
        if not self._windows:
            try:
                block.decode()
            except UnicodeDecodeError as error:
                if not (self._ascii and block[: error.start].isascii()):
                    raise UnreadableText(_TWO) from None
                self._windows = True
                self.deviations.append("Windows-1252")
            else:
                self._ascii = False
                return block
        # Without its invalid bytes the block must be ASCII; otherwise a part of it is UTF-8.
        if not block.decode(errors="ignore").isascii():
            raise UnreadableText(_TWO)
        try:
            return codecs.charmap_decode(block, "strict", _WINDOWS)[0].encode()
        except UnicodeError:
            raise UnreadableText(_NO_TEXT) from None

    def _begin(self, data: bytes) -> bytes:
        """Detect the encoding from the first bytes; return them without a byte order mark."""
        if data.startswith(codecs.BOM_UTF8):
            self.deviations.append("byte order mark")
            return data[len(codecs.BOM_UTF8) :]
        for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
            if data.startswith(mark):
                self.deviations.append("UTF-16")
                self._utf16 = codecs.getincrementaldecoder(name)()
                return data[len(mark) :]
        # Headers are ASCII, so every second byte of an unmarked UTF-16 file is zero there.
        zeros = [byte == 0 for byte in data[:4]]
        if zeros in ([False, True, False, True], [True, False, True, False]):
            self.deviations.append("UTF-16 without a byte order mark")
            self._utf16 = codecs.getincrementaldecoder("utf-16-be" if zeros[0] else "utf-16-le")()
        return data

    def _without_invisible(self, block: bytes) -> bytes:
        """Return the first block without invisible characters before the header, such as a second byte order mark."""
        start = 0
        while block[start : start + 3] in _INVISIBLE:
            start += 3
        if start:
            self.deviations.append("invisible characters before the header")
        return block[start:]

    def _from_utf16(self, decoder: codecs.IncrementalDecoder, data: bytes, *, final: bool = False) -> bytes:
        try:
            return decoder.decode(data, final).encode()
        except UnicodeError:
            raise UnreadableText(_NO_TEXT) from None
