"""`oneroster-views`: SQL for views of the present rows, for warehouses that other loaders fill."""

from __future__ import annotations

import click

from ._core.model import FILES, file
from ._core.model.schema import json_schema
from ._core.present_rows import DIALECTS, present_rows


@click.command()
@click.option(
    "--dialect", type=click.Choice([d for d in DIALECTS if d != "duckdb"]), required=True, help="The warehouse."
)
@click.option("--schema", default="oneroster", show_default=True, help="Schema that holds the tables of the loader.")
@click.option(
    "--stream",
    "streams",
    multiple=True,
    help="A stream that is loaded; may be repeated. By default all but demographics.",
)
@click.option("--tenant", is_flag=True, help="The tables have the column tenant.")
def main(dialect: str, schema: str, streams: tuple[str, ...], tenant: bool) -> None:
    """Print SQL that makes SCHEMA_current: a view for each table, with present rows only and without loader columns.

    target-oneroster-duckdb makes these views by itself.
    """
    names = {of.name for of in FILES}
    if unknown := sorted(set(streams) - names):
        raise click.BadParameter(f"{', '.join(unknown)}: not a stream of OneRoster.", param_hint="--stream")
    chosen = streams or [of.name for of in FILES if of.name != "demographics" and of.csv]
    tables = {name: list(json_schema(file(name), tenant=tenant)["properties"]) for name in chosen}
    for statement in present_rows(schema, tables, dialect):
        click.echo(f"{statement};")
