"""Views of present rows, the standard's five views, and the tables as Parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.history import HISTORY
from .._core.model import FILES, RECEIPTS, VIEWS
from .._core.present_rows import current_schema, present_rows, view_condition
from .._core.sql import literal
from .._core.stores.work_folder import keep_mode
from .loads import NAME as LOADS
from .schema import DELETED
from .schema_table import NAME as COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

    from .warehouse_file import WarehouseFile

__all__ = ["export", "make_views"]


def make_views(store: WarehouseFile) -> None:
    """Create the schema of present rows, `<schema>_current`, and the standard's five views beside the tables."""
    tables = {of.name: found for of in FILES if (found := store.columns(of.name))}
    schema = current_schema(store.schema)
    for name in (*tables, *(view.name for view in VIEWS)):
        store.refuse_other_kind(name, "VIEW", schema)
    for view in VIEWS:
        if view.parent in tables:
            store.refuse_other_kind(view.name, "VIEW")
    store.run(
        "BEGIN"
    )  # readers see all views, and a commit for each of 300 statements takes longer than the statements
    for statement in present_rows(store.schema, tables):
        store.run(statement)
    for view in VIEWS:
        if view.parent in tables:
            text = f"Rows of {view.parent} that are present and whose {view.column} is {view.word}."
            store.run(
                f"CREATE OR REPLACE VIEW {store.place(view.name)} AS SELECT p.* FROM {store.place(view.parent)} p "
                f"WHERE p.{DELETED} IS NULL AND p.\"status\" IS DISTINCT FROM 'tobedeleted' "
                f"AND {view_condition(view, store.schema, tables)}"
            )
            store.run(f"COMMENT ON VIEW {store.place(view.name)} IS {literal(text)}")
    store.change("COMMIT")


def export(store: WarehouseFile, folder: Path) -> int:
    """Write each table as a Parquet file, completely or not at all; return the number of files.

    Tables that other users added are not exported.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ours = {name for file in (*FILES, RECEIPTS) for name in (file.name, file.name + HISTORY)} | {LOADS, COLUMNS}
    tables = [name for name in store.tables() if name in ours]
    for name in tables:
        new = folder / f".{name}.parquet.new"
        store.run(f"COPY {store.place(name)} TO {literal(str(new))} (FORMAT parquet, COMPRESSION zstd)")
        keep_mode(new, folder / f"{name}.parquet")
        new.replace(folder / f"{name}.parquet")
    return len(tables)
