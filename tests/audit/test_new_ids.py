"""People and classes that come back under other ids: what decides, what does not, and what it holds."""

from __future__ import annotations

import copy
import csv
import stat
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from oneroster_audit.cells import Counts
from oneroster_audit.checks.churn import Churn, churn
from oneroster_audit.words import ALL, Cell, Severity

from tests.audit.conftest import POLICY, found
from tests.audit.nights import district, enroll, lost_from, rebuilt

if TYPE_CHECKING:
    from tests.audit.conftest import Desk
    from tests.audit.nights import District

GUARDIAN = "sommer.guardian@example.com"


def crosswalk(desk: Desk, load: int) -> dict[tuple[str, str], str]:
    """Verdicts by old and new id of a load, as the command writes them."""
    out = desk.folder / "crosswalk.csv"
    assert desk("crosswalk", str(load), "--out", str(out)) == 0, desk.err
    with out.open(encoding="utf-8", newline="") as text:
        return {(row["old"], row["new"]): row["verdict"] for row in csv.DictReader(text)}


def reissue(rows: District, user: str, new_id: str, **changes: Any) -> None:
    """Give a user another id, with other values; what refers to the user follows."""
    rows["users"][new_id] = rows["users"].pop(user) | {"sourcedId": new_id} | changes
    for name in ("roles", "enrollments"):
        for row in rows[name].values():
            if row["userSourcedId"] == user:
                row["userSourcedId"] = new_id


def reclass(rows: District, its: str, new_id: str, **changes: Any) -> None:
    """Give a class another id; its enrollments follow."""
    rows["classes"][new_id] = rows["classes"].pop(its) | {"sourcedId": new_id} | changes
    for row in rows["enrollments"].values():
        if row["classSourcedId"] == its:
            row["classSourcedId"] = new_id


def test_which_keys_decide(desk: Desk) -> None:
    """Strong keys vote where one person holds them on both nights; a vote against, or another name, is a conflict."""
    rows = district(2)
    users = rows["users"]
    for n in range(10, 14):
        users[f"s1-p{n}"]["email"] = GUARDIAN  # several hold it, one of whom comes back
    for n in (14, 15):
        users[f"s1-p{n}"]["email"] = "pair@example.com"  # both are gone, and one comes back: which?
    users["s1-p20"] |= {"userMasterIdentifier": "m20", "userIds": [{"type": "State", "identifier": "t20"}]}
    desk.audit(rows)
    new = copy.deepcopy(rows)
    none: dict[str, Any] = {"identifier": None, "email": None}
    reissue(new, "s1-p0", "all")
    reissue(new, "s1-p1", "number", email="x1", username="x1")
    reissue(new, "s1-p2", "mail", username="x2", identifier="x2")  # renumbered, the same name: one key is enough
    reissue(new, "s1-p3", "married", familyName="Other", email="x3", username="x3")
    reissue(new, "s1-p4", "name only", username="x4", **none)
    reissue(new, "s1-p10", "guardian's mail", username="x10", identifier=None, givenName="Other")
    reissue(new, "s1-p14", "one of two", username="x14", identifier=None, givenName="Other")
    del new["users"]["s1-p15"], new["roles"]["s1-p15-r"]
    reissue(new, "s1-p20", "state id", username="x20", **none, givenName="Other")
    # Two votes for different persons; a name against a number; and an account that was given to somebody else.
    reissue(new, "s1-p5", "five", identifier="s1-p6")
    reissue(new, "s1-p6", "six", identifier="s1-p5")
    reissue(new, "s1-p7", "seven", username="x7", email=None, givenName="Given s1-p8", familyName="Family s1-p8")
    reissue(new, "s1-p8", "eight", username="x8", givenName="Other", familyName="Other", **none)
    reissue(new, "s1-p16", "number of another", username="x16", email=None, givenName="Other", familyName="Other")
    reissue(new, "s1-p9", "account", identifier="x9", email=None, givenName="Other")
    desk.audit(new, code=3)
    verdicts = crosswalk(desk, 2)
    told = {pair: v for pair, v in verdicts.items() if "-c" not in pair[0]}
    assert {pair for pair, v in told.items() if v == "proposed"} == {
        ("s1-p0", "all"), ("s1-p1", "number"), ("s1-p2", "mail"), ("s1-p3", "married"), ("s1-p20", "state id"),
    }  # fmt: skip
    assert {pair for pair, v in told.items() if v == "weak"} == {("s1-p4", "name only")}
    assert {old for (old, _), v in told.items() if v == "conflict"} == {
        "s1-p5", "s1-p6", "s1-p7", "s1-p8", "s1-p9", "s1-p16",
    }  # fmt: skip
    assert not [pair for pair in told if "one of two" in pair]
    assert not [pair for pair in told if "guardian" in pair[1]]


