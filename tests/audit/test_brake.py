"""The brake by cell: what is lost where, and whom that holds."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.audit.conftest import POLICY, found
from tests.audit.nights import FIRST, district, enroll, lost_from, of_school, rebuilt, without

if TYPE_CHECKING:
    from tests.audit.conftest import Desk


def test_one_rebuilt_school_is_held_and_no_other(desk: Desk) -> None:
    """One of 40 schools comes under new ids: a district-wide limit of 25 % is silent, and that school alone is held."""
    rows = district(40, students=25, classes=3)
    assert desk.audit(rows)["verdict"] in ("passed", "noted")
    report = desk.audit(rebuilt(rows, "s7"), code=3)
    total = next(f for f in report["files"] if f["file"] == "enrollments")
    assert total["removed"] * 100 < total["before"] * 25
    assert report["verdict"] == "held"
    assert report["held_schools"] == [{"id": "s7", "name": "School 7"}]
    assert desk.released() == {f"s{n}": 1 if n == 7 else 2 for n in range(1, 41)}


@pytest.mark.parametrize(("gone", "code"), [(200, 0), (201, 3)])
def test_the_limit_itself(desk: Desk, gone: int, code: int) -> None:
    """20.0 % of a cell may be lost, 20.1 % hold it."""
    rows = district(1, students=500, classes=2)
    students = [k for k, row in rows["enrollments"].items() if row["role"] == "student"]
    rows["enrollments"] = {k: rows["enrollments"][k] for k in students}  # 500 in each of two terms, 1,000 in all
    desk.audit(rows)
    half = gone // 2
    first, second = ([k for k in students if f"-c{c}-" in k] for c in (0, 1))
    # Spread so that no narrower cell trips first.
    report = desk.audit(without(rows, "enrollments", first[:half] + second[: gone - half]), code=code)
    total = [f for f in found(report, "brake.lost") if (f["role"], f["term"]) == ("*", "*") and f["school"] == "s1"]
    assert [f["count"] for f in total] == ([201] if code else [])


def test_half_a_school_gone(desk: Desk) -> None:
    """Half of a school's enrollments vanish: that school is held, with before and now."""
    rows = district()
    desk.audit(rows)
    report = desk.audit(lost_from(rows, "s2", 78), code=3)
    assert [s["id"] for s in report["held_schools"]] == ["s2"]
    top = next(f for f in found(report, "brake.lost") if not f["root"])
    assert (top["file"], top["school"], top["before"], top["now"], top["count"]) == ("enrollments", "s2", 155, 77, 78)


def test_small_cells_do_not_hold_and_empty_schools_do(desk: Desk) -> None:
    """19 rows of 19 are no loss for the brake; the school that has no student enrollment left is one at any size."""
    rows = district(8, students=30, classes=4)
    for key in of_school(rows, "enrollments", "s1")[19:]:
        del rows["enrollments"][key]
    desk.audit(rows)
    students = of_school(rows, "enrollments", "s1")
    report = desk.audit(without(rows, "enrollments", students), code=3)
    assert not found(report, "brake.lost")
    assert [(f["school"], f["before"], f["now"]) for f in found(report, "brake.empty-school")] == [("s1", 19, 0)]
    assert [s["id"] for s in report["held_schools"]] == ["s1"]


def test_what_is_gone_with_a_school_follows_from_it(desk: Desk) -> None:
    """A school that is gone is one finding; what its rows lost in every file follows from it."""
    rows = district()
    desk.audit(rows)
    gone = copy.deepcopy(rows)
    for name in ("enrollments", "classes", "roles", "courses"):
        for key in of_school(rows, name, "s4"):
            del gone[name][key]
    report = desk.audit(gone, code=3)
    (empty,) = found(report, "brake.empty-school")
    assert {f["root"] for f in found(report, "brake.lost")} == {empty["id"]}
    assert {f["file"] for f in found(report, "brake.lost")} == {"enrollments", "roles", "users"}
    assert [s["id"] for s in report["held_schools"]] == ["s4"]


def test_seven_nights_of_five_percent(desk: Desk) -> None:
    """Trap 27: a school that loses 5 % a night passes each night alone, and is held when the week is too much."""
    rows = district(4, students=100, classes=2)
    students = [k for k in of_school(rows, "enrollments", "s1") if rows["enrollments"][k]["role"] == "student"]
    desk.audit(rows)
    codes = []
    for night in range(1, 8):
        gone = students[: 5 * night] + students[100 : 100 + 5 * night]
        desk.house.load(without(rows, "enrollments", gone))
        codes.append(desk("run"))
    assert codes == [0, 0, 0, 0, 3, 3, 3]  # after five nights 25 % of each cell are gone
    report = desk.report()
    assert not found(report, "brake.lost")
    assert {f["school"] for f in found(report, "brake.slow") if not f["root"]} == {"s1"}
    assert [s["id"] for s in report["held_schools"]] == ["s1"]


