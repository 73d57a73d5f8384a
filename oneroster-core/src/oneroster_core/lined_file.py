"""A YAML file with the line of each key, so that an error can name file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, TypeVar

import msgspec
import yaml

_T = TypeVar("_T")
_MOST_NODES, _MOST_DEPTH = 1_000_000, 100
"""A few aliases of aliases can mean a list that no memory holds, and an alias can mean the list that it stands in."""


class LinedFile:
    """The content of a YAML file, and the line of each key.

    Raises `wrong` for text that is not YAML, and for a key that stands twice in a mapping.
    """

    def __init__(self, name: str, text: str, wrong: type[Exception]) -> None:
        self._name, self._wrong = name, wrong
        self.lines: dict[tuple[str | int, ...], int] = {(): 1}
        try:
            loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)  # libyaml: ten times as fast
            node = loader.get_single_node()
            for path, line in self._walk(node, ()):
                self.lines[path] = line
                if len(self.lines) > _MOST_NODES or len(path) > _MOST_DEPTH:
                    raise self._wrong(
                        f"{name}:{line}: aliases or lists inside of each other, more than a file can hold"
                    )
            self.content: Any = loader.construct_document(node) if node else {}
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise self._wrong(f"{name}:{line}: not YAML ({error.problem})") from None
        except (yaml.YAMLError, ValueError, RecursionError):
            raise self._wrong(f"{name}:1: not YAML") from None

    def _walk(self, node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], int]]:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*path, str(key.value))
                if inner in self.lines:
                    raise self._wrong(f"{self._name}:{key.start_mark.line + 1}: {key.value} stands here twice")
                yield inner, key.start_mark.line + 1
                yield from self._walk(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                yield (*path, index), value.start_mark.line + 1
                yield from self._walk(value, (*path, index))

    def fault(self, path: tuple[str | int, ...], text: str) -> Exception:
        """Return the error at a path, or at the nearest line above it."""
        while path not in self.lines:
            path = path[:-1]
        return self._wrong(f"{self._name}:{self.lines[path]}: {text}")

    def convert(self, kind: type[_T]) -> _T:
        """Return the content as a Struct; raise `wrong` for what does not fit."""
        try:
            return msgspec.convert(self.content, kind, builtin_types=(date,))
        except msgspec.ValidationError as error:
            raise self._convert_fault(str(error)) from None

    def _convert_fault(self, text: str) -> Exception:
        what, _, where = text.partition(" - at `")
        path: list[str | int] = []
        for name, index in re.findall(r"\.([^.\[\]`]+)|\[([^\]]*)\]", where):
            path.append(name or (int(index) if index.isdigit() else index))
        unknown = re.search(r"unknown field `(.+)`", what)
        tail = (*(p for p in path if p not in ("...", "$")), *((unknown[1],) if unknown else ()))
        line = next((known for known in self.lines if _fits(known, path, unknown[1] if unknown else None)), tuple(tail))
        if unknown:
            return self.fault(line, f"no such key: {unknown[1]}")
        return self.fault(line, f"{'.'.join(map(str, tail)) or 'file'}: {what[0].lower()}{what[1:]}".replace("`", ""))


def _fits(known: tuple[str | int, ...], path: list[str | int], last: str | None) -> bool:
    """True if a place in the file is the one that msgspec names; it writes `[...]` for a key of a mapping."""
    wanted = [*path, *([last] if last is not None else [])]
    return len(known) == len(wanted) and all(w in ("...", k) for k, w in zip(known, wanted, strict=True))
