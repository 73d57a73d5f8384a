"""Build a bundle from staged rows: load, prove, merge, convert, check, compare with the old bundle, write, publish."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb

from .._core.model import FILES
from .._core.model import file as file_named
from .._core.sql import Engine
from ..errors import TargetError, is_exhausted, one_line
from ..records.record_mapping import file_of
from ..singer.receipts import Arrival, Receipts, explain
from .checks import Finding, Findings, Severity, check
from .checks.cells import EMPTY
from .checks.run import MISSING_FILE, NO_ROLES
from .convert import CLASSES_THERE, FROM_CLASSES, convert, wants_classes
from .dialect_files import change_tables, foreign_ids, leave_out, read_dialect, write_dialect
from .early_load import LOADED_AT_ONCE, EarlyLoad
from .merge import drop_superseded, merge
from .published import Existing, read_existing
from .quarantine import SUFFIX as QUARANTINE
from .quarantine import write_quarantine
from .sent_roles import SUFFIX as SENT_ROLES
from .sent_roles import SentRoles
from .shrink_guard import hold_if_shrunk
from .staging import BundleStaging
from .stores import store_at
from .tables import load, set_tombstones_apart
from .twin_scope import TwinScope
from .write import write_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from .options import BundleOptions


@dataclass(slots=True)
class BundleOutcome:
    """The outcome of a run."""

    published: bool = False
    reason: str | None = None
    """Why nothing was published."""
    rows: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    went_along: Counter[str] = field(default_factory=Counter)
    counts: dict[str, int] = field(default_factory=dict)
    """Replaced or omitted values, by rule."""
    findings: list[Finding] = field(default_factory=list)
    causes: list[tuple[str, dict[str, int]]] = field(default_factory=list)


class BundleBuild:
    """A bundle under construction: rows are staged, then the whole bundle is published, or nothing."""

    def __init__(self, output: str, options: BundleOptions, storage_options: Mapping[str, Any]) -> None:
        self.options = options
        self.store = store_at(output, storage_options)
        self.work = self.store.work_dir()
        self.staging = BundleStaging(
            self.work.folder("staged"),
            secrets=options.include_passwords,
            metadata=options.keep_metadata,
            zone=options.zone,
        )
        self._quarantine = self.work.path / "quarantine"
        self.receipts = Receipts()
        self.outcome = BundleOutcome()
        self._copies: Counter[str] = Counter()
        self._engine: Engine | None = None
        self.early = EarlyLoad(lambda: self.engine)

    @property
    def engine(self) -> Engine:
        """The engine, which is opened when the first rows are loaded."""
        if self._engine is None:
            self._engine = Engine(
                self.work.path, large=self.staging.records > LOADED_AT_ONCE, memory=self.options.engine_memory
            )
        return self._engine

    def _close_engine(self) -> None:
        engine, self._engine = self._engine, None
        if engine:
            engine.close()

    def publish(self, others: Mapping[str, Arrival]) -> BundleOutcome:
        """Publish the staged rows.

        `others` are streams that sent a schema but whose rows are not staged unchanged. Raise TargetError if the bundle
        must not be published; `outcome` then holds the reason.
        """
        try:
            self.staging.close()
            if self.staging.records > LOADED_AT_ONCE:  # what was loaded before is too much for an engine in memory
                self._close_engine()
            else:
                self.early.end()
            try:
                self._publish(self.engine, others)
            finally:
                self._close_engine()
        except Exception as error:
            self.outcome.reason = one_line(error, folder=self.work.path.parent)
            raise
        return self.outcome

    def _publish(self, engine: Engine, others: Mapping[str, Arrival]) -> None:
        """Publish the new bundle and the files beside it; do nothing if no records arrived."""
        if not self._load(engine, others):
            return
        sent = SentRoles(engine, self.options, self.store.fetch_beside(SENT_ROLES, self.work))
        new = self._make(engine, sent)
        memory = self.work.path / "sent roles"
        if sent.write(memory, published=False):
            self.store.put_beside(memory, SENT_ROLES)
        self._scope.remember()
        self.store.put(new, self.work)
        self.outcome.published = True
        # Written after the bundle: a run that ends between the two is repeated, because it acknowledged no state.
        self.store.put_beside(self._quarantine if self.outcome.rejected else None, QUARANTINE)
        if sent.write(memory, published=True):
            self.store.put_beside(memory, SENT_ROLES)

    def _load(self, engine: Engine, others: Mapping[str, Arrival]) -> bool:
        """Load and prove the records; return True if there are any."""
        options, stages = self.options, self.staging.files
        arrivals = dict(others)
        for name, stage in stages.items():
            try:
                distinct = load(engine, stage, self._copies, in_passes=self.receipts.in_passes(name, stage.records))
            except duckdb.Error as error:  # its message may contain values
                if is_exhausted(error):
                    raise
                raise TargetError(
                    f"Stream {name}: its rows cannot be read back ({type(error).__name__}). Nothing was published."
                ) from None
            arrivals.setdefault(name, Arrival(stage.records, distinct))
        came = self.staging.records > 0
        snapshots = {name for name in arrivals if came and (kind := file_of(name)) and kind.name in options.snapshots}
        self._scope = TwinScope(self.store, self.work, self.receipts.scope, accept=options.accept_shrink)
        faults = self.receipts.faults(
            arrivals,
            required=options.require_receipts,
            nested=self.staging.nested,
            snapshots=snapshots,
            scope=self._scope.accepted if snapshots else self.receipts.scope,
        )
        if faults:
            raise TargetError(f"Nothing was published. {explain(faults)}")
        return came

    def _make(self, engine: Engine, sent: SentRoles) -> Path:
        """Create the files of the new bundle, and return their folder."""
        options, stages = self.options, self.staging.files
        drop_superseded(engine, stages, self._derived)
        there = self.store.fetch(self.work)
        upsert = options.load_method == "upsert"
        needed = upsert or options.guards_shrink
        old: Existing | None = None
        if needed or sent.wants_bundle or wants_classes(engine, options):
            # If the old bundle is only helpful, a malformed one is ignored.
            with nullcontext() if needed else suppress(TargetError):
                old = self._existing(there)
        if old:
            sent.learn(old)
            if not upsert and wants_classes(engine, options) and "classes" in old.modes:
                old.load(
                    engine, file_named("classes"), CLASSES_THERE, ["sourcedId", "schoolSourcedId", "courseSourcedId"]
                )
        if old and upsert:
            merge(engine, old, options, self._derived)
        bulk = options.bulk
        set_tombstones_apart(engine, [file for file in FILES if file.name in bulk])
        counts = self._copies + convert(engine, options, self.work.path)
        counts.update({f"{name}.{rule}": n for name, stage in stages.items() for rule, n in stage.deviations.items()})
        if options.dialect:
            counts += leave_out(engine, options.dialect)
        note = sent.take_back(counts, derived=self._derived("roles"))
        self.outcome.counts = {rule: n for rule, n in counts.items() if n}
        findings = check(engine, options.version, bulk=bulk)
        findings.found += [note] if note else []
        self._judge(findings)
        if dialect := options.dialect:
            self.outcome.counts |= +change_tables(engine, dialect)
            self.outcome.findings += foreign_ids(engine, dialect)
        if old:
            hold_if_shrunk(engine, old, options)
        new = self.work.folder("bundle")
        self.outcome.rows = (
            write_dialect(engine, dialect, options, new) if dialect else write_files(engine, options, new)
        )
        if not self.outcome.rows:
            raise TargetError("Nothing was published: no row is left.")
        if self.outcome.rejected:
            write_quarantine(engine, self._quarantine)
        return new

    def _existing(self, there: Path | None) -> Existing | None:
        """Return the bundle at the output, in the form in which this run writes."""
        into = self.work.path / "unpacked"
        if dialect := self.options.dialect:
            return read_dialect(there, into, dialect)
        return read_existing(there, into, upsert=self.options.load_method == "upsert")

    def _derived(self, name: str) -> bool:
        """True if the rows of a file were derived from their parents' records, here or by the tap."""
        return name in self.staging.nested or self.receipts.derived(name)

    def _judge(self, findings: Findings) -> None:
        """Record the findings, and raise TargetError if they prevent publication."""
        outcome = self.outcome
        outcome.findings, outcome.went_along = findings.found, findings.went_along
        outcome.rejected, outcome.causes = findings.rejected_rows, findings.causes()
        if stops := findings.of(Severity.STOP):
            said = "; ".join(finding.text() for finding in stops)
            raise TargetError(f"Nothing was published. {said}.{_select(findings)}")
        if outcome.rejected and self.options.on_invalid == "fail":
            rows = ", ".join(f"{name} {count}" for name, count in outcome.rejected.items())
            broken = findings.of(Severity.ROW)
            rules = "; ".join(finding.text() for finding in broken[:5])
            if any((finding.file, finding.field) in FROM_CLASSES and finding.rule == EMPTY for finding in broken):
                rules += ". The school is taken from the row of the class: send it, too, or have it in the bundle there"
            raise TargetError(
                f"Nothing was published: rows would have to go ({rows}). {rules}.{_select(findings)} "
                "Mend the source, or set on_invalid to quarantine."
            )

    def close(self) -> None:
        """Remove the run's own files."""
        self._close_engine()
        self.staging.discard()
        self.work.remove()


def _select(findings: Findings) -> str:
    """Return the streams that did not come and that rows need, as advice; empty if there are none."""
    needed = {target for one in findings.of(Severity.ROW) if (target := _target(one)) and _never_came(findings, target)}
    needed |= {"roles" for one in findings.of(Severity.STOP) if one.rule == NO_ROLES}
    needed |= {one.file for one in findings.found if one.rule == MISSING_FILE} if needed else set()
    names = [file.name for file in FILES if file.name in needed]
    return f" Select in the tap, too, what did not come: {', '.join(names)}." if names else ""


def _target(finding: Finding) -> str | None:
    fields = {field.name: field for field in file_named(finding.file).fields}
    return fields[finding.field].refers_to if finding.field in fields else None


def _never_came(findings: Findings, name: str) -> bool:
    return not findings.engine.count(name) and not findings.engine.has(f"{name} rejected")
