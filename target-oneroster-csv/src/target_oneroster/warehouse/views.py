"""Views of present rows, and the standard's five views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.model import FILES, VIEWS
from .._core.present_rows import current_schema, present_rows, view_condition
from .._core.sql import literal
from .schema import DELETED

if TYPE_CHECKING:
    from .warehouse_file import WarehouseFile


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
