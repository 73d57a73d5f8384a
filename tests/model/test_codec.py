"""Record classes, lines and digests, with plain values."""

from __future__ import annotations

import json

import pytest
from oneroster_core.codec import content_digest, encode_rows, line_order, record_class, record_lines
from oneroster_core.model import FILES, file
from oneroster_core.model.ids import derived_id
from oneroster_core.model.schema import json_schema

ORGS = file("orgs")
USERS = file("users")


@pytest.mark.parametrize("stream", FILES, ids=lambda f: f.name)
def test_a_record_class_has_the_properties_of_its_schema(stream):
    """No second list of fields: class and schema name the same ones, with and without secrets."""
    for secrets in (False, True):
        fields = set(record_class(stream, secrets=secrets).__struct_fields__)
        assert fields == set(json_schema(stream, secrets=secrets)["properties"])


def test_lines_are_singer_records_with_every_property():
    org = record_class(ORGS)(sourcedId="o1", name='A "B", C\n\u00e9', status="active")
    line = record_lines(encode_rows([org]), "orgs", 7, "2026-01-02T03:04:05+00:00")
    assert json.loads(line) == {
        "type": "RECORD",
        "stream": "orgs",
        "record": {
            "sourcedId": "o1",
            "name": 'A "B", C\n\u00e9',
            "type": None,
            "identifier": None,
            "parentSourcedId": None,
            "status": "active",
            "dateLastModified": None,
            "childSourcedIds": None,
            "metadata": None,
        },
        "version": 7,
        "time_extracted": "2026-01-02T03:04:05+00:00",
    }
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1


@pytest.mark.parametrize("same", [True, False], ids=["one status for all", "a status for each"])
@pytest.mark.parametrize("tenant", [None, "north"])
def test_a_block_of_lines_is_its_lines_one_by_one(same, tenant):
    """Whether the ends of the records are alike or not, with a tenant or without."""
    make = record_class(ORGS)
    stamps = ["2026-01-01T00:00:00.000Z", None, "2026-01-02T00:00:00.000Z"]
    orgs = [make(sourcedId=f"o{n}", status="active", dateLastModified=None if same else stamps[n]) for n in range(3)]
    block = record_lines(encode_rows(orgs), "orgs", 1, "t", tenant)
    single = [record_lines(encode_rows([org]), "orgs", 1, "t", tenant) for org in orgs]
    assert block == b"".join(single)
    records = [json.loads(line)["record"] for line in block.splitlines()]
    assert [r["dateLastModified"] for r in records] == [None if same else s for s in stamps]
    assert [next(iter(r)) for r in records] == ["tenant" if tenant else "sourcedId"] * 3


def test_the_digest_sees_content_and_nothing_else():
    """Order, status, times, passwords, metadata and REST's extras do not move it; a changed column does."""
    make = record_class(USERS, secrets=True)

    def digest(*users):
        return content_digest(encode_rows([make(**user) for user in users]).content) % 2**64

    a, b = {"sourcedId": "a", "givenName": "A"}, {"sourcedId": "b", "role": "student"}
    assert digest(a, b) == digest(b, a)
    assert digest(a | {"status": "active", "password": "x", "metadata": {"k": "v"}}) == digest(a)
    assert digest(a | {"givenName": "B"}) != digest(a)


def test_a_value_cannot_feign_the_end_of_the_content():
    text = ',"status":"tobedeleted"'
    make = record_class(USERS)
    rows = encode_rows([make(sourcedId="a", givenName=text), make(sourcedId="b", metadata={"status": text})])
    assert json.loads(rows.content[0] + b"}")["givenName"] == text
    assert all(b'"givenName"' in row and b'"metadata"' not in row for row in rows.content)


def test_content_comes_first_and_in_header_order():
    names = [field.name for field in line_order(ORGS)]
    assert names == [
        "sourcedId", "name", "type", "identifier", "parentSourcedId",
        "status", "dateLastModified", "childSourcedIds", "metadata",
    ]  # fmt: skip


def test_derived_ids_never_change():
    """Ids written by last year's version must be met again: these are constants, not results."""
    roles = file("roles")
    assert derived_id(roles, ("u1", "o1", "student")) == "ece4fb34-5321-5741-972d-c3155d9dbc8e"
    assert derived_id(roles, ("u1", "o1", "student"), 1) == "debcbfbf-f961-5399-beae-e3ff8911503d"
    assert derived_id(file("userResources"), ("u1", "o1", "student")) not in {
        "ece4fb34-5321-5741-972d-c3155d9dbc8e",
        "debcbfbf-f961-5399-beae-e3ff8911503d",
    }
