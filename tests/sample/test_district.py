"""The district: the same everywhere, of any size, in flat memory, and changing from day to day."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from itertools import islice

import pytest
from oneroster_sample._core.model import FILES, Version, file
from oneroster_sample.district import District
from oneroster_sample.names import person_name

V1_1, V1_2 = Version.V1_1, Version.V1_2
DIGEST = "import sys; from tests.sample.test_district import digest; print(digest())"


def digest() -> str:
    """A digest over every row of a small district, on two days and in both versions."""
    total = hashlib.sha256()
    for district in (District(seed=7, schools=2, students_per_school=40), District(seed=7, schools=2).changed(3)):
        for version in Version:
            for its in FILES:
                for row in district.rows(its.name, version):
                    total.update(json.dumps(row, ensure_ascii=False).encode())
    return total.hexdigest()


def test_the_same_seed_gives_the_same_rows_everywhere() -> None:
    """The digest is written down here: another machine, Python or hash seed must come to the same."""
    assert digest() == "50805c6c3ef66a29565f7cfb348d92edf36b48782582c307abe4f4739abab821"


def test_the_order_of_hashes_does_not_matter() -> None:
    """Another process with another hash seed makes the same rows."""
    environment = {"PYTHONHASHSEED": "12345", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest()


def test_another_seed_gives_other_people() -> None:
    """The seed draws the people; the plan of the district stays."""
    one, two = ([row["familyName"] for row in District(seed=seed).rows("users")] for seed in (1, 2))
    assert len(one) == pytest.approx(len(two), rel=0.1)
    assert one[:50] != two[:50]


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("name", [its.name for its in FILES])
def test_every_row_has_the_fields_of_the_model(name: str, version: Version) -> None:
    """Rows have every field in the model's order; what the version lacks is empty."""
    its = file(name)
    rows = list(District().changed(2).rows(name, version))
    assert bool(rows) == its.exists_in(version)
    absent = [field.name for field in its.fields if not field.exists_in(version)]
    for row in rows:
        assert list(row) == [field.name for field in its.fields]
        assert all(row[name] is None for name in absent)


@pytest.mark.parametrize("name", [its.name for its in FILES])
def test_every_field_is_filled_somewhere(name: str) -> None:
    """No column of the standard stays untried: each has a value in some row of one of the versions."""
    district = District(passwords=True)
    rows = [row for version in Version for row in district.rows(name, version)]
    filled = {key for row in rows for key, value in row.items() if value is not None}
    never = {field.name for field in file(name).fields} - filled
    assert never <= NEVER_FILLED.get(name, {"metadata"})


NEVER_FILLED = {
    "lineItemScoreScales": {"metadata", "title"},
    "resultScoreScales": {"metadata", "title"},
    "userResources": {"classSourcedId", "metadata"},
}


@pytest.mark.parametrize("enrollments", [50, 100, 999, 5_000, 12_345])
def test_a_district_of_a_size_has_exactly_so_many_enrollments(enrollments: int) -> None:
    """The size is exact, and told without making the rows."""
    district = District.of_size(enrollments)
    assert district.enrollments == district.count("enrollments") == enrollments


def test_a_district_of_next_to_nothing_is_refused() -> None:
    """Where no district comes out even, the error says what to ask for."""
    with pytest.raises(ValueError, match="50 or more"):
        District.of_size(10)


def test_ten_million_enrollments_are_planned_at_once() -> None:
    """The largest district costs nothing until its rows are asked for."""
    district = District.of_size(10_000_000)
    assert district.enrollments == 10_000_000
    assert len(list(islice(district.rows("enrollments"), 1000))) == 1000


def test_memory_is_flat_whatever_the_size() -> None:
    """40,000 enrollments are made in less memory than a tenth of their rows would take."""
    district = District.of_size(40_000)
    for name in ("enrollments", "users"):
        tracemalloc.start()
        count = sum(1 for _ in district.rows(name))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count > 10_000
        assert peak < 1_500_000, name


