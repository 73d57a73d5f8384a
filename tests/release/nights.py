"""Nights of a made-up district in a warehouse, audited or not, and what the tap releases of them as a bundle."""

from __future__ import annotations

import io
import zipfile
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import msgspec
from oneroster_audit.store import Store
from oneroster_sample.bundle import write_bundle
from tap_oneroster import TapOneRoster
from tap_oneroster._core.model import FILES
from tap_oneroster.policy import Policy
from tap_oneroster.source import Request
from tap_oneroster.warehouse.source import WarehouseSource
from target_oneroster.bundle.target import TargetOneRosterCSV

from tests.audit.nights import load
from tests.csv.bundles import bundles_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from oneroster_sample.district import District

Rows = dict[str, dict[str, dict[str, Any]]]


class Nights:
    """A folder with one bundle and one load for each night, and the audit's store beside the warehouse."""

    def __init__(self, folder: Path, version: str = "1.2") -> None:
        self.folder, self.version = folder, version
        self.warehouse, self.store = folder / "warehouse.duckdb", folder / "audit.duckdb"
        self.bundles: list[Path] = []

    def load(self, district: District) -> int:
        """Load one more night and return the number of the load."""
        bundle = self.folder / f"night{len(self.bundles) + 1}.zip"
        write_bundle(district, bundle, version=self.version)
        load({"mode": "csv", "csv_path": str(bundle)}, self.warehouse)
        self.bundles.append(bundle)
        return len(self.bundles)

    def judge(self, released: Mapping[str, int], *, additions_of: Sequence[str] = (), audited: int = 0) -> None:
        """Write the verdicts by hand: from which load each school is released. A load of all schools has passed.

        `additions_of`: schools that the load `audited` holds because additions pass only.
        """
        self.store.unlink(missing_ok=True)
        at = dict(self.sql('SELECT "load", min("loadedAt") FROM oneroster."_loads" GROUP BY 1'))
        audited = audited or max(at)
        with Store(self.store) as store:
            passed = min(released.values())
            for number, moment in at.items():
                verdict = "passed" if number <= passed or set(released.values()) == {number} else "held"
                if number <= audited:
                    store.add("loads", [{"load": number, "loaded_at": moment.astimezone(UTC), "verdict": verdict}])
            for school, load_ in released.items():
                store.add("schools", [{"load": audited, "school_id": school, "name": "", "held": load_ < audited}])
                store.release([school], load_)
            for school in additions_of:
                finding = {"id": school, "load": audited, "check_id": "calendar.additions-only", "severity": "hold",
                           "school_id": school, "planned": True}  # fmt: skip
                store.add("findings", [finding])

    def sql(self, query: str) -> list[Any]:
        """Rows of the warehouse."""
        with duckdb.connect(str(self.warehouse), read_only=True) as database:
            return database.execute(query).fetchall()

    def settings(self, as_of: str, **more: Any) -> dict[str, Any]:
        """Settings of the tap."""
        store = {} if as_of == "newest" else {"store_path": str(self.store)}
        return {"mode": "warehouse", "warehouse_path": str(self.warehouse), "as_of": as_of, **store, **more}

    def release(self, as_of: str, **more: Any) -> Path:
        """Publish a bundle by the tap and target-oneroster-csv, and return it."""
        out = self.folder / f"{as_of}-{datetime.now(UTC):%H%M%S%f}.zip"
        publish(self.settings(as_of, **more), out, self.version)
        return out

    def records(self, as_of: str = "approved_by_school", night: int = 0) -> Rows:
        """The records of a release, or of a night's bundle, by file and id, read without Singer."""
        source: Any
        if night:
            source = bundles_at(self.bundles[night - 1])
        else:
            source = WarehouseSource(self.settings(as_of, warehouse_schema="oneroster"), Policy())
        found: Rows = {of.name: {} for of in FILES if of.csv}
        try:
            for of in FILES:
                for one in source.passes(Request(of, (of,))) if of.csv else ():
                    for batch in one:
                        for record in batch.records:
                            assert record.sourcedId not in found[of.name], f"{of.name} {record.sourcedId} comes twice"
                            found[of.name][record.sourcedId] = msgspec.to_builtins(record)
        finally:
            source.close()
        return found

    def by_way_of_csv(self, night: int) -> Path:
        """Publish the night's own bundle by the tap and target-oneroster-csv."""
        out = self.folder / f"csv{night}.zip"
        if not out.exists():
            publish({"mode": "csv", "csv_path": str(self.bundles[night - 1])}, out, self.version)
        return out


def publish(config: dict[str, Any], out: Path, version: str, **more: Any) -> None:
    """Run tap and target, with receipts required and every row that fails a check stopping it."""
    with redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")) as output:
        TapOneRoster(config=config).sync_all()
        output.flush()
    options = {
        "output_path": str(out),
        "oneroster_version": version,
        "require_receipts": True,
        "max_shrink_percent": 100,
    }
    options["report_path"] = str(out.with_suffix(".json"))
    target = TargetOneRosterCSV(config=options | more)
    with redirect_stdout(io.StringIO()):
        target.listen(io.BytesIO(output.buffer.getvalue()))  # type: ignore[arg-type]


def files(bundle: Path) -> dict[str, bytes]:
    """The bytes of each file of a bundle."""
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def differ(a: Mapping[str, bytes], b: Mapping[str, bytes]) -> list[str]:
    """Names of the files that are not the same in two bundles."""
    return sorted(name for name in {*a, *b} if a.get(name) != b.get(name))
