"""Bundles in which some files are all there is and others only what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_oneroster.errors import TargetError

from .mini import lines, receipt, record_line, row, rows, schema_line

if TYPE_CHECKING:
    from .conftest import Place

SEATS = {"enrollments": "delta"}


def manifest(place: Place) -> dict[str, str]:
    """What the manifest says of each file."""
    pairs = (line.split(",") for line in place.files()["manifest.csv"].decode().splitlines())
    return {name.removeprefix("file."): value for name, value in pairs if name.startswith("file.")}


def stamps(place: Place, file: str) -> set[tuple[str, str]]:
    return {(r["status"], r["dateLastModified"]) for r in place.rows(file)}


def test_each_file_follows_its_own_mode(place: Place) -> None:
    """Delta files carry status and time and what is deleted, bulk files neither."""
    district = rows()
    row(district, "enrollments", "e2")["status"] = "tobedeleted"
    row(district, "categories", "cat")["status"] = "tobedeleted"
    del district["lineItems"], district["results"]
    for name in [name for name in district if name.startswith(("lineItem", "result"))]:
        del district[name]
    place.run(lines(district), file_modes=SEATS)
    modes = manifest(place)
    assert {name for name, mode in modes.items() if mode == "delta"} == {"enrollments"}
    assert modes["users"] == "bulk"
    assert modes["categories"] == "absent"
    assert stamps(place, "enrollments") == {
        ("active", "2026-01-02T03:04:05.678Z"),
        ("tobedeleted", "2026-01-02T03:04:05.678Z"),
    }
    assert stamps(place, "users") == {("", "")}
    assert place.findings() == set()


def test_bulk_files_among_deltas(place: Place) -> None:
    """The other way round: all is delta, but for the files that are named."""
    district = {name: rows()[name] for name in ("orgs", "courses", "classes", "academicSessions")}
    place.run(lines(district), file_mode="delta", file_modes={"orgs": "bulk"})
    assert manifest(place)["orgs"] == "bulk"
    assert manifest(place)["courses"] == "delta"
    assert stamps(place, "orgs") == {("", "")}


def test_derived_files_go_with_their_parents(place: Place) -> None:
    """Roles of a delta of users are no snapshot of all roles, unless somebody says so."""
    place.run(lines(rows()), file_modes={"users": "delta"})
    assert {name for name, mode in manifest(place).items() if mode == "delta"} == {
        "users", "roles", "userProfiles", "userResources",
    }  # fmt: skip
    place.run(lines(rows()), file_modes={"users": "delta", "roles": "bulk"})
    assert manifest(place)["roles"] == "bulk"


def receipted(changes: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    district = rows()
    receipts = [receipt(stream, records, **changes.get(stream, {})) for stream, records in district.items()]
    return [
        schema_line("syncReceipts"),
        *lines(district),
        *[record_line("syncReceipts", r) for r in receipts],
    ]


@pytest.mark.parametrize(
    "change", [{"filter": "dateLastModified>='2026'"}, {"mode": "delta"}, {"mode": "skipped"}, {"rejected": 1}]
)
def test_only_bulk_files_need_a_whole_read(place: Place, change: dict[str, Any]) -> None:
    """An incremental read is a delta; for a bulk file beside it, it is refused."""
    place.run(receipted({"enrollments": change}), file_modes=SEATS)
    before = place.files()
    with pytest.raises(TargetError, match=r"Nothing was published\. orgs: "):
        place.run(receipted({"enrollments": change, "orgs": change}), file_modes=SEATS)
    with pytest.raises(TargetError, match=r"enrollments: the receipt says that the read did not reach its end"):
        place.run(receipted({"enrollments": {"complete": False}}), file_modes=SEATS)
    assert place.files() == before


def test_only_bulk_files_are_braked(place: Place) -> None:
    """A delta is short by nature; a bulk file beside it must not shrink."""
    district = rows()
    district["enrollments"] += [row(district, "enrollments", "e1") | {"sourcedId": f"e{n}"} for n in range(10, 60)]
    place.run(lines(district))
    place.run(lines(rows()), file_modes=SEATS)
    assert place.ids("enrollments") == ["e1", "e2"]
    less = rows()
    less["classes"] = less["classes"][:1]
    with pytest.raises(TargetError, match=r"classes \(2 before, 1 now\)"):
        place.run(lines(less), file_modes=SEATS)


def test_a_delta_row_names_what_a_bulk_file_holds(place: Place) -> None:
    """A bulk file is all there is: who is not in it, is nowhere. Rows that say what is gone may name what is gone."""
    district = rows()
    seat = row(district, "enrollments", "e1")
    district["enrollments"] += [seat | {"sourcedId": "e8", "userSourcedId": "u8", "status": "tobedeleted"}]
    place.run(lines(district), file_modes=SEATS)
    assert place.findings() == set()
    assert place.ids("enrollments") == ["e1", "e2", "e8"]
    district["enrollments"] += [seat | {"sourcedId": "e9", "userSourcedId": "u9"}]
    with pytest.raises(TargetError, match="names a row that is not in users: 1 "):
        place.run(lines(district), file_modes=SEATS)


def test_what_the_receiver_may_have(place: Place) -> None:
    """A reference to a file that is a delta, too, or that a delta comes without, is not looked up."""
    district = rows()
    seats = [row(district, "enrollments", "e1") | {"userSourcedId": "u9"}]
    both = {"enrollments": "delta", "users": "delta"}
    place.run(lines(district | {"enrollments": seats}), file_modes=both)
    assert place.ids("enrollments") == ["e1"]
    orgs = {"orgs": district["orgs"], "enrollments": seats}
    place.run(lines(orgs), file_modes=SEATS, accept_shrink=True)
    assert (manifest(place)["users"], manifest(place)["orgs"], manifest(place)["enrollments"]) == (
        "absent", "bulk", "delta",
    )  # fmt: skip
    bulk = {name: district[name] for name in ("orgs", "classes", "academicSessions")}
    with pytest.raises(TargetError, match="names a row that is not in courses"):
        place.run(lines(bulk), file_modes=SEATS, accept_shrink=True)


def test_a_bad_id_is_seen_where_nothing_is_looked_up(place: Place) -> None:
    """The text of a reference is all there is to check then, in lists too."""
    day = rows()
    changes = {
        "classes": [row(day, "classes", "k1") | {"termSourcedIds": ["t1", "t 9"]}],
        "enrollments": [row(day, "enrollments", "e1") | {"userSourcedId": "u 9"}],
        "users": [row(day, "users", "u1") | {"agentSourcedIds": ["a b"]}],
    }
    with pytest.raises(TargetError):
        place.run(lines(changes), file_mode="delta")
    assert place.findings() == {
        ("row", "classes.termSourcedIds", "holds an element that is not an id"),
        ("row", "enrollments.userSourcedId", "is not an id (1 to 255 of letters, digits and . - _ / @)"),
        ("value", "users.agentSourcedIds", "holds an element that is not an id"),
    }


def test_what_points_at_a_deleted_row_is_deleted(place: Place) -> None:
    """Where a bulk file lacks a class from now on, a delta has to say that its enrollments are gone."""
    district = rows()
    row(district, "classes", "k1")["status"] = "tobedeleted"
    gone = [name for name in district if name.startswith(("lineItem", "result", "score", "classRes"))]
    place.run(lines({name: records for name, records in district.items() if name not in gone}), file_modes=SEATS)
    assert place.ids("classes") == ["k2"]
    assert stamps(place, "enrollments") == {("tobedeleted", "2026-01-02T03:04:05.678Z")}
    assert place.findings() == set()


def test_rows_that_go_break_no_rule_between_rows(place: Place) -> None:
    """A role that takes another one's place is no second primary role, nor a seat a second primary teacher."""
    day = rows()
    role, seat = row(day, "roles", "r2"), row(day, "enrollments", "e2")
    changes = {
        "roles": [role | {"status": "tobedeleted"}, role | {"sourcedId": "r9", "role": "aide"}],
        "enrollments": [seat | {"status": "tobedeleted"}, seat | {"sourcedId": "e9", "userSourcedId": "u8"}],
    }
    place.run(lines(changes), file_mode="delta")
    assert place.findings() == set()
    assert place.ids("roles") == ["r2", "r9"]
    assert [r["primary"] for r in place.rows("enrollments")] == ["true", "true"]


