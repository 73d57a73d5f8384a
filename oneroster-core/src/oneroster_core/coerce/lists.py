"""Lists: cells with commas, JSON lists, PostgreSQL arrays, and lists of pairs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .texts import BLANKS_AROUND, NUL_RULE, NULL, NULL_RULE, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgspec import Struct

_BLANK = re.compile(r"[^\S\n]")
_ASCII_BLANKS = [blank for blank in map(chr, range(128)) if blank.isspace() and blank != "\n"]
_PAIR = re.compile(r"\{([^:{}]*):([^{}]*)\}")
_ARRAY_ELEMENT = re.compile(r'("(?:[^"\\]|\\.)*"|[^",{}\\]+)(?:,|$)')
_ESCAPED = re.compile(r"\\(.)")
_ODD_ELEMENT = re.compile(f"{NULL}|\0")
_PLAIN_PAIRS = re.compile(r"\{[^:{},]+:[^{},]+\}(?:,\{[^:{},]+:[^{},]+\})*")
_OTHER_LIST = "list in another notation"
_NO_PAIR = "element that is not {a:b}"
_EMPTY = "empty text"


def holds_blanks(lines: str) -> bool:
    """True if a text contains whitespace other than line breaks."""
    if lines.isascii():
        return any(blank in lines for blank in _ASCII_BLANKS)
    return _BLANK.search(lines) is not None


def json_in(text: str) -> Any:
    """Return the value of a JSON text; None if the text is not JSON."""
    with suppress(ValueError, RecursionError):
        return json.loads(text)
    return None


def list_in(text: str) -> list[Any] | None:
    """Return the list in a JSON text or in a PostgreSQL array (`{a,"b c",NULL}`); None if the text is neither."""
    if text.startswith("[") and text.endswith("]"):
        found = json_in(text)
        return found if isinstance(found, list) else None
    if not (text.startswith("{") and text.endswith("}")):
        return None
    elements: list[str] = _ARRAY_ELEMENT.findall(text[1:-1])
    if ",".join(elements) != text[1:-1]:
        return None  # an array of arrays, or other text in braces
    return [_ESCAPED.sub(r"\1", one[1:-1]) if one.startswith('"') else one for one in elements]


def read_list(value: str | Sequence[Any], *, ids: bool) -> Reading:
    """Return a list of texts. Blanks around elements are removed, and counted if the elements are `ids`."""
    if isinstance(value, str) and value[0] not in "[{" and value.split() == [value] and not _ODD_ELEMENT.search(value):
        return [part for part in value.split(",") if part] or None, None
    rules: dict[str, None] = {}
    parts: list[str]
    if isinstance(value, str):
        listed = list_in(value.strip())
        if listed is None or not all(one is None or isinstance(one, str) for one in listed):
            # People often write a comma and one blank between elements.
            first, *others = value.split(",")
            parts = [first, *(part.removeprefix(" ") for part in others)]
        else:
            rules[_OTHER_LIST] = None
            parts = [one for one in listed if one]
    else:
        parts = [part for part in value if part]
    kept = []
    for part in parts:
        text = part.strip()
        if text == NULL:
            rules[NULL_RULE] = None
        elif text:
            kept.append(text)
            if "\0" in text:
                rules[NUL_RULE] = None
            elif ids and text != part:
                rules[BLANKS_AROUND] = None
    return kept or None, next(
        (rule for rule in (NUL_RULE, NULL_RULE, BLANKS_AROUND, _OTHER_LIST) if rule in rules), None
    )


def _pair_of_object(make: type[Struct], value: Any) -> Any:
    left, right = make.__struct_fields__
    if isinstance(value, make):
        return make(getattr(value, left) or None, getattr(value, right) or None)
    if not isinstance(value, Mapping):
        return None
    members = {key.lower().replace("_", ""): one for key, one in value.items()}
    texts = [members.get(name.lower()) or None for name in (left, right)]
    return make(*(one if isinstance(one, str) or one is None else str(one) for one in texts))


def _pair_of_text(make: type[Struct], text: str) -> Any:
    found = _PAIR.fullmatch(text)
    return make(found[1] or None, found[2] or None) if found else None


def read_pairs(make: type[Struct]) -> Callable[[Any], Reading]:
    """Return a function that reads a list of pairs: `{a:b},{c:d}`, or objects with the two members of `make`."""
    left, right = make.__struct_fields__

    def read(value: Any) -> Reading:
        if isinstance(value, str) and _PLAIN_PAIRS.fullmatch(value):
            return [make(a, b) for a, b in _PAIR.findall(value)], None
        rule: str | None = None
        of: Callable[[type[Struct], Any], Any] = _pair_of_object
        if isinstance(value, str):
            listed = list_in(value.strip()) if value.lstrip().startswith("[") else None
            if listed is None:
                value, of = [part for piece in value.split(",") if (part := piece.strip())], _pair_of_text
            else:
                value, rule = listed, _OTHER_LIST
        found = [of(make, one) for one in value if one != NULL]
        pairs = [pair for pair in found if pair is not None]
        if len(pairs) < len(found):
            rule = _NO_PAIR
        elif len(found) < len(value):
            rule = NULL_RULE
        elif not all(getattr(pair, name) for pair in pairs for name in (left, right)):
            rule = rule or _EMPTY
        return pairs or None, rule

    return read


def _joined(texts: Sequence[Any]) -> str:
    """Join texts so that all can be searched at once; return a blank if one is not plain text."""
    try:
        together = "\n".join(texts)
    except TypeError:
        return " "
    return together if together.count("\n") == len(texts) - 1 else " "


def are_plain_lists(lines: str) -> bool:
    """True if no list of a column needs the slow reading; `lines` has a line end before and after each of them."""
    return not holds_blanks(lines) and not any(odd in lines for odd in (",,", "\n,", ",\n", "\n{", "\n["))


def plain_lists(texts: Sequence[Any]) -> list[Any] | None:
    """Return the lists of a column; None if a cell may need the slow reading."""
    if not are_plain_lists(f"\n{_joined(texts)}\n"):
        return None
    return [text.split(",") if text else None for text in texts]


def plain_pairs(make: Callable[[str, str], Any]) -> Callable[[Sequence[Any]], list[Any] | None]:
    """Return a function that reads a column of `{a:b}` lists in the same way as `plain_lists`."""

    def read(texts: Sequence[Any]) -> list[Any] | None:
        together = f"\n{_joined(texts)}\n"
        filled = len(texts) - texts.count("")
        elements = filled + together.count("},{")
        by_the_book = (
            together.count("\n{") == together.count("}\n") == filled
            and together.count("{") == together.count("}") == together.count(":") == elements
            and "{:" not in together
            and ":}" not in together
        )
        if not by_the_book:
            return None
        try:
            return [
                [make(a, b) for a, b in [pair.split(":") for pair in text[1:-1].split("},{")]] if text else None
                for text in texts
            ]
        except ValueError:  # one pair has two colons, another has none
            return None

    return read