def test_a_held_night_followed_by_a_good_one(desk: Desk) -> None:
    """Trap 27, the other way round: a held load is no baseline, so the same rows missing again are held again."""
    rows = district()
    desk.audit(rows)
    half = lost_from(rows, "s2", 78)
    desk.audit(half, code=3)
    report = desk.audit(half, code=3)  # nothing changed since last night, and still half of the baseline is gone
    assert desk.cells(3, "enrollments")["s2", "*", "*"] == (155, 0, 78, 0, 77)
    assert desk.cells(3, "enrollments")["s1", "*", "*"] == (155, 0, 0, 0, 155)
    assert report["baseline"] == 2
    report = desk.audit(rows)
    assert report["held_schools"] == []
    assert set(desk.released().values()) == {4}


def test_gone_and_back_between_two_loads(desk: Desk) -> None:
    """Trap 35: rows that were gone in a held load, and are back, are no change against the baseline."""
    rows = district()
    desk.audit(rows)
    desk.audit(lost_from(rows, "s2", 78), code=3)
    report = desk.audit(rows)
    assert desk.cells(3, "enrollments")["s2", "*", "*"] == (155, 0, 0, 0, 155)
    renamed = copy.deepcopy(rows)
    renamed["users"]["s2-p1"]["email"] = "other@example.com"
    desk.audit(renamed)
    assert desk.cells(4, "users")["s2", "*", "*"] == (31, 0, 0, 1, 31)
    assert report["verdict"] == "noted"


def test_tombstones_of_a_load_that_is_not_whole(desk: Desk) -> None:
    """Trap 4: an incremental load brings what changed only; the brake says `not whole` and does not judge it."""
    rows = district()
    desk.audit(rows)
    desk.house.load({"enrollments": {}}, whole=False)
    keys = of_school(rows, "enrollments", "s2")
    ids = ", ".join(f"'{k}'" for k in keys)
    desk.house.sql(f'UPDATE oneroster.enrollments_history SET _sdc_ended_load = 2 WHERE "sourcedId" IN ({ids})')
    desk.house.sql("""INSERT INTO oneroster."_loads" SELECT 2, "loadedAt" + INTERVAL 1 DAY, "finishedAt", "table", 0, 0, 0, 0, 0, "total", false, 'loaded'
        FROM oneroster."_loads" WHERE "load" = 1 AND "table" <> 'enrollments'""")
    desk.house.sql(
        f'UPDATE oneroster."_loads" SET "total" = "total" - {len(keys)} WHERE "load" = 2 AND "table" = \'enrollments\''
    )
    assert desk("run") == 0, desk.out + desk.err
    report = desk.report()
    assert not found(report, "brake.lost")
    assert not found(report, "brake.empty-school")
    assert len(found(report, "arrival.not-whole")) == 1
    assert desk.cells(2, "enrollments")["s2", "*", "*"] == (155, 0, 155, 0, 0)
    # The next whole load is judged: nothing is lost since last night, and within the week the whole school is.
    report = desk.audit(
        {**rows, "enrollments": {k: v for k, v in rows["enrollments"].items() if k not in keys}}, code=3
    )
    assert {f["school"] for f in found(report, "brake.slow") if not f["root"]} == {"s2"}


def test_rows_that_are_marked_and_rows_that_vanished(desk: Desk) -> None:
    """Trap 4: both are gone; the store and the page say how many were marked as deleted, and how many are no longer sent."""
    rows = district(2)
    desk.policy(POLICY + "report: {path: page.html}\n")
    desk.audit(rows)
    gone = of_school(rows, "enrollments", "s1")[:5]
    back = of_school(rows, "enrollments", "s2")[0]
    desk.house.load(without(rows, "enrollments", [*gone, back]))
    with duckdb.connect(str(desk.house.path)) as database:
        database.execute(
            """CREATE TABLE oneroster.enrollments AS SELECT "sourcedId",
            CASE WHEN "sourcedId" IN (?, ?) THEN 'tobedeleted' END AS "status"
            FROM oneroster.enrollments_history WHERE _sdc_first_load = 1""",
            gone[:2],
        )
    desk.house.load(without(rows, "enrollments", gone))
    assert desk("run") == 0, desk.err
    assert desk.store("SELECT marked, vanished FROM arrivals WHERE load = 3 AND file = 'enrollments'") == [(2, 3)]
    assert desk.cells(3, "enrollments")["*", "*", "*"][2] == 5
    assert "gone: 2 marked as deleted, 3 no longer sent" in (desk.folder / "page.html").read_text(encoding="utf-8")


