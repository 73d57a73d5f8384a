"""Rows that come out of other rows have one id, whoever makes them: tap or target, from a service, a file or a table."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tap_oneroster._core.model import Version, derived_from, file
from tap_oneroster.policy import Policy
from tap_oneroster.rest.records.decode import PageDecoder
from tap_oneroster.rest.records.derived_rows import DerivedRows
from tap_oneroster.rest.records.forms import forms_of
from tap_oneroster.rest.records.rows import RowMaker
from target_oneroster._core.model import file as target_file
from target_oneroster.records.nested_rows import nested_in

UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


class Stages:
    """Takes the nested rows of a target, by file."""

    def __init__(self) -> None:
        self.rows: dict[str, list[str]] = {}

    def stage(self, name: str) -> Stage:
        """Where the rows of a file go."""
        return Stage(name, self.rows.setdefault(name, []))


class Stage:
    """Takes the ids of the rows of one file."""

    def __init__(self, name: str, ids: list[str]) -> None:
        self.fields = target_file(name).fields
        self._ids = ids
        self.zone = UTC
        self.deviations: Counter[str] = Counter()

    def at_version(self, version: int | None) -> None:
        """Nothing depends on it here."""

    def add_row(self, row: Any, row_id: str) -> None:
        """Take a row."""
        self._ids.append(row_id)


def by_tap(name: str, record: dict[str, Any]) -> dict[str, list[str]]:
    """Ids of derived rows that the tap makes of a record of REST."""
    its, streams, policy = file(name), derived_from(name), Policy(secrets=True)
    decoder = PageDecoder(its, forms_of(its, secrets=True, derived=streams))
    body = json.dumps({its.collection.wrapper: [record]}).encode()
    odd: Counter[str] = Counter()
    came = decoder.decode(body, odd).take([0], odd)
    parents = RowMaker(its, Version.V1_2, policy).make(came, odd)
    made = {s.name: DerivedRows(s, Version.V1_2, policy).rows(came, parents, odd) for s in streams}
    return {stream: [row.sourcedId for row in rows] for stream, rows in made.items() if rows}  # type: ignore[attr-defined]


def by_target(name: str, record: dict[str, Any]) -> dict[str, list[str]]:
    """Ids of the rows that a target makes of the same record, as any tap may send it."""
    stages = Stages()
    for nested in nested_in(target_file(name), list(record), stages.stage):
        nested.take(record, record["sourcedId"], None)
    return {stream: ids for stream, ids in stages.rows.items() if ids}


def ref(one: str, kind: str = "org") -> dict[str, str]:
    """A reference as REST has it."""
    return {"href": f"https://x.example/{one}", "sourcedId": one, "type": kind}


IDS = st.sampled_from(["a", "b"])
DATES = st.sampled_from([None, "2025-08-01", "2024-08-01"])
ROLES = st.lists(
    st.fixed_dictionaries(
        {"roleType": st.just("primary"), "role": st.sampled_from(["student", "teacher"]), "org": IDS.map(ref)},
        optional={"beginDate": DATES, "userProfile": st.sampled_from(["urn:p1", "urn:p2"])},
    ),
    max_size=4,
)
LOGINS = st.lists(
    st.fixed_dictionaries({"type": st.sampled_from(["x", "y"]), "username": IDS}, optional={"password": IDS}),
    max_size=3,
)
PROFILES = st.lists(
    st.fixed_dictionaries(
        {"profileId": st.sampled_from(["urn:p1", "urn:p2"]), "profileType": IDS, "vendorId": IDS},
        optional={"credentials": LOGINS},
    ),
    max_size=3,
)
RESOURCES = st.lists(IDS.map(lambda one: ref(one, "resource")), max_size=3)
SOURCES = st.sampled_from(["case", "unknown"])
NAMES = st.sampled_from([UUID, "free text"])
OBJECTIVES = st.lists(st.fixed_dictionaries({"source": SOURCES, "learningObjectiveIds": st.lists(NAMES, max_size=3)}))
SCORES = st.lists(
    st.fixed_dictionaries({"learningObjectiveId": NAMES}, optional={"score": st.just(1.5), "textScore": st.just("B")}),
    max_size=3,
)
REACHED = st.lists(st.fixed_dictionaries({"source": SOURCES, "learningObjectiveResults": SCORES}), max_size=3)
SCALE = IDS.map(lambda one: ref(one, "scoreScale"))
HOLDERS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "users": {"roles": ROLES, "userProfiles": PROFILES, "resources": RESOURCES},
    "classes": {"resources": RESOURCES},
    "courses": {"resources": RESOURCES},
    "lineItems": {"scoreScale": SCALE, "learningObjectiveSet": OBJECTIVES},
    "results": {"scoreScale": SCALE, "learningObjectiveSet": REACHED},
}


@pytest.mark.parametrize("name", HOLDERS)
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_tap_and_target_make_the_same_rows_of_the_same_record(name: str, data: st.DataObject) -> None:
    """Whatever is repeated, missing or out of order in it."""
    record = {"sourcedId": "p", **data.draw(st.fixed_dictionaries({}, optional=HOLDERS[name]))}
    ours, theirs = by_tap(name, record), by_target(name, record)
    assert {stream: sorted(ids) for stream, ids in ours.items()} == {
        stream: sorted(ids) for stream, ids in theirs.items()
    }
