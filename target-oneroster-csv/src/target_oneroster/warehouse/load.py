"""Load one run into the file: rows are staged, proven by receipts, then merged stream by stream."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from .._core.copies import CONFLICT
from .._core.copies.tables import SEVERAL_ROLES, copies_of
from .._core.model import FILES, RECEIPTS
from .._core.model.schema import TENANT
from .._core.sql import quoted
from .._core.stores.work_folder import WorkDir
from ..errors import TargetError
from ..singer.receipts import NOT_COMPLETE, Arrival, Receipts, explain
from .counts import Counts, TableCounts, by_tenant
from .first_load import first_load
from .loader import LOADER_MEMORY
from .loads import LEFT, Loads
from .merge import MergePlan, Parent, merge
from .staging import WarehouseStaging
from .switch import switched
from .views import make_views
from .warehouse_file import DAMAGED, WarehouseFile, is_damaged, proven

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .parquet_files import ParquetFiles
    from .staging import Came, Stage

_THREADS = 4


@dataclass(frozen=True, slots=True)
class WarehouseOptions:
    """How to keep the warehouse."""

    schema: str = "oneroster"
    hard_delete: bool = False
    history: bool = False
    history_keep_days: int | None = None
    views: bool = True
    activate_version: bool = True
    require_receipts: bool = False
    include_passwords: bool = False
    engine_memory: str = LOADER_MEMORY
    """How much memory the engine may use before it writes to disk."""
    zone: tzinfo = UTC
    """Zone of times without a zone."""
    parquet: ParquetFiles | None = None


@dataclass(slots=True)
class LoadOutcome:
    """The outcome of a run."""

    tables: dict[str, TableCounts] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """Streams whose tables were left unchanged, and why."""
    unreadable: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Number of values of another type than their column, by table and column."""
    deviations: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Number of values that broke a rule, by table and by field and rule."""
    files: int = 0
    """Number of Parquet files written."""
    switched: str = ""
    """What to expect, if the warehouse was fed by the other binding before."""


class Load:
    """One run into one warehouse."""

    def __init__(self, filepath: str, options: WarehouseOptions) -> None:
        self.path = Path(filepath)
        self.options = options
        proven(self.path)
        self._is_new = not self.path.exists()
        self.work = WorkDir(self.path.absolute().parent, self.path)
        self._now = datetime.now(UTC)
        self.receipts = Receipts()
        self.activated: dict[str, int] = {}
        """Version of tables whose read reached its end after the last record."""
        self.outcome = LoadOutcome()

    @cached_property
    def staging(self) -> WarehouseStaging:
        """The staged rows; created on first use, so that a signal before that finds only the folder."""
        return WarehouseStaging(
            self.work.folder("staged"),
            self.options.schema,
            self._now,
            is_new=self._is_new,
            secrets=self.options.include_passwords,
            zone=self.options.zone,
            memory=self.options.engine_memory,
        )

    def finish(self, others: Mapping[str, Arrival], begin: Callable[[str], None] = lambda _: None) -> LoadOutcome:
        """Merge the rows that arrived. Raise TargetError if a stream was rejected; the others are then loaded.

        `others` are streams that sent a schema but whose rows are not staged unchanged. `begin` is told each table.
        """
        connection = self.staging.finish()
        connection.execute(f"SET threads = {min(os.cpu_count() or 1, _THREADS)}")
        came = {name: self.staging.came(connection, name, self.receipts.in_passes) for name in self.staging.stages}
        outcome, loader = self.outcome, self.staging.loader
        outcome.unreadable, outcome.deviations = loader.unreadable, loader.deviations
        for name, stage in self.staging.stages.items():
            outcome.unreadable.update({(name, column): count for column, count in stage.unreadable.items()})
            outcome.deviations.update({(name, rule): count for rule, count in stage.deviations.items()})
        self._prove(came, others)
        self._refuse_conflicts(came)
        if self.path.exists():
            store = WarehouseFile(connection, self.options.schema, self.path)
            try:
                self.outcome.switched = switched(store, self.receipts)
                self._fill(store, connection, came, begin)
            finally:
                store.close()
        elif not self._is_new:  # an incremental read into a new file would look like the complete data
            raise TargetError(f"{self.path} was there when the run began, and is gone. Nothing was loaded.")
        else:
            self._fill(WarehouseFile(connection, self.options.schema), connection, came, begin, is_new=True)
            self._move(connection)
        if self.outcome.refused:
            raise TargetError(f"Not loaded, left as it was: {explain(self.outcome.refused)} No state is written.")
        return self.outcome

    def _fill(
        self,
        store: WarehouseFile,
        connection: duckdb.DuckDBPyConnection,
        came: Mapping[str, Came],
        begin: Callable[[str], None],
        *,
        is_new: bool = False,
    ) -> None:
        """Merge each proven stream into its table; then update what depends on the tables."""
        bring = first_load if is_new else merge
        loads = Loads(store, self._now)
        kinds = sorted((*FILES, RECEIPTS), key=lambda kind: kind.derived is None)
        for name in (kind.name for kind in kinds if kind.name in {*came, *self.outcome.refused}):
            if name in self.outcome.refused:
                self._leave(store, loads, name, came.get(name), is_new=is_new)
                if is_new and name in came:
                    store.change(f"DROP TABLE {store.place(name)}")
                continue
            begin(f"loading {name}")
            # Derived rows come first: a new warehouse consists of the staged tables, and they query those of their
            # parents.
            plan = self._plan(connection, loads, self.staging.stages[name], came)
            try:
                bring(store, plan)
            except duckdb.Error as error:  # its message may contain values
                if is_damaged(str(error)):
                    raise TargetError(f"{DAMAGED.format(self.path)} No state is written.") from None
                full = f", no space left beside {self.path}" if "No space left" in str(error) else ""
                raise TargetError(
                    f"Table {name} could not be loaded ({type(error).__name__}{full}) and is as it was. No state is written."
                ) from None
            self.outcome.tables[name] = plan.counts
        loads.finish()
        if self.options.views:
            make_views(store)
        if self.options.parquet and not self.outcome.refused:
            self.outcome.files = self.options.parquet.write(store, self.work)

    def _leave(self, store: WarehouseFile, loads: Loads, name: str, came: Came | None, *, is_new: bool) -> None:
        """Record that a table was left as it was, and how many rows came for it."""
        counts = TableCounts({tenant: Counts() for tenant in self._tenants(name)}, note=self.outcome.refused[name])
        if came:
            table = self.staging.stages[name].table
            keys = [f"count(DISTINCT {quoted(table.keys[-1])})"]
            rows = self.staging.rows(name, came)
            for tenant, (count,) in by_tenant(store, keys, rows, tenants=table.tenant).items():
                counts.of(tenant).came = count
        if not is_new and (there := store.columns(name)):
            counts.count_total(store, store.place(name), tenants=TENANT in there)
        loads.add(name, counts, LEFT)
        loads.write()

    def _tenants(self, name: str) -> set[str | None]:
        """Return the tenants whose rows of a stream were to come, as far as receipts say."""
        return {r.get(TENANT) for r in self.receipts.of(name) or self.receipts}

    def _move(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Move the database of a first run to its place, if no other run has created the file meanwhile."""
        connection.execute("CHECKPOINT")
        self.staging.loader.stop()
        new = self.staging.loader.path
        try:
            self.path.hardlink_to(new)
        except FileExistsError:
            raise TargetError(
                f"{self.path} was made by another run meanwhile. Nothing was loaded. Run again."
            ) from None
        except OSError:  # a file system without hard links
            new.rename(self.path)

    def _prove(self, came: Mapping[str, Came], others: Mapping[str, Arrival]) -> None:
        """Record the streams that are not proven; a read that did not reach its end is loaded but deletes nothing."""
        arrivals = {name: Arrival(c.records, c.distinct) for name, c in came.items() if name != RECEIPTS.name}
        faults = self.receipts.faults(
            arrivals | dict(others), required=self.options.require_receipts, nested=self.staging.nested
        )
        self.outcome.refused |= {name: fault for name, fault in faults.items() if fault != NOT_COMPLETE}

    def _refuse_conflicts(self, came: Mapping[str, Came]) -> None:
        """Record the streams with different rows for one id, if it is unknown which row is right.

        None of their rows is loaded: a complete read without that id would delete it.
        """
        for name, what in came.items():
            if CONFLICT in what.copies:
                self.outcome.refused.setdefault(name, f"{CONFLICT} ({what.copies[CONFLICT]} ids)")

    def _trusted(self, name: str) -> bool:
        return name not in self.outcome.refused and self.receipts.complete(name)

    def _plan(
        self, connection: duckdb.DuckDBPyConnection, loads: Loads, stage: Stage, came: Mapping[str, Came]
    ) -> MergePlan:
        name = stage.table.name
        parent = self._parent(stage, came)
        told = came[name].copies if name != RECEIPTS.name else {}
        notes = [f"{rule}: {n}" for rule, n in told.items() if rule != SEVERAL_ROLES or "roles" not in came]
        if not self.receipts.complete(name):
            notes.append("read not to its end: nothing deleted")
        tenants = self._tenants(name) if stage.table.tenant else {None}
        return MergePlan(
            table=stage.table,
            came=came[name],
            rows=self.staging.rows(name, came[name]),
            now=self._now,
            loads=loads,
            counts=TableCounts({tenant: Counts() for tenant in tenants}, came[name].records, "; ".join(notes)),
            superseded=self._superseded(connection, stage, came) if parent and parent.rows else None,
            snapshot=self._trusted(name) and self.activated.get(name, -1) == came[name].version,
            parent=parent,
            hard=self.options.hard_delete,
            history=self.options.history and stage.table.file.name != RECEIPTS.name,
            keep_days=self.options.history_keep_days,
            stamp=not self.receipts.announced and came[name].version is not None,
        )

    def _parent(self, stage: Stage, came: Mapping[str, Came]) -> Parent | None:
        """Return the parent of rows that were derived from its records, by the tap or here; None for other rows."""
        derived = stage.table.file.derived
        name = stage.table.name
        nested = name in self.staging.nested
        if not derived or not (nested or self.receipts.derived(name)) or not self._trusted(name):
            return None
        owners = came.get(derived.parent) if self._trusted(derived.parent) else None
        if owners is None:
            return Parent(derived.identity[0], None)
        # If rows came, but not as a whole, the tap holds back the deletion of the others.
        whole = (nested or not came[name].records) and owners.records > 0
        whole = whole and self.activated.get(derived.parent, -1) == owners.version
        return Parent(derived.identity[0], self.staging.rows(derived.parent, owners), whole)

    def _superseded(self, connection: duckdb.DuckDBPyConnection, stage: Stage, came: Mapping[str, Came]) -> str | None:
        """Return a query for rows that belong to a discarded copy of a parent; None if no parent is repeated.

        A source sends a parent, then the rows derived from it, with its dateLastModified: rows that arrived before the
        copy that counts, or are older than it, belong to another copy.
        """
        derived, name = stage.table.file.derived, stage.table.name
        if derived is None or came[derived.parent].records == came[derived.parent].distinct:
            return None
        tenant = [TENANT] if stage.table.tenant else []
        keys = ", ".join(['"sourcedId"', *tenant])
        rows = self.staging.number_rows(connection, derived.parent, came[derived.parent])
        connection.execute(
            f'CREATE OR REPLACE TEMP TABLE "arrivals" AS SELECT {keys}, v.newest, r.place AS last '
            f"FROM {rows} r JOIN {copies_of(derived.parent)} v USING ({keys}) WHERE r.row = v.kept"
        )
        rows = self.staging.number_rows(connection, name, came[name])
        owner = quoted(derived.identity[0])
        match = " AND ".join([f'p."sourcedId" = s.{owner}', *(f"p.{t} = s.{t}" for t in tenant)])
        connection.execute(
            f'CREATE OR REPLACE TEMP TABLE "superseded" AS SELECT s.row FROM {rows} s JOIN "arrivals" p ON {match} '
            'WHERE s.place < p.last OR coalesce(s."dateLastModified" < p.newest, p.newest IS NOT NULL)'
        )
        return 'SELECT row FROM "superseded"'

    def close(self) -> None:
        """Remove the run's own files."""
        if "staging" in self.__dict__:
            self.staging.discard()
        self.work.remove()
