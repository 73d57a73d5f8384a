"""`audit.restricted.duckdb` beside the store, mode 0600: what holds ids of persons. DuckDB writes it from the warehouse's session."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from ._core.sql import literal, quoted
from .errors import Unknown, Wrong
from .private import owner_only, write_csv
from .store import connect_store, see_tenant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import duckdb

    from .warehouse import Warehouse

TABLES: dict[str, dict[str, str]] = {
    "crosswalk": {
        "load": "BIGINT", "file": "VARCHAR", "old_id": "VARCHAR", "new_id": "VARCHAR", "rules": "VARCHAR[]",
        "overlap": "DOUBLE", "verdict": "VARCHAR",
    },
    "schedule": {
        "load": "BIGINT", "class_id": "VARCHAR", "school_id": "VARCHAR", "what": "VARCHAR", "old_id": "VARCHAR",
        "term": "BOOLEAN", "period": "BOOLEAN", "room": "BOOLEAN", "course": "BOOLEAN", "teacher": "BOOLEAN",
        "teachers_out": "VARCHAR[]", "teachers_in": "VARCHAR[]", "students_in": "BIGINT", "students_out": "BIGINT",
    },
}  # fmt: skip
"""Tables and their columns. With a tenant each has it as its first column."""
HEADER = ("file", "old", "new", "rules", "overlap", "verdict")
_AT_ONCE = 10_000


def restricted_path(store: Path) -> Path:
    """Return where the file of a store lies: `audit.duckdb` has `audit.restricted.duckdb`."""
    return store.with_name(f"{store.stem}.restricted{store.suffix}")


def keep(warehouse: Warehouse, path: Path, tenant: str, load: int, schools: dict[int, tuple[list[str], bool]]) -> None:
    """Write what the session found about a load, instead of what was there of it.

    `schools`: for each baseline the schools that are compared with it, and whether what has another school, or none, is.
    """
    with owner_only(), warehouse.beside(path, "restricted"):
        for name, columns in TABLES.items():
            warehouse.run(f"CREATE TABLE IF NOT EXISTS restricted.{quoted(name)} ({_spec(columns, tenant)})")
        see_tenant(path, warehouse.run(_TENANTS), tenant)
        warehouse.run("BEGIN TRANSACTION")
        try:
            for name, columns in TABLES.items():
                _replace(warehouse, name, columns, tenant, load, schools)
        except BaseException:
            warehouse.run("ROLLBACK")
            raise
        warehouse.run("COMMIT")
    path.chmod(0o600)


def _replace(
    warehouse: Warehouse,
    name: str,
    columns: dict[str, str],
    tenant: str,
    load: int,
    schools: dict[int, tuple[list[str], bool]],
) -> None:
    mine = f"tenant = {literal(tenant)} AND " if tenant else ""
    first = f"{literal(tenant)}, " if tenant else ""
    warehouse.run(f"DELETE FROM restricted.{quoted(name)} WHERE {mine}load = $load", load=load)
    chosen = ", ".join(quoted(column) for column in columns if column != "load")
    where = _ANY_SCHOOL if name == "crosswalk" else _ONE_SCHOOL
    for baseline, (known, is_rest) in schools.items():
        others = sorted({s for b, (its, _) in schools.items() for s in its if b != baseline})
        warehouse.run(
            f"INSERT INTO restricted.{quoted(name)} SELECT DISTINCT {first}$load, {chosen} FROM temp.{quoted(name)} "
            f"WHERE baseline = $baseline AND {where}",
            load=load,
            baseline=baseline,
            known=known,
            others=others,
            is_rest=is_rest,
        )


_ANY_SCHOOL = (
    "(list_has_any(schools, $known) OR ($is_rest AND (len(schools) = 0 OR NOT list_has_all($others, schools))))"
)
_ONE_SCHOOL = "(list_contains($known, school_id) OR ($is_rest AND NOT list_contains($others, school_id)))"
_TENANTS = "SELECT column_name FROM duckdb_columns() WHERE database_name = 'restricted' AND column_name = 'tenant'"


def _spec(columns: dict[str, str], tenant: str) -> str:
    named = {"tenant": "VARCHAR", **columns} if tenant else columns
    return ", ".join(f"{quoted(column)} {kind}" for column, kind in named.items())


def write_crosswalk(store: Path, tenant: str, load: int, out: Path, *, must_have: bool) -> int:
    """Write the proposal of a load as CSV of mode 0600; return the number of rows.

    Raise Wrong if there is none although the load `must_have` one.
    """
    path = restricted_path(store)
    if not path.is_file():
        raise Wrong(f"no {path.name} beside the store. The next audit of a load writes it: oneroster-audit run")
    with _opened(path, tenant, read_only=True) as database:
        mine = "tenant = $tenant AND " if tenant else ""
        known = {"load": load} | ({"tenant": tenant} if tenant else {})
        if must_have and not database.execute(f"FROM crosswalk WHERE {mine}load = $load LIMIT 1", known).fetchall():
            raise Wrong(f"the ids of load {load} are not kept any more")
        cursor = database.execute(
            "SELECT file, old_id, new_id, array_to_string(rules, ';'), round(overlap, 4), verdict FROM crosswalk "
            f"WHERE {mine}load = $load ORDER BY file, verdict, old_id, new_id",
            known,
        )

        def rows() -> Iterator[tuple[object, ...]]:
            while some := cursor.fetchmany(_AT_ONCE):
                yield from some

        return write_csv(out, HEADER, rows())


def forget(store: Path, tenant: str, loads: Sequence[int]) -> int:
    """Remove loads, and write the file anew, so that nothing of them stays in it; return how many were there."""
    path = restricted_path(store)
    if not path.is_file():
        return 0
    mine = f"tenant = {literal(tenant)} AND " if tenant else ""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    with _opened(path, tenant) as database:
        gone = {
            row
            for name in TABLES
            for row in database.execute(
                f"SELECT DISTINCT load FROM {name} WHERE {mine}list_contains($loads, load)", {"loads": list(loads)}
            ).fetchall()
        }
        if not gone:
            return 0
        try:
            with owner_only():
                database.execute(f"ATTACH {literal(str(partial))} AS kept")
                for name in TABLES:
                    database.execute(
                        f"CREATE TABLE kept.{name} AS FROM {name} WHERE NOT ({mine}list_contains($loads, load))",
                        {"loads": list(loads)},
                    )
                database.execute("DETACH kept")
            partial.replace(path)
        except OSError as error:
            raise Unknown(f"{path} cannot be written ({error.strerror})") from None
        finally:
            partial.unlink(missing_ok=True)
    return len(gone)


@contextmanager
def _opened(path: Path, tenant: str, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    with owner_only(), closing(connect_store(path, read_only=read_only)) as database:
        tenants = "SELECT 1 FROM duckdb_columns() WHERE table_name = 'crosswalk' AND column_name = 'tenant'"
        see_tenant(path, database.execute(tenants).fetchall(), tenant)
        yield database