def test_a_person_under_two_ids(desk: Desk) -> None:
    """Who is still there is not churn: a warning. A pupil's parent account, or a namesake, is nobody's double."""
    rows = district(2)
    desk.audit(rows)
    new = copy.deepcopy(rows)
    users, roles = new["users"], new["roles"]
    for n, (role, changes) in enumerate(
        [("student", {"identifier": "s1-p0"}), ("parent", {"identifier": "s1-p1"}), ("student", {"email": "s1-p2@example.com"})]
    ):  # fmt: skip
        users[f"x{n}"] = users[f"s1-p{n}"] | {
            "sourcedId": f"x{n}",
            "username": f"x{n}",
            "email": None,
            "identifier": None,
            **changes,
        }
        roles[f"x{n}"] = roles["s1-p0-r"] | {"sourcedId": f"x{n}", "userSourcedId": f"x{n}", "role": role}
    report = desk.audit(new)
    (finding,) = found(report, "keys.two-ids")
    assert (finding["school"], finding["count"], finding["severity"]) == ("s1", 1, "warn")
    assert not found(report, "churn.people")
    out = desk.folder / "rows.csv"
    assert desk("rows", finding["id"], "--out", str(out)) == 0, desk.err
    assert out.read_text(encoding="utf-8").splitlines()[1:] == ["users,x0"]


def test_how_many_hold_a_school(desk: Desk) -> None:
    """5 rows that are 2 % of a school hold it, and no other; fewer are a note."""
    rows = district(3, students=200, classes=1)
    desk.audit(rows)
    new = copy.deepcopy(rows)
    for school, reissued in (("s1", 4), ("s2", 5)):
        for n in range(reissued):
            reissue(new, f"{school}-p{n}", f"{school}-new{n}")
    report = desk.audit(new, code=3)
    told = {(f["school"], f["count"], f["severity"]) for f in found(report, "churn.people")}
    assert told == {("s1", 4, "note"), ("s2", 5, "hold")}
    assert [s["id"] for s in report["held_schools"]] == ["s2"]


@pytest.mark.parametrize(
    ("school", "before", "rows", "holds"),
    [("s1", 250, 5, True), ("s1", 251, 5, False), ("s1", 9_000, 19, False), ("s1", 9_000, 20, True), ("office", 30, 19, False),
     ("office", 30, 20, True), ("", 30, 20, True)],
)  # fmt: skip
def test_the_limits_themselves(school: str, before: int, rows: int, holds: bool) -> None:
    """20 rows of any school; of an org that is no school, which would hold them all, never fewer."""
    cell = Cell("users", school, ALL, ALL)
    counts = {cell: Counts(before=before, now=before)}
    (finding,) = churn([Churn("users", school, "proposed", rows)], counts, ["s1"], expects_new_classes=True)
    assert (finding.severity == Severity.HOLD) == holds


