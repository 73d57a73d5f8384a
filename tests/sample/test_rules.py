"""The rules of the standard, checked row by row: what a sample breaks, no other test could tell apart from a bug."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from typing import Any

import pytest
from oneroster_sample._core.model import Field, Kind, Version, file
from oneroster_sample.district import District

DISTRICTS = {
    "as it starts": District(),
    "one small school": District(schools=1, students_per_school=30, seed=3),
    "of an exact size": District.of_size(2_000),
    "nine days later": District(schools=5, students_per_school=50).changed(9),
    "work of every week": District(schools=3, students_per_school=20, weekly=True),
    "the second year": District(schools=5, students_per_school=30, years=2, rolled=0.6).changed(2),
}
CASES = [pytest.param(name, version, id=f"{name}, {version.value}") for name in DISTRICTS for version in Version]
PATTERNS = {
    Kind.GUID: r"[0-9A-Za-z./@_-]{1,255}",
    Kind.REF: r"[0-9A-Za-z./@_-]{1,255}",
    Kind.DATE: r"\d{4}-\d{2}-\d{2}",
    Kind.DATETIME: r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z",
    Kind.YEAR: r"\d{4}",
}

Tables = dict[str, dict[str, dict[str, Any]]]
_made: dict[tuple[str, Version], Tables] = {}


@pytest.fixture
def tables(name: str, version: Version) -> Tables:
    """Rows of a bulk bundle by file and id."""
    if (name, version) not in _made:
        district = DISTRICTS[name]
        tables: Tables = {}
        for its in district.files(version):
            rows = list(district.active(its.name, version))
            tables[its.name] = {row["sourcedId"]: row for row in rows}
            assert len(tables[its.name]) == len(rows), f"{its.name}: ids are unique"
        _made[name, version] = tables
    return _made[name, version]


@pytest.mark.parametrize(("name", "version"), CASES)
def test_cells_are_filled_typed_and_in_the_vocabulary(tables: Tables, name: str, version: Version) -> None:
    """Required cells are filled, values have the form of their type, words are in the vocabulary."""
    for its_name, rows in tables.items():
        for field in file(its_name).fields:
            if field.exists_in(version):
                for row in rows.values():
                    check_value(field, row[field.name], version, f"{its_name}.{field.name} of {row['sourcedId']}")


def check_value(field: Field, value: Any, version: Version, where: str) -> None:
    """One value against its field."""
    if version in field.required:
        assert value not in (None, [], ""), where
    if value is None:
        return
    values = value if isinstance(value, list) else [value]
    assert values, where
    if field.kind in PATTERNS:
        assert re.fullmatch(PATTERNS[field.kind], value), where
    if field.words:
        assert all(field.words.accepts(word, version) for word in values), where
    texts = [text for text in values if isinstance(text, str)]
    assert not any("\n" in text or text != text.strip() for text in texts), where
    assert not (field.kind.is_list and any("," in text for text in texts)), where


@pytest.mark.parametrize(("name", "version"), CASES)
def test_every_reference_resolves(tables: Tables, name: str, version: Version) -> None:
    """References point at rows of the same bundle, of the kind that the standard asks for."""
    roles = defaultdict(set)
    for role in tables.get("roles", {}).values():
        roles[role["userSourcedId"]].add(role["role"])
    for its_name, rows in tables.items():
        for field in file(its_name).fields:
            if field.refers_to is None or not field.exists_in(version):
                continue
            there = tables[field.refers_to]
            for row in rows.values():
                value = row[field.name]
                for target in value if isinstance(value, list) else [value] if value else []:
                    where = f"{its_name}.{field.name} of {row['sourcedId']} -> {target}"
                    assert target in there, where
                    rule = field.where
                    if rule is None or version not in rule.versions:
                        continue
                    if rule.same:
                        assert there[target][rule.column] == row[rule.column], where
                    elif rule.column == "role" and version == Version.V1_2:
                        assert rule.word in roles[target], where
                    else:
                        assert there[target][rule.column] == rule.word, where


@pytest.mark.parametrize(("name", "version"), CASES)
def test_dates_are_in_order_and_lists_pair_up(tables: Tables, name: str, version: Version) -> None:
    """Begins come before ends, subjects pair with their codes, colons and braces stay out of composite values."""
    for row in tables["academicSessions"].values():
        assert row["startDate"] < row["endDate"]
    for its_name in ("enrollments", "roles"):
        for row in tables.get(its_name, {}).values():
            assert (row["beginDate"] or "") <= (row["endDate"] or "9999"), row
    for its_name in ("classes", "courses"):
        for row in tables[its_name].values():
            assert len(row["subjects"] or ()) == len(row["subjectCodes"] or ())
    for row in tables["users"].values():
        for item in row["userIds"] or ():
            assert re.fullmatch(r"[^,:{}]+:[^,:{}]+", f"{item['type']}:{item['identifier']}")
    for row in tables.get("scoreScales", {}).values():
        for item in row["scoreScaleValue"]:
            assert re.fullmatch(r"[^,:{}]+:[^,:{}]+", f"{item['itemValueLHS']}:{item['itemValueRHS']}")


@pytest.mark.parametrize(("name", "version"), CASES)
def test_sessions_hang_together(tables: Tables, name: str, version: Version) -> None:
    """Grading periods lie in terms, terms in semesters, semesters in the school year; children agree with parents."""
    sessions = tables["academicSessions"]
    above = {"gradingPeriod": "term", "term": "semester", "semester": "schoolYear"}
    for row in sessions.values():
        if wanted := above.get(row["type"]):
            parent = sessions[row["parentSourcedId"]]
            assert parent["type"] == wanted
            assert parent["startDate"] <= row["startDate"] < row["endDate"] <= parent["endDate"]
            assert row["sourcedId"] in parent["childSourcedIds"]
    for its_name in ("academicSessions", "orgs"):
        for row in tables[its_name].values():
            for child in row["childSourcedIds"] or ():
                assert tables[its_name][child]["parentSourcedId"] == row["sourcedId"]


@pytest.mark.parametrize(("name", "version"), CASES)
def test_classes_have_one_primary_teacher_at_a_time(tables: Tables, name: str, version: Version) -> None:
    """Primary teachers of a class do not overlap, and only teachers are primary; nobody is in a class twice."""
    spans = defaultdict(list)
    seen = set()
    for row in tables["enrollments"].values():
        assert row["schoolSourcedId"] == tables["classes"][row["classSourcedId"]]["schoolSourcedId"]
        if row["primary"]:
            assert row["role"] == "teacher"
            spans[row["classSourcedId"]].append((row["beginDate"], row["endDate"] or "9999"))
        key = (row["classSourcedId"], row["userSourcedId"])
        assert key not in seen
        seen.add(key)
    assert set(spans) == set(tables["classes"])
    for its in spans.values():
        its.sort()
        assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(its))


@pytest.mark.parametrize(("name", "version"), CASES)
def test_people_have_a_role_wherever_they_act(tables: Tables, name: str, version: Version) -> None:
    """Everybody has a role; one is primary for each org; enrollments agree with the roles at that school."""
    users = tables["users"]
    assert len({row["username"] for row in users.values()}) == len(users)
    assert all(row["sourcedId"] not in (row["agentSourcedIds"] or ()) for row in users.values())
    assert set(tables["demographics"]) <= set(users)
    if version == Version.V1_1:
        places = {(row["sourcedId"], org, row["role"]) for row in users.values() for org in row["orgSourcedIds"]}
    else:
        roles = list(tables["roles"].values())
        primaries = [(r["userSourcedId"], r["orgSourcedId"]) for r in roles if r["roleType"] == "primary"]
        assert len(primaries) == len(set(primaries))
        assert set(primaries) == {(r["userSourcedId"], r["orgSourcedId"]) for r in roles}
        assert {user for user, _ in primaries} == set(users)
        assert all((row["sourcedId"], row["primaryOrgSourcedId"]) in set(primaries) for row in users.values())
        places = {(r["userSourcedId"], r["orgSourcedId"], r["role"]) for r in roles}
    for row in tables["enrollments"].values():
        assert (row["userSourcedId"], row["schoolSourcedId"], row["role"]) in places


@pytest.mark.parametrize(("name", "version"), CASES)
def test_the_gradebook_adds_up(tables: Tables, name: str, version: Version) -> None:
    """Results are those of enrolled students, within bounds, not before the item was set; links are unique."""
    taking = {(row["classSourcedId"], row["userSourcedId"]) for row in tables["enrollments"].values()}
    items = tables["lineItems"]
    for row in items.values():
        assert row["assignDate"] <= row["dueDate"]
        assert row["assignDateTime"].startswith(row["assignDate"])
        assert row["schoolSourcedId"] in (None, tables["classes"][row["classSourcedId"]]["schoolSourcedId"])
    for row in tables["results"].values():
        item = items[row["lineItemSourcedId"]]
        assert (item["classSourcedId"], row["studentSourcedId"]) in taking
        assert row["classSourcedId"] in (None, item["classSourcedId"])
        assert row["score"] is None or item["resultValueMin"] <= row["score"] <= item["resultValueMax"]
        assert item["dueDate"] <= row["scoreDate"] <= ("2027-11-20" if "second" in name else "2026-11-20")
    for its_name in ("classResources", "courseResources", "userResources"):
        pairs = [
            tuple(value for key, value in row.items() if key.endswith("SourcedId") and key != "orgSourcedId")
            for row in tables.get(its_name, {}).values()
        ]
        assert len(pairs) == len(set(pairs))
    for row in tables.get("scoreScales", {}).values():
        its = tables["classes"][row["classSourcedId"]]
        assert (its["courseSourcedId"], its["schoolSourcedId"]) == (row["courseSourcedId"], row["orgSourcedId"])
    for its_name in ("lineItemLearningObjectiveIds", "resultLearningObjectiveIds"):
        for row in tables.get(its_name, {}).values():
            if row["source"] == "case":
                assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", row["learningObjectiveId"])
