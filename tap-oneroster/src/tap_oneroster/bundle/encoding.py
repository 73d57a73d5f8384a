"""Text of a file whose encoding nobody declared: UTF-8, UTF-16 with a mark, or Windows-1252."""

from __future__ import annotations

import codecs
import io
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["MixedEncodings", "open_text"]

_NAME = "oneroster-text"
_BLOCK = 256 * 1024


class MixedEncodings(ValueError):
    """A file is UTF-8 in one place and something else in another."""


class _Raw(io.RawIOBase):
    """Any binary stream as a raw one: a store's own class would be asked for each line."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        with memoryview(buffer) as view:
            data = self._stream.read(len(view))
            view[: len(data)] = data
        return len(data)


class _Utf8OrWindows(codecs.BufferedIncrementalDecoder):
    """Reads UTF-8 until a byte cannot be, then Windows-1252 if all before was plain ASCII."""

    def __init__(self, errors: str = "strict") -> None:
        super().__init__(errors)
        self._windows = False
        self._ascii = True

    def _buffer_decode(self, data: Buffer, errors: str, final: bool) -> tuple[str, int]:
        data = bytes(data)
        if self._windows:
            return codecs.charmap_decode(data, errors, _WINDOWS)
        try:
            text, used = codecs.utf_8_decode(data, errors, final)
        except UnicodeDecodeError as error:
            if not (self._ascii and data[: error.start].isascii()):
                raise MixedEncodings from None
            self._windows = True
            return codecs.charmap_decode(data, errors, _WINDOWS)
        self._ascii = self._ascii and text.isascii()
        return text, used


_WINDOWS = bytes(range(256)).decode("cp1252", errors="replace").replace("\ufffd", "\ufffe")


def _codec(name: str) -> codecs.CodecInfo | None:
    if name.replace("_", "-") != _NAME:
        return None
    return codecs.CodecInfo(
        encode=codecs.utf_8_encode,
        decode=codecs.utf_8_decode,
        incrementaldecoder=_Utf8OrWindows,
        name=_NAME,
    )


codecs.register(_codec)


def open_text(stream: IO[bytes]) -> tuple[io.TextIOWrapper, str | None]:
    """Text of a binary stream with its line ends as they are, and the deviation, if any.

    A file that turns out to be Windows-1252 is read as such from the first byte that is not
    ASCII. Raises MixedEncodings while reading where it is neither.
    """
    buffered = io.BufferedReader(_Raw(stream), _BLOCK)
    start = buffered.peek(4)[:4]
    encoding, deviation = _NAME, None
    if start.startswith(codecs.BOM_UTF8):
        buffered.read(len(codecs.BOM_UTF8))
        deviation = "byte order mark"
    elif start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding, deviation = "utf-16", "UTF-16"
    text = io.TextIOWrapper(buffered, encoding=encoding, newline="")
    text._CHUNK_SIZE = _BLOCK  # type: ignore[attr-defined]
    return text, deviation
