"""Records that came more than once under one id: identical, newer, of one person, or in conflict."""

from __future__ import annotations

import json
from itertools import cycle, product
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_core.model import Version, csv_files
from target_oneroster.errors import TargetError

from .mini import lines, receipt, record_line, row, rows, schema_line

if TYPE_CHECKING:
    from .conftest import Place

LATER = "2026-02-02T00:00:00.000Z"
CHANGE: dict[str, Any] = {
    "orgs": {"name": "Other"}, "academicSessions": {"title": "Other"}, "courses": {"title": "Other"},
    "classes": {"title": "Other"}, "users": {"givenName": "Other"}, "roles": {"beginDate": "2025-01-01"},
    "userProfiles": {"username": "other"}, "enrollments": {"beginDate": "2025-08-16"}, "demographics": {"sex": "male"},
    "categories": {"title": "Other"}, "lineItems": {"title": "Other"}, "results": {"score": 1.0},
    "scoreScales": {"title": "Other"}, "resources": {"title": "Other"},
}  # fmt: skip


def counts(place: Place) -> dict[str, int]:
    found: dict[str, int] = json.loads(place.report.read_text())["counts"]
    return found


def test_identical_copies_are_one(place: Place) -> None:
    """Singer is at least once: the same row again is left out, and counted; in every file."""
    district = rows()
    files = [file.name for file in csv_files(Version.V1_2)]
    for file in files:
        district[file].append(dict(district[file][0]))
    place.run(lines(district))
    for file in files:
        assert place.ids(file) == sorted({r["sourcedId"] for r in district[file]})
    assert counts(place) == {f"{file}: the same record more than once: identical": 1 for file in files}


