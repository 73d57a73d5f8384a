"""Records of other taps: their names, their shapes, their values; nothing of them is lost."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from target_oneroster.errors import TargetError

from tests.target.mini import lines, record_line, rows, schema_line

if TYPE_CHECKING:
    from .conftest import House

TEXTS = [
    "x" * 40_000,
    "Ωμέγα ẞ 学校 😀 e\u0301",
    "two\nlines\r\n",
    'tab\t"quoted" {b}',
    "\\N",
    "NULL",
    "007",
    "1e5",
    "nul\0inside",
]


def foreign(stream: str, *records: dict[str, Any], **types: Any) -> list[dict[str, Any]]:
    """A stream of another tap: a schema of its records' own properties."""
    properties = {name: types.get(name, {}) for record in records for name in record}
    schema = {"type": "SCHEMA", "stream": stream, "key_properties": [], "schema": {"properties": properties}}
    return [schema, *(record_line(stream, record) for record in records)]


def test_names_in_other_cases_and_references_as_rest_has_them(house: House) -> None:
    """snake_case, lower case, a schema's prefix; an object with a sourcedId where we keep an id."""
    seat = {
        "sourced_id": "e1", "class": {"sourcedId": "k1", "href": "https://x/k1", "type": "class"},
        "userSourcedId": "u1", "SCHOOL": {"sourcedId": "s1"}, "role": "student", "primary": "true",
        "begin_date": "2025-08-01T00:00:00Z", "date_last_modified": "2026-01-02 03:04:05+01:00",
    }  # fmt: skip
    house.run(foreign("public-enrollments", seat))
    (row,) = house.rows("enrollments").values()
    assert (row["classSourcedId"], row["schoolSourcedId"], row["userSourcedId"]) == ("k1", "s1", "u1")
    assert (row["primary"], row["beginDate"]) == (True, date(2025, 8, 1))
    assert row["dateLastModified"].astimezone(UTC) == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)


def test_lists_come_as_lists_as_their_json_or_with_commas(house: House) -> None:
    """An element of a real list keeps its comma."""
    kinds = {"a": ["Art, Drama", "09"], "b": '["Art, Drama", "09"]', "c": "Art,09", "d": [], "e": ""}
    house.run(foreign("classes", *({"sourcedId": name, "subjects": value} for name, value in kinds.items())))
    found = {name: row["subjects"] for name, row in house.rows("classes").items()}
    assert found == {"a": ["Art, Drama", "09"], "b": ["Art, Drama", "09"], "c": ["Art", "09"], "d": [], "e": None}


def test_user_ids_as_objects_or_as_a_cell(house: House) -> None:
    kinds = {
        "a": [{"type": "Fed", "identifier": "x"}],
        "b": "{Fed:x},{LDAP:y:z}",
        "c": '[{"Type": "Fed", "identifier": 7}]',
    }
    house.run(foreign("users", *({"sourcedId": name, "userIds": value} for name, value in kinds.items())))
    found = {name: [tuple(i.values()) for i in row["userIds"]] for name, row in house.rows("users").items()}
    assert found == {"a": [("Fed", "x")], "b": [("Fed", "x"), ("LDAP", "y:z")], "c": [("Fed", "7")]}


def test_what_the_standard_does_not_know_is_kept_in_metadata(house: House, caplog: Any) -> None:
    """A property of the tap's own, a dotted one, and metadata itself; named once, counted as no loss."""
    record = {"sourcedId": "o", "name": "S", "busRoute": 7, "metadata.ncesId": "1", "metadata": {"deep": {"er": [1]}}}
    house.run(foreign("orgs", record, record))
    kept = json.loads(house.rows("orgs")["o"]["metadata"])
    assert kept == {"deep": {"er": [1]}, "ncesId": "1", "busRoute": 7}
    assert caplog.text.count("properties that the standard does not know, kept in metadata: busRoute") == 1


def test_a_property_that_no_schema_announced_is_kept_too(house: House) -> None:
    """Records of a tap without receipts are looked at one by one where their schema fits the model."""
    orgs = [dict(org, extra="Zweistein") for org in rows()["orgs"]]
    house.run([schema_line("orgs"), *(record_line("orgs", org) for org in orgs * 50)])
    assert set(house.there("orgs")) == {org["sourcedId"] for org in orgs}
    assert all(json.loads(row["metadata"])["extra"] == "Zweistein" for row in house.rows("orgs").values())


