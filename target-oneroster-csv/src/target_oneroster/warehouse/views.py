# ruff: noqa: S608 - names in SQL come from the model and the settings, quoted
"""The standard's five views over the rows that are there, and the tables as Parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.model import FILES, RECEIPTS, VIEWS
from .._core.model import file as file_named
from .._core.model.schema import TENANT
from .._core.sql import literal, quoted
from .._core.stores.work_folder import keep_mode
from .history import SUFFIX
from .schema import DELETED

if TYPE_CHECKING:
    from pathlib import Path

    from .._core.model import View
    from .warehouse_file import WarehouseFile

__all__ = ["export", "make_views"]


def make_views(store: WarehouseFile) -> None:
    """Make each view whose tables are there."""
    for view in VIEWS:
        if condition := _condition(store, view):
            store.refuse_other_kind(view.name, "VIEW")
            text = f"Rows of {view.parent} that are there and whose {view.column} is {view.word}."
            store.run(
                f"CREATE OR REPLACE VIEW {store.place(view.name)} AS SELECT p.* FROM {store.place(view.parent)} p "
                f"WHERE {_there('p')} AND {condition}"
            )
            store.run(f"COMMENT ON VIEW {store.place(view.name)} IS {literal(text)}")


def _there(alias: str) -> str:
    return f"{alias}.{DELETED} IS NULL AND {alias}.\"status\" IS DISTINCT FROM 'tobedeleted'"


def _condition(store: WarehouseFile, view: View) -> str | None:
    columns = store.columns(view.parent)
    if not columns:
        return None
    word = literal(view.word)
    # What 1.1 keeps in a column of the user, rows of `roles` say for every version.
    apart = "roles" if file_named(view.parent).name == "users" and view.column == "role" else None
    if apart and store.columns(apart):
        tenant = f" AND r.{TENANT} = p.{TENANT}" if TENANT in columns else ""
        return (
            f'EXISTS (SELECT 1 FROM {store.place(apart)} r WHERE r."userSourcedId" = p."sourcedId"{tenant} '
            f"AND r.{quoted(view.column)} = {word} AND {_there('r')})"
        )
    return f"p.{quoted(view.column)} = {word}"


def export(store: WarehouseFile, folder: Path) -> int:
    """Write each table as a Parquet file, whole or not at all; the number of files.

    Tables that someone else has put beside them are not ours to copy.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ours = {name for file in (*FILES, RECEIPTS) for name in (file.name, file.name + SUFFIX)}
    tables = [name for name in store.tables() if name in ours]
    for name in tables:
        new = folder / f".{name}.parquet.new"
        store.run(f"COPY {store.place(name)} TO {literal(str(new))} (FORMAT parquet, COMPRESSION zstd)")
        keep_mode(new, folder / f"{name}.parquet")
        new.replace(folder / f"{name}.parquet")
    return len(tables)
