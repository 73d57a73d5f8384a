"""Persons of 1.1 who have a row for each school or role, from a bundle into bundles of both versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_oneroster.errors import TargetError

from tests.csv.bundles import csv_text, write
from tests.singer import run_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Place

ORGS = csv_text(
    "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "s1,,,One,school,,",
    "s2,,,Two,school,,",
)
USERS = csv_text(
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,givenName,familyName",
    "u1,,,true,s1,teacher,ann,Ann,Lee",
    "u1,,,true,s2,teacher,ann,Ann,Lee",
    "u1,,,true,s1,guardian,ann,Ann,Lee",
)


def pulled(path: Path) -> list[Any]:
    """What the tap sends of a bundle."""
    run = run_tap({"mode": "csv", "csv_path": str(path), "settle_seconds": 0})
    assert run.error is None
    return run.messages


def test_a_1_2_bundle_carries_all_orgs_and_roles_of_a_person(tmp_path: Path, place: Place) -> None:
    messages = pulled(write(tmp_path / "b.zip", {"orgs.csv": ORGS, "users.csv": USERS}))
    place.run(messages, oneroster_version="1.2", require_receipts=True)
    assert place.ids("users") == ["u1"]
    assert sorted((row["orgSourcedId"], row["role"], row["roleType"]) for row in place.rows("roles")) == [
        ("s1", "guardian", "secondary"),
        ("s1", "teacher", "primary"),
        ("s2", "teacher", "primary"),
    ]
    assert {severity for severity, _, _ in place.findings()} <= {"note"}


def test_a_1_1_bundle_carries_all_orgs_and_says_that_a_role_has_no_place(
    tmp_path: Path, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """`users.role` holds one word."""
    messages = pulled(write(tmp_path / "b.zip", {"orgs.csv": ORGS, "users.csv": USERS}))
    with caplog.at_level("INFO"):
        place.run(messages, oneroster_version="1.1", require_receipts=True)
    (user,) = place.rows("users")
    assert (user["orgSourcedIds"], user["role"]) == ("s1,s2", "teacher")
    assert "users.role: several roles, one kept: 1" in caplog.text


def test_back_in_1_1_after_a_detour_through_1_2_a_person_has_all_orgs(tmp_path: Path, place: Place) -> None:
    """A secondary role at an org is no reason to count twice."""
    messages = pulled(write(tmp_path / "b.zip", {"orgs.csv": ORGS, "users.csv": USERS}))
    place.run(messages, oneroster_version="1.2")
    detour = place.output.rename(place.output.with_name("detour"))
    place.run(pulled(detour), oneroster_version="1.1")
    (user,) = place.rows("users")
    assert (user["orgSourcedIds"], user["role"]) == ("s1,s2", "teacher")


def test_rows_that_a_stream_map_of_the_tap_leaves_out_are_not_missed(tmp_path: Path, place: Place) -> None:
    """The receipt counts them apart; a stream that a map renames or takes away is named."""
    bundle = write(tmp_path / "b.zip", {"orgs.csv": ORGS, "users.csv": USERS})
    config = {"mode": "csv", "csv_path": str(bundle), "settle_seconds": 0}
    run = run_tap({**config, "stream_maps": {"orgs": {"__filter__": "sourcedId == 's1'"}}})
    place.run(run.messages, oneroster_version="1.2", require_receipts=True, on_invalid="quarantine")
    assert place.ids("orgs") == ["s1"]
    renamed = run_tap({**config, "stream_maps": {"orgs": {"__alias__": "places"}}})
    with pytest.raises(TargetError, match=r"orgs: rows were promised and the stream never came.*stream map renames"):
        place.run(renamed.messages, oneroster_version="1.2")


def stamped() -> str:
    return csv_text(
        "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
        "s1,active,2026-09-01T00:00:00.000Z,One,school,,",
        "s2,active,2026-09-01T00:00:00.000Z,Two,school,,",
    )


@pytest.mark.parametrize(
    ("declared", "file_mode", "whole"),
    [
        ("bulk", "auto", True),
        (None, "bulk", True),
        ("delta", "bulk", False),
        (None, "auto", False),
    ],
)
def test_the_advice_for_a_delta_agrees_with_the_manifest(
    tmp_path: Path, place: Place, declared: str | None, file_mode: str, whole: bool
) -> None:
    """The manifest's word is above `csv_file_mode`, and the advice says that order; what it advises is enough."""
    bundle = write(tmp_path / "b.zip", {"orgs.csv": stamped(), "users.csv": USERS}, declared)
    settings = {"csv_path": str(bundle), "accept_orphan_delta": True, "csv_file_mode": file_mode}
    run = run_tap({"mode": "csv", "settle_seconds": 0, **settings})
    assert run.error is None
    if whole:
        place.run(run.messages, oneroster_version="1.2", require_receipts=True)
        assert place.ids("orgs") == ["s1", "s2"]
        return
    with pytest.raises(TargetError) as caught:
        place.run(run.messages, oneroster_version="1.2", require_receipts=True)
    told = caught.value.message
    assert "orgs" in told.partition(": a delta came")[0]
    assert "say so in their manifest, or without one by csv_file_mode bulk in the tap" in told
    place.run(run.messages, oneroster_version="1.2", load_method="upsert")
    assert place.ids("orgs") == ["s1", "s2"]


def test_roles_made_by_the_target_have_the_ids_of_those_made_by_the_tap(
    bundle: Callable[[str], Path], place: Place
) -> None:
    """From users.csv of 1.1, with the roles that the tap sends, and without."""
    messages = pulled(bundle("1.1"))
    without = [m for m in messages if m.get("stream") not in {"roles", "syncReceipts"}]
    place.run(messages, oneroster_version="1.2")
    by_tap = place.rows("roles")
    place.output.rename(place.output.with_name("first"))
    place.run(without, oneroster_version="1.2")
    assert by_tap
    assert place.rows("roles") == by_tap
