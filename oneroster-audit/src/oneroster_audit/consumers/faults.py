"""What is wrong in a rule that its types do not say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._core.model import FILES
from .kinds import CountBetween, Forbids, References

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .kinds import Rule

_FILES = {f.name: {field.name: field.refers_to for field in f.fields} for f in FILES}
"""For each file its columns, each with the file that it refers to."""


def faults(rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield the key of a rule, and what is wrong there: files and columns are the standard's."""
    unknown = [(key, name) for key, name in _files(rule) if name not in _FILES]
    yield from ((key, f"no such file: {name}") for key, name in unknown)
    if unknown:
        return
    if isinstance(rule, Forbids) and bool(rule.files) == bool(rule.file and rule.columns and rule.matches):
        yield "kind", "forbids takes files, or file, columns and matches"
    elif isinstance(rule, CountBetween) and bool(rule.change) == bool(rule.of and rule.by):
        yield "kind", "count_between takes of and by, or change"
    else:
        columns = list(_columns(rule))
        yield from ((key, f"no such column: {file}.{name}") for key, file, name in columns if name not in _FILES[file])
    if isinstance(rule, References) and not _FILES[rule.file].get(rule.column, "x"):
        yield "column", f"{rule.file}.{rule.column} is no reference"
    yield from _expression(getattr(rule, "matches", ""))


def _files(rule: Rule) -> Iterator[tuple[str, str]]:
    yield from ((key, name) for key in ("file", "of") if (name := getattr(rule, key, "")))
    yield from (("files", name) for name in getattr(rule, "files", ()))


def _columns(rule: Rule) -> Iterator[tuple[str, str, str]]:
    """Yield the key, the file and the column of each column that a rule names."""
    if isinstance(rule, CountBetween):
        keys = ("by", "distinct", "through")
        yield from ((key, rule.of, name) for key in keys if (name := getattr(rule, key)))
        return
    file = getattr(rule, "file", "")
    yield from (("column", file, name) for name in filter(None, [getattr(rule, "column", "")]))
    yield from (("columns", file, name) for name in getattr(rule, "columns", ()))


def _expression(matches: str) -> Iterator[tuple[str, str]]:
    import duckdb

    try:
        if matches:
            re.compile(matches)
            duckdb.execute("SELECT regexp_matches('', $1)", [matches]).fetchall()
    except (re.error, duckdb.Error):
        yield "matches", "not a regular expression of RE2"
