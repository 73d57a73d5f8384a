"""Input of any tap: names, shapes and types as databases and services send them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import oneroster_core.model as model
import pytest
from oneroster_core.model.ids import derived_id
from target_oneroster.bundle.target import TargetOneRosterCSV
from target_oneroster.errors import TargetError

from tests.support.foreign import loose, snake

from .mini import UUID, lines, row, rows

if TYPE_CHECKING:
    from .conftest import Place


def as_text(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return ",".join(value)
    return str(value) if isinstance(value, (bool, float)) else value


def exported(value: Any) -> Any:
    """As PostgreSQL's COPY writes it to a file, and a tap for files reads it: nothing but text."""
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return "{" + ",".join(json.dumps(v) if " " in v else v for v in value) + "}"
    if isinstance(value, (list, dict)):
        return json.dumps(value)
    if isinstance(value, bool):
        return "t" if value else "f"
    return "" if value is None else str(value)


@pytest.mark.parametrize(
    ("stream", "name", "value"),
    [
        (snake, snake, lambda v: v),
        (str.lower, str.lower, as_text),
        (lambda s: "public-" + snake(s), snake, as_text),
        (snake, snake, exported),
    ],
    ids=["snake_case", "lower case, all text", "a database's schema in front", "a database's export"],
)
def test_other_names_give_the_same_bundle(place: Place, stream: Any, name: Any, value: Any) -> None:
    """Names in any case and values as text make the same bytes."""
    place.run(lines(rows()))
    expected = place.files()
    place.run(loose(lines(rows()), stream, name, value))
    assert place.files() == expected


def test_arrays_as_a_database_writes_them(place: Place) -> None:
    """Quotes, commas and backslashes inside of elements, NULL, none at all; braces of another kind stay text."""
    district = rows()
    course = row(district, "courses", "c1")
    course["grades"], course["subjects"] = "{}", r'{"Art, \"fine\"","C\\D",NULL}'
    user = row(district, "users", "u1")
    user["agentSourcedIds"], user["userIds"] = "[]", "{LDAP:ann}"
    messages = [m | {"schema": {"properties": {}}} if m["type"] == "SCHEMA" else m for m in lines(district)]
    for m in messages:
        if m["type"] == "SCHEMA":
            m["schema"] = {"properties": {key: {} for r in district[m["stream"]] for key in r}}
    place.run(messages)
    written = place.rows("courses")[0]
    assert (written["grades"], written["subjects"]) == ("", 'Art "fine",C\\D')
    ann = next(r for r in place.rows("users") if r["sourcedId"] == "u1")
    assert (ann["agentSourcedIds"], ann["userIds"]) == ("", "{LDAP:ann}")


def test_rows_that_a_loader_kept_as_deleted(place: Place) -> None:
    """`_sdc_deleted_at` in a row of a log or of a warehouse says that it is gone: it is not written as if it were there."""
    messages = lines(rows())
    gone = {"u2", "r2", "p2", "e2"}
    for m in messages:
        if m["type"] == "SCHEMA":
            m["schema"]["properties"]["_sdc_deleted_at"] = {"type": ["string", "null"], "format": "date-time"}
        else:
            deleted = "2026-01-02T03:04:05Z" if m["record"]["sourcedId"] in gone else None
            m["record"]["_sdc_deleted_at"] = deleted
    place.run(messages)
    assert place.ids("users") == ["u1", "u3"]
    assert place.ids("enrollments") == ["e1"]
    assert place.findings() == set()


def test_rest_shaped_objects(place: Place) -> None:
    """References as objects, lists of them, and date-times where days are wanted."""
    district = rows()
    place.run(lines(district))
    expected = place.files()
    seat = row(district, "enrollments", "e1")
    for column, key in (("classSourcedId", "class"), ("schoolSourcedId", "school"), ("userSourcedId", "user")):
        seat[key] = {"href": "https://x/1", "sourcedId": seat.pop(column), "type": key}
    seat["beginDate"] = "2025-08-15T00:00:00Z"
    seat["primary"] = ""
    user = row(district, "users", "u1")
    user["agents"] = [{"sourcedId": agent} for agent in user.pop("agentSourcedIds")]
    messages = [m | {"schema": {"properties": {}}} if m["type"] == "SCHEMA" else m for m in lines(district)]
    for m in messages:
        if m["type"] == "SCHEMA":
            m["schema"] = {"properties": {key: {} for r in district[m["stream"]] for key in r}}
    place.run(messages)
    assert place.files() == expected


