"""A YAML file as text: each scalar as it is written, each node with its line, and all faults together."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from itertools import count
from typing import Any

_MOST_NODES = 100_000


class PolicyError(Exception):
    """A policy that cannot be used: one line for each fault, which names file and line and never a value."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        super().__init__("; ".join(self.faults))


@dataclass(frozen=True)
class Item:
    """A node of the file: a text, a list or a mapping of items."""

    value: Any
    line: int

    @property
    def text(self) -> str | None:
        """The text as it is written; None for a list or a mapping."""
        return self.value if isinstance(self.value, str) else None


@dataclass
class Faults:
    """The faults of a file, in the order of its lines."""

    name: str
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, text: str) -> None:
        """Note a fault."""
        self.found.append((line, text))

    def raise_any(self) -> None:
        """Raise PolicyError if there are faults."""
        if self.found:
            raise PolicyError(f"{self.name}:{line}: {text}" for line, text in sorted(dict.fromkeys(self.found)))


def near(word: str, known: Collection[str]) -> str:
    """Return advice that names the known word which is most like another one; never the other one."""
    found = get_close_matches(word, list(known), 1, 0.5)
    return f"; did you mean {found[0]}?" if found else ""


def read_yaml(text: str, faults: Faults) -> dict[str, Item]:
    """Return the mapping of a file; raise PolicyError if it is none."""
    import yaml  # a tap without a policy need not wait for it

    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        faults.add(mark.line + 1 if mark else 1, "not YAML: look at the brackets, quotes and indents here")
        node = None
    except (yaml.YAMLError, RecursionError):
        faults.add(1, "not YAML: characters that YAML does not allow, or lists inside of each other without an end")
        node = None
    faults.raise_any()
    if not isinstance(node, yaml.MappingNode):
        faults.add(1, "a policy is a mapping of keys and values")
        faults.raise_any()
    found: dict[str, Item] = _item(node, faults, 0, count()).value
    return found


def _item(node: Any, faults: Faults, depth: int, numbers: Iterator[int]) -> Item:
    import yaml

    line = node.start_mark.line + 1
    if depth > 10:
        faults.add(line, "lists and mappings inside of each other, deeper than any policy")
        return Item("", line)
    if next(numbers) > _MOST_NODES:  # a few aliases of aliases can mean a list that no memory holds
        raise PolicyError([f"{faults.name}:{line}: aliases of aliases, more than any policy needs"])
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Item] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                faults.add(key.start_mark.line + 1, "a key must be a word")
            elif key.value in found:
                faults.add(key.start_mark.line + 1, "a key that stands here twice")
            else:
                item = _item(value, faults, depth + 1, numbers)
                found[key.value] = Item(item.value, key.start_mark.line + 1)
        return Item(found, line)
    if isinstance(node, yaml.SequenceNode):
        return Item([_item(one, faults, depth + 1, numbers) for one in node.value], line)
    return Item(node.value, line)


class Keys:
    """Reads the keys of a mapping, and notes what is wrong with each."""

    def __init__(self, top: Mapping[str, Item], faults: Faults) -> None:
        self._top = top
        self._faults = faults

    def _fault(self, key: str, text: str) -> None:
        self._faults.add(self._top[key].line if key in self._top else 1, text)

    def _unknown(self, items: Mapping[str, Item], known: tuple[str, ...]) -> None:
        for key, item in items.items():
            if key not in known:
                self._faults.add(item.line, f"no such key{near(key, known) or '; one of: ' + ', '.join(known)}")

    def _text(self, key: str) -> str | None:
        if key not in self._top:
            return None
        if self._top[key].text is None:
            self._fault(key, f"{key} must be a text")
        return self._top[key].text or ""

    def _matching(self, key: str, pattern: re.Pattern[str], form: str) -> str:
        text = self._text(key)
        if text is not None and not pattern.fullmatch(text):
            self._fault(key, f"{key} must be {form}")
        return text or ""

    def _word(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        text = self._text(key)
        if text is not None and text not in allowed:
            self._fault(key, f"{key} must be one of: {', '.join(allowed)}")
            return default
        return text or default

    def _number(self, key: str, default: int) -> int:
        text = self._text(key)
        if text is None:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", text):
            self._fault(key, f"{key} must be a number")
            return default
        return int(text)

    def _day(self, item: Item) -> date | None:
        try:
            return date.fromisoformat(item.text or "")
        except ValueError:
            self._faults.add(item.line, "must be a day, as in 2029-06-30")
            return None

    def _mapping(self, key: str, known: tuple[str, ...] | None) -> dict[str, Item] | None:
        if key not in self._top:
            return None
        inner = self._top[key].value
        if not isinstance(inner, dict):
            self._fault(key, f"{key} must hold keys and values")
            return None
        if known is not None:
            self._unknown(inner, known)
        return inner

    def _texts(self, key: str, item: Item) -> tuple[str, ...]:
        if not isinstance(item.value, list) or not all(one.text for one in item.value):
            self._faults.add(item.line, f"{key}: must be a list of texts")
            return ()
        if not item.value:
            self._faults.add(item.line, f"{key}: an empty list keeps nothing; leave the key out to have no limit")
        return tuple(one.text for one in item.value)
