"""Values of other taps: read as the tap reads them, on the quick way in and on the slow one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from target_oneroster.errors import TargetError
from target_oneroster.records.cells import flat_metadata

from tests.support.foreign import MOMENTS, WAYS, messages

from .mini import lines, row, rows

if TYPE_CHECKING:
    from .conftest import Place


def counts(place: Place) -> dict[str, int]:
    """What the report has counted."""
    counts: dict[str, int] = json.loads(place.report.read_text())["counts"]
    return counts


@WAYS
@pytest.mark.parametrize("text", MOMENTS)
def test_every_form_of_iso_8601_is_brought_to_utc(place: Place, text: str, quick: bool) -> None:
    """A delta can be made of what any tap sends; times without a zone are those of `source_time_zone`."""
    district = rows()
    row(district, "users", "u1")["dateLastModified"] = text
    config = {"file_mode": "delta", "source_time_zone": "America/Chicago"}
    place.run(messages(district, quick=quick), **config)
    written = {user["sourcedId"]: user["dateLastModified"] for user in place.rows("users")}
    assert written["u1"] == MOMENTS[text]
    assert written["u2"] == "2026-01-02T03:04:05.678Z"
    assert sum(n for rule, n in counts(place).items() if rule.startswith("users.dateLastModified: ")) == 1


@WAYS
def test_what_is_no_moment_is_refused_by_its_rule(place: Place, quick: bool) -> None:
    """Nothing is guessed: the checks name file, field and rule."""
    district = rows()
    row(district, "users", "u1")["dateLastModified"] = "yesterday"
    with pytest.raises(TargetError, match=r"users\.dateLastModified: is not a date and time"):
        place.run(messages(district, quick=quick), file_mode="delta")


def test_a_zone_that_does_not_exist_is_refused(place: Place) -> None:
    with pytest.raises(TargetError, match="source_time_zone: no such time zone"):
        place.run(lines(rows()), source_time_zone="Mars/Base")


@WAYS
def test_words_in_another_case_are_folded_and_counted(place: Place, quick: bool) -> None:
    """Where exactly one word matches, it is that word; the bundle is what it would have been."""
    place.run(lines(rows()))
    expected = place.files()
    district = rows()
    row(district, "orgs", "s1")["type"] = "School"
    row(district, "classes", "k1")["classType"] = "Scheduled"
    row(district, "enrollments", "e1")["role"] = "STUDENT"
    row(district, "academicSessions", "g1")["type"] = "gradingperiod"
    row(district, "resources", "b1")["roles"] = ["Student", "TEACHER"]
    row(district, "demographics", "u1")["sex"] = "Female"
    place.run(messages(district, quick=quick))
    assert place.files() == expected
    assert counts(place)["resources.roles: word in another case"] == 1
    assert counts(place)["enrollments.role: word in another case"] == 1


@WAYS
def test_blanks_around_ids_and_references_go_and_are_counted(place: Place, quick: bool) -> None:
    """CHAR columns of databases pad; a padded id joins nothing."""
    place.run(lines(rows()))
    expected = place.files()
    district = rows()
    row(district, "users", "u1")["sourcedId"] = "u1    "
    row(district, "enrollments", "e1")["userSourcedId"] = "u1\u00a0"
    row(district, "users", "u3")["agentSourcedIds"] = [" u1"]
    row(district, "orgs", "s1")["parentSourcedId"] = "d1 "
    place.run(messages(district, quick=quick))
    assert place.files() == expected
    rules = {rule for rule in counts(place) if "blanks around" in rule}
    assert rules == {
        "users.sourcedId: blanks around an id", "enrollments.userSourcedId: blanks around an id",
        "users.agentSourcedIds: blanks around an id", "orgs.parentSourcedId: blanks around an id",
    }  # fmt: skip


@WAYS
def test_null_is_nothing_but_in_a_name(place: Place, quick: bool) -> None:
    """As a whole text and inside of lists; a NUL character and line breaks become blanks."""
    district = rows()
    user = row(district, "users", "u1")
    user |= {"familyName": "NULL", "email": "NULL", "agentSourcedIds": ["NULL", "u3"], "givenName": "A\0n\tn"}
    place.run(messages(district, quick=quick))
    written = place.rows("users")[0]
    assert (written["familyName"], written["email"], written["agentSourcedIds"]) == ("NULL", "", "u3")
    assert written["givenName"] == "A n n"
    assert counts(place)["users.email: the text NULL"] == 1
    assert counts(place)["users.givenName: text with a NUL character"] == 1


def test_metadata_that_are_nested_deeply_are_one_cell():
    """Their keys are joined down to a level; what is deeper stays JSON."""
    nested: Any = "leaf"
    for _ in range(150):
        nested = {"0": nested}
    ((key, text),) = flat_metadata({"x": nested})
    rest, levels = json.loads(text), key.count(".")
    assert 0 < levels < 150
    while rest != "leaf":
        rest, levels = rest["0"], levels + 1
    assert levels == 150
