"""From the warehouse to the bundle, as a district runs it: load, audit, release, approve."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from oneroster_audit.__main__ import command
from oneroster_sample.district import District
from oneroster_sample.events import parse_events
from tap_oneroster import TapOneRoster
from tap_oneroster.warehouse.source import WarehouseSource

from tests.audit.nights import House, district
from tests.release.nights import Nights, differ, files
from tests.singer import run_tap

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = ["2:calendar:00001", "2:people:00001", "2:transfer:00002:2", "2:schedule:00003:2"]


class Desk:
    """Two nights, audited; school 1 is held on the second."""

    def __init__(self, folder: Path) -> None:
        self.nights = Nights(folder)
        self.policy = folder / "policy.yml"
        self.policy.write_text("warehouse: warehouse.duckdb\nmax_age_hours: 1000000\nsmall: 5\n", encoding="utf-8")
        made = District(seed=3, schools=3, students_per_school=12, events=parse_events(EVENTS))
        self.codes = []
        for day in (1, 2):
            self.nights.load(made.changed(day))
            self.codes.append(self("run"))

    def __call__(self, *arguments: str) -> int:
        """Run a command of the audit."""
        return command([arguments[0], "--policy", str(self.policy), *arguments[1:]])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("audited"))


def test_the_newest_load_gives_the_bytes_of_the_bundle_that_it_came_from(desk: Desk) -> None:
    assert differ(files(desk.nights.release("newest")), files(desk.nights.by_way_of_csv(2))) == []


def test_a_held_school_stays_until_it_is_approved_and_the_district_waits_for_it_or_not(desk: Desk) -> None:
    """Each bundle is published by the target, which stops at a row that fails a check."""
    nights = desk.nights
    assert desk.codes == [0, 3]
    assert differ(files(nights.release("approved")), files(nights.by_way_of_csv(1))) == []
    released = nights.release("approved_by_school")
    assert json.loads(released.with_suffix(".json").read_text(encoding="utf-8"))["findings"] == []
    now = files(nights.by_way_of_csv(2))
    assert {"classes.csv", "enrollments.csv"} <= set(differ(files(released), now))
    receipts = run_tap(nights.settings("approved_by_school")).receipts
    for name in ("enrollments", "users"):
        receipt = receipts[name]
        assert (receipt["mode"], receipt["complete"], receipt["revision"]) == ("warehouse", True, "load 2")
        assert receipt["expected"] == receipt["received"] == receipt["distinct"]
        assert receipt["filter"] is None
        assert receipt["deviations"]["rows as of an earlier load, held: 00001"] > 0
    assert desk("approve", "2", "--by", "A", "--reason", "calendar rebuilt") == 0
    for as_of in ("approved", "approved_by_school"):
        assert differ(files(nights.release(as_of)), now) == [], as_of


def test_each_run_brings_everything_whatever_the_state_says(desk: Desk) -> None:
    first = run_tap(desk.nights.settings("newest"))
    second = run_tap(desk.nights.settings("newest"), state=first.state)
    assert second.error is None
    assert {name: len(rows) for name, rows in first.records.items()} == {n: len(r) for n, r in second.records.items()}
    assert "enrollments" in second.of("ACTIVATE_VERSION")
    assert all("replication_key" not in str(bookmark) for bookmark in first.state["bookmarks"].values())


def test_somebody_who_approved_a_loss_is_not_asked_again_by_the_tap(desk: Desk) -> None:
    few = {"bookmarks": {"enrollments": {"counts": {"total": 1_000_000, "schools": {}}}}}
    assert "accept_shrink" in str(run_tap(desk.nights.settings("newest"), state=few).error)
    assert run_tap(desk.nights.settings("approved"), state=few).error is None


def test_discovery_and_a_test_run_need_nothing_else(desk: Desk, capfd: pytest.CaptureFixture[str]) -> None:
    TapOneRoster(config={"mode": "warehouse"}, validate_config=False, setup_mapper=False).run_discovery()
    tap = TapOneRoster(config=desk.nights.settings("newest"))
    assert tap.run_connection_test()
    assert capfd.readouterr()[1].count("Traceback") == 0


def problem(config: dict[str, Any]) -> str:
    """The last line of a run that fails."""
    found = run_tap(config)
    assert found.error
    assert "\n" not in found.error
    assert "SELECT" not in found.error
    return found.error


def test_wrong_files_are_named_in_one_line(desk: Desk, tmp_path: Path) -> None:
    good = desk.nights.settings("approved_by_school")
    bare, newer, other = tmp_path / "bare.duckdb", tmp_path / "newer.duckdb", tmp_path / "other.duckdb"
    with duckdb.connect(str(bare)) as database:
        database.execute('CREATE SCHEMA oneroster; CREATE TABLE oneroster.users ("sourcedId" VARCHAR)')
    assert "keeps no history; set history: true" in problem(good | {"warehouse_path": str(bare)})
    assert "no file" in problem(good | {"warehouse_path": str(tmp_path / "none.duckdb")})
    assert "has no schema" in problem(good | {"warehouse_schema": "elsewhere"})
    assert "no file" in problem(good | {"store_path": str(tmp_path / "none.duckdb")})
    assert "is not a store of oneroster-audit" in problem(good | {"store_path": str(bare)})
    text = tmp_path / "text.duckdb"
    text.write_text("no database", encoding="utf-8")
    assert "cannot be opened as a store" in problem(good | {"store_path": str(text)})
    assert "tenant: the warehouse has none; remove it" in problem(good | {"tenant": "north"})
    newer.write_bytes(desk.nights.store.read_bytes())
    with duckdb.connect(str(newer)) as database:
        database.execute("UPDATE meta SET version = 99")
    assert "made by a newer oneroster-audit; upgrade tap-oneroster" in problem(good | {"store_path": str(newer)})
    other.write_bytes(desk.nights.store.read_bytes())
    with duckdb.connect(str(other)) as database:
        database.execute("UPDATE loads SET loaded_at = loaded_at - INTERVAL 1 DAY")
    assert "it is of another warehouse, or of an older one" in problem(good | {"store_path": str(other)})


def test_a_load_that_nobody_audited_is_said_and_not_released(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = tmp_path / "behind.duckdb"
    behind.write_bytes(desk.nights.store.read_bytes())
    with duckdb.connect(str(behind)) as database:
        database.execute("DELETE FROM loads WHERE load = 2; UPDATE released SET load = 1")
    said: list[str] = []
    source = WarehouseSource(
        desk.nights.settings("approved_by_school", warehouse_schema="oneroster") | {"store_path": str(behind)},
        policy=None,  # type: ignore[arg-type]
        say=said.append,
    )
    assert (source._plan.newest.number, source._plan.held) == (1, {})
    source.close()
    assert said[0] == "load 2 was not audited yet, the newest audited one is 1; what was released before is read"


def test_settings_that_do_not_fit_are_named_before_anything_is_read() -> None:
    from singer_sdk.exceptions import ConfigValidationError

    for config, words in (
        ({}, "warehouse_path: must be set where mode is warehouse"),
        ({"warehouse_path": "w", "as_of": "approved"}, "store_path: must be set where as_of is approved"),
        ({"warehouse_path": "w", "as_of": "tonight"}, "as_of: must be one of newest, approved, approved_by_school"),
        ({"warehouse_path": "w", "start_date": "2026-01-01T00:00:00Z"}, "start_date: a warehouse is always read"),
    ):
        with pytest.raises(ConfigValidationError) as refused:
            TapOneRoster(config={"mode": "warehouse", **config})
        assert words in str(refused.value)


def test_a_busy_file_and_a_missing_tenant_are_named(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_oneroster._core.sql.PATIENCE_SECONDS", 0)
    store = tmp_path / "audit.duckdb"
    store.write_bytes(desk.nights.store.read_bytes())
    with duckdb.connect(str(store)):
        config = desk.nights.settings("approved") | {"store_path": str(store)}
        assert "is in use by another process; run again when it has ended" in problem(config)
    house = House(tmp_path / "tenants.duckdb", tenant="north")
    house.load(district(schools=1, students=2, classes=1))
    config = {"mode": "warehouse", "warehouse_path": str(house.path)}
    assert problem(config) == "tenant: the warehouse has tenants; set it to one of north"
    records = run_tap(config | {"tenant": "north"}).records
    assert {row["tenant"] for row in records["enrollments"]} == {"north"}
    assert len(records["enrollments"]) == 3