def test_unknown_properties_become_metadata_or_are_named(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """A property the standard does not know is metadata where that is kept, else it is named and left out."""
    district = rows()
    messages = lines(district)
    for m in messages:
        if m.get("stream") == "orgs":
            if m["type"] == "SCHEMA":
                m["schema"]["properties"]["nces"] = {"type": ["string", "null"]}
            else:
                m["record"]["nces"] = "0600001"
    place.run(messages)
    assert b"0600001" not in place.files()["orgs.csv"]
    assert "nces" in caplog.text
    place.run(messages, metadata="keep")
    assert place.rows("orgs")[0]["metadata.nces"] == "0600001"


def test_a_shape_without_text_is_refused_by_name(place: Place) -> None:
    """The error names stream and property, never the value."""
    district = rows()
    row(district, "users", "u1")["email"] = {"home": "ann@secret.example"}
    with pytest.raises(TargetError) as error:
        place.run(lines(district))
    assert "users" in error.value.message
    assert "email" in error.value.message
    assert "secret" not in error.value.message
    assert place.files() == {}


def test_roles_and_resources_inside_of_records(place: Place) -> None:
    """REST keeps roles in users and resources in classes: they become rows with the ids of the model's recipe."""
    district = rows()
    del district["roles"], district["userResources"], district["classResources"]
    for user, role in zip(district["users"], ("student", "teacher", "parent"), strict=True):
        user["roles"] = [{"roleType": "primary", "role": role, "org": {"sourcedId": "s1"}, "beginDate": "2025-08-01"}]
    row(district, "users", "u1")["resources"] = [{"sourcedId": "b1", "href": "x"}]
    row(district, "classes", "k1")["resources"] = [{"sourcedId": "b1"}]
    messages = lines(district)
    for m in messages:
        if m["type"] == "SCHEMA":
            m["schema"] = {"properties": {key: {} for r in district[m["stream"]] for key in r}}
    place.run(messages)
    first = place.files()
    assert {(r["userSourcedId"], r["role"], r["orgSourcedId"]) for r in place.rows("roles")} == {
        ("u1", "student", "s1"), ("u2", "teacher", "s1"), ("u3", "parent", "s1"),
    }  # fmt: skip
    assert [r["resourceSourcedId"] for r in place.rows("classResources")] == ["b1"]
    assert [r["userSourcedId"] for r in place.rows("userResources")] == ["u1"]
    place.run(messages, load_method="upsert")
    assert place.files() == first


def test_profiles_and_objectives_inside_of_records(place: Place) -> None:
    """A row for each login of a profile, which roles name by its URI, and one for each objective."""
    district = rows()
    for name in ("roles", "userProfiles", "lineItemLearningObjectiveIds", "resultLearningObjectiveIds"):
        del district[name]
    for user, role in zip(district["users"], ("student", "teacher", "parent"), strict=True):
        user["roles"] = [{"roleType": "primary", "role": role, "org": {"sourcedId": "s1"}, "userProfile": None}]
    teacher = row(district, "users", "u2")
    teacher["roles"][0]["userProfile"] = "urn:p"
    logins = [{"type": "sso", "username": "tom"}, {"type": "basic", "username": "t", "password": "secret"}]
    teacher["userProfiles"] = [
        {"profileId": "urn:q", "profileType": "LMS", "vendorId": "v", "credentials": logins[:1]},
        {"profileId": "urn:p", "profileType": "LMS", "vendorId": "v", "credentials": logins},
    ]
    row(district, "lineItems", "l1")["learningObjectiveSet"] = [
        {"source": "case", "learningObjectiveIds": [UUID, f"urn:uuid:{UUID.replace('5', '6')}"]}
    ]
    row(district, "results", "x1")["learningObjectiveSet"] = [
        {"source": "unknown", "learningObjectiveResults": [{"learningObjectiveId": "own:1", "score": 3}]}
    ]
    messages = lines(district)
    for m in messages:
        if m["type"] == "SCHEMA":
            m["schema"] = {"properties": {key: {} for r in district[m["stream"]] for key in r}}
    place.run(messages)
    ids = [derived_id(model.file("userProfiles"), ("u2", *of)) for of in (("urn:q", "sso"), ("urn:p", "sso"))]
    profiles = place.rows("userProfiles")
    assert sorted((r["userSourcedId"], r["credentialType"], r["username"], r["password"]) for r in profiles) == [
        ("u2", "basic", "t", ""), ("u2", "sso", "tom", ""), ("u2", "sso", "tom", ""),
    ]  # fmt: skip
    assert set(ids) < {r["sourcedId"] for r in profiles}
    assert {r["userSourcedId"]: r["userProfileSourcedId"] for r in place.rows("roles")} == {
        "u1": "", "u2": ids[1], "u3": "",
    }  # fmt: skip
    assert {r["learningObjectiveId"] for r in place.rows("lineItemLearningObjectiveIds")} == {
        f"urn:uuid:{UUID}", f"urn:uuid:{UUID.replace('5', '6')}",
    }  # fmt: skip
    assert [(r["source"], r["learningObjectiveId"], r["score"]) for r in place.rows("resultLearningObjectiveIds")] == [
        ("unknown", "own:1", "3"),
    ]  # fmt: skip
    assert {rule for _, _, rule in place.findings()} == set()


def test_a_version_that_yaml_takes_for_a_number_is_a_version(tmp_path) -> None:
    """`oneroster_version: 1.1` without quotes."""
    target = TargetOneRosterCSV(config={"output_path": str(tmp_path / "o.zip"), "oneroster_version": 1.1})
    assert target.config["oneroster_version"] == "1.1"
