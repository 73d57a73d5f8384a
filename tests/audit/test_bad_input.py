"""What is not as it should be: the exit code says it, and the line says what to do."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import duckdb
from oneroster_audit.checks.arrival import header
from oneroster_audit.words import Severity

from tests.audit.conftest import POLICY, found
from tests.audit.nights import FIRST, House, district, of_school, without

if TYPE_CHECKING:
    import pytest

    from tests.audit.conftest import Desk


def test_the_first_night(desk: Desk) -> None:
    """Trap 26: one load only, exit 0, nothing compared, and every school is released."""
    report = desk.audit(district(2))
    assert (report["baseline"], report["held_schools"]) == (None, [])
    assert not [f for f in report["findings"] if f["severity"] == "hold"]
    assert desk.released() == {"s1": 1, "s2": 1}
    assert "First night" in desk.out or desk("show") == 0


def test_a_warehouse_put_back_from_a_copy(desk: Desk) -> None:
    """Trap 26: a load older than the newest that was audited is unknown."""
    rows = district(1)
    desk.audit(rows)
    copied = (desk.folder / "warehouse.duckdb").read_bytes()
    desk.audit(rows)
    (desk.folder / "warehouse.duckdb").write_bytes(copied)
    assert desk("run") == 1
    assert "older than load 2" in desk.err


def test_no_warehouse_no_history_no_loads(desk: Desk) -> None:
    """Each says what to do, and the exit code is 1."""
    assert desk("run") == 1
    assert "history: true" in desk.err
    with duckdb.connect(str(desk.folder / "warehouse.duckdb")) as database:
        database.execute("CREATE SCHEMA oneroster; CREATE TABLE oneroster.users (id VARCHAR)")
    assert desk("run") == 1
    assert "keeps no history" in desk.err
    with duckdb.connect(str(desk.folder / "warehouse.duckdb")) as database:
        database.execute("CREATE TABLE oneroster.users_history (id VARCHAR)")
    assert desk("run") == 1
    assert "no load numbers" in desk.err


def test_a_busy_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits, then says that another process has the file, exit 1."""
    monkeypatch.setattr("oneroster_audit._core.sql.PATIENCE_SECONDS", 0.0)
    desk.audit(district(1))
    with duckdb.connect(str(desk.folder / "warehouse.duckdb")):
        assert desk("run") == 1
    assert "in use" in desk.err


def test_a_store_of_a_newer_version(desk: Desk) -> None:
    """It is not touched: upgrade the package."""
    desk.audit(district(1))
    with duckdb.connect(str(desk.folder / "audit.duckdb")) as database:
        database.execute("UPDATE meta SET version = 99")
    desk.house.load(district(1))
    assert desk("run") == 2
    assert "newer oneroster-audit" in desk.err


def test_receipts_missing_or_incomplete(desk: Desk) -> None:
    """Without receipts there is a warning; an incomplete one, or a table left as it was, is unknown, exit 1."""
    rows = district(1)
    report = desk.audit(rows)
    assert found(report, "arrival.receipts")
    report = desk.audit(rows, receipts={})
    assert not found(report, "arrival.receipts")
    report = desk.audit(rows, receipts={"users": {"complete": False}}, code=1)
    assert report["verdict"] == "unknown"
    assert [f["file"] for f in found(report, "arrival.incomplete")] == ["users"]
    assert desk.released() == {"s1": 2}
    report = desk.audit(rows, receipts={}, outcome="left as it was", code=1)
    assert found(report, "arrival.incomplete")
    report = desk.audit(rows, receipts={"users": {"rejected": 2, "expected": 40, "received": 33}})
    assert found(report, "arrival.rejected")
    assert found(report, "arrival.fewer")
    assert [(f["before"], f["now"]) for f in found(report, "keys.duplicate")] == [(33, 31)]