@pytest.mark.parametrize(
    ("column", "value"),
    [("scoreDate", "2025-02-31"), ("score", "A+"), ("late", "perhaps"), ("dateLastModified", "yesterday"), ("score", "high")],
)  # fmt: skip
@pytest.mark.parametrize("receipts", [True, False], ids=["receipts", "none"])
def test_a_value_of_another_type_is_kept_in_metadata_and_counted(
    house: House, column: str, value: str, receipts: bool
) -> None:
    """The column is empty, the text is not lost; the row beside it is as it was, on the quick way and the slow one."""
    good = rows()["results"][0]
    records = [good, dict(good, sourcedId="odd") | {column: value}, *(dict(good, sourcedId=f"n{n}") for n in range(9))]
    house.run(lines({"results": records}, receipts=receipts))
    found = house.rows("results")
    assert len(found) == len(records)
    assert found["odd"][column] is None
    assert json.loads(found["odd"]["metadata"]) == {column: value}
    assert found["n8"] | {"sourcedId": "x1"} == found["x1"]
    assert house.outcome.unreadable == {("results", column): 1}


def test_numbers_come_as_numbers_or_as_text(house: House) -> None:
    """What no number can be made of is kept as it was."""
    scores = {"a": "85.50", "b": 85.5, "c": "", "d": "1e400", "e": "-0"}
    house.run(foreign("results", *({"sourcedId": name, "score": score} for name, score in scores.items())))
    found = house.rows("results")
    assert [row["score"] for row in found.values()] == [85.5, 85.5, None, None, 0.0]
    assert json.loads(found["d"]["metadata"]) == {"score": "1e400"}


@pytest.mark.parametrize("quick", [True, False])
def test_texts_arrive_as_they_are(house: House, quick: bool) -> None:
    """Long, foreign, with line breaks, and what a database might take for something else; in ids as well."""
    # Our own tap has read its ids; in those of others NULL is no id, and blanks around one go.
    texts = [text for text in TEXTS if quick or text != "NULL"]
    users: list[dict[str, Any]] = [
        {"sourcedId": text[:50], "familyName": text, "metadata": {text[:50]: text}} for text in texts
    ]
    house.run(lines({"users": users}, receipts=quick) if quick else foreign("users", *users))
    found = house.rows("users")
    for text in texts:
        row = found[text[:50] if quick else text[:50].strip()]
        assert row["familyName"] == text
        assert json.loads(row["metadata"]) == {text[:50]: text}


def test_a_shape_that_no_column_takes_is_one_line(house: House) -> None:
    """Stream and property are named, the value is not."""
    with pytest.raises(TargetError, match="Stream users, property givenName: text was expected") as caught:
        house.run(foreign("users", {"sourcedId": "u", "givenName": ["Zweistein"]}))
    assert "Zweistein" not in caught.value.message
    assert not house.path.exists()


def test_a_record_without_its_key_loads_nothing(house: House) -> None:
    with pytest.raises(TargetError, match="lacks a key property"):
        house.run(lines({"orgs": [*rows()["orgs"], {"name": "nameless"}]}))
    assert not house.path.exists()


def test_two_streams_for_one_table_are_refused(house: House) -> None:
    with pytest.raises(TargetError, match="both go to table users"):
        house.run([*foreign("users", {"sourcedId": "a"}), *foreign("public-users", {"sourcedId": "a"})])


def test_rows_inside_of_records_get_tables_of_their_own(house: House) -> None:
    """Roles, profiles, resources of a REST-shaped user; their ids are the model's."""
    user = {
        "sourcedId": "u1",
        "username": "u",
        "status": "active",
        "roles": [{"roleType": "primary", "role": "student", "org": {"sourcedId": "s1"}, "beginDate": "2025-08-01"}],
        "userProfiles": [
            {
                "profileId": "urn:p",
                "profileType": "google",
                "vendorId": "v",
                "credentials": [{"type": "sso", "username": "n"}],
            }
        ],
        "resources": [{"sourcedId": "b1"}],
    }
    for _ in range(2):
        house.run(foreign("users", user))
    (role,) = house.rows("roles").values()
    assert (role["userSourcedId"], role["role"], role["orgSourcedId"]) == ("u1", "student", "s1")
    assert role["beginDate"] == date(2025, 8, 1)
    (profile,) = house.rows("userProfiles").values()
    assert (profile["vendorId"], profile["username"]) == ("v", "n")
    (resource,) = house.rows("userResources").values()
    assert resource["resourceSourcedId"] == "b1"
    assert house.query("SELECT count(*) FROM students") == [(1,)]