def test_what_makes_a_class_the_same(desk: Desk) -> None:
    """Course, school, terms and four fifths of the roster (trap 3); never the title, and nothing where two are alike."""
    rows = district(5, students=10, classes=6)
    for n in range(10):  # those of the fourth school are in one class only
        for c in range(1, 6):
            del rows["enrollments"][f"s4-c{c}-s4-p{n}"]
    desk.audit(rows)
    new = copy.deepcopy(rows)
    # In each school one class comes under a new id. In the first the roster decides: 8 of 10, then 7 of 10.
    for its, missing in (("s1-c0", 2), ("s1-c1", 3)):
        reclass(new, its, f"new-{its}")
        for n in range(missing):
            del new["enrollments"][f"{its}-s1-p{n}"]
    reclass(new, "s2-c0", "another term", termSourcedIds=["t1"])
    reclass(new, "s5-c0", "another course", courseSourcedId="s5-other")
    new["courses"]["s5-other"] = {"sourcedId": "s5-other", "title": "Course", "orgSourcedId": "s5"}
    # Two classes of one course, terms and roster: their titles, codes and periods would have to tell them apart.
    for c in (0, 2):
        reclass(new, f"s3-c{c}", f"new-s3-c{c}", title="Class")
    # The title is the same, and all pupils are others.
    reclass(new, "s4-c0", "same title")
    for n in range(10):
        new["enrollments"].pop(f"s4-c0-s4-p{n}")
        enroll(new, "same title", f"s4-new{n}")
        new["users"][f"s4-new{n}"] = {
            "sourcedId": f"s4-new{n}",
            "username": f"s4-new{n}",
            "givenName": "New",
            "familyName": str(n),
        }
    desk.house.load(new)
    desk("run")
    verdicts = {pair: v for pair, v in crosswalk(desk, 2).items() if pair[0].count("-") == 1}
    assert verdicts[("s1-c0", "new-s1-c0")] == "proposed"
    assert verdicts[("s1-c1", "new-s1-c1")] == "weak"
    assert {v for (old, _), v in verdicts.items() if old.startswith("s3")} == {"conflict"}
    assert not [old for old, _ in verdicts if old.startswith(("s2", "s4", "s5"))]


def test_pupils_who_left_the_school_do_not_count_against_a_class(desk: Desk) -> None:
    """A third of the pupils left the district on the night of the new ids: those who stayed are all there."""
    rows = district(2, students=12, classes=2)
    desk.audit(rows)
    new = rebuilt(rows, "s1")
    for n in range(4):
        del new["users"][f"s1-p{n}"]
        for c in range(2):
            del new["enrollments"][f"new-s1-c{c}-s1-p{n}"]
    desk.house.load(new)
    desk("run")
    assert {v for (old, _), v in crosswalk(desk, 2).items() if old in ("s1-c0", "s1-c1")} == {"proposed"}
    reasons = dict(desk.store("SELECT reason, enrollments FROM reasons WHERE load = 2"))
    assert reasons == {"class has a new id": 24}


def test_courses_sessions_and_orgs_by_their_codes(desk: Desk) -> None:
    """Code, parent and dates, where one row has them; classes below them are the same all the same."""
    rows = district(2)
    for s in ("s1", "s2"):
        rows["orgs"][s]["identifier"] = f"code {s}"
        rows["courses"][f"{s}-course"]["courseCode"] = "C1"
    for term in ("t1", "t2"):
        rows["academicSessions"][term] |= {"startDate": "2026-08-24", "endDate": "2027-06-05"}
    desk.audit(rows)
    new = copy.deepcopy(rows)
    for name, its, columns in (
        ("orgs", "s1", ("orgSourcedId", "schoolSourcedId")), ("courses", "s1-course", ("courseSourcedId",)),
        ("academicSessions", "t1", ()), ("courses", "s2-course", ("courseSourcedId",)),
    ):  # fmt: skip
        new[name][f"new-{its}"] = new[name].pop(its) | {"sourcedId": f"new-{its}"}
        for table in new.values():
            for row in table.values():
                row.update({c: f"new-{its}" for c in columns if row.get(c) == its})
                if its == "t1" and row.get("termSourcedIds") == ["t1"]:
                    row["termSourcedIds"] = ["new-t1"]
    new["courses"]["new-s2-course"]["courseCode"] = "another"
    for c in range(5):
        reclass(new, f"s1-c{c}", f"new-s1-c{c}")
    desk.house.load(new)
    desk("run")
    verdicts = crosswalk(desk, 2)
    for its in ("s1", "s1-course", "t1", *(f"s1-c{c}" for c in range(5))):
        assert verdicts[(its, f"new-{its}")] == "proposed", its
    assert ("s2-course", "new-s2-course") not in verdicts


