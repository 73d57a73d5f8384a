"""Two sides of one night, as REST and CSV: receipts first, then rows by id, and derived rows by their natural key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ._core.model import FILES, Kind, Version, file
from ._core.sql import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._core.model import Field, File
    from .pair import Pair

APART = timedelta(hours=6)
LIMIT = 0.01
_LEFT_OUT = {"sourcedId", "status", "dateLastModified", "metadata"}
_WHOLE = {"rest", "bulk", "warehouse"}
_REFERENCES = {"resources", "scoreScale"}
"""Properties of REST that hold references only, so that their rows have no column but those that identify them."""


@dataclass(slots=True)
class FileResult:
    """How many rows of a file only one side has, differ, or are the same; the last two are None if only counts were compared."""

    file: str
    only_a: int = 0
    only_b: int = 0
    differ: int | None = 0
    same: int | None = 0
    columns: dict[str, int] = field(default_factory=dict)
    """Columns that differ, with the number of rows."""
    schools: dict[str, int] = field(default_factory=dict)
    """Rows of each school that are not the same."""
    total: int = 0
    """Rows of the larger side."""

    @property
    def share(self) -> float:
        """The part that is not the same, 0 to 1."""
        return (self.only_a + self.only_b + (self.differ or 0)) / max(self.total, 1)

    def as_json(self) -> dict[str, Any]:
        """Return what `reconcile --json` prints of the file."""
        found: dict[str, Any] = {"file": self.file, "only_a": self.only_a, "only_b": self.only_b}
        if self.differ is not None:
            found |= {"differ": self.differ, "same": self.same}
        return found | {"columns": sorted(self.columns)}


@dataclass(slots=True)
class Result:
    """The files of both sides."""

    files: list[FileResult]
    apart: timedelta | None = None
    """How far the two loads are apart, if that is too far to compare rows."""

    @property
    def is_alike(self) -> bool:
        """True if no file differs in more than 1 %."""
        return all(of.share <= LIMIT for of in self.files)

    def lines(self) -> Iterator[str]:
        """Yield the report as text."""
        if self.apart:
            yield f"The loads are {self.apart / timedelta(hours=1):.1f} hours apart: only counts are compared."
        yield f"{'file':<30}{'only A':>12}{'only B':>12}{'differ':>12}{'same':>12}"
        for of in self.files:
            rest = (f"{'-' if n is None else f'{n:,}':>12}" for n in (of.differ, of.same))
            columns = ", ".join(f"{name} {n:,}" for name, n in sorted(of.columns.items()))
            yield f"{of.file:<30}{of.only_a:>12,}{of.only_b:>12,}{''.join(rest)}{'  ' if columns else ''}{columns}"
        schools: dict[str, int] = {}
        for of in self.files:
            for school, rows in of.schools.items():
                schools[school] = schools.get(school, 0) + rows
        for school, rows in sorted(schools.items(), key=lambda item: (-item[1], item[0]))[:10]:
            yield f"  school {school or '(none)'}: {rows:,} rows are not the same"


def reconcile(pair: Pair, *, by_id: bool = False) -> Result:
    """Compare both sides; `by_id` compares derived rows by id, too, as two loads of one source have the same ids."""
    apart = abs(pair.at("a") - pair.at("b"))
    is_apart = apart > APART and not by_id
    # Bundles have no assessments: a side without them says nothing about those of the other.
    files = [of for of in FILES if of.csv or by_id or (pair.has("a", of.name) and pair.has("b", of.name))]
    found = [
        _file(pair, of, by_id=by_id, counts=is_apart)
        for of in files
        if pair.has("a", of.name) or pair.has("b", of.name)
    ]
    return Result([of for of in found if of.total], apart if is_apart else None)


def _file(pair: Pair, of: File, *, by_id: bool, counts: bool) -> FileResult:
    if counts:
        a, b = pair.count("a", of.name), pair.count("b", of.name)
        return FileResult(of.name, max(a - b, 0), max(b - a, 0), None, None, total=max(a, b))
    receipts = pair.receipt("a", of.name), pair.receipt("b", of.name)
    if not by_id and (rows := _proven(*receipts)) is not None:
        return FileResult(of.name, same=rows, total=rows)
    versions = [Version(r["version"]) for r in receipts if r and r["version"] in set(Version)]
    alike = by_id or (all(receipts) and len({r["mode"] for r in receipts if r}) == 1)
    bare = not alike and of.derived is not None and of.derived.rest in _REFERENCES
    return _rows(pair, of, [] if bare else _compared(pair, of, versions, by_id=by_id), by_id=by_id)


def _proven(a: dict[str, Any] | None, b: dict[str, Any] | None) -> int | None:
    """Return the number of rows if the receipts prove that both sides hold the same; else None."""
    for receipt in (a, b):
        if not receipt or not receipt["complete"] or receipt["filter"] or receipt["mode"] not in _WHOLE:
            return None
        if not receipt["contentDigest"]:
            return None
    same = a and b and a["contentDigest"] == b["contentDigest"] and a["distinct"] == b["distinct"]
    return int(a["distinct"]) if same and a else None


def _compared(pair: Pair, of: File, versions: list[Version], *, by_id: bool) -> list[Field]:
    there = pair.columns("a", of.name) & pair.columns("b", of.name) or {its.name for its in of.fields}
    return [its for its in of.fields if its.name in there and _is_compared(its, versions, by_id=by_id)]


def _rows(pair: Pair, of: File, compared: list[Field], *, by_id: bool) -> FileResult:
    keys = ["sourcedId"]
    number = "1"
    if of.derived and not by_id:
        keys = [name for name in of.derived.identity if of.field(name).csv and of.field(name).rest_names]
        order = quoted(of.derived.ordinal_by) if of.derived.ordinal_by else '"sourcedId"'
        number = f'row_number() OVER (PARTITION BY {", ".join(map(quoted, keys))} ORDER BY {order}, "sourcedId")'
    compared = [its for its in compared if its.name not in keys]
    school = quoted(of.school) if of.school and of.field(of.school).kind != Kind.REFS else "''"
    key = ", ".join(f"{quoted(name)} AS k{n}" for n, name in enumerate(keys))
    values = "".join(f", {_value(its)} AS c{n}" for n, its in enumerate(compared))
    sides = {
        side: f"SELECT {key}, {number} AS number, {school}::VARCHAR AS school{values} FROM {pair.rows(side, of)}"
        for side in ("a", "b")
    }
    join = " AND ".join([*(f"a.k{n} IS NOT DISTINCT FROM b.k{n}" for n in range(len(keys))), "a.number = b.number"])
    differs = [f"a.c{n} IS DISTINCT FROM b.c{n}" for n in range(len(compared))]
    both = "a.number IS NOT NULL AND b.number IS NOT NULL"
    any_differs = f"({both} AND ({' OR '.join(differs) or 'false'}))"
    sums = "".join(f", count(*) FILTER ({both} AND {one})" for one in differs)
    answer = pair.run(
        f"SELECT coalesce(a.school, b.school, ''), count(*) FILTER (b.number IS NULL), count(*) FILTER (a.number IS NULL), "
        f"count(*) FILTER {any_differs}, count(*) FILTER ({both}){sums} "
        f"FROM ({sides['a']}) a FULL JOIN ({sides['b']}) b ON {join} GROUP BY 1"
    )
    found = FileResult(of.name)
    in_a = in_b = 0
    for where, only_a, only_b, differ, paired, *columns in answer:
        found.only_a, found.only_b = found.only_a + only_a, found.only_b + only_b
        found.differ, found.same = (found.differ or 0) + differ, (found.same or 0) + paired - differ
        in_a, in_b = in_a + only_a + paired, in_b + only_b + paired
        for its, rows in zip(compared, columns, strict=True):
            if rows:
                found.columns[its.name] = found.columns.get(its.name, 0) + rows
        if of.school and only_a + only_b + differ:
            found.schools[where] = only_a + only_b + differ
    found.total = max(in_a, in_b)
    return found


def _is_compared(its: Field, versions: list[Version], *, by_id: bool) -> bool:
    """True for what both bindings and both versions carry; ids of derived rows are each side's own."""
    if its.name in _LEFT_OUT or its.secret:
        return False
    if by_id:
        return True
    points_at_derived = its.refers_to is not None and file(its.refers_to).derived is not None
    return its.csv and bool(its.rest_names) and not points_at_derived and all(map(its.exists_in, versions))


def _value(its: Field) -> str:
    """Return the value as it is compared: no order in lists, nothing for what is empty."""
    name = quoted(its.name)
    if its.kind.is_list:
        return f"CASE WHEN len({name}) > 0 THEN list_sort({name}) END"
    if its.csv_kind == Kind.INTEGER:
        return f"round({name})"
    return f"nullif({name}::VARCHAR, '')" if its.kind in (Kind.STRING, Kind.WORD, Kind.REF) else name
