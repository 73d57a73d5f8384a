"""Views of the present rows, for reports and BI tools, in the SQL dialects of three warehouses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import FILES, VIEWS, file
from .model.describe import describe_field, describe_file
from .model.schema import TENANT, TENANT_DESCRIPTION
from .sql import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from .model import View

DIALECTS = ("duckdb", "postgres", "snowflake")
DELETED = "_sdc_deleted_at"
"""When a row was found to be deleted; in a version, only if the source marked it."""


def current_schema(schema: str) -> str:
    """Return the name of the schema that holds the views."""
    return f"{schema}_current"


def present_rows(schema: str, tables: Mapping[str, Collection[str]], dialect: str = "duckdb") -> Iterator[str]:
    """Yield the statements that create `<schema>_current`: a view for each table, and the five views of the standard.

    `tables` maps each existing table to its columns. Columns that a loader added (`_sdc_…`) are left out. A row is
    present if no read found it deleted and its status is not `tobedeleted`.
    """
    name = _NAMES[dialect]
    target = current_schema(schema)
    yield f"CREATE SCHEMA IF NOT EXISTS {name(target)}"
    for table in FILES:
        if columns := [column for column in tables.get(table.name, ()) if not column.startswith("_sdc_")]:
            shown = ", ".join(f"t.{name(column)}" for column in columns)
            yield (
                f"CREATE OR REPLACE VIEW {name(target)}.{name(table.name)} AS SELECT {shown} "
                f"FROM {name(schema)}.{name(table.name)} t WHERE t.{name(DELETED)} IS NULL "
                f"AND t.{name('status')} IS DISTINCT FROM 'tobedeleted'"
            )
            yield from _comments(f"{name(target)}.{name(table.name)}", table.name, columns, dialect)
    for view in VIEWS:
        if view.parent in tables:
            yield (
                f"CREATE OR REPLACE VIEW {name(target)}.{name(view.name)} AS SELECT p.* "
                f"FROM {name(target)}.{name(view.parent)} p WHERE {view_condition(view, schema, tables, name)}"
            )


def view_condition(
    view: View, schema: str, tables: Mapping[str, Collection[str]], name: Callable[[str], str] = quoted
) -> str:
    """Return the condition that selects the view's rows from its parent, which has the alias `p`."""
    word = literal(view.word)
    if view.parent == "users" and "roles" in tables:  # 1.1 keeps the role in the user as well, 1.2 only in roles
        tenant = f" AND r.{name(TENANT)} = p.{name(TENANT)}" if TENANT in tables["users"] else ""
        return (
            f"EXISTS (SELECT 1 FROM {name(current_schema(schema))}.{name('roles')} r WHERE r.{name('userSourcedId')} = "
            f"p.{name('sourcedId')} AND r.{name('role')} = {word}{tenant})"
        )
    return f"p.{name(view.column)} = {word}"


def _comments(place: str, table: str, columns: Collection[str], dialect: str) -> Iterator[str]:
    of = file(table)
    yield f"COMMENT ON VIEW {place} IS {literal(f'{describe_file(of)} Present rows only.')}"
    if dialect == "snowflake":  # in Snowflake, column comments are part of the view's definition
        return
    texts = {field.name: describe_field(of, field) for field in of.fields} | {TENANT: TENANT_DESCRIPTION}
    for column in columns:
        if column in texts:
            yield f"COMMENT ON COLUMN {place}.{_NAMES[dialect](column)} IS {literal(texts[column])}"


def _upper(name: str) -> str:
    return quoted(name.upper())


_NAMES: dict[str, Callable[[str], str]] = {"duckdb": quoted, "postgres": quoted, "snowflake": _upper}
"""How a dialect quotes a name; target-snowflake makes all names upper case."""
