"""The warehouse, read only: its loads, and the versions of its rows as of a load."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb

from ._core.history import ENDED_LOAD, FIRST_LOAD, HISTORY, attach, reader
from ._core.model import FILES, file
from ._core.model.schema import TENANT
from ._core.sql import literal, quoted
from .errors import Unknown, Wrong, in_use, store_fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ._core.history import Fault

MEMORY = "600MB"


def sql(name: str) -> str:
    """Return the text of a SQL file of this package."""
    return files(__package__ or __name__).joinpath(name).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Table:
    """What a load did to one table."""

    came: int
    total: int
    whole: bool
    outcome: str
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """One run of the target."""

    number: int
    loaded_at: datetime
    tables: dict[str, Table]
    is_finished: bool = True
    """False if the load broke off before all tables were in place."""

    @property
    def whole(self) -> bool:
        """True if every table came whole."""
        return all(table.whole for table in self.tables.values())


class Warehouse:
    """One file, open while SQL runs. Each table of the model is a macro `<table>_at(load)`: its rows as of that load.

    `<table>_versions(load)` are all versions that began up to that load.
    """

    def __init__(self, path: Path, schema: str, tenant: str) -> None:
        if not path.is_file():
            raise Unknown(f"no warehouse at {path}. Load it with target-oneroster-duckdb and history: true.")
        self._spill = TemporaryDirectory(prefix="oneroster-audit-")
        self._connection = reader(self._spill.name, MEMORY)
        self._schema, self._tenant = schema, tenant
        try:
            self._attach(path)
            self._tables = self._find_tables()
            self._columns: dict[str, list[str]] = {}
            self._see_tenants()
            for of in FILES:
                self._make_macro(of.name)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection, which has the file as `warehouse`."""
        return self._connection

    def close(self) -> None:
        """Release the file."""
        self._connection.close()
        self._spill.cleanup()

    def run(self, text: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement with those parameters that it names, and return its rows."""
        named = {name: value for name, value in parameters.items() if f"${name}" in text}
        try:
            return self._connection.execute(text, named or None).fetchall()
        except duckdb.Error as error:  # its message may contain values
            raise Unknown(f"a check failed ({type(error).__name__}). Nothing newer is released.") from None

    def columns(self, table: str) -> list[str]:
        """Return the columns of a table's rows; empty if the warehouse does not have it."""
        return self._columns.get(table, [])

    def has(self, table: str) -> bool:
        """True if the warehouse keeps the versions of that table."""
        return table in self._columns

    def keeps_status(self, table: str) -> bool:
        """True if the rows of that table stay with their status after they are gone."""
        return "status" in self._tables.get(table, ())

    def place(self, table: str) -> str:
        """Return a FROM clause of a table of the loader, of this tenant only."""
        return f"(SELECT * FROM {self._name(table)}{self._where(table)})"

    def loads(self) -> dict[int, Load]:
        """Return all loads, the oldest first."""
        if "_loads" not in self._tables:
            raise Unknown(
                "the warehouse has no table _loads. Load it once with this version of target-oneroster-duckdb."
            )
        found: dict[int, tuple[datetime, dict[str, Table]]] = {}
        broken = set()
        for load, at, name, is_finished, *rest in self.run(
            'SELECT "load", epoch_us("loadedAt"), "table", "finishedAt" IS NOT NULL, "came", "total", "whole", "outcome", "deleted" '
            f"FROM {self.place('_loads')} ORDER BY 1, 3"
        ):
            moment = datetime.fromtimestamp(at / 1e6, UTC)
            came, total, whole, outcome, deleted = rest
            if not is_finished:
                broken.add(load)
            tables = found.setdefault(load, (moment, {}))[1]
            tables[name] = Table(came or 0, total or 0, bool(whole), outcome or "", deleted or 0)
        return {load: Load(load, at, tables, load not in broken) for load, (at, tables) in found.items()}

    def touched(self) -> dict[str, int]:
        """Return for each table the newest load that began or ended a version of a row."""
        found = " UNION ALL ".join(
            f"SELECT {literal(name)}, max(greatest({FIRST_LOAD}, coalesce({ENDED_LOAD}, 0))) FROM {self.place(name + HISTORY)}"
            for name in self._columns
        )
        return {name: load or 0 for name, load in self.run(found)}

    def receipts(self, load: Load) -> list[dict[str, Any]]:
        """Return the receipts of a load, by column; empty if it has none."""
        if "syncReceipts" not in self._tables:
            return []
        there = self._tables["syncReceipts"]
        wanted = {
            "runId": '"runId"', "collection": '"collection"', "source": '"source"', "mode": '"mode"',
            "expected": '"expected"', "received": '"received"', "distinct": '"distinct"', "rejected": '"rejected"',
            "complete": '"complete"', "columns": '"columns"', "sourceModifiedAt": 'epoch_us("sourceModifiedAt")',
        }  # fmt: skip
        columns = ", ".join(what if name in there else "NULL" for name, what in wanted.items())
        rows = self.run(
            f"SELECT {columns} FROM {self.place('syncReceipts')} WHERE epoch_us(_sdc_received_at) = $at "
            'ORDER BY "collection", "startedAt"',
            at=round(load.loaded_at.timestamp() * 1e6),
        )
        return [dict(zip(wanted, row, strict=True)) for row in rows]

    @contextmanager
    def beside(self, path: Path, name: str) -> Iterator[None]:
        """Attach another file of the audit under a name while SQL runs, to be written."""
        attach(self._connection, path, name, lambda kind: store_fault(path, is_busy=kind == "busy"), read_only=False)
        try:
            yield
        finally:
            self._connection.execute(f"DETACH {quoted(name)}")

    def _attach(self, path: Path) -> None:
        def fault(kind: Fault) -> Exception:
            match kind:
                case "busy":
                    return in_use(path)
                case "newer":
                    return Wrong(f"{path} was made by a newer DuckDB than {duckdb.__version__}.")
                case "damaged":
                    return Unknown(f"{path} cannot be opened as a DuckDB database.")

        attach(self._connection, path, "warehouse", fault)

    def _find_tables(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for table, column in self._connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'warehouse' AND schema_name = $s "
            "ORDER BY table_name, column_index",
            {"s": self._schema},
        ).fetchall():
            found.setdefault(table, []).append(column)
        if not found:
            raise Unknown(f"the warehouse has no schema {self._schema} with tables in it.")
        kept = [name for name in found if name.endswith(HISTORY)]
        if not kept:
            raise Unknown(
                "the warehouse keeps no history. Set history: true in target-oneroster-duckdb, and load again."
            )
        if any(FIRST_LOAD not in found[name] for name in kept):
            raise Unknown("its history has no load numbers. Load once with this version of target-oneroster-duckdb.")
        return found

    def _see_tenants(self) -> None:
        kept = [n for n in self._tables if n.endswith(HISTORY) and TENANT in self._tables[n]]
        if kept and not self._tenant:
            union = " UNION ".join(f"SELECT {TENANT} FROM {self._name(name)}" for name in kept)
            names = [str(name) for (name,) in self._connection.execute(f"{union} ORDER BY 1").fetchall()]
            raise Wrong(f"the warehouse has tenants: set `tenant` in the policy to one of {', '.join(names)}")
        if self._tenant and not kept:
            raise Wrong("the policy sets `tenant`, and the warehouse has none")

    def _make_macro(self, table: str) -> None:
        there = self._tables.get(table + HISTORY)
        alive = f"({ENDED_LOAD} IS NULL OR {ENDED_LOAD} > k)"
        if there is None:
            nothing = ", ".join(f"NULL::{kind} AS {quoted(name)}" for name, kind in _model_columns(table).items())
            body = f"SELECT {nothing}, NULL::BIGINT AS {FIRST_LOAD}, NULL::BIGINT AS {ENDED_LOAD} WHERE k IS NULL AND k = 0"
            alive = "false"
        else:
            self._columns[table] = [name for name in there if not name.startswith("_sdc_") and name != TENANT]
            missing = "".join(
                f", NULL::{kind} AS {quoted(name)}" for name, kind in _model_columns(table).items() if name not in there
            )
            body = f"SELECT *{missing} FROM {self.place(table + HISTORY)} WHERE {FIRST_LOAD} <= k"
        for macro, text in ((f"{table}_at", f"{body} AND {alive}"), (f"{table}_versions", body)):
            self._connection.execute(f"CREATE TEMP MACRO {quoted(macro)}(k) AS TABLE {text}")

    def _name(self, table: str) -> str:
        return f"warehouse.{quoted(self._schema)}.{quoted(table)}"

    def _where(self, table: str) -> str:
        has = self._tenant and TENANT in self._tables.get(table, ())
        return f" WHERE {TENANT} = {literal(self._tenant)}" if has else ""


def _model_columns(table: str) -> dict[str, str]:
    return {
        field.name: "VARCHAR[]" if field.kind.is_list else "DATE" if field.kind == "date" else "VARCHAR"
        for field in file(table).fields
    }