def test_the_cast_is_complete() -> None:
    """A small district has everybody whom a pipeline might stumble over."""
    district = District()
    roles = list(district.rows("roles"))
    assert {role["role"] for role in roles} >= {
        "aide", "counselor", "districtAdministrator", "guardian", "parent", "principal", "proctor",
        "relative", "siteAdministrator", "student", "systemAdministrator", "teacher",
    }  # fmt: skip
    orgs = Counter((role["userSourcedId"], role["role"]) for role in roles)
    assert any(count > 1 for (_, role), count in orgs.items() if role == "teacher"), "a teacher at two schools"
    assert any(count > 1 for (_, role), count in orgs.items() if role == "student"), "a transfer"
    assert any(role["roleType"] == "secondary" for role in roles)
    enrollments = list(district.rows("enrollments"))
    ended = {row["userSourcedId"] for row in enrollments if row["role"] == "student" and row["endDate"] == "2026-10-05"}
    begun = {
        row["userSourcedId"] for row in enrollments if row["role"] == "student" and row["beginDate"] == "2026-10-05"
    }
    assert ended & begun, "an ended enrollment and a new one"
    assert any(row["role"] == "teacher" and row["primary"] is False for row in enrollments), "a co-teacher"
    assert {row["type"] for row in district.rows("orgs")} == {"district", "department", "school"}
    assert {row["classType"] for row in district.rows("classes")} == {"homeroom", "scheduled"}


def test_agents_are_mutual() -> None:
    """A student lists the guardians, and each of them lists the student."""
    agents = {row["sourcedId"]: set(row["agentSourcedIds"] or ()) for row in District().rows("users")}
    assert sum(map(len, agents.values())) > 500
    assert all(user in agents[agent] for user, its in agents.items() for agent in its)
    assert any(len(its) > 1 for user, its in agents.items() if user.startswith("g.")), "siblings"


def test_texts_and_ids_are_not_tame() -> None:
    """Commas, quotes, apostrophes, many scripts; ids with leading zeros, upper case and inner punctuation."""
    district = District()
    users = list(district.rows("users"))
    names = "".join(row["givenName"] + row["familyName"] for row in users)
    for sample in "ЖжΑα가नアا云øč'":
        assert any(ord(sample) - 300 < ord(letter) < ord(sample) + 300 for letter in names), sample
    titles = [row["title"] for row in district.rows("classes")]
    assert all(any(sign in title for title in titles) for sign in ",\"'&;")
    ids = [row["sourcedId"] for name in ("users", "classes", "enrollments", "orgs") for row in district.rows(name)]
    assert any(sourced_id.startswith("0") for sourced_id in ids)
    assert all(any(sign in sourced_id for sourced_id in ids) for sign in "./@-_")


def test_a_name_is_a_function_of_its_numbers() -> None:
    """People of one household share a family name."""
    assert person_name(1, 2) == person_name(1, 2)
    assert person_name(1, 2).family == person_name(9, 2).family


def test_a_day_brings_inserts_updates_deletes_and_losses() -> None:
    """Every day each kind of change happens, and what did not change is the same to the byte."""
    before, after = (
        {row["sourcedId"]: row for row in district.rows("enrollments")}
        for district in (District(), District().changed())
    )
    assert set(after) - set(before), "inserts"
    assert set(before) - set(after), "vanished"
    assert [row for key, row in after.items() if key in before and row["status"] != before[key]["status"]], "deletes"
    users, later = ({row["sourcedId"]: row for row in d.rows("users")} for d in (District(), District().changed()))
    edited = [key for key, row in later.items() if key in users and row != users[key] and row["status"] == "active"]
    assert edited
    assert all(later[key]["dateLastModified"] > "2026-11-21" for key in edited)


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("since", [0, 4])
def test_a_snapshot_and_its_changes_are_the_later_snapshot(version: Version, since: int) -> None:
    """A bulk of one day, with the deltas up to another, is the bulk of that other day: in every file."""
    first = District(schools=2, students_per_school=60).changed(since)
    last = first.changed(6)
    for its in first.files(version):
        rows = {row["sourcedId"]: row for row in first.active(its.name, version)}
        for row in last.changes(its.name, version, since=since):
            if row["status"] == "tobedeleted":
                rows.pop(row["sourcedId"], None)
            else:
                rows[row["sourcedId"]] = row
        expected = {row["sourcedId"]: row for row in last.active(its.name, version)}
        assert rows == expected, its.name


def test_a_district_without_a_gradebook_has_no_rows_of_it() -> None:
    """Where only rostering is wanted, everything of the gradebook is left out."""
    names = {its.name for its in District(gradebook=False).files()}
    assert "users" in names
    assert not names & {"lineItems", "results", "categories", "scoreScales"}
    assert not list(District(gradebook=False).rows("results"))


@pytest.mark.parametrize("settings", [{"schools": 0}, {"students_per_school": 0}, {"day": -1}])
def test_a_district_without_schools_is_refused(settings: dict[str, int]) -> None:
    """A size that makes no sense is an error, not an empty district."""
    with pytest.raises(ValueError, match="at least one school"):
        District(**settings)  # type: ignore[arg-type]
