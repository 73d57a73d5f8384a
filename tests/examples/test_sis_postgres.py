"""A SIS in PostgreSQL, through MeltanoLabs' tap-postgres, to a bundle: real processes, started by `meltano run`."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.singer import run_tap

from .sis import ADMINISTRATORS, expected

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

GENERATED = {"roles", "enrollments"}
"""Files in which what a row says is all that counts: their ids are the views' own."""


def comparable(name, rows, columns):
    """Rows as counted tuples of the columns; a bundle may hold each once only."""
    counted = Counter(tuple(row.get(column) or "" for column in columns) for row in rows)
    assert set(counted.values()) == {1}, name
    return set(counted)


def agree(files, wanted, version="1.2"):
    """Every file holds the rows that it has to, column by column, and no others."""
    if version == "1.1":
        wanted = as_1_1(wanted)
    assert set(files) == {"manifest", *wanted}
    for name, rows in wanted.items():
        columns = [c for c in files[name][0] if c not in {"status", "dateLastModified", "password"}]
        if name in GENERATED:
            columns.remove("sourcedId")
        assert {c for row in rows for c in row} <= set(columns), name
        assert comparable(name, files[name], columns) == comparable(name, rows, columns), name
        assert len({row["sourcedId"] for row in files[name]}) == len(rows), name


def as_1_1(wanted):
    """The same in 1.1, where a user has one role, the one that may do most, and the orgs of all."""
    found = dict(wanted)
    roles = found.pop("roles")
    order = ["administrator", "teacher", "aide", "student", "guardian", "parent", "relative"]
    found["users"] = []
    for user in wanted["users"]:
        mine = [r for r in roles if r["userSourcedId"] == user["sourcedId"]]
        words = {
            "administrator" if r["role"] in ADMINISTRATORS else r["role"] for r in mine if r["roleType"] == "primary"
        }
        orgs = ",".join(sorted({r["orgSourcedId"] for r in mine}))
        old = {k: v for k, v in user.items() if k not in {"preferredGivenName", "primaryOrgSourcedId"}}
        found["users"].append(old | {"role": min(words, key=order.index), "orgSourcedIds": orgs})
    return found


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_the_bundle_holds_what_the_sis_holds(first_night, version):
    """Row by row against the SIS's tables; no finding in the report; and the tap reads the bundle without a complaint."""
    sis = first_night(version)
    files, wanted = sis.files(), expected(sis.database)
    agree(files, wanted, version)
    report = sis.told()
    assert (report["published"], report["findings"], report["rejected"]) == (True, [], {})
    assert ["oneroster.version", version] in [list(row.values()) for row in files["manifest"]]

    run = run_tap({"mode": "csv", "csv_path": str(sis.output)})
    assert run.error is None
    for name, rows in wanted.items():
        receipt = run.receipts[name]
        assert (receipt["complete"], receipt["rejected"], receipt["deviations"]) == (True, 0, {}), name
        if (name, version) != ("roles", "1.1"):  # there the tap makes them of users.role and orgSourcedIds
            assert receipt["distinct"] == len(rows), name


def test_what_the_sis_does_in_its_own_way(first_night):
    """Each of its habits, one by one: they are in the data, and the bundle has them the standard's way."""
    files = first_night("1.2").files()
    users = {row["sourcedId"]: row for row in files["users"]}
    assert {"stu-17", "stf-17", "gua-17"} <= users.keys(), "one number, three people"
    assert {"dis-1", "sch-1"} <= {row["sourcedId"] for row in files["orgs"]}
    roles = Counter((row["userSourcedId"], row["orgSourcedId"]) for row in files["roles"])
    at = Counter(user for user, _ in roles)
    assert at["stu-104"] == at["stf-15"] == at["gua-17"] == 2, "at two schools: one user, two roles"
    assert roles["stf-4", "sch-1"] == 2, "two jobs at one school"
    primary = Counter((r["userSourcedId"], r["orgSourcedId"]) for r in files["roles"] if r["roleType"] == "primary")
    assert primary == dict.fromkeys(roles, 1), "one of them primary"
    ends = {row["sourcedId"]: row["endDate"] for row in files["academicSessions"]}
    assert ends["term-5"] == "2026-10-17", "the last day is 16 October"
    assert users["stu-8"]["identifier"] == "00000056", "leading zeros"
    assert "stu-47" not in users, "who left is gone, though the SIS keeps the rows"
    assert "stf-32" not in users
    assert "demographics" not in files
    teachers = Counter(
        (row["classSourcedId"], row["primary"]) for row in files["enrollments"] if row["role"] == "teacher"
    )
    assert any(n for (_, first), n in teachers.items() if first == "false"), "co-taught"
    assert {n for (_, first), n in teachers.items() if first == "true"} == {1}, "one primary teacher a class"


