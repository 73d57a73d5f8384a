"""Typed records to staged lines, by one compiled f-string for each file: the fast half of staging."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .._core.model import Field, Kind
from ..records.cells import metadata_text, number, pairs, words
from .staging import SEPARATOR

__all__ = ["Render", "compile_render"]

Render = Callable[[Sequence[Any], int], list[str]]


def _user_ids(values: Any) -> str:
    return pairs([(v.type, v.identifier) for v in values])


def _scale_values(values: Any) -> str:
    return pairs([(v.itemValueLHS, v.itemValueRHS) for v in values])


_NAMES = {
    "TRUE_FALSE": {None: "", True: "true", False: "false"},
    "words": words,
    "number": number,
    "whole": round,
    "user_ids": _user_ids,
    "scale_values": _scale_values,
    "metadata": metadata_text,
}

_EXPRESSIONS = {
    Kind.TRUE_FALSE: "TRUE_FALSE[r.{0}]",
    Kind.REFS: "words(r.{0}) if r.{0} else ''",
    Kind.STRINGS: "words(r.{0}) if r.{0} else ''",
    Kind.WORDS: "words(r.{0}) if r.{0} else ''",
    Kind.INTEGER: "r.{0} if r.{0} is not None else ''",
    Kind.NUMBER: "number(r.{0}) if r.{0} is not None else ''",
    Kind.USER_IDS: "user_ids(r.{0}) if r.{0} else ''",
    Kind.SCALE_VALUES: "scale_values(r.{0}) if r.{0} else ''",
    Kind.OBJECT: "metadata(r.{0}) if r.{0} else ''",
}


def _expression(field: Field) -> str:
    if field.csv_kind == Kind.INTEGER:
        return f"whole(r.{field.name}) if r.{field.name} is not None else ''"
    return _EXPRESSIONS.get(field.kind, "r.{0} or ''").format(field.name)


def compile_render(fields: Sequence[Field]) -> Render:
    """A function from records and the number of the first to their staged lines.

    Compiled from the model's own field names, nothing that was read.
    """
    cells = SEPARATOR.join(["{n}", *(f"{{{_expression(field)}}}" for field in fields)])
    scope: dict[str, Any] = dict(_NAMES)
    source = f'def render(records, n):\n    return [f"""{cells}\\n""" for n, r in enumerate(records, n)]\n'
    exec(compile(source, "<staged line>", "exec"), scope)  # noqa: S102
    render: Render = scope["render"]
    return render
