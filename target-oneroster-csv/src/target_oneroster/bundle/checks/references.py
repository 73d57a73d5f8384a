"""References: the row they name must be in the bundle, have the right type, and not be deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._core.model import Kind, Version, Where
from ..._core.sql import literal, quoted
from ..tables import GONE
from .findings import Severity, hashed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..._core.model import Field, File
    from ..._core.sql import Engine
    from .findings import Findings

HIERARCHIES = ("academicSessions", "orgs")
"""Files whose rows have parents in the same file."""
IN_A_CIRCLE = "is part of a circle"


def reference_rules(file: File, version: Version) -> Iterator[tuple[Severity, str, str]]:
    """Yield severity, field and text of every rule on the references of a file."""
    for field in file.columns(version):
        if field.refers_to is None:
            continue
        required = version in field.required
        severity = Severity.ROW if required else Severity.VALUE
        if field.kind == Kind.REFS:
            yield Severity.VALUE, field.name, _foreign_text(file, field)
            if required:
                yield severity, field.name, _none_text(field)
        else:
            yield severity, field.name, _missing_text(field)
            if field.where and version in field.where.versions:
                yield severity, field.name, _condition_text(field.where, field.refers_to)
    if file.name in HIERARCHIES:
        yield Severity.VALUE, "parentSourcedId", IN_A_CIRCLE


def check_references(findings: Findings, file: File, version: Version, *, own: bool = False) -> None:
    """Check the references of a file against the remaining rows of the files they refer to.

    With `own`, check the references to its own rows instead, after its bad rows have been removed; these are all
    optional.
    """
    for field in file.columns(version):
        if field.refers_to is None or (field.refers_to == file.name) is not own:
            continue
        if not findings.says_all(field.refers_to, file.name):
            continue
        if field.kind == Kind.REFS:
            _check_list(findings, file, field, version)
        else:
            _check_one(findings, file, field, version)


def _ids(engine: Engine, target: str) -> str:
    return f'SELECT "sourcedId" FROM {quoted(target)}' if engine.has(target) else "SELECT '' WHERE false"


def _gone(target: str) -> str:
    return f"SELECT id FROM {GONE} WHERE file = {literal(target)}"


def _check_one(findings: Findings, file: File, field: Field, version: Version) -> None:
    engine, column, target = findings.engine, quoted(field.name), field.refers_to or ""
    filled = f"{findings.staying(file.name)} AND {column} <> ''"
    missing = f"{filled} AND {column} NOT IN ({_ids(engine, target)})"
    required = version in field.required
    there = filled
    severity = Severity.ROW if required else Severity.VALUE
    cause = _cause(target, column)
    if engine.count(file.name, missing):
        there = f"{filled} AND {column} IN ({_ids(engine, target)})"  # the other rows were already reported
        if required:
            findings.let_go(file.name, f"{missing} AND {column} IN ({_gone(target)})")
        findings.settle(severity, file.name, field.name, _missing_text(field), missing, cause=cause)
    if field.where and version in field.where.versions and engine.has(target):
        wrong = f"{there} AND {_unfit(findings, file.name, field, field.where, version)}"
        rule = _condition_text(field.where, target)
        findings.settle(severity, file.name, field.name, rule, wrong, cause=cause)


def _cause(target: str, column: str) -> str:
    """Return SQL for the root cause of a broken reference: the rejected row's own cause, or the missing row."""
    return (
        f"coalesce((SELECT min(r.cause) FROM rejected r WHERE r.file = {literal(target)} AND r.id = {column}), "
        f"{literal(target + ' ')} || {hashed(column)})"
    )


def _unfit(findings: Findings, file: str, field: Field, where: Where, version: Version) -> str:
    """Return a condition: the referenced row does not meet `where`; missing rows belong to another rule."""
    column, target = quoted(field.name), field.refers_to or ""
    if where.same:
        same = quoted(where.column)
        mine = quoted(file)
        return (
            f'EXISTS (SELECT 1 FROM {quoted(target)} t WHERE t."sourcedId" = {mine}.{column} '
            f"AND t.{same} <> {mine}.{same})"
        )
    if where.column == "role" and version == Version.V1_2:
        if not findings.says_all("roles", file) or not findings.engine.has("roles"):
            return "false"
        return f'{column} NOT IN (SELECT "userSourcedId" FROM roles WHERE "role" = {literal(where.word)})'
    extension = where.extensible and version == Version.V1_2
    fits = f"{quoted(where.column)} = {literal(where.word)}"
    fits += f" OR starts_with({quoted(where.column)}, 'ext:')" if extension else ""
    return f'{column} NOT IN (SELECT "sourcedId" FROM {quoted(target)} WHERE {fits})'


