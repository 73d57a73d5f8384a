"""Views that show the tables of all districts as one; each row has the district's id in its column `tenant`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._core.model import FILES
from .errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .district import District, Fleet

OFF_BY_DEFAULT = frozenset({"demographics"})
LOADERS = {
    "duckdb": ("target-oneroster-duckdb", "target-duckdb"),
    "postgres": ("target-postgres",),
    "snowflake": ("target-snowflake",),
}
POSTGRES = """\
-- Each table of any district becomes a view; a column that a district lacks is null there.
create schema if not exists {schema};
do $views$
declare
  its record;
begin
  for its in
    with districts (name) as (values {values}),
    columns as (
      select c.table_schema, c.table_name, c.column_name, format_type(a.atttypid, a.atttypmod) as type
      from information_schema.columns c
      join districts d on d.name = c.table_schema
      join pg_attribute a on a.attrelid = format('%I.%I', c.table_schema, c.table_name)::regclass and a.attname = c.column_name
    ),
    named as (select table_name, column_name, min(type) as type from columns group by table_name, column_name),
    parts as (
      select t.table_name, t.table_schema, string_agg(
        case when c.column_name is null then format('null::%s as %I', n.type, n.column_name) else format('%I', n.column_name) end,
        ', ' order by n.column_name <> 'tenant', n.column_name) as list
      from (select distinct table_schema, table_name from columns) t
      join named n on n.table_name = t.table_name
      left join columns c
        on c.table_schema = t.table_schema and c.table_name = t.table_name and c.column_name = n.column_name
      group by t.table_name, t.table_schema
    )
    select table_name, string_agg(format('select %s from %I.%I', list, table_schema, table_name), ' union all ') as query
    from parts group by table_name
  loop
    execute format('drop view if exists {schema}.%I', its.table_name);
    execute format('create view {schema}.%I as ', its.table_name) || its.query;
  end loop;
end
$views$;
"""


def union_views(fleet: Fleet, dialect: str, schema: str, streams: Sequence[str] = ()) -> str:
    """Return a script that makes the views anew; run it after a district was added.

    Raises:
        Misconfigured: No district is loaded into such a database.
    """
    its = [
        d for d in fleet.districts.values() if d.loader.get("name") in LOADERS[dialect] and d.id not in fleet.faults_of
    ]
    if not its:
        raise Misconfigured(f"views: no district has a loader for {dialect} ({', '.join(LOADERS[dialect])})")
    if dialect == "postgres":
        schemas = [_schema(district) for district in its]
        values = ", ".join(f"({_literal(name)})" for name in dict.fromkeys(schemas))
        return POSTGRES.format(schema=_quoted(schema), values=values)
    names = list(streams) or [file.name for file in FILES if file.name not in OFF_BY_DEFAULT]
    lines = []
    tables = {}
    for district in its:
        if dialect == "duckdb":
            path = fleet.folder / str(district.loader.get("filepath", f"{district.id}.duckdb"))
            lines.append(f"ATTACH IF NOT EXISTS {_literal(str(path))} AS {_quoted(district.id)} (READ_ONLY);")
            tables[district.id] = f"{_quoted(district.id)}.{_quoted(_schema(district))}"
        else:
            database = district.loader.get("database")
            tables[district.id] = (f"{_quoted(str(database))}." if database else "") + _quoted(_schema(district))
    lines.append(f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema)};")
    for name in names:
        parts = " UNION ALL BY NAME ".join(f"SELECT * FROM {table}.{_quoted(name)}" for table in tables.values())
        lines.append(f"CREATE OR REPLACE VIEW {_quoted(schema)}.{_quoted(name)} AS {parts};")
    return "\n".join(lines) + "\n"


def _schema(district: District) -> str:
    default = "oneroster" if district.loader.get("name") == "target-oneroster-duckdb" else ""
    name = str(district.loader.get("default_target_schema") or default)
    if not name:
        raise Misconfigured(f"views: {district.id}: loader: default_target_schema must be set, as '{{district}}'")
    return name


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
