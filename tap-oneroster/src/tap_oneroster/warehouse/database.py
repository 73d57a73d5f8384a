"""The two files, read only: the warehouse with its versions of rows, and what the audit's store says of its loads."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any
from weakref import finalize

import duckdb

from .._core.errors import FatalSourceError, SetupError
from .._core.history import ENDED_LOAD, FIRST_LOAD, HISTORY, STORE_VERSION, attach, reader
from .._core.model import FILES, Kind
from .._core.model.schema import TENANT
from .._core.sql import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._core.history import Fault
    from .._core.model import File

MEMORY = "400MB"
_BLOCK = 2000
_KINDS = {Kind.DATE: "DATE", Kind.USER_IDS: "STRUCT(type VARCHAR, identifier VARCHAR)[]"}


@dataclass(frozen=True, slots=True)
class Load:
    """One run of the target."""

    number: int
    loaded_at: datetime
    left: frozenset[str]
    """Tables that it left as they were, because what came was refused."""
    is_finished: bool


@dataclass(slots=True)
class Verdicts:
    """What the audit's store says."""

    released: dict[str, int]
    """For each school the load from which it may be published."""
    approved: list[int]
    """Loads that were released for the whole district, the oldest first."""
    audited: int
    """The newest load that was audited."""
    loaded_at: dict[int, datetime]
    additive: frozenset[str] = field(default_factory=frozenset)
    """Schools that the newest audited load holds only because additions pass and nothing else."""


