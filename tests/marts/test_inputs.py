"""Each input missing, empty or wrong in turn, and districts that lack something: the marts are built and say so, or one line says what is wrong."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from oneroster_sample.district import District

from .warehouses import TODAY, Desk, duckdb_desk, load_sample, write_inputs

SMALL = District(seed=8, schools=2, students_per_school=25, weekly=True)
NEEDS: dict[str, tuple[str, str, Any]] = {
    "attendance": ("school_cockpit", "attendance_rate", None),
    "licences": ("licence_gap", "*", []),
    "vendor_activity": ("activity_gap", "*", []),
    "lms_memberships": ("lms_membership_gap", "*", []),
    "final_grades": ("course_completion", "pass_rate", None),
    "calendar_days": ("teacher_load", "sections", "as before"),
    "staff_fte": ("teacher_load", "fte", None),
}
"""What an input is for: a mart, its column, and what stands there without it."""
MODELS = sorted(
    {
        f"+shared_{name}"
        for name in ("licence_gap", "activity_gap", "lms_membership_gap", "course_completion", "input_status")
    }
    | {"+teacher_load", "+school_cockpit"}
)
SELECT = [word for name in MODELS for word in ("--select", name)]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A small district, and all of its inputs."""
    folder = tmp_path_factory.mktemp("given")
    warehouse = load_sample(folder, SMALL)
    inputs = write_inputs(folder, SMALL)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        ((teacher, school),) = connection.execute(
            'select "userSourcedId", "schoolSourcedId" from oneroster.enrollments where role = \'teacher\' limit 1'
        ).fetchall()
    rows = {"staff_fte": {"teacher_id": teacher, "school_id": school, "fte": "0.5"}}
    rows["calendar_days"] = {"school_id": school, "day": "2026-11-16", "is_school_day": "true"}
    for name, row in rows.items():
        inputs[name] = str(folder / f"{name}.csv")
        write(Path(inputs[name]), list(row), [row])
    return warehouse, inputs