def test_rows_that_end_on_their_end_date(desk: Desk) -> None:
    """Trap 5: rows that vanish when their end date has passed are expected; the same rows a day earlier are a loss."""
    for code, day in ((0, FIRST + timedelta(days=1)), (3, FIRST)):
        rows = district()
        for key in of_school(rows, "enrollments", "s2"):
            rows["enrollments"][key]["endDate"] = "2026-09-15"
        desk.house = type(desk.house)(desk.folder / f"warehouse{code}.duckdb")
        desk.policy(POLICY.replace("warehouse.duckdb", f"warehouse{code}.duckdb") + f"store: audit{code}.duckdb\n")
        desk.audit(rows, at=FIRST - timedelta(days=1))
        left = without(rows, "enrollments", [k for k in of_school(rows, "enrollments", "s2") if not k.endswith("p0")])
        report = desk.audit(left, code=code, at=day)
        assert bool(found(report, "brake.lost")) == bool(code)


def test_more_than_three_quarters_changed(desk: Desk) -> None:
    """75 % of a cell may change, one more holds it; grades that rose do not count."""
    for changed, column, code in ((75, "email", 0), (76, "email", 3), (100, "grades", 0)):
        desk.house = type(desk.house)(desk.folder / f"w{changed}.duckdb")
        desk.policy(POLICY.replace("warehouse.duckdb", f"w{changed}.duckdb") + f"store: s{changed}.duckdb\n")
        rows = district(2, students=100, classes=1)
        desk.audit(rows)
        new = copy.deepcopy(rows)
        for n in range(changed):
            new["users"][f"s1-p{n}"][column] = "other@example.com" if column == "email" else ["06"]
        report = desk.audit(new, code=code)
        assert bool(found(report, "brake.changed")) == bool(code)


def test_courses_of_a_new_year(desk: Desk) -> None:
    """Every course goes on under the new year in one night, and that holds nobody; other changes of all courses do."""
    rows = district(2)
    rows["academicSessions"]["next"] = rows["academicSessions"]["year"] | {
        "sourcedId": "next",
        "startDate": "2027-08-23",
    }
    for n in range(30):
        rows["courses"][f"s1-{n}"] = {
            "sourcedId": f"s1-{n}",
            "title": "x",
            "orgSourcedId": "s1",
            "schoolYearSourcedId": "year",
        }
    desk.audit(rows)
    for column, code in (("schoolYearSourcedId", 0), ("courseCode", 3)):
        rows = copy.deepcopy(rows)
        for course in rows["courses"].values():
            course[column] = "next"
        assert bool(found(desk.audit(rows, code), "brake.changed")) == bool(code)


def test_two_years_at_once(desk: Desk) -> None:
    """A file with half as many rows again is a warning, not held."""
    rows = district(2, students=60, classes=2)
    desk.audit(rows)
    more = copy.deepcopy(rows)
    for n in range(60):
        more["users"][f"s1-extra{n}"] = more["users"]["s1-p1"] | {"sourcedId": f"s1-extra{n}", "username": f"extra{n}"}
        enroll(more, "s1-c0", f"s1-extra{n}")
        enroll(more, "s1-c1", f"s1-extra{n}")
    report = desk.audit(more)
    assert {f["severity"] for f in found(report, "brake.added")} == {"warn"}
    assert report["verdict"] == "noted"


def test_a_row_without_school_role_and_term(desk: Desk) -> None:
    """Rows that have none stand in the empty cell and in the file's total; if they are lost, every school is held."""
    rows = district(3)
    for n in range(40):
        rows["enrollments"][f"x{n}"] = {"sourcedId": f"x{n}", "classSourcedId": "nowhere", "userSourcedId": "s1-p1"}
    desk.audit(rows)
    assert desk.cells(1, "enrollments")["", "", ""][-1] == 40
    report = desk.audit(without(rows, "enrollments", [f"x{n}" for n in range(40)]), code=3)
    assert len(report["held_schools"]) == 3