def test_a_held_school_is_compared_with_its_baseline(desk: Desk) -> None:
    """The second night after the new ids they are still proposed, for that school only."""
    rows = district(3)
    desk.audit(rows)
    desk.audit(rebuilt(rows, "s2"), code=3)
    report = desk.audit(lost_from(rebuilt(rows, "s2"), "s1", 1), code=3)
    assert [(f["school"], f["count"]) for f in found(report, "churn.classes")] == [("s2", 5)]
    assert len([old for old, _ in crosswalk(desk, 3) if old.startswith("s2-c")]) == 160
    out = desk.folder / "rows.csv"
    for check in ("churn.classes", "brake.lost"):
        finding = next(f for f in found(report, check) if f["count"])
        assert desk("rows", finding["id"], "--out", str(out)) == 0, desk.err
        assert len(out.read_text(encoding="utf-8").splitlines()) == finding["count"] + 1
    assert desk("approve", "3", "--by", "A", "--reason", "calendar rebuilt") == 0
    assert not found(desk.audit(lost_from(rebuilt(rows, "s2"), "s1", 2)), "churn.classes")


def test_the_file_and_who_can_read_it(desk: Desk) -> None:
    """The header is the contract's, files are 0600, ids are in no other file, and purge removes them for good."""
    desk.policy(POLICY + "report: {path: page.html, json: page.json}\n")
    rows = district(3)
    for n in range(30):
        rows["users"][f"s2-p{n}"]["identifier"] = f"canary-{n}"
    desk.audit(rows)
    new = copy.deepcopy(rows)
    for n in range(30):
        reissue(new, f"s2-p{n}", f"secret-{n}")
    report = desk.audit(new, code=3)
    out = desk.folder / "crosswalk.csv"
    assert desk("crosswalk", "2", "--out", str(out)) == 0, desk.err
    assert "secret" not in desk.out
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "file,old,new,rules,overlap,verdict"
    assert "users,s2-p7,secret-7,email;identifier;name+school+grade;username,,proposed" in lines
    restricted = desk.folder / "audit.restricted.duckdb"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (out, restricted)} == {0o600}
    assert not list(desk.folder.glob("*.part"))
    for name in ("audit.duckdb", "page.html", "page.json"):
        text = (desk.folder / name).read_bytes()
        assert b"secret-" not in text
        assert b"canary-" not in text
    assert "secret-" not in str(report)
    assert "30 persons" in (desk.folder / "page.html").read_text(encoding="utf-8")
    assert desk("crosswalk", "1", "--out", str(out)) == 0
    assert out.read_text(encoding="utf-8").splitlines() == lines[:1]
    assert desk("crosswalk", "7", "--out", str(out)) == 2
    assert desk.err == "oneroster-audit: load 7 was not audited\n"
    assert desk("purge", "--before", "2030-01-01") == 0, desk.err
    assert "ids of persons of 1 loads" in desk.out
    assert b"secret-" not in restricted.read_bytes()
    assert stat.S_IMODE(restricted.stat().st_mode) == 0o600
    assert desk("crosswalk", "2", "--out", str(out)) == 2
    assert "are not kept any more" in desk.err


def test_a_store_of_the_version_before(desk: Desk) -> None:
    """It is shown as it is, and the next run adds tables and columns; a crosswalk of its loads is one line."""
    rows = district(2)
    desk.audit(rows)
    with duckdb.connect(str(desk.folder / "audit.duckdb")) as database:
        for table in ("new_ids", "schedule_counts", "rollover"):
            database.execute(f"DROP TABLE {table}")
        database.execute("ALTER TABLE arrivals DROP COLUMN marked")
        database.execute("UPDATE meta SET version = 1")
    (desk.folder / "audit.restricted.duckdb").unlink()
    assert desk.report()["schedule"] == []
    assert desk("crosswalk", "1", "--out", "x.csv") == 2
    assert "no audit.restricted.duckdb beside the store" in desk.err
    report = desk.audit(rebuilt(rows, "s2"), code=3)
    assert found(report, "churn.classes")
    assert desk.store("SELECT version FROM meta") == [(2,)]
    assert len(crosswalk(desk, 2)) == 160