def _missing_text(field: Field) -> str:
    return f"names a row that is not in {field.refers_to}"


def _foreign_text(file: File, field: Field) -> str:
    return f"holds an id that is not in {field.refers_to}" + (
        ", or the row's own" if field.refers_to == file.name else ""
    )


def _none_text(field: Field) -> str:
    return f"names no row that is in {field.refers_to}"


def _condition_text(where: Where, target: str) -> str:
    if where.same:
        return f"names a row of {target} with another {where.column}"
    return f"names a row of {target} whose {where.column} is not {where.word}"


def _check_list(findings: Findings, file: File, field: Field, version: Version) -> None:
    """Remove elements that do not exist from a list; reject the row if a required list becomes empty."""
    engine, table, column, target = findings.engine, quoted(file.name), quoted(field.name), field.refers_to or ""
    apart = (
        f"unnest(string_split({column}, ',')) AS element, generate_subscripts(string_split({column}, ','), 1) AS place"
    )
    elements = (
        f"SELECT \"sourcedId\" AS id, {apart} FROM {table} WHERE {findings.staying(file.name)} AND {column} <> ''"
    )
    bad = f"element NOT IN ({_ids(engine, target)})" + (" OR element = id" if target == file.name else "")
    count = engine.one(f"SELECT count(*) FROM ({elements}) WHERE {bad}")
    if not count:
        return
    engine.run(
        f"CREATE OR REPLACE TABLE shortened AS SELECT id, min(element) AS lost, "
        f"coalesce(string_agg(element, ',' ORDER BY place) FILTER (WHERE NOT bad), '') AS list, "
        f"bool_and(element IN ({_gone(target)})) AS all_gone "
        f"FROM (SELECT *, {bad} AS bad FROM ({elements})) GROUP BY id HAVING bool_or(bad)"
    )
    touched = '"sourcedId" IN (SELECT id FROM shortened)'
    findings.add(Severity.VALUE, file.name, field.name, _foreign_text(file, field), touched, count)
    if version in field.required:
        _lose_rows(findings, file, field)
    new = f'(SELECT list FROM shortened s WHERE s.id = {table}."sourcedId")'
    engine.run(f"UPDATE {table} SET {column} = {new} WHERE {touched}")


def _lose_rows(findings: Findings, file: File, field: Field) -> None:
    """Reject rows whose required list is now empty; delete them if all its elements were deleted."""
    target = field.refers_to or ""
    empty = "\"sourcedId\" IN (SELECT id FROM shortened WHERE list = ''{0})"
    findings.let_go(file.name, empty.format(" AND all_gone"))
    first = f'(SELECT min(lost) FROM shortened s WHERE s.id = {quoted(file.name)}."sourcedId")'
    findings.settle(
        Severity.ROW, file.name, field.name, _none_text(field), empty.format(""), cause=_cause(target, first)
    )


def check_cycles(findings: Findings, file: str) -> None:
    """Clear the parents of rows whose chain of parents is a circle."""
    engine = findings.engine
    parents = dict(
        engine.run(f'SELECT "sourcedId", "parentSourcedId" FROM {quoted(file)} WHERE "parentSourcedId" <> \'\'')
    )
    circle = sorted(_in_circles(parents))
    if circle:
        engine.run('CREATE OR REPLACE TABLE "in circles" AS SELECT unnest(?) AS id', (circle,))
        broken = '"sourcedId" IN (SELECT id FROM "in circles")'
        findings.settle(Severity.VALUE, file, "parentSourcedId", IN_A_CIRCLE, broken, count=len(circle))


def _in_circles(parents: dict[str, str]) -> set[str]:
    """Return the rows whose chain of parents leads back to them."""
    found: set[str] = set()
    done: set[str] = set()
    for start in parents:
        path: dict[str, int] = {}
        at = start
        while at in parents and at not in done and at not in path:
            path[at] = len(path)
            at = parents[at]
        if at in path:
            found.update(row for row, place in path.items() if place >= path[at])
        done.update(path)
    return found
