"""The views of docs/marts-inputs.md, read from the page, on made-up rows of each tap's shape, and what the marts make of them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import yaml
from oneroster_marts import project

from .warehouses import TODAY, duckdb_desk

if TYPE_CHECKING:
    from .warehouses import Desk

PAGE = Path(__file__).parents[2] / "docs" / "marts-inputs.md"
BLOCKS = re.findall(r"```sql\n(create .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
VIEWS = dict(re.findall(r"create or replace view inputs\.(\w+) as\n(.*)", text, re.DOTALL)[0] for text in BLOCKS[1:])
INPUT = {
    "canvas_activity": "vendor_activity",
    "canvas_memberships": "lms_memberships",
    "classroom_memberships": "lms_memberships",
    "exact_licences": "licences",
    "hibob_fte": "staff_fte",
    "hubspot_licences": "licences",
    "licences": "licences",
    "lms_memberships": "lms_memberships",
    "monday_licences": "licences",
    "salesforce_licences": "licences",
}
"""The input for which each view is."""
NOW = "2026-11-16 05:00:00+00"


def insert(connection: duckdb.DuckDBPyConnection, table: str, kinds: dict[str, str], *rows: tuple[Any, ...]) -> None:
    """Make a table as a loader does from a stream, and fill it."""
    schema = table.split(".", maxsplit=1)[0]
    connection.execute(f"create schema if not exists {schema}")
    columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
    connection.execute(f"create table {table} ({columns})")
    connection.executemany(f"insert into {table} values ({', '.join('?' * len(kinds))})", rows)


def made(connection: duckdb.DuckDBPyConnection) -> None:
    """Tables of all taps, about two classes of one school of the sample."""
    school, name, number = connection.execute(
        "select \"sourcedId\", name, identifier from oneroster.orgs where type = 'school' order by 1"
    ).fetchall()[0]
    query = """select e."classSourcedId", c."classCode", u."sourcedId", u.email, e.role from oneroster.enrollments e
        join oneroster.users u on u."sourcedId" = e."userSourcedId" join oneroster.classes c on c."sourcedId" = e."classSourcedId"
        where e."schoolSourcedId" = ? and e.role in ('student', 'teacher') and u.email is not null order by 1, e.role, 3"""
    members = connection.execute(query, [school]).fetchall()
    taught = {row[0] for row in members if row[4] == "teacher" and row[1]}
    first, second = sorted(taught & {row[0] for row in members if row[4] == "student"})[:2]
    kinds = {"StudentEnrollment": "student", "TeacherEnrollment": "teacher"}
    canvas = [
        (n, 7, f"{70 + n}", its, user, kind, "active", NOW, NOW)
        for n, (its, _, user, _, role) in enumerate(members)
        for kind, word in kinds.items()
        if its == first and role == word
    ]
    insert(
        connection,
        "canvas.enrollments",
        {
            "id": "bigint",
            "course_section_id": "bigint",
            "user_id": "bigint",
            "sis_section_id": "varchar",
            "sis_user_id": "varchar",
            "type": "varchar",
            "enrollment_state": "varchar",
            "last_activity_at": "timestamptz",
            "_sdc_batched_at": "timestamptz",
        },
        *canvas[1:],  # the first member is missing
        (901, 8, 990, first, None, "StudentViewEnrollment", "active", None, NOW),
        (902, 8, 991, first, None, "ObserverEnrollment", "active", None, NOW),
        (903, 9, 992, None, None, "TeacherEnrollment", "active", NOW, NOW),  # a sandbox of somebody
    )
    people = [row for row in members if row[0] == second]
    member = {"course_id": "varchar", "user_id": "varchar", "profile": "json", "_sdc_batched_at": "timestamptz"}
    for table, role in (("students", "student"), ("teachers", "teacher")):
        found = [
            ("c1", f"g{n}", json.dumps({"emailAddress": row[3].upper()}), NOW)
            for n, row in enumerate(people)
            if row[4] == role
        ]
        insert(connection, f"classroom.{table}", member, *found)
    course = {"id": "varchar", "name": "varchar", "section": "varchar", "course_state": "varchar"}
    insert(connection, "classroom.courses", course, ("c1", "Algebra", people[0][1], "ACTIVE"))
    teacher = next(row for row in members if row[4] == "teacher")
    insert(
        connection,
        "hibob.employees",
        {"id": "varchar", "email": "varchar", "work": "json"},
        ("b1", teacher[3].upper(), json.dumps({"site": name})),
        ("b2", "cook@school.example", json.dumps({"site": name})),
    )
    insert(
        connection,
        "hibob.employee_history",
        {"id": "bigint", "employee_id": "varchar", "isCurrent": "boolean", "fte": "bigint"},
        (1, "b1", False, 100),
        (2, "b1", True, 80),
        (3, "b2", True, 50),
    )
    asset = dict.fromkeys(("Id", "AccountId", "Product2Id", "School_SourcedId__c", "Status"), "varchar")
    asset |= {"Quantity": "double", "Price": "double", "InstallDate": "timestamptz", "UsageEndDate": "timestamptz"}
    asset |= {"Who__c": "varchar", "Grades__c": "varchar", "Course_Codes__c": "varchar", "IsDeleted": "boolean"}
    bought = (50.0, 125.0, "2026-07-01", "2027-06-30")
    insert(
        connection,
        'salesforce."Asset"',
        asset,
        (
            "sf-1",
            "a1",
            "p1",
            None,
            "Installed",
            *bought,
            "Student",
            "KG;01;02;03;04;05;06;07;08;09;10;11;12",
            None,
            False,
        ),
        ("sf-2", "a1", "p1", None, "Obsolete", *bought, "Student", None, None, False),
        ("sf-3", "a1", "p1", None, "Installed", *bought, "Student", None, None, True),
    )
    insert(connection, 'salesforce."Account"', {"Id": "varchar", "Name": "varchar"}, ("a1", "Instructure"))
    insert(connection, 'salesforce."Product2"', {"Id": "varchar", "Name": "varchar"}, ("p1", "Canvas"))
    item = {"vendor": "Numeria", "name": "Math Path", "quantity": "40", "price": "2.50", "who": "student"}
    item |= {"hs_recurring_billing_start_date": "2026-08-01", "hs_recurring_billing_end_date": "2027-07-31"}
    insert(
        connection,
        "hubspot.line_items",
        {"id": "varchar", "properties": "json", "archived": "boolean"},
        ("hs-1", json.dumps(item), False),
        ("hs-2", json.dumps(item), True),
    )
    line = dict.fromkeys(("ID", "AccountName", "ItemDescription", "CostCenter", "GLAccountCode"), "varchar")
    line |= {"Quantity": "double", "AmountDC": "double", "Date": "timestamptz"}
    insert(
        connection,
        "exact.transaction_lines",
        line,
        ("ex-1", "Lesewelt", "Reader", number, "4310", 30.0, 90.0, "2026-08-01"),
        ("ex-2", "Lesewelt", "Reader", number, "4000", 30.0, 90.0, "2026-08-01"),
        ("ex-3", "Lesewelt", "Reader", "closed", "4310", 30.0, 90.0, "2026-08-01"),
    )
    items = {"id": "varchar", "board_id": "varchar", "name": "varchar", "state": "varchar"}
    insert(
        connection,
        "monday.board_items",
        items,
        ("mo-1", "1234567890", "Planner", "active"),
        ("mo-2", "1234567890", "Planner", "archived"),
        ("mo-3", "99", "A chore", "active"),
    )
    cells = {"vendor": "Planbuch", "school": "", "seats": "12", "timeline": "2026-08-01 - 2027-07-31", "who": "Teacher"}
    rows = [(its, name, text) for its in ("mo-1", "mo-2", "mo-3") for name, text in cells.items()]
    insert(connection, "monday.column_values", {"item_id": "varchar", "id": "varchar", "text": "varchar"}, *rows)


@pytest.fixture(scope="module")
def desk(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The sample's warehouse with tables of all taps and the page's views, and marts built from these."""
    folder = tmp_path_factory.mktemp("recipes")
    warehouse = folder / "warehouse.duckdb"
    shutil.copy(sample, warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        made(connection)
        for text in BLOCKS:
            connection.execute(text)
    inputs = yaml.safe_load(
        re.findall(r"```yaml\n# marts.yml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    )
    its = duckdb_desk(folder, warehouse, today=TODAY, **inputs)
    names = ("licence_gap", "activity_gap", "lms_membership_gap", "shared_input_status")
    assert its("build", *(word for name in names for word in ("--select", f"+{name}"))) == 0, its.err
    return its


def test_each_view_has_the_columns_of_its_contract_and_each_source_a_view(desk: Desk) -> None:
    assert VIEWS.keys() == INPUT.keys()
    with duckdb.connect(desk.settings["filepath"], read_only=True) as connection:
        for view, name in INPUT.items():
            answer = connection.execute(f"select * from inputs.{view}")
            columns = [column[0] for column in answer.description]
            assert columns == list(project.inputs()[name]), view
            assert answer.fetchall(), view


def test_all_rows_arrive_and_what_matches_nothing_is_counted(desk: Desk) -> None:
    status = {row["input"]: row for row in desk.rows("shared.input_status")}
    assert {name: row["given"] for name, row in status.items()} == {name: name in INPUT.values() for name in status}
    assert all(row["rejected"] == 0 for row in status.values())
    assert {name: row["unmatched"] for name, row in status.items() if row["unmatched"]} == {
        "licences": 1,  # the school that is closed
        "lms_memberships": 2,  # a sandbox, and a parent whom the roster does not know by that key
    }
    assert status["staff_fte"]["rows"] == 1
    with duckdb.connect(desk.settings["filepath"], read_only=True) as connection:
        assert connection.execute("select fte from inputs.hibob_fte").fetchall() == [(0.8,)]


def test_contracts_of_all_sources_are_in_one_mart(desk: Desk) -> None:
    rows = {row["contract_id"]: row for row in desk.rows("restricted.licence_gap")}
    assert rows.keys() == {"sf-1", "hs-1", "ex-1", "ex-3", "mo-1"}
    assert {its: row["seats"] for its, row in rows.items()} == {
        "sf-1": 50,
        "hs-1": 40,
        "ex-1": 30,
        "ex-3": 30,
        "mo-1": 12,
    }
    canvas = rows["sf-1"]
    assert canvas["match_rate"] == 100
    assert 0 < canvas["active_30"] == canvas["matched"] < canvas["entitled"]
    assert canvas["cost_unused"] == canvas["unused_seats"] * 2.5
    assert rows["ex-1"]["school_id"] is not None
    assert rows["ex-3"]["entitled"] is None
    assert all(rows[its]["entitled"] > 0 and rows[its]["matched"] is None for its in ("hs-1", "ex-1", "mo-1"))


def test_members_of_both_systems_are_compared_by_section_and_by_class_code(desk: Desk) -> None:
    rows = desk.rows("restricted.lms_membership_gap")
    kinds = {(row["lms"], row["kind"]) for row in rows}
    assert {("Canvas", "in_both"), ("Google Classroom", "in_both"), ("Canvas", "class_not_found")} <= kinds
    assert not {("Canvas", "only_lms"), ("Google Classroom", "only_lms"), ("Google Classroom", "role_differs")} & kinds
    (canvas,) = (row["class_id"] for row in rows if (row["lms"], row["kind"]) == ("Canvas", "in_both"))
    (missing,) = (
        row for row in rows if (row["lms"], row["kind"], row["class_id"]) == ("Canvas", "only_roster", canvas)
    )
    assert missing["members"] == 1
