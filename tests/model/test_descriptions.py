"""What streams and fields mean: each has one sentence, and nothing is described that is not there."""

from __future__ import annotations

import pytest
from oneroster_core.model import FILES, RECEIPTS, VIEWS, file
from oneroster_core.model._descriptions import FIELDS, SHARED, STREAMS
from oneroster_core.model.describe import describe_field, describe_file
from oneroster_core.model.schema import json_schema

ALL = [*FILES, RECEIPTS]
each_stream = pytest.mark.parametrize("of", ALL, ids=lambda of: of.name)


@each_stream
def test_every_stream_and_every_property_has_a_description(of):
    """A reader of the catalog, of the warehouse or of the docs finds out what a column means."""
    assert describe_file(of).endswith(".")
    for name, its in json_schema(of, tenant=True, secrets=True)["properties"].items():
        assert its["description"].endswith("."), name
        assert "TODO" not in its["description"]


def test_nothing_is_described_that_does_not_exist():
    """A field that was renamed takes its description along."""
    assert sorted(STREAMS) == sorted(of.name for of in ALL)
    names = {of.name: {field.name for field in of.fields} for of in ALL}
    assert not {(stream, name) for stream, found in FIELDS.items() for name in found if name not in names[stream]}
    assert not SHARED.keys() - set().union(*names.values())


def test_a_reference_and_a_vocabulary_are_named_in_the_description():
    """The model knows both; nobody writes them twice."""
    enrollments = file("enrollments")
    assert "Refers to classes.sourcedId." in describe_field(enrollments, enrollments.field("classSourcedId"))
    assert "One of: administrator, proctor, student, teacher" in describe_field(enrollments, enrollments.field("role"))
    assert "OneRoster 1.1 only" in describe_field(file("users"), file("users").field("orgSourcedIds"))


def test_a_view_has_the_descriptions_of_its_parent():
    """`students` are users."""
    from dataclasses import replace

    view = next(view for view in VIEWS if view.name == "students")
    of = replace(file(view.parent), name=view.name)
    assert describe_file(of) == "Rows of users whose role is student."
    assert describe_field(of, of.field("givenName")) == describe_field(file("users"), file("users").field("givenName"))
