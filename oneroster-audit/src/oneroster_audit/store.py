"""The audit's own tables: one DuckDB file beside the warehouse, one transaction for each load, nothing of persons."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb

from ._core.history import STORE_VERSION
from ._core.sql import is_busy, quoted, when_free
from .errors import Wrong, store_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

TABLES: dict[str, dict[str, str]] = {
    "loads": {
        "load": "BIGINT", "loaded_at": "TIMESTAMPTZ", "run_ids": "VARCHAR[]", "source": "VARCHAR", "mode": "VARCHAR",
        "whole": "BOOLEAN", "complete": "BOOLEAN", "baseline": "BIGINT", "verdict": "VARCHAR", "audited_at": "TIMESTAMPTZ",
        "policy_digest": "VARCHAR", "versions": "VARCHAR", "planned": "BOOLEAN", "rule": "VARCHAR",
        "source_modified_at": "TIMESTAMPTZ", "district": "VARCHAR", "limits": "VARCHAR",
    },
    "counts": {
        "load": "BIGINT", "file": "VARCHAR", "school_id": "VARCHAR", "role": "VARCHAR", "term_id": "VARCHAR",
        "before": "BIGINT", "added": "BIGINT", "removed": "BIGINT", "changed": "BIGINT", "now": "BIGINT",
        "verdict": "VARCHAR",
    },
    "arrivals": {
        "load": "BIGINT", "file": "VARCHAR", "promised": "BIGINT", "arrived": "BIGINT", "rejected": "BIGINT",
        "complete": "BOOLEAN", "whole": "BOOLEAN", "outcome": "VARCHAR", "header": "VARCHAR[]", "marked": "BIGINT",
        "vanished": "BIGINT",
    },
    "columns": {
        "load": "BIGINT", "file": "VARCHAR", "column_name": "VARCHAR", "present": "BIGINT", "share": "DOUBLE",
        "words": "VARCHAR",
    },
    "findings": {
        "id": "VARCHAR", "load": "BIGINT", "check_id": "VARCHAR", "severity": "VARCHAR", "file": "VARCHAR",
        "school_id": "VARCHAR", "role": "VARCHAR", "term_id": "VARCHAR", "column_name": "VARCHAR", "before": "BIGINT",
        "now": "BIGINT", "count": "BIGINT", "share": "DOUBLE", "root": "VARCHAR", "planned": "BOOLEAN",
        "first_load": "BIGINT", "approved_by": "VARCHAR",
    },
    "reasons": {
        "load": "BIGINT", "school_id": "VARCHAR", "reason": "VARCHAR", "enrollments": "BIGINT", "students": "BIGINT",
    },
    "new_ids": {
        "load": "BIGINT", "school_id": "VARCHAR", "file": "VARCHAR", "verdict": "VARCHAR", "rows": "BIGINT",
    },
    "schedule_counts": {
        "load": "BIGINT", "school_id": "VARCHAR", "opened": "BIGINT", "closed": "BIGINT", "new_ids": "BIGINT",
        "classes": "BIGINT", "period": "BIGINT", "room": "BIGINT", "teacher": "BIGINT", "term": "BIGINT",
        "course": "BIGINT", "students": "BIGINT", "teachers": "BIGINT",
    },
    "rollover": {
        "load": "BIGINT", "school_id": "VARCHAR", "line": "VARCHAR", "state": "VARCHAR", "count": "BIGINT",
    },
    "approvals": {
        "load": "BIGINT", "school_id": "VARCHAR", "approved_by": "VARCHAR", "reason": "VARCHAR",
        "approved_at": "TIMESTAMPTZ",
    },
    "schools": {"load": "BIGINT", "school_id": "VARCHAR", "name": "VARCHAR", "held": "BOOLEAN"},
    "released": {"school": "VARCHAR", "load": "BIGINT"},
    "consumers": {"load": "BIGINT", "consumer": "VARCHAR", "title": "VARCHAR", "result": "VARCHAR"},
    "consumer_rules": {
        "load": "BIGINT", "consumer": "VARCHAR", "rule": "VARCHAR", "severity": "VARCHAR", "file": "VARCHAR",
        "count": "BIGINT", "follows": "BIGINT", "root": "VARCHAR", "says": "VARCHAR",
    },
    "alerts": {"load": "BIGINT", "channel": "BIGINT", "verdict": "VARCHAR"},
}  # fmt: skip
"""Tables and their columns. With a tenant each has it as its first column; `released` always has it."""


class Store:
    """The open store, of one tenant."""

    def __init__(self, path: Path, tenant: str = "", *, read_only: bool = False) -> None:
        if read_only and not path.is_file():
            raise Wrong(f"no store at {path}. Audit a load first: oneroster-audit run")
        self._tenant = tenant or None
        self._missing: dict[str, set[str]] = {}
        self._connection = connect_store(path, read_only=read_only)
        try:
            self._prepare(path, read_only=read_only)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def _prepare(self, path: Path, *, read_only: bool) -> None:
        there = {name for (name,) in self._run("SELECT table_name FROM duckdb_tables()")}
        if "meta" in there:
            version = int(self._run("SELECT version FROM meta")[0][0])
            if version > STORE_VERSION:
                raise Wrong(f"{path} was made by a newer oneroster-audit. Upgrade the package.")
            tenants = "SELECT 1 FROM duckdb_columns() WHERE table_name = 'loads' AND column_name = 'tenant'"
            see_tenant(path, self._run(tenants), self._tenant)
            self._missing = self._find_missing()
            if self._missing and not read_only:
                self._upgrade(there)
        elif there or read_only:
            raise Wrong(f"{path} is not a store of oneroster-audit. Set another `store`.")
        else:
            with self.transaction():
                self._run("CREATE TABLE meta (version INTEGER)")
                self._run("INSERT INTO meta VALUES ($version)", version=STORE_VERSION)
                for name in TABLES:
                    self._make(name)

    def _find_missing(self) -> dict[str, set[str]]:
        """Return the columns that a store of an earlier version of the package does not have, by table."""
        there: dict[str, set[str]] = {}
        for table, column in self._run("SELECT table_name, column_name FROM duckdb_columns()"):
            there.setdefault(table, set()).add(column)
        lacking = {table: set(columns) - there.get(table, set()) for table, columns in TABLES.items()}
        return {table: columns for table, columns in lacking.items() if columns}

    def _upgrade(self, there: set[str]) -> None:
        with self.transaction():
            for table, columns in self._missing.items():
                if table not in there:
                    self._make(table)
                    continue
                for column in sorted(columns):
                    self._run(f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(column)} {TABLES[table][column]}")
            self._run("UPDATE meta SET version = $version", version=STORE_VERSION)
        self._missing = {}

    def _make(self, table: str) -> None:
        spec = ", ".join(f"{quoted(column)} {kind}" for column, kind in self._spec(table, TABLES[table]).items())
        self._run(f"CREATE TABLE {quoted(table)} ({spec})")

    def _spec(self, table: str, columns: Mapping[str, str]) -> dict[str, str]:
        has = self._tenant is not None or table == "released"
        return {"tenant": "VARCHAR", **columns} if has else dict(columns)

    def _run(self, text: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(text, parameters or None).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all or nothing."""
        self._run("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK")
            raise
        self._run("COMMIT")

    def rows(self, table: str, where: str = "true", order: str = "ALL", **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of a table by column, of this tenant; times in UTC. What an older store lacks has no rows, or is null."""
        kinds, missing = TABLES[table], self._missing.get(table, set())
        if missing == set(kinds):
            return []
        names = [
            "NULL" if n in missing else quoted(n) if kind != "TIMESTAMPTZ" else f"epoch_us({quoted(n)})"
            for n, kind in kinds.items()
        ]
        mine = ""
        if self._tenant is not None:
            mine, parameters["tenant"] = "tenant = $tenant AND ", self._tenant
        found = self._run(
            f"SELECT {', '.join(names)} FROM {quoted(table)} WHERE {mine}({where}) ORDER BY {order}", **parameters
        )
        rows = []
        for row in found:
            values = dict(zip(kinds, row, strict=True))
            for name, kind in kinds.items():
                if kind == "TIMESTAMPTZ" and values[name] is not None:
                    values[name] = datetime.fromtimestamp(values[name] / 1e6, UTC)
            rows.append(values)
        return rows

    def add(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows; a column that a row lacks is null."""
        spec = self._spec(table, TABLES[table])
        names = ", ".join(map(quoted, spec))
        marks = ", ".join(f"unnest($c{n}::{kind}[])" for n, kind in enumerate(spec.values()))
        for start in range(0, len(rows), 50_000):
            part = [{"tenant": self._tenant, **row} for row in rows[start : start + 50_000]]
            columns = {f"c{n}": [row.get(name) for row in part] for n, name in enumerate(spec)}
            self._run(f"INSERT INTO {quoted(table)} ({names}) SELECT {marks}", **columns)

    def delete(self, table: str, where: str, **parameters: Any) -> None:
        """Delete rows of this tenant."""
        mine = ""
        if self._tenant is not None:
            mine, parameters["tenant"] = "tenant = $tenant AND ", self._tenant
        self._run(f"DELETE FROM {quoted(table)} WHERE {mine}({where})", **parameters)

    def newest(self) -> dict[str, Any] | None:
        """Return the newest load that was audited."""
        found = self.rows("loads", order="load DESC LIMIT 1")
        return found[0] if found else None

    def load(self, number: int) -> dict[str, Any]:
        """Return a load; raise Wrong if it was not audited."""
        found = self.rows("loads", "load = $load", load=number)
        if not found:
            raise Wrong(f"load {number} was not audited")
        return found[0]

    def released(self) -> dict[str, int]:
        """Return for each school the load from which it may be published."""
        return {row["school"]: row["load"] for row in self.rows("released")}

    def release(self, schools: Sequence[str], load: int) -> None:
        """Let these schools be published from that load."""
        self.delete("released", "list_contains($schools, school)", schools=list(schools))
        self.add("released", [{"school": school, "load": load} for school in schools])


def connect_store(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Open a file of the audit; wait some seconds while it is open elsewhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {"autoload_known_extensions": False}
    return when_free(
        path,
        lambda: duckdb.connect(str(path), read_only=read_only, config=config),
        lambda words: store_fault(path, is_busy=is_busy(words)),
    )


def see_tenant(path: Path, found: Sequence[object], tenant: str | None) -> None:
    """Raise Wrong if a file of the audit was made with a tenant, so that something of it was `found`, and is read without."""
    if bool(found) != bool(tenant):
        raise Wrong(f"{path} was made {'with' if found else 'without'} a tenant. Set another `store`.")
