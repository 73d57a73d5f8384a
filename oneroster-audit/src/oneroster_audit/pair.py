"""Both sides of a comparison in one connection, read only: their rows, receipts and times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb

from ._core.history import ENDED_LOAD, FIRST_LOAD, attach, reader
from ._core.model import file
from ._core.model.schema import TENANT
from ._core.sql import literal, quoted
from .errors import Unknown, Wrong, in_use
from .warehouse import MEMORY, Warehouse

if TYPE_CHECKING:
    from ._core.model import File

SCHEMA = "oneroster"

_RECEIPT = ("version", "mode", "filter", "distinct", "complete", "contentDigest")


@dataclass(frozen=True, slots=True)
class Side:
    """One of two things that are compared; without a load, what is present in the file."""

    name: str
    path: Path
    schema: str = SCHEMA
    tenant: str = ""
    load: int | None = None


class Pair:
    """The open files of two sides, `a` and `b`; both may be in one file."""

    def __init__(self, a: Side, b: Side, within: Warehouse | None = None) -> None:
        """Open both files; `within` is the open warehouse, which is side `a`, and stays open afterwards."""
        self._sides, self._within = {"a": a, "b": b}, within
        self._spill = TemporaryDirectory(prefix="oneroster-audit-")
        self._connection = within.connection if within else reader(self._spill.name, MEMORY)
        try:
            self._bases: dict[Path, str] = {a.path: "warehouse"} if within else {}
            for side in (a, b):
                self._attach(side.path)
            self._tables = {name: self._find(side) for name, side in self._sides.items()}
            self._loads = {name: self._load(name, side) for name, side in self._sides.items()}
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the files that were opened here."""
        if self._within:
            for name in set(self._bases.values()) - {"warehouse"}:
                self._connection.execute(f"DETACH {name}")
        else:
            self._connection.close()
        self._spill.cleanup()

    def run(self, text: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        try:
            return self._connection.execute(text, parameters or None).fetchall()
        except duckdb.Error as error:  # its message may contain values
            raise Unknown(f"the two sides cannot be compared ({type(error).__name__}).") from None

    def has(self, side: str, table: str) -> bool:
        """True if a side has that table."""
        return self._place(side, table) in self._tables[side]

    def columns(self, side: str, table: str) -> set[str]:
        """Return the columns of a table; empty if the side does not have it."""
        return set(self._tables[side].get(self._place(side, table), ()))

    def at(self, side: str) -> datetime:
        """Return when a side was loaded."""
        return self._loads[side][1]

    def rows(self, side: str, of: File) -> str:
        """Return a FROM clause of the rows of a file; none if the side does not have it."""
        if not self.has(side, of.name):
            kinds = ", ".join(
                f"NULL::{'VARCHAR[]' if its.kind.is_list else 'VARCHAR'} AS {quoted(its.name)}" for its in of.fields
            )
            return f"(SELECT {kinds} WHERE false)"
        place = self._place(side, of.name)
        load = self._sides[side].load
        if load is None:
            there = "_sdc_deleted_at IS NULL AND \"status\" IS DISTINCT FROM 'tobedeleted'"
        else:
            there = f"{FIRST_LOAD} <= {load} AND ({ENDED_LOAD} IS NULL OR {ENDED_LOAD} > {load})"
        return f"(SELECT * FROM {self._name(side, place)} WHERE {there}{self._mine(side, place)})"

    def count(self, side: str, table: str) -> int:
        """Return the number of rows of a file."""
        return int(self.run(f"SELECT count(*) FROM {self.rows(side, file(table))}")[0][0])

    def receipt(self, side: str, table: str) -> dict[str, Any] | None:
        """Return the receipt of a file, if the load of that side has exactly one."""
        there = self._tables[side].get("syncReceipts", [])
        if not {*_RECEIPT, "_sdc_received_at"} <= set(there):
            return None
        found = self.run(
            f"SELECT {', '.join(map(quoted, _RECEIPT))} FROM {self._name(side, 'syncReceipts')} "
            f'WHERE "collection" = $name AND epoch_us(_sdc_received_at) = $at{self._mine(side, "syncReceipts")}',
            name=table,
            at=self._loads[side][2],
        )
        return dict(zip(_RECEIPT, found[0], strict=True)) if len(found) == 1 else None

    def _place(self, side: str, table: str) -> str:
        return table if self._sides[side].load is None else f"{table}_history"

    def _name(self, side: str, table: str) -> str:
        of = self._sides[side]
        return f"{self._bases[of.path]}.{quoted(of.schema)}.{quoted(table)}"

    def _mine(self, side: str, table: str) -> str:
        tenant = self._sides[side].tenant
        return f" AND {TENANT} = {literal(tenant)}" if tenant and TENANT in self._tables[side].get(table, ()) else ""

    def _attach(self, path: Path) -> None:
        if path in self._bases:
            return
        if not path.is_file():
            raise Unknown(f"no warehouse at {path}.")
        name, damaged = f"side{len(self._bases)}", Unknown(f"{path} cannot be opened as a DuckDB database.")
        attach(self._connection, path, name, lambda kind: in_use(path) if kind == "busy" else damaged)
        self._bases[path] = name

    def _find(self, side: Side) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for table, column in self.run(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = $base AND schema_name = $schema",
            base=self._bases[side.path],
            schema=side.schema,
        ):
            found.setdefault(table, []).append(column)
        if "_loads" not in found:
            raise Wrong(f"{side.name}: {side.path.name} has no schema {side.schema} of target-oneroster-duckdb")
        if side.load is not None and not any(FIRST_LOAD in columns for columns in found.values()):
            raise Unknown(
                "the warehouse keeps no history. Set history: true in target-oneroster-duckdb, and load again."
            )
        if not side.tenant and TENANT in found.get("users", found.get("users_history", [])):
            raise Wrong(f"{side.name} has tenants: compare loads, with `tenant` in the policy")
        return found

    def _load(self, name: str, side: Side) -> tuple[int, datetime, int]:
        where = f'"load" = {side.load}' if side.load is not None else "true"
        found = self.run(
            f'SELECT "load", epoch_us("loadedAt") FROM {self._name(name, "_loads")} WHERE {where} ORDER BY 1 DESC LIMIT 1'
        )
        if not found:
            what = f"no load {side.load}" if side.load is not None else "no load yet"
            raise Wrong(f"the warehouse has {what}")
        load, at = found[0]
        return load, datetime.fromtimestamp(at / 1e6, UTC), at


def file_and_schema(name: str) -> tuple[Path, str]:
    """Return the path and the schema of a name; a path may hold a colon itself."""
    whole = Path(name)
    before, colon, schema = name.rpartition(":")
    return (
        (Path(before), schema)
        if colon and schema and not whole.exists() and Path(before).is_file()
        else (whole, SCHEMA)
    )
