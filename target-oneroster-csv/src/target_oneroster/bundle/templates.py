"""Render typed records as staged lines, with one compiled f-string for each file: the fast part of staging."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from .._core.model import Field, Kind
from ..records.cells import cell_text, column_text, metadata_text
from .staging import SEPARATOR

Render = Callable[[Sequence[Any], int], list[str]]


_IF_FILLED = "{1}(r.{0}) if r.{0} else ''"
_EXPRESSIONS = {
    Kind.TRUE_FALSE: "TRUE_FALSE[r.{0}]",
    Kind.INTEGER: "r.{0} if r.{0} is not None else ''",
    Kind.NUMBER: "{1}(r.{0}) if r.{0} is not None else ''",
    Kind.OBJECT: _IF_FILLED,
}


def _expression(field: Field, scope: dict[str, Any]) -> str:
    """Return the expression of one cell; functions that it calls are added to `scope`."""
    if column_text(field):
        return f"of_{field.name}"
    write = metadata_text if field.kind == Kind.OBJECT else cell_text(field)
    if write is None:
        return f"r.{field.name} or ''"
    called = f"write_{field.name}"
    scope[called] = write
    return _EXPRESSIONS.get(field.kind, _IF_FILLED).format(field.name, called)


def compile_render(fields: Sequence[Field]) -> Render:
    """Return a function that renders records as staged lines, given the number of the first record.

    It is compiled from the model's own field names, never from input.
    """
    scope: dict[str, Any] = {"TRUE_FALSE": {None: "", True: "true", False: "false"}, "count": count}
    cells = SEPARATOR.join(["{n}", *(f"{{{_expression(field, scope)}}}" for field in fields)])
    columns = {field.name: write for field in fields if (write := column_text(field))}
    scope.update({f"write_{name}": write for name, write in columns.items()})
    names = ", ".join(["n", "r", *(f"of_{name}" for name in columns)])
    written = "".join(f", write_{name}([r.{name} for r in records])" for name in columns)
    source = f'def render(records, n):\n    return [f"""{cells}\\n""" for {names} in zip(count(n), records{written})]\n'
    exec(compile(source, "<staged line>", "exec"), scope)  # noqa: S102
    render: Render = scope["render"]
    return render