def test_no_new_load(desk: Desk) -> None:
    """The last verdict is repeated, and nothing is written; when the newest load is too old it is unknown."""
    rows = district(8)
    desk.audit(rows)
    desk.audit(without(rows, "enrollments", of_school(rows, "enrollments", "s2")), code=3)
    before = (desk.folder / "audit.duckdb").read_bytes()
    assert desk("run") == 3
    assert (desk.folder / "audit.duckdb").read_bytes() == before
    desk.policy(POLICY.replace("100000", "1"))
    assert desk("run") == 1
    assert "no new load" in desk.err


def test_tenants(desk: Desk) -> None:
    """Trap 30: a warehouse with tenants needs the setting, which is refused otherwise with their names; each has its own counts."""
    path = desk.folder / "warehouse.duckdb"
    one, two = House(path, tenant="north"), House(path, tenant="o'south")
    one.load(district(1))
    two.loads, two._is_made = 1, True
    two.load(district(2, students=5))
    assert desk("run") == 2
    assert "north, o'south" in desk.err
    desk.policy(POLICY + 'tenant: "o\'south"\nstore: south.duckdb\n')
    assert desk("run") == 0, desk.err
    report = desk.report()
    assert next(f["now"] for f in report["files"] if f["file"] == "users") == 12
    with duckdb.connect(str(desk.folder / "south.duckdb"), read_only=True) as database:
        assert {t for (t,) in database.execute("SELECT DISTINCT tenant FROM counts").fetchall()} == {"o'south"}
        assert database.execute("SELECT DISTINCT tenant, school FROM released ORDER BY ALL").fetchall() == [("o'south", "s1"), ("o'south", "s2")]  # fmt: skip


def test_no_schools(desk: Desk) -> None:
    """A warehouse without schools is audited; what it loses is held all the same."""
    rows = district(0)
    for n in range(40):
        rows["orgs"][f"o{n}"] = {"sourcedId": f"o{n}", "type": "department", "name": "x"}
    desk.audit(rows)
    desk.audit(without(rows, "orgs", [f"o{n}" for n in range(20)]), code=3)
    assert desk("approve", "2", "--by", "a", "--reason", "b") == 0, desk.err
    assert desk("run") == 0


STRANGE = [
    "a'b",
    'a"b',
    "<script>alert(1)</script>",
    "x" * 255,
    "__proto__",
    "\N{PILE OF POO}",
    "$load",
    "*x",
    "a,b\nc",
]


def test_a_hundred_thousand_schools(desk: Desk) -> None:
    """All are released, and the page stays small: it says how many it leaves out."""
    rows = district(1, students=2, classes=1)
    desk.policy(POLICY + "report: {path: page.html}\n")
    desk.house.load(rows)
    many = "SELECT 'x' || n AS \"sourcedId\", 'School ' || n AS \"name\", 'school' AS \"type\", 1 AS _sdc_first_load FROM range(100000) r(n)"
    desk.house.sql(f"INSERT INTO oneroster.orgs_history BY NAME {many}")
    desk.house.sql("""UPDATE oneroster."_loads" SET "total" = "total" + 100000 WHERE "table" = 'orgs'""")
    assert desk("run") == 0, desk.err
    desk.house.load(rows, whole=False)
    assert desk("run") == 0, desk.err
    assert "100,001 schools" in desk.out
    assert len(desk.released()) == 100_001
    assert (desk.folder / "page.html").stat().st_size < 400_000