def test_the_second_night(sis):
    """A student left, a section has another teacher, a guardian a new name: the bundle is of this night, the state moves on."""
    before = sis.files()
    left = {row["sourcedId"] for row in before["enrollments"] if row["userSourcedId"] == "stu-170"}
    assert left
    sis.database.execute(
        "update sis.student_school set exit_date = '2026-10-02', exit_code = 'MOV' where student_no = 170;"
        "update sis.section_staff set end_date = '2026-10-02' where section_no = 10;"
        "insert into sis.section_staff values (10, 18, 'P', '2026-10-03');"
        "update sis.guardian set last_name = 'Merriweather' where guardian_no = 3"
    )
    sis.run()
    files = sis.files()
    agree(files, expected(sis.database))
    assert "stu-170" not in {row["sourcedId"] for row in files["users"]}
    assert not left & {row["sourcedId"] for row in files["enrollments"]}
    teachers = [
        r["userSourcedId"] for r in files["enrollments"] if (r["classSourcedId"], r["role"]) == ("sec-10", "teacher")
    ]
    assert teachers == ["stf-18"]
    assert [r["familyName"] for r in files["users"] if r["sourcedId"] == "gua-3"] == ["Merriweather"]


def replaced(database, view, old, new):
    """Change the text of a view, as someone might who works on it."""
    [definition] = ["\n".join(database.execute(f"select pg_get_viewdef('oneroster.{view}'::regclass)"))]
    assert old in definition
    database.execute(f"create or replace view oneroster.{view} as {definition.replace(old, new)}")


def test_demographics_where_they_are_wanted(sis):
    """Off until someone selects them, and counts them: codes and races of the SIS are the standard's then."""
    every = {"TAP_POSTGRES__SELECT": '["*.*"]'}
    assert "demographics: no receipt came" in sis.run(fails=True, **every)
    [counts] = ["\n".join(sis.database.execute("select pg_get_viewdef('oneroster.sync_receipts'::regclass)"))]
    sis.database.execute(
        f"create or replace view oneroster.sync_receipts as {counts.rstrip().rstrip(';')} union all "
        "select 'demographics', 'bulk', count(distinct sourced_id), 0::bigint, true from oneroster.demographics"
    )
    sis.run(**every)
    files = sis.files()
    assert sis.told()["findings"] == []
    students = {s["student_no"]: s for s in sis.database.rows("sis.student")}
    races = Counter(r["student_no"] for r in sis.database.rows("sis.student_race"))
    words = {"F": "female", "M": "male", "X": "unspecified", None: ""}
    assert {row["sourcedId"] for row in files["demographics"]} == {
        row["sourcedId"] for row in files["users"] if row["sourcedId"].startswith("stu-")
    }
    for row in files["demographics"]:
        number = int(row["sourcedId"].removeprefix("stu-"))
        flags = [row["americanIndianOrAlaskaNative"], row["asian"], row["blackOrAfricanAmerican"], row["white"]]
        flags.append(row["nativeHawaiianOrOtherPacificIslander"])
        assert (row["sex"], row["birthDate"]) == (words[students[number]["gender"]], students[number]["birth_date"])
        assert flags.count("true") == races[number]
        assert (row["demographicRaceTwoOrMoreRaces"] == "true") is (races[number] > 1)


def test_a_view_that_loses_a_school(sis):
    """Nothing is published, and the log names the rules and the one row that explains all that would have to go."""
    before = sis.output.read_bytes()
    replaced(sis.database, "orgs", "FROM sis.school", "FROM sis.school WHERE school.school_no <> 2")
    log = sis.run(fails=True)
    assert "courses.orgSourcedId: names a row that is not in orgs: 5" in log
    school = sis.database.execute("select left(encode(sha256('sch-2'), 'hex'), 12)")[0]
    assert f"orgs {school} takes with it: classes 10, courses 5, enrollments" in log
    assert "Nothing was published" in log
    assert sis.output.read_bytes() == before
    [cause] = sis.told()["causes"]
    assert cause["cause"] == f"orgs {school}"


def test_a_view_in_which_numbers_clash(sis):
    """Student 17 and staff member 17 under one id: the view that counts finds it, and so do the checks without it."""
    before = sis.output.read_bytes()
    replaced(sis.database, "users", "'stf-'::text ||", "'stu-'::text ||")
    log = sis.run(fails=True)
    assert "users: the tap left rows out" in log
    assert sis.output.read_bytes() == before
    log = sis.run(
        fails=True,
        TARGET_ONEROSTER_CSV_REQUIRE_RECEIPTS="false",
        TAP_POSTGRES__SELECT='["*.*", "!oneroster-sync_receipts.*"]',
    )
    assert "different records under one id" in log
    assert sis.output.read_bytes() == before


def test_a_tap_that_breaks_off(sis):
    """The database fails in the middle of the last view: Meltano closes the target's input, and nothing is published."""
    before = sis.output.read_bytes()
    guardians = len([user for user in sis.files()["users"] if user["sourcedId"].startswith("gua-")])
    sis.database.execute(
        "create sequence roster.calls;"
        "create function roster.fail(name text) returns text language plpgsql security definer as $$ begin "
        f"if nextval('roster.calls') > {guardians + 20} then raise exception 'connection lost'; end if; return name; end $$"
    )  # the view that counts calls it for each guardian, and has long been read when it fails
    replaced(sis.database, "users", "guardian.last_name", "roster.fail(guardian.last_name)")
    log = sis.run(fails=True)
    assert "users: fewer or more rows arrived than the receipt counts" in log
    assert sis.output.read_bytes() == before
