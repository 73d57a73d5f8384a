"""Decode a response in which single records are damaged, and keep the others."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec


class _Unreadable(msgspec.Struct):
    """Replaces an element of a list that cannot be decoded."""


UNREADABLE: Final = _Unreadable()
_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[][{},]', re.DOTALL)
_ASTRAY = re.compile(rb'[^\s,:\[{]\s*""|""\s*[^\s,:\]}]')
"""An (emptied) text where JSON allows none: there is an extra quotation mark, so the element's end is unknown."""


def decode_leniently(body: bytes) -> Any:
    """Decode JSON; elements of lists that cannot be decoded become UNREADABLE.

    Raise ValueError if the body is truncated, or if the end of a damaged element cannot be found.
    """
    try:
        return msgspec.json.decode(body)
    except _FAULTS:
        pass
    frame, lists = _cut(body)
    try:
        answer = msgspec.json.decode(frame)
    except _FAULTS:
        answer = None
    names = [name for name, value in answer.items() if isinstance(value, list)] if isinstance(answer, dict) else []
    if not lists or len(names) != len(lists):
        raise ValueError("not JSON, or cut short")
    return {**answer, **{name: list(map(_element, texts)) for name, texts in zip(names, lists, strict=True)}}


def _cut(body: bytes) -> tuple[bytes, list[list[bytes]]]:
    """Split an object into its text with empty lists, and the texts of the elements of each list."""
    frame: list[bytes] = []
    lists: list[list[bytes]] = []
    depth, kept, start = 0, 0, -1  # `start` is the start of the element inside a list of the object, otherwise -1
    for token in _TOKEN.finditer(body):
        sign = token[0]
        depth += sign in (b"[", b"{")
        if depth == 2 and sign == b"[":
            frame.append(body[kept : token.end()])
            lists.append([])
            start = token.end()
        elif depth == 2 and start >= 0 and sign in (b",", b"]", b"}"):
            text = body[start : token.start()].strip()
            if text or sign == b",":
                lists[-1].append(text)
            kept, start = token.start(), token.end() if sign == b"," else -1
        depth -= sign in (b"]", b"}")
    return b"".join([*frame, body[kept:]]), lists


def _element(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except _FAULTS:
        if _ASTRAY.search(_TEXT.sub(b'""', text)):
            raise ValueError("a quotation mark too many") from None
        return UNREADABLE
