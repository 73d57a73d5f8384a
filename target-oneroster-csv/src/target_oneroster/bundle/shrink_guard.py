"""The shrink guard: a bulk bundle that lost many rows is probably an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.model import Kind, csv_files
from .._core.sql import quoted
from ..errors import Held

if TYPE_CHECKING:
    from .._core.model import File
    from .._core.sql import Engine
    from .options import BundleOptions
    from .published import Existing

_SMALL_SCHOOL = 20
_SHOWN = 10
_THERE = quoted("schools there")


def hold_if_shrunk(engine: Engine, old: Existing, options: BundleOptions) -> None:
    """Raise Held if bulk files lose more rows than the limit compared with the files that they replace.

    Rows are compared by file, and by school if the school had more than 20.
    """
    if not options.guards_shrink:
        return
    losses: list[str] = []
    for kind in csv_files(options.version):
        if kind.name in options.bulk and old.modes.get(kind.name) == "bulk":
            losses += _losses(engine, old, kind, options.max_shrink_percent)
    if losses:
        more = f", and {len(losses) - _SHOWN} more" if len(losses) > _SHOWN else ""
        raise Held(
            f"Nothing was published: the new bundle lacks more than {options.max_shrink_percent} % of "
            f"{'; '.join(losses[:_SHOWN])}{more}. If that is right, run once with accept_shrink."
        )


def _losses(engine: Engine, old: Existing, kind: File, percent: float) -> list[str]:
    school = next((f for f in kind.columns(old.version) if f.name == kind.school), None)
    if school is None or not engine.has(kind.name) or school.name not in engine.columns(kind.name):
        return _loss(kind.name, old.count(engine, kind), engine.count(kind.name), percent)
    # The old file is read once: its rows are counted by the words of the column, which name one school or several.
    then = quoted(school.header(old.version))
    engine.run(
        f"CREATE OR REPLACE TABLE {_THERE} AS SELECT {then} AS school, count(*) AS n FROM {old.source(kind)} GROUP BY 1"
    )
    before = engine.one(f"SELECT sum(n) FROM {_THERE}")
    if loss := _loss(kind.name, before, engine.count(kind.name), percent):
        return loss
    one = "unnest(string_split({}, ','))" if school.kind == Kind.REFS else "{}"
    counts = engine.run(
        f"SELECT o.school, o.n, coalesce(c.n, 0) FROM (SELECT school, sum(n)::BIGINT AS n FROM "
        f"(SELECT {one.format('school')} AS school, n FROM {_THERE}) GROUP BY 1 HAVING sum(n) > {_SMALL_SCHOOL}) o "
        f"LEFT JOIN (SELECT school, sum(n)::BIGINT AS n FROM (SELECT {one.format('school')} AS school, n FROM "
        f"(SELECT {quoted(school.name)} AS school, count(*) AS n FROM {quoted(kind.name)} GROUP BY 1)) GROUP BY 1) c "
        "ON c.school = o.school WHERE o.school <> '' ORDER BY o.school"
    )
    return [text for name, was, left in counts for text in _loss(f"{kind.name} of school {name}", was, left, percent)]


def _loss(what: str, before: int, after: int, percent: float) -> list[str]:
    """Return one text if more than `percent` of the rows are gone; otherwise none."""
    is_held = before > after and (before - after) * 100 > before * percent
    return [f"{what} ({before} before, {after} now)"] if is_held else []