def write(path: Path, columns: list[str], rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def whole(given: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The marts with all inputs."""
    desk = duckdb_desk(tmp_path_factory.mktemp("whole"), given[0], today=TODAY, inputs=given[1])
    assert desk("build", *SELECT) == 0, desk.err
    return desk


def test_with_all_inputs_each_column_is_filled(whole: Desk) -> None:
    assert all(row["given"] for row in whole.rows("shared.input_status"))
    for mart, column, _ in NEEDS.values():
        rows = whole.rows(f"restricted.{mart}")
        assert any(column == "*" or row[column] is not None for row in rows), mart


STATES = ("missing", "empty", "unknown")


@pytest.fixture(scope="module", params=range(3))
def turned(
    request: pytest.FixtureRequest, given: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Desk, dict[str, tuple[str, int]]]:
    """The marts where each input is missing, empty, or names nobody, in the next round in the next state; and its state and rows."""
    folder = tmp_path_factory.mktemp("turned")
    inputs, states = {}, {}
    for place, (name, path) in enumerate(sorted(given[1].items())):
        state = STATES[(place + request.param) % 3]
        with Path(path).open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)[:30]
        columns = list(reader.fieldnames or ())
        keys = [its for its in columns if its.endswith("_id") or its in {"key", "user_key", "class_key"}]
        wrong = [row | dict.fromkeys(keys, f"nobody {n}") for n, row in enumerate(rows)] if state == "unknown" else []
        states[name] = (state, len(wrong))
        if state != "missing":
            inputs[name] = str(folder / f"{name}.csv")
            write(Path(inputs[name]), columns, wrong)
    desk = duckdb_desk(folder, given[0], today=TODAY, inputs=inputs)
    assert desk("build", *SELECT) == 0, desk.err
    return desk, states


@pytest.mark.parametrize("name", NEEDS)
def test_an_input_that_is_missing_empty_or_names_nobody_is_said_and_never_zero(
    name: str, turned: tuple[Desk, dict[str, tuple[str, int]]], whole: Desk
) -> None:
    desk, states = turned
    state, count = states[name]
    (status,) = desk.rows("shared.input_status", where=f"input = '{name}'")
    assert (status["given"], status["rows"], status["unmatched"]) == (state != "missing", count, count)
    model, column, without = NEEDS[name]
    rows = desk.rows(f"restricted.{model}")
    if without == "as before":
        assert [row[column] for row in rows] == [row[column] for row in whole.rows(f"restricted.{model}")]
    elif without is None:
        assert rows
        assert {row[column] for row in rows} == {None}
    elif state == "unknown":
        assert not any(row.get("entitled") or row.get("matched") or row.get("kind") == "in_both" for row in rows)
    else:
        assert rows == []


FIRST = '(select min("classSourcedId") from oneroster.enrollments)'
STUDENT = "(select min(\"userSourcedId\") from oneroster.enrollments where role = 'student' and \"userSourcedId\" <> 'o''1\"')"
LACKS = {
    "no demographics, no receipts, odd names": [
        "drop table oneroster.demographics",
        'drop table oneroster."syncReceipts"',
        "update oneroster.orgs set name = '<script>alert(1)</script>'",
        f'update oneroster.classes set "sourcedId" = \'c\'\'1"\' where "sourcedId" = {FIRST}',
        f'update oneroster.enrollments set "classSourcedId" = \'c\'\'1"\' where "classSourcedId" = {FIRST}',
        "update oneroster.users set \"givenName\" = '<i>Ann</i>', \"familyName\" = 'O''Neil & <b>Sons</b>'",
        f'update oneroster.users set "sourcedId" = \'o\'\'1"\' where "sourcedId" = {STUDENT}',
        f'update oneroster.enrollments set "userSourcedId" = \'o\'\'1"\' where "userSourcedId" = {STUDENT}',
        "update oneroster.orgs set \"sourcedId\" = 's''2\"' where \"sourcedId\" = '00002'",
        "update oneroster.classes set \"schoolSourcedId\" = 's''2\"' where \"schoolSourcedId\" = '00002'",
        "update oneroster.enrollments set \"schoolSourcedId\" = 's''2\"' where \"schoolSourcedId\" = '00002'",
    ],
    "only roles of 1.1": [
        'update oneroster.users set role = roles.role from oneroster.roles where roles."userSourcedId" = users."sourcedId"',
        "drop table oneroster.roles",
    ],
    "no students": ["delete from oneroster.enrollments where role = 'student'"],
    "nobody": ["delete from oneroster.enrollments", "delete from oneroster.users", "delete from oneroster.roles"],
    "one school, no roles, several grades": [
        "delete from oneroster.orgs where type = 'school' and \"sourcedId\" <> '00001'",
        "drop table oneroster.roles",
        "update oneroster.users set grades = ['07', '08', '09'] where grades is not null",
    ],
}
EMPTY = {
    "no demographics, no receipts, odd names": ("feed_health",),
    "only roles of 1.1": (),
    "no students": ("enrollment_count", "cohort_results", "worklist", "school_cockpit", "transfer"),
    "nobody": ("enrollment_count", "teacher_load", "demographic_results"),
    "one school, no roles, several grades": (),
}
"""Marts without rows."""


def changed(warehouse: Path, folder: Path, statements: list[str]) -> Path:
    """A copy of a warehouse in which something is changed; it has tables only."""
    path = folder / "warehouse.duckdb"
    shutil.copy(warehouse, path)
    with duckdb.connect(str(path)) as connection:
        for (view,) in connection.execute(
            "select view_name from duckdb_views() where schema_name = 'oneroster' and not internal"
        ).fetchall():
            connection.execute(f'drop view if exists oneroster."{view}"')
        for statement in statements:
            connection.execute(statement)
    return path


@pytest.mark.parametrize("lack", LACKS)
def test_a_district_that_lacks_something_is_built(
    lack: str, given: tuple[Path, dict[str, str]], whole: Desk, tmp_path: Path
) -> None:
    warehouse = changed(given[0], tmp_path, LACKS[lack])
    desk = duckdb_desk(tmp_path, warehouse, today=TODAY)
    assert desk("build") == 0, desk.err
    assert "Traceback" not in desk.err
    assert [mart for mart in EMPTY[lack] if desk.rows(f"restricted.{mart}")] == []
    if lack.startswith("no demographics"):
        assert {row["value"] for row in desk.rows("restricted.demographic_results")} == {"all", "not stated"}
        assert "c'1\"" in {row["class_id"] for row in desk.rows("restricted.class_load")}
        assert "o'1\"" in {row["person_id"] for row in desk.rows("restricted.dim_person")}
        assert "s'2\"" in {row["school_id"] for row in desk.rows("shared.enrollment_count")}
    if lack.startswith("only roles"):
        assert desk.rows("restricted.dim_person") == whole.rows("restricted.dim_person")
        loads = "teacher_id, term_id, school_id, sections, preps, students"
        assert desk.rows("restricted.teacher_load", loads) == whole.rows("restricted.teacher_load", loads) != []
    if lack.startswith("one school"):
        assert {row["grade"] for row in desk.rows("restricted.demographic_results")} == {"07"}
        assert {row["school_id"] for row in desk.rows("restricted.school_cockpit")} == {"00001"}


def test_of_two_districts_with_the_same_ids_one_is_described(
    given: tuple[Path, dict[str, str]], whole: Desk, tmp_path: Path
) -> None:
    """Each table of the loader holds the rows of both. In the other one half of the rows are there, and enrollments end early."""
    with duckdb.connect(str(given[0]), read_only=True) as connection:
        tables = connection.execute(
            "select table_name, list(column_name) from duckdb_columns() where schema_name = 'oneroster'"
            " and table_name in (select table_name from duckdb_tables()) and not starts_with(table_name, '_') group by all"
        ).fetchall()
    statements = []
    for table, columns in tables:
        changes = [
            "'north' as tenant",
            *(["date '2026-09-01' as \"endDate\""] if table.startswith("enrollments") else []),
        ]
        statements += [
            f"alter table oneroster.\"{table}\" add column tenant varchar default 'South ''s'",
            f'insert into oneroster."{table}" by name select * replace ({", ".join(changes)}) from oneroster."{table}"'
            + (' where hash("sourcedId") % 2 = 0' if "sourcedId" in columns else ""),
        ]
    warehouse = changed(given[0], tmp_path, statements)
    desk = duckdb_desk(tmp_path, warehouse, today=TODAY, inputs=given[1], tenant="South 's")
    assert desk("build", *SELECT) == 0, desk.err
    compared = 0
    with duckdb.connect(whole.settings["restricted_path"], read_only=True) as connection:
        built = [name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()]
    for table in built:
        rows = desk.rows(f"restricted.{table}")
        assert rows == whole.rows(f"restricted.{table}"), table
        compared += len(rows)
    assert compared > 2_000
