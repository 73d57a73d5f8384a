"""From staged rows to a published bundle: load, prove, merge, convert, check, brake, write, publish."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .._core.model import FILES
from .._core.sql import Engine
from ..errors import TargetError, one_line
from ..records.record_mapping import file_of
from ..singer.receipts import Arrival, Receipts
from .checks import Finding, Findings, Severity, check
from .convert import convert
from .merge import drop_superseded, merge
from .published import read_existing
from .quarantine import SUFFIX, write_quarantine
from .shrink_guard import brake
from .staging import BundleStaging
from .stores import store_at
from .tables import load, set_tombstones_apart
from .write import write_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from .options import BundleOptions

__all__ = ["BundleBuild", "BundleOutcome"]


_LARGE = 4_000_000
"""Records that the engine's memory holds, with what it spills."""


@dataclass(slots=True)
class BundleOutcome:
    """What became of a run."""

    published: bool = False
    reason: str | None = None
    """Why nothing was published."""
    rows: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    went_along: Counter[str] = field(default_factory=Counter)
    counts: dict[str, int] = field(default_factory=dict)
    """What was substituted or left out on the way, by rule."""
    findings: list[Finding] = field(default_factory=list)
    causes: list[tuple[str, dict[str, int]]] = field(default_factory=list)


class BundleBuild:
    """One bundle in the making: rows are staged, then all of it is published, or nothing."""

    def __init__(self, output: str, options: BundleOptions, storage_options: Mapping[str, Any] | None = None) -> None:
        self.options = options
        self.store = store_at(output, storage_options or {})
        self.work = self.store.work_dir()
        self.staging = BundleStaging(
            self.work.folder("staged"),
            secrets=options.include_passwords,
            metadata=options.keep_metadata,
            zone=options.zone,
        )
        self.receipts = Receipts()
        self.outcome = BundleOutcome()

    def publish(self, others: Mapping[str, Arrival]) -> BundleOutcome:
        """Publish what was staged.

        `others` are streams that announced themselves and are not staged as they came. Raises
        TargetError where the bundle must not be published; `outcome` then says why.
        """
        try:
            self.staging.close()
            engine = Engine(self.work.path, large=self.staging.records > _LARGE)
            try:
                new = self._make(engine, others)
            finally:
                engine.close()
            if new is not None:
                self.store.put(new, self.work)
                if not self.outcome.rejected:
                    self.store.put_beside(None, SUFFIX)
                self.outcome.published = True
        except Exception as error:
            self.outcome.reason = one_line(error)
            raise
        return self.outcome

    def _make(self, engine: Engine, others: Mapping[str, Arrival]) -> Path | None:
        """The files of the new bundle in a folder; None where nothing came."""
        options, stages = self.options, self.staging.files
        arrivals = dict(others)
        for name, stage in stages.items():
            distinct = load(engine, stage)
            arrivals.setdefault(name, Arrival(stage.records, distinct))
        came = self.staging.records > 0
        snapshots = {name for name in arrivals if came and (kind := file_of(name)) and kind.name in options.snapshots}
        self.receipts.check(arrivals, required=options.require_receipts, snapshots=snapshots)
        if not came:
            return None
        drop_superseded(engine, stages, self._derived)
        there = self.store.fetch(self.work)
        upsert = options.load_method == "upsert"
        needed = upsert or options.braked
        old = read_existing(there, self.work.path / "unpacked", upsert=upsert) if needed else None
        if old and upsert:
            merge(engine, old, options, self._derived)
        bulk = options.bulk
        set_tombstones_apart(engine, [file for file in FILES if file.name in bulk])
        self.outcome.counts = {
            f"{name}.{rule}": n for name, stage in stages.items() for rule, n in stage.deviations.items()
        }
        self.outcome.counts |= {rule: n for rule, n in convert(engine, options, self.work.path).items() if n}
        self._judge(check(engine, options.version, bulk=bulk))
        if old:
            brake(engine, old, options)
        new = self.work.folder("bundle")
        self.outcome.rows = write_files(engine, options, new)
        if not self.outcome.rows:
            raise TargetError("Nothing was published: no row is left.")
        if self.outcome.rejected:
            path = self.work.path / "quarantine"
            write_quarantine(engine, path)
            self.store.put_beside(path, SUFFIX)
        return new

    def _derived(self, name: str) -> bool:
        """Whether the rows of a file were made from their parents' records, here or by the tap."""
        return name in self.staging.derived or self.receipts.derived(name)

    def _judge(self, findings: Findings) -> None:
        """Note what was found, and stop where it must not be published."""
        outcome = self.outcome
        outcome.findings, outcome.went_along = findings.found, findings.went_along
        outcome.rejected, outcome.causes = findings.rejected_rows, findings.causes()
        if stops := findings.of(Severity.STOP):
            raise TargetError(f"Nothing was published. {'; '.join(finding.text() for finding in stops)}.")
        if outcome.rejected and self.options.on_invalid == "fail":
            rows = ", ".join(f"{name} {count}" for name, count in outcome.rejected.items())
            rules = "; ".join(finding.text() for finding in findings.of(Severity.ROW)[:5])
            raise TargetError(
                f"Nothing was published: rows would have to go ({rows}). {rules}. "
                "Mend the source, or set on_invalid to quarantine."
            )

    def close(self) -> None:
        """Remove the run's own files."""
        self.staging.discard()
        self.work.remove()
