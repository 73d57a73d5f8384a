"""The commands on wrong settings, on a warehouse that lacks something, and with inputs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from oneroster_marts import project
from oneroster_marts.profile import variables
from oneroster_marts.settings import read_settings

from .warehouses import TODAY, duckdb_desk

if TYPE_CHECKING:
    from .warehouses import Desk


@pytest.fixture
def desk(tmp_path: Path, sample: Path) -> Desk:
    """A desk at a copy of the sample's warehouse."""
    shutil.copy(sample, tmp_path / "warehouse.duckdb")
    return duckdb_desk(tmp_path, tmp_path / "warehouse.duckdb", today=TODAY)


def change(desk: Desk, *statements: str) -> None:
    """Change the warehouse."""
    with duckdb.connect(desk.settings["filepath"]) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"filepth": "x"}, "no such setting: filepth; the nearest is filepath"),
        ({"inputs": {"atendance": "x.y"}}, "no such input: atendance; the nearest is attendance"),
        ({"at_risk": {"failing": 65}}, "no such limit: failing; the nearest is failing_percent"),
        ({"at_risk": {"failing_percent": -1}}, "at_risk: expected `float` >= 0"),
        ({"warehouse": "duckbd"}, "warehouse: must be one of duckdb, postgres, snowflake"),
        ({"small_cell": 0}, "small_cell: expected `int` >= 1"),
        ({"today": "yesterday"}, "today: must be a date such as 2026-10-05"),
        ({"time_zone": "Amerika/Chicago"}, "time_zone: no such time zone"),
        ({"warehouse": "postgres"}, "host, user, database: must be set for warehouse postgres"),
        ({"filepath": "nowhere.duckdb"}, "filepath: no such file"),
        ({"oneroster_schema": 'a"b'}, "oneroster_schema: must be a plain name"),
    ],
    ids=lambda value: str(next(iter(value.items()))) if isinstance(value, dict) else "",
)
def test_wrong_settings_are_named(settings: dict[str, Any], said: str, tmp_path: Path) -> None:
    desk = duckdb_desk(tmp_path, tmp_path / "warehouse.duckdb")
    assert desk("build", **settings) == 2
    assert said in desk.err
    assert desk.err.count("\n") == 1