def test_strange_ids(desk: Desk) -> None:
    """Ids with quotes, markup, line ends and 255 characters are ids like others, and markup is escaped on the page."""
    desk.policy("warehouse: warehouse.duckdb\nmax_age_hours: 1000000\nreport: {path: page.html}\n")
    rows: dict[str, Any] = district(len(STRANGE), students=30, classes=1)
    names = {f"s{n}": strange for n, strange in enumerate(STRANGE, 1)}
    for name in ("orgs", "classes", "enrollments", "roles", "courses"):
        for key, row in list(rows[name].items()):
            for column in ("schoolSourcedId", "orgSourcedId"):
                if row.get(column) in names:
                    row[column] = names[row[column]]
            if name == "orgs" and key in names:
                rows[name][names[key]] = rows[name].pop(key) | {"sourcedId": names[key], "name": "<script>x</script>"}
    desk.audit(rows)
    gone = copy.deepcopy(rows)
    for strange in STRANGE[:3]:
        for key in of_school(rows, "enrollments", strange):
            del gone["enrollments"][key]
    report = desk.audit(gone, code=3)
    assert {s["id"] for s in report["held_schools"]} == set(STRANGE[:3])
    page = (desk.folder / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_unknown_schools_in_the_policy_are_a_warning(desk: Desk) -> None:
    """A school of the policy that is not there does not stop the audit."""
    desk.policy(POLICY + "calendar:\n- {from: 2026-09-15, to: 2026-09-15, rule: normal, schools: [nowhere]}\n")
    report = desk.audit(district(1))
    assert [f["severity"] for f in found(report, "policy.school")] == ["warn"]


def test_old_reads_and_old_sources(desk: Desk) -> None:
    """The source's age is measured when the load was made, and is no warning in a blackout."""
    rows = district(1)
    desk.policy("max_age_hours: 1000000\n")
    old = {"*": {"sourceModifiedAt": FIRST - timedelta(days=9)}}
    assert found(desk.audit(rows, receipts=old), "arrival.late")
    new = {"*": {"sourceModifiedAt": FIRST - timedelta(days=1)}}
    assert not found(desk.audit(rows, receipts=new), "arrival.late")


def test_a_file_that_did_not_come(desk: Desk) -> None:
    """A file that the baseline had, and that does not come or comes empty, holds every school."""
    rows = district(2)
    desk.audit(rows)
    report = desk.audit(rows, without=("classes",), code=3)
    assert [f["file"] for f in found(report, "arrival.missing")] == ["classes"]
    assert len(report["held_schools"]) == 2
    report = desk.audit(rows | {"courses": {}}, code=3)
    assert [f["file"] for f in found(report, "arrival.missing")] == ["courses"]
    assert not desk.audit(rows)["held_schools"]


def test_headers() -> None:
    """A column that is added, renamed, moved or lost is a warning; a required one that is lost holds."""
    columns = ["sourcedId", "title", "schoolSourcedId", "location"]

    def severities(new: list[str], mode: str = "bulk") -> list[Severity]:
        was, now = ([{"collection": "classes", "columns": names, "mode": mode}] for names in (columns, new))
        found = list(header(was, now))
        assert {f.check for f in found} <= {"arrival.header"}
        return [f.severity for f in found]

    assert severities(columns) == []
    assert severities([*columns, "metadata.x"]) == [Severity.WARN]
    assert severities(["SourcedId", *columns[1:]]) == [Severity.WARN]
    assert severities([columns[1], columns[0], *columns[2:]]) == [Severity.WARN]
    assert severities([columns[1], columns[0], *columns[2:]], "rest") == []
    assert severities(columns[:3]) == [Severity.WARN]
    assert severities([columns[0], *columns[2:]]) == [Severity.HOLD]


def test_a_history_that_does_not_reach_back(desk: Desk) -> None:
    """A school that was held for longer than the warehouse keeps versions stays held; the others pass."""
    rows = district(8)
    desk.audit(rows)
    gone = without(rows, "enrollments", of_school(rows, "enrollments", "s2")[:78])
    desk.audit(gone, code=3)
    desk.house.load(gone)
    desk.house.sql("DELETE FROM oneroster.enrollments_history WHERE _sdc_ended_load IS NOT NULL")
    assert desk("run") == 3
    report = desk.report()
    assert [f["school"] for f in found(report, "arrival.history")] == ["s2"]
    assert [s["id"] for s in report["held_schools"]] == ["s2"]
