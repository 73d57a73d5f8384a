"""Records of a service that share a sourcedId: the same rule as for the rows of a file."""

from __future__ import annotations

from typing import Any

import pytest
from oneroster_sample.provider import Knobs
from tap_oneroster.source import SourceError

from .conftest import Pull, Reader, served

CONFLICT = "sourcedId: different records under one id"
LAST = f"{CONFLICT}, the last one was kept"
UNITED = "the same person more than once: orgs and roles united"
NEWEST = "the same record more than once: differing, the newest was kept"
DAY = "2026-11-02T00:00:00.000Z"


def one_id(ids: list[str], *, dates: bool = False, **more: Any) -> Any:
    """A spelling that gives these records one id, and the same date, or dates in order."""

    def spell(record: dict[str, Any]) -> dict[str, Any]:
        if record["sourcedId"] not in ids:
            return record
        day = f"2026-11-{ids.index(record['sourcedId']) + 1:02}T00:00:00.000Z" if dates else DAY
        return {**record, "sourcedId": ids[0], "status": "active", "dateLastModified": day, **more}

    return spell


def pull(reader: Reader, name: str = "users") -> tuple[Pull, str | None]:
    """Up to three attempts at a collection, and how the last one ended."""
    found = Pull()
    try:
        for attempt in range(3):
            found = Pull()
            try:
                read_into(found, reader, name)
                break
            except SourceError as error:
                if type(error) is SourceError or attempt == 2:
                    return found, str(error)
    except SourceError as error:
        return found, str(error)
    return found, None


def read_into(found: Pull, reader: Reader, name: str) -> None:
    """One attempt, of which also what came before an error is known."""
    from tap_oneroster._core.model import derived_from, file
    from tap_oneroster.source import Request

    top = file(name)
    for part in reader.source.passes(Request(top, (top, *derived_from(name)))):
        found.facts = dict(part.facts)
        for batch in part:
            found.records.setdefault(batch.file.name, []).extend(batch.records)


@pytest.mark.parametrize("page_cap", [200, 10], ids=["on one page", "over pages"])
@pytest.mark.parametrize("on_invalid", ["report", "accept", "fail"])
def test_different_records_under_one_id_are_a_conflict(users: list[str], on_invalid: str, page_cap: int) -> None:
    """None is delivered and each is rejected; the last for who has looked; or the run stops."""
    three = users[:1] + users[40:42]
    with served(Knobs(page_cap=page_cap, spelling=one_id(three), refuse_sort=400), on_invalid=on_invalid) as reader:
        found, error = pull(reader)
    facts = found.facts["users"]
    if on_invalid == "fail":
        assert error == f"users: {CONFLICT}"
        return
    ids = found.ids("users")
    assert len(ids) == len(set(ids)) == len(users) - 3 + (on_invalid == "accept")
    roles = {row.userSourcedId for row in found.records["roles"]}
    if on_invalid == "report":
        assert "3 records were left out" in (error or "")
        assert (facts.rejected, facts.complete, facts.snapshot) == (3, False, False)
        assert facts.deviations[CONFLICT] == 3
        assert users[0] not in ids
        assert users[0] not in roles
    else:
        assert error is None
        assert (facts.rejected, facts.complete, facts.snapshot) == (2, True, False)
        assert facts.deviations[LAST] == 2
        assert users[0] in ids


@pytest.mark.parametrize("page_cap", [200, 10], ids=["on one page", "over pages"])
def test_the_newest_of_differing_records_counts(users: list[str], page_cap: int) -> None:
    with served(Knobs(page_cap=page_cap, spelling=one_id([users[0], users[50]], dates=True))) as reader:
        found, error = pull(reader)
    assert error is None
    (kept,) = [row for row in found.records["users"] if row.sourcedId == users[0]]
    assert kept.dateLastModified == "2026-11-02T00:00:00.000Z"
    assert found.facts["users"].deviations[NEWEST] == 1
    assert found.facts["users"].collapsed == 1


@pytest.mark.parametrize("page_cap", [200, 10], ids=["on one page", "over pages"])
def test_a_record_for_each_school_of_a_person_is_one_person_at_all_of_them(users: list[str], page_cap: int) -> None:
    """1.1: the union of orgs; a role for each org and role, the first at an org primary."""
    three = [users[0], users[1], users[60]]
    places = [("s1", "teacher"), ("s2", "teacher"), ("s1", "guardian")]
    person = {"givenName": "Ann", "familyName": "Lee", "username": "ann", "enabledUser": "true"}

    def spell(record: dict[str, Any]) -> dict[str, Any]:
        if record["sourcedId"] not in three:
            return record
        org, role = places[three.index(record["sourcedId"])]
        orgs = [{"href": "https://x.example/orgs/1", "sourcedId": org, "type": "org"}]
        stamps = {"status": "active", "dateLastModified": DAY}
        return {"sourcedId": users[0], **stamps, **person, "role": role, "orgs": orgs}

    with served(Knobs(page_cap=page_cap, spelling=spell), version="1.1") as reader:
        found, error = pull(reader)
    assert error is None
    (user,) = [row for row in found.records["users"] if row.sourcedId == users[0]]
    assert (user.orgSourcedIds, user.role) == (["s1", "s2"], "teacher")
    assert [
        (row.orgSourcedId, row.role, row.roleType) for row in found.records["roles"] if row.userSourcedId == users[0]
    ] == [("s1", "teacher", "primary"), ("s2", "teacher", "primary"), ("s1", "guardian", "secondary")]
    assert found.facts["users"].deviations[UNITED] == 2
    assert (found.facts["users"].complete, found.facts["users"].rejected) == (True, 0)


def test_records_that_differ_in_the_roles_they_hold_are_not_identical(users: list[str]) -> None:
    """1.2: what the record itself does not show counts as well."""
    two = users[:2]

    def spell(record: dict[str, Any]) -> dict[str, Any]:
        if record["sourcedId"] not in two:
            return record
        org = {"href": "https://x.example/orgs/1", "sourcedId": f"s{two.index(record['sourcedId'])}", "type": "org"}
        role = {"roleType": "primary", "role": "student", "org": org}
        stamps = {"status": "active", "dateLastModified": DAY}
        return {"sourcedId": two[0], **stamps, "givenName": "Ann", "familyName": "Lee", "roles": [role]}

    with served(Knobs(page_cap=200, spelling=spell)) as reader:
        found, error = pull(reader)
    assert "2 records were left out" in (error or "")
    assert two[0] not in {row.userSourcedId for row in found.records["roles"]}