def test_the_settings_of_the_docs_are_settings(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "marts.md").read_text(encoding="utf-8")
    config = tmp_path / "marts.yml"
    config.write_text(text.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    assert read_settings(config, project.inputs(), {}).inputs == {"staff_fte": "fte.csv"}
    for name, columns in project.inputs().items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` ")]
        assert [word for word in columns if f"`{word}`" not in row] == [], name
    assert [name for name in project.limits() if f"`{name}`" not in text] == []


def test_a_variable_of_the_environment_takes_precedence(tmp_path: Path) -> None:
    config = tmp_path / "marts.yml"
    config.write_text("small_cell: 5\ntoday: 2026-10-05\n", encoding="utf-8")
    given = {"ONEROSTER_MARTS_SMALL_CELL": "15", "ONEROSTER_MARTS_INPUTS": '{"staff_fte": "hr.fte"}'}
    settings = read_settings(config, {"staff_fte": {}}, given)
    assert (settings.small_cell, str(settings.today), settings.inputs) == (15, "2026-10-05", {"staff_fte": "hr.fte"})
    settings = read_settings(config, {}, {"ONEROSTER_MARTS_AT_RISK": '{"failing_percent": 65}'})
    limits = variables(settings, {})["at_risk"]
    assert limits == project.limits() | {"failing_percent": 65}


def test_a_missing_table_and_a_missing_column_are_named(desk: Desk) -> None:
    change(desk, "alter table oneroster.enrollments drop column role", "alter table oneroster.orgs rename to orgz")
    assert desk("doctor") == 1
    assert "which the marts need" in desk.err
    assert desk("build") == 1
    assert "table enrollments has no column role, which the marts need" in desk.err
    assert "schema oneroster has no table orgs, which the marts need" in desk.err
    assert "Traceback" not in desk.err


def test_of_several_tenants_one_has_to_be_named(desk: Desk) -> None:
    for table in ("orgs", "users", "classes", "enrollments"):
        change(desk, f"alter table oneroster.{table} add column tenant varchar default 'north'")
        change(
            desk, f"insert into oneroster.{table} by name select * replace ('south' as tenant) from oneroster.{table}"
        )
    assert desk("doctor") == 1
    assert "table orgs holds 2 tenants; name one in the setting tenant" in desk.err
    assert desk("doctor", tenant="west") == 1
    assert "no rows of the tenant" in desk.err
    assert desk("build", "--select", "+enrollment_count", tenant="south") == 0, desk.err
    (students,) = desk.rows("restricted.enrollment_count", "sum(students) as n", "grade = 'all' and class_type = 'all'")
    assert 100 < students["n"] < 250


def test_a_district_without_sessions_gradebook_roles_and_receipts_is_built(desk: Desk) -> None:
    for table in ("academicSessions", "lineItems", "results", "roles", "syncReceipts", "courses"):
        change(desk, f'drop table oneroster."{table}" cascade')
    assert desk("build") == 0, desk.err
    assert desk("doctor") == 0, desk.err
    assert "there is no table results" in desk.out
    assert desk.rows("shared.feed_health") == []
    assert {row["gradable_results"] for row in desk.rows("restricted.teacher_load")} == {0}
    (students,) = desk.rows("shared.enrollment_count", "sum(students) as n", "grade = 'all' and class_type = 'all'")
    assert students["n"] > 100


def test_inputs_from_csv_and_from_tables_are_checked_and_counted(desk: Desk, tmp_path: Path) -> None:
    """The first teacher is matched, another is not known, and one value cannot be read."""
    with duckdb.connect(desk.settings["filepath"]) as connection:
        query = 'select "userSourcedId", "schoolSourcedId" from oneroster.enrollments where role = \'teacher\' limit 1'
        ((teacher, school),) = connection.execute(query).fetchall()
    file = tmp_path / "fte, 'of all'.csv"
    file.write_text(f"teacher_id,fte,school_id\n{teacher},0.5,{school}\nnobody,1,{school}\n{teacher},much,{school}\n")
    change(
        desk,
        "create schema hr",
        f"create table hr.days as select '{school}' as school_id, date '2026-11-16' as day, true as is_school_day",
    )
    inputs = {"staff_fte": str(file), "calendar_days": "hr.days"}
    assert desk("build", inputs=inputs) == 0, desk.err
    status = {row["input"]: tuple(row.values())[1:] for row in desk.rows("shared.input_status")}
    assert status["staff_fte"] == (True, 3, 1, 1)
    assert status["calendar_days"] == (True, 1, 0, 0)
    assert status["attendance"] == (False, 0, 0, 0)
    loads = desk.rows("restricted.teacher_load", "*", f"teacher_id = '{teacher}' and school_id = '{school}'")
    assert {(row["fte"], row["fte_given"]) for row in loads} == {(0.5, True)}


def test_an_input_without_its_file_table_or_column_is_named(desk: Desk, tmp_path: Path) -> None:
    assert desk("build", inputs={"staff_fte": str(tmp_path / "none.csv")}) == 1
    assert "input staff_fte: no file none.csv" in desk.err
    (tmp_path / "short.csv").write_text("teacher_id,school_id\na,b\n")
    assert desk("build", inputs={"staff_fte": str(tmp_path / "short.csv")}) == 1
    assert "input staff_fte has no column fte" in desk.err
    assert desk("doctor", inputs={"staff_fte": "hr.fte"}) == 1
    assert "input staff_fte has no table hr.fte" in desk.err


def test_a_build_keeps_the_counts_of_earlier_days(desk: Desk) -> None:
    assert desk("build", "--select", "+shared_enrollment_count") == 0, desk.err
    for _ in range(2):
        assert desk("build", "--select", "enrollment_count+", today="2026-11-17") == 0, desk.err
    days = desk.rows("shared.enrollment_count", "day, count(*) as cells", "true group by day")
    assert [row["day"] for row in days] == [TODAY, "2026-11-17"]
    assert days[0]["cells"] == days[1]["cells"] > 20


def test_the_doctor_proposes_inclusive_ends(desk: Desk) -> None:
    assert desk("doctor") == 0
    assert "inclusive" not in desk.out
    change(desk, 'update oneroster."academicSessions" set "endDate" = "endDate" - 1')
    assert desk("doctor") == 0
    assert "set end_dates to inclusive" in desk.out
    assert desk("doctor", end_dates="inclusive") == 0
    assert "inclusive" not in desk.out


def test_inclusive_ends_give_the_marts_of_exclusive_ones_once_they_are_set(desk: Desk) -> None:
    """A source that writes the last day itself, in sessions, enrollments and roles; without the setting each span is a day too short."""
    select = [word for name in ("+class_load", "+fct_spell", "+course_completion") for word in ("--select", name)]
    tables = ("dim_session", "fct_enrollment", "fct_spell", "class_load", "course_completion")
    assert desk("build", *select) == 0, desk.err
    exclusive = {name: desk.rows(f"restricted.{name}") for name in tables}
    for table in ("academicSessions", "enrollments", "enrollments_history", "roles", "roles_history"):
        change(desk, f'update oneroster."{table}" set "endDate" = "endDate" - 1')
    assert desk("build", *select, end_dates="inclusive") == 0, desk.err
    assert {name: desk.rows(f"restricted.{name}") for name in tables} == exclusive
    assert desk("build", *select) == 0, desk.err
    assert desk.rows("restricted.fct_enrollment") != exclusive["fct_enrollment"]