def test_ids_with_the_same_hash_are_not_copies(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids are counted by their hashes first; if hashes collide, the ids themselves decide."""
    monkeypatch.setattr("target_oneroster.bundle.tables.count_distinct", lambda _: "count(DISTINCT 1)")
    district = rows()
    place.run(lines(district | {"orgs": [*district["orgs"], dict(district["orgs"][0])]}))
    for file in ("users", "orgs"):
        assert place.ids(file) == sorted({r["sourcedId"] for r in district[file]})
    assert counts(place) == {"orgs: the same record more than once: identical": 1}


@pytest.mark.parametrize("order", [1, -1], ids=["newest last", "newest first"])
def test_the_newest_copy_counts(place: Place, order: int) -> None:
    """A row that comes again with a newer dateLastModified counts, in whatever order the two come; in every file."""
    district = rows()
    before = {}
    for file, change in CHANGE.items():
        old = before[file] = district[file].pop(0)
        district[file] += [old, old | change | {"dateLastModified": LATER}][::order]
    place.run(lines(district))
    for file, change in CHANGE.items():
        (column,) = change
        written = next(r for r in place.rows(file) if r["sourcedId"] == before[file]["sourcedId"])
        assert written[column] in {str(change[column]), "1"}
    left_out = "the same record more than once: differing, the newest was kept"
    assert counts(place) == {f"{file}: {left_out}": 1 for file in CHANGE}


DATES = {"the same": ("x", "x"), "none": (None, None), "one": (None, LATER)}
EACH = [*zip(CHANGE, cycle(DATES), strict=False), *product(["users"], DATES)]
"""Every file with one of the kinds of dates, and one file with all of them."""


@pytest.mark.parametrize(("file", "dates"), dict.fromkeys(EACH))
def test_different_rows_without_a_newer_one_are_a_conflict(place: Place, file: str, dates: str) -> None:
    """Nothing says which is right: neither is published, and the values stay in the quarantine."""
    district = rows()
    old = district[file].pop(0)
    pair = [dict(old), old | CHANGE[file]]
    for one, date in zip(pair, DATES[dates], strict=True):
        one["dateLastModified"] = old["dateLastModified"] if date == "x" else date
    district[file] += pair
    with pytest.raises(TargetError, match=f"{file}.sourcedId: different records under one id") as caught:
        place.run(lines(district))
    assert "Other" not in str(caught.value)
    assert place.files() == {}
    place.run(lines(district), on_invalid="quarantine")
    assert old["sourcedId"] not in place.ids(file)
    aside = place.output.with_name(place.output.name + ".quarantine.jsonl").read_text().splitlines()
    ours = [found for found in map(json.loads, aside) if found["file"] == file and "different" in found["rule"]]
    assert [found["row"]["sourcedId"] for found in ours] == [old["sourcedId"]] * 2
    assert json.loads(place.report.read_text())["rejected"][file] >= 2


def test_a_tombstone_and_a_row_of_the_same_time_are_a_conflict(place: Place) -> None:
    """A row that is to be deleted and another that is active: neither is taken for the last word."""
    district = rows()
    district["enrollments"].append(district["enrollments"][0] | {"status": "tobedeleted"})
    with pytest.raises(TargetError, match="different records under one id"):
        place.run(lines(district))


PERSON = [
    ("two schools", [("student", "s1"), ("student", "s2")], "s1,s2", {("primary", "student", "s1"), ("primary", "student", "s2")}),
    ("two roles at one school", [("aide", "s1"), ("teacher", "s1")], "s1", {("primary", "aide", "s1"), ("secondary", "teacher", "s1")}),
    ("a role each", [("parent", "s2"), ("teacher", "s1"), ("parent", "s2")], "s2,s1", {("primary", "parent", "s2"), ("primary", "teacher", "s1")}),
]  # fmt: skip


@pytest.mark.parametrize(("pairs", "orgs", "roles"), [case[1:] for case in PERSON], ids=[case[0] for case in PERSON])
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_rows_of_one_person_are_united(place: Place, version: str, pairs: Any, orgs: str, roles: Any) -> None:
    """A row for each school or role of one person: all orgs arrive, and a row of roles for each."""
    district = rows("1.1")
    district["orgs"].append(row(district, "orgs", "s1") | {"sourcedId": "s2"})
    user = district["users"].pop(1)
    district["users"] += [user | {"role": role, "orgSourcedIds": [org]} for role, org in pairs]
    district["enrollments"] = []
    place.run(lines(district), oneroster_version=version)
    assert counts(place)["users: the same person more than once: orgs and roles united"] == len(pairs) - 1
    if version == "1.1":
        (written,) = [r for r in place.rows("users") if r["sourcedId"] == user["sourcedId"]]
        assert written["orgSourcedIds"] == orgs
        assert written["role"] == ("student" if pairs[0][0] == "student" else "teacher")
    else:
        sent = [r for r in place.rows("roles") if r["userSourcedId"] == user["sourcedId"]]
        assert {(r["roleType"], r["role"], r["orgSourcedId"]) for r in sent} == roles
        assert len(sent) == len(roles)


def test_two_people_under_one_id_are_not_united(place: Place) -> None:
    """Rows that differ in the person as well are two people."""
    district = rows("1.1")
    district["users"].append(district["users"][0] | {"orgSourcedIds": ["d1"], "familyName": "Else"})
    with pytest.raises(TargetError, match="different records under one id"):
        place.run(lines(district), oneroster_version="1.1")


def test_derived_rows_of_an_older_copy_go_with_it(place: Place) -> None:
    """The newest copy of a user came first, then an older one with another role: the role goes."""
    district = rows()
    new = row(district, "users", "u2") | {"dateLastModified": LATER}
    role = row(district, "roles", "r2")
    older = lines({"users": [row(district, "users", "u2")], "roles": [role | {"sourcedId": "r2b", "role": "aide"}]})
    district["users"][1], district["roles"][1] = new, role | {"dateLastModified": LATER}
    records = district | {"roles": [*district["roles"], role | {"sourcedId": "r2b"}]}
    proofs = [
        record_line("syncReceipts", receipt(s, r, contentDigest=None if s == "roles" else "0" * 16))
        for s, r in records.items()
    ]
    place.run([schema_line("syncReceipts"), *lines(district), *older, *proofs])
    assert place.ids("roles") == ["r1", "r2", "r3"]