class Database:
    """Both files, open until the run has ended.

    Each file of the model has a view `<name>_versions`: its columns as the model names them, `row`, and the loads in
    which a version began (`first`) and ended (`ended`, null while it stands).
    """

    def __init__(self, path: Path, schema: str, tenant: str | None) -> None:
        if not path.is_file():
            raise SetupError(f"warehouse_path: no file {path}; load it with target-oneroster-duckdb and history: true")
        self._schema, self._tenant = schema, tenant
        spill = mkdtemp(prefix="tap-oneroster-")
        self._remove = finalize(self, rmtree, spill, ignore_errors=True)  # a test run closes nothing
        self._connection = reader(spill, MEMORY)
        try:
            self._attach(path, "warehouse", "a DuckDB database")
            self._tables = self._find_tables()
            self._see_tenants()
            for of in FILES:
                self._make_view(of)
            self.run("CREATE MACRO stands(first, ended, k) AS first <= k AND (ended IS NULL OR ended > k)")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Release both files."""
        self._connection.close()
        self._remove()

    def run(self, text: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement with those parameters that it names, and return its rows."""
        named = {name: value for name, value in parameters.items() if f"${name}" in text}
        try:
            return self._connection.execute(text, named or None).fetchall()
        except duckdb.Error as error:  # its message may contain values
            raise FatalSourceError(f"the warehouse cannot be read ({type(error).__name__})") from error

    def number(self, text: str, **parameters: Any) -> int:
        """Return the number that a statement selects."""
        return int(self.run(text, **parameters)[0][0])

    def script(self, name: str, **parameters: Any) -> None:
        """Run the statements of a SQL file of this package."""
        text = (files(__package__ or __name__) / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
        for statement in filter(str.strip, code.split(";")):
            self.run(statement, **parameters)

    def stream(self, text: str) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of a query in blocks; only one query can be read at a time."""
        try:
            answer = self._connection.cursor().execute(text)
            while rows := answer.fetchmany(_BLOCK):
                yield rows
        except duckdb.Error as error:
            raise FatalSourceError(f"the warehouse cannot be read ({type(error).__name__})") from error

    def has(self, name: str) -> bool:
        """True if the warehouse keeps the versions of that table."""
        return name + HISTORY in self._tables

    def columns(self, name: str) -> set[str]:
        """Return the columns of a table's history."""
        return set(self._tables.get(name + HISTORY, ()))

    def place(self, table: str) -> str:
        """Return a FROM clause of a table, of this tenant only."""
        name = f"warehouse.{quoted(self._schema)}.{quoted(table)}"
        has = self._tenant is not None and TENANT in self._tables.get(table, ())
        return f"(SELECT *, rowid AS row FROM {name}{f' WHERE {TENANT} = {literal(str(self._tenant))}' if has else ''})"

    def loads(self) -> list[Load]:
        """Return all loads, the oldest first."""
        if "_loads" not in self._tables:
            raise SetupError("warehouse_path: it has no table _loads; load once with this version of the target")
        found = self.run(
            'SELECT "load", min(epoch_us("loadedAt")), list("table") FILTER ("outcome" <> \'loaded\'), '
            f'bool_and("finishedAt" IS NOT NULL) FROM {self.place("_loads")} GROUP BY 1 ORDER BY 1'
        )
        return [Load(n, _moment(at), frozenset(left or ()), bool(finished)) for n, at, left, finished in found]

    def total(self, table: str, load: int) -> int | None:
        """Return how many rows a table had after a load; None if the load did not bring the table."""
        sums = f'SELECT sum("total") FROM {self.place("_loads")} WHERE "load" = $load AND "table" = $table'
        found: int | None = self.run(sums, load=load, table=table)[0][0]
        return found

    def receipt(self, collection: str, load: Load) -> tuple[str | None, bool]:
        """Return the source's version of a collection, and whether a load read it to its end."""
        there = self._tables.get("syncReceipts", ())
        if not {"collection", "version", "complete", "startedAt", "_sdc_received_at"} <= set(there):
            return None, True
        version, complete = self.run(
            'SELECT arg_max("version", "startedAt"), bool_and("complete") FILTER (epoch_us(_sdc_received_at) = $at) '
            f'FROM {self.place("syncReceipts")} WHERE "collection" = $name',
            name=collection,
            at=round(load.loaded_at.timestamp() * 1e6),
        )[0]
        return version, complete is not False

    def verdicts(self, path: Path) -> Verdicts:
        """Return what the audit's store says of this tenant."""
        if not path.is_file():
            raise SetupError(f"store_path: no file {path}; audit a load first: oneroster-audit run")
        self._attach(path, "store", "a store of oneroster-audit")
        with suppress(duckdb.Error):
            version = int(self._connection.execute("SELECT version FROM store.meta").fetchall()[0][0])
            if version > STORE_VERSION:
                raise SetupError(f"store_path: {path} was made by a newer oneroster-audit; upgrade tap-oneroster")
            return self._verdicts()
        raise SetupError(f"store_path: {path} is not a store of oneroster-audit, or one with other tenants")

    def _verdicts(self) -> Verdicts:
        mine = f"tenant IS NOT DISTINCT FROM {literal(self._tenant) if self._tenant is not None else 'NULL'}"
        own = mine if self._tenant is not None else "true"

        def ask(text: str) -> list[tuple[Any, ...]]:
            return self._connection.execute(text).fetchall()

        released = dict(ask(f"SELECT school, load FROM store.released WHERE {mine}"))
        loads = ask(f"SELECT load, epoch_us(loaded_at), verdict FROM store.loads WHERE {own} ORDER BY load")
        if not loads:
            raise SetupError("store_path: no load of this warehouse was audited yet: oneroster-audit run")
        audited = loads[-1][0]
        holds = ask(
            "SELECT s.school_id FROM store.schools s JOIN store.findings f ON f.load = s.load AND f.severity = 'hold' "
            "AND coalesce(f.approved_by, '') = '' AND (f.school_id = s.school_id OR (coalesce(f.root, '') = '' "
            f"AND f.school_id NOT IN (SELECT school_id FROM store.schools WHERE load = {audited} AND {own}))) "
            f"AND {own.replace('tenant', 'f.tenant')} "
            f"WHERE s.held AND s.load = {audited} AND {own.replace('tenant', 's.tenant')} GROUP BY 1 "
            "HAVING bool_and(f.planned AND f.check_id <> 'calendar.blackout') "
            "AND bool_or(f.check_id = 'calendar.additions-only')"
        )
        return Verdicts(
            released=released,
            approved=[load for load, _, verdict in loads if verdict in ("passed", "noted")],
            audited=audited,
            loaded_at={load: _moment(at) for load, at, _ in loads},
            additive=frozenset(school for (school,) in holds),
        )

    def _attach(self, path: Path, name: str, what: str) -> None:
        where = f"{name}_path: {path}"
        faults: dict[Fault, Exception] = {
            "busy": FatalSourceError(f"{where} is in use by another process; run again when it has ended"),
            "newer": SetupError(f"{where} was made by a newer DuckDB than {duckdb.__version__}; upgrade it"),
            "damaged": SetupError(f"{where} cannot be opened as {what}"),
        }
        attach(self._connection, path, name, faults.__getitem__)

    def _find_tables(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for table, column in self.run(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'warehouse' "
            "AND schema_name = $schema ORDER BY table_name, column_index",
            schema=self._schema,
        ):
            found.setdefault(table, []).append(column)
        kept = [name for name in found if name.endswith(HISTORY)]
        if not found:
            raise SetupError("warehouse_schema: the warehouse has no schema of that name with tables in it")
        if not kept or any(FIRST_LOAD not in found[name] for name in kept):
            what = "history" if not kept else "load numbers in its history"
            raise SetupError(
                f"warehouse_path: it keeps no {what}; set history: true in target-oneroster-duckdb, and load again"
            )
        return found

    def _see_tenants(self) -> None:
        kept = [name for name in self._tables if name.endswith(HISTORY) and TENANT in self._tables[name]]
        if kept and self._tenant is None:
            union = " UNION ".join(f"SELECT {TENANT} FROM {self.place(name)}" for name in kept)
            names = [str(name) for (name,) in self.run(f"{union} ORDER BY 1")]
            raise SetupError(f"tenant: the warehouse has tenants; set it to one of {', '.join(names)}")
        if self._tenant is not None and not kept:
            raise SetupError("tenant: the warehouse has none; remove it")

    def _make_view(self, of: File) -> None:
        there, columns = self.columns(of.name), []
        for its in of.fields:
            kind = "VARCHAR[]" if its.kind.is_list else "VARCHAR"
            name = quoted(its.name)
            columns.append(name if its.name in there else f"NULL::{_KINDS.get(its.kind, kind)} AS {name}")
        rows = f"{self.place(of.name + HISTORY)} h" if there else "(SELECT NULL::BIGINT AS row) WHERE false"
        loads = (
            f"{FIRST_LOAD} AS first, {ENDED_LOAD} AS ended" if there else "NULL::BIGINT AS first, NULL::BIGINT AS ended"
        )
        self.run(f"CREATE VIEW {of.name}_versions AS SELECT row, {', '.join(columns)}, {loads} FROM {rows}")


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, UTC)