def test_a_role_that_goes_is_not_the_users(place: Place) -> None:
    """From 1.2 to 1.1: users.role is that of the roles which stay, and roles without their user are counted."""
    day = rows()
    role = row(day, "roles", "r2")
    changes = {
        "users": [row(day, "users", "u2"), row(day, "users", "u3") | {"status": "tobedeleted"}],
        "roles": [
            role | {"status": "tobedeleted"},
            role | {"sourcedId": "r9", "role": "aide", "orgSourcedId": "s9"},
            row(day, "roles", "r3") | {"status": "tobedeleted"},
            row(day, "roles", "r1"),
        ],
    }
    place.run(lines(changes), file_mode="delta", oneroster_version="1.1")
    assert [(r["sourcedId"], r["status"], r["role"], r["orgSourcedIds"]) for r in place.rows("users")] == [
        ("u2", "active", "aide", "s9"),
        ("u3", "tobedeleted", "parent", "s1"),
    ]
    assert '"roles: rows without their user, which 1.1 has no place for": 1' in place.report.read_text()


def test_upsert_keeps_the_modes_that_are_there(place: Place) -> None:
    """A mixed bundle is merged file by file: deleted rows leave bulk files and stay in deltas."""
    place.run(lines(rows()), file_modes=SEATS)
    day = rows()
    changes = {
        "enrollments": [row(day, "enrollments", "e1") | {"status": "tobedeleted"}],
        "demographics": [row(day, "demographics", "u1") | {"status": "tobedeleted"}],
    }
    place.run(lines(changes), file_modes=SEATS, load_method="upsert", accept_shrink=True)
    assert {r["sourcedId"]: r["status"] for r in place.rows("enrollments")} == {"e1": "tobedeleted", "e2": "active"}
    assert manifest(place)["demographics"] == "absent"
    with pytest.raises(TargetError, match=r"in the bundle at output_path enrollments \(delta\) is not of the mode"):
        place.run(lines(changes), load_method="upsert")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"file_modes": {"enrollments": "sehr-geheim"}}, "Setting file_modes.enrollments takes one of: bulk, delta."),
        (
            {"file_modes": {"roles": "delta"}, "oneroster_version": "1.1"},
            "file_modes: roles is no file of version 1.1.",
        ),
        ({"file_modes": ["delta"]}, "Setting file_modes takes a value of type object or null."),
    ],
)
def test_modes_that_cannot_be_meant(place: Place, config: dict[str, Any], words: str) -> None:
    """Refused at the start, by name."""
    with pytest.raises(TargetError) as error:
        place.run(lines(rows("1.1")), **config)
    assert words in error.value.message
    assert "geheim" not in error.value.message
