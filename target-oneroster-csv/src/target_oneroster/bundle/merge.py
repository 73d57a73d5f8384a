"""Merge new rows with existing ones: upsert into the old bundle, and replace the derived rows of parents that arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.model import FILES
from .._core.sql import quoted
from ..errors import Misconfigured
from .staging import staged_fields
from .tables import staged_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .._core.sql import Engine
    from .options import BundleOptions
    from .published import Existing
    from .staging import FileStage


def drop_superseded(engine: Engine, stages: Mapping[str, FileStage], derived: Callable[[str], bool]) -> None:
    """If a parent arrived more than once, keep only the derived rows of the copy that counts.

    A source sends a parent, then the rows derived from it, with its dateLastModified: rows that arrived before that
    copy, or are older than it, belong to another copy.
    """
    for kind in FILES:
        if not kind.derived or kind.name not in stages or not derived(kind.name):
            continue
        repeated = f"{kind.derived.parent} copies"
        if engine.has(repeated):
            owner = quoted(kind.derived.identity[0])
            engine.run(
                f'DELETE FROM {quoted(kind.name)} WHERE "sourcedId" IN ('
                f'SELECT s."sourcedId" FROM {staged_rows(stages[kind.name])} s JOIN '
                f'{quoted(repeated)} p ON p."sourcedId" = s.{owner} GROUP BY 1 HAVING max(s."row number") < max(p.kept) '
                "OR coalesce(max(nullif(s.\"dateLastModified\", '')) < max(p.newest), max(p.newest) IS NOT NULL))"
            )


def merge(engine: Engine, old: Existing, options: BundleOptions, derived: Callable[[str], bool]) -> None:
    """Add the rows of the old bundle whose ids did not arrive again.

    `derived` returns True for a stream whose rows were derived from their parents' records: a parent that arrived
    replaces all its old derived rows.
    """
    if wrong := sorted(f"{name} ({mode})" for name, mode in old.modes.items() if mode != options.mode(name)):
        raise Misconfigured(
            f"load_method upsert: in the bundle at output_path {', '.join(wrong)} is not of the mode that file_mode "
            "and file_modes say. Use the mode that is there, or overwrite."
        )
    for parent in {kind.derived.parent for kind in FILES if kind.derived}:
        if engine.has(parent):
            engine.run(f'CREATE TABLE {quoted(parent + " came")} AS SELECT "sourcedId" AS id FROM {quoted(parent)}')
    for kind in FILES:
        if kind.name not in old.modes:
            continue
        fields = staged_fields(kind, secrets=options.include_passwords, metadata=options.keep_metadata)
        columns = [field.name for field in fields]
        old.load(engine, kind, "old", columns)
        came = engine.has(kind.name)
        if not came:
            engine.make(kind.name, columns)
        table = quoted(kind.name)
        stays = f'"sourcedId" NOT IN (SELECT "sourcedId" FROM {table})'
        if kind.derived and derived(kind.name):
            owner = quoted(kind.derived.identity[0])
            stays += f" AND {owner} NOT IN (SELECT {owner} FROM {table})"
            if engine.has(f"{kind.derived.parent} came"):
                stays += f" AND {owner} NOT IN (SELECT id FROM {quoted(kind.derived.parent + ' came')})"
        if kind.name == "roles" and not came and engine.has("users"):  # 1.1 users contain their own roles
            stays += ' AND "userSourcedId" NOT IN (SELECT "sourcedId" FROM users WHERE "role" <> \'\')'
        together = f'SELECT * FROM {table} UNION ALL SELECT * FROM "old" WHERE {stays}'
        engine.replace(kind.name, f'{together} ORDER BY "sourcedId"')
        engine.run('DROP TABLE "old"')
