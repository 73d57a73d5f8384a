"""Every rule of every column is broken once, each in a row of its own: it is found there, and nowhere else."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from target_oneroster._core.copies import CONFLICT
from target_oneroster._core.model import Version
from target_oneroster.bundle.checks.catalogue import Known, package_rules, rules
from target_oneroster.errors import TargetError

from . import test_package, test_rules
from .mini import Rows, lines, row, rows

if TYPE_CHECKING:
    from .conftest import Place

Key = tuple[str, str, str]

EMPTY = "a required cell is empty"
# What breaks a rule: a cell, by the rule's text.
CELLS: dict[str, Any] = {
    EMPTY: None,
    "is not an id (1 to 255 of letters, digits and . - _ / @)": "a b",
    "holds an element that is not an id": ["a b", "c"],
    "is not a word of the vocabulary": "Zweistein",
    "holds a word that is not of the vocabulary": ["student", "Zweistein"],
    "is not true or false": "maybe",
    "is not a date (YYYY-MM-DD)": "2025-02-30",
    "is not a date and time (YYYY-MM-DDTHH:MM:SS.sssZ)": "noon",
    "is not a year (YYYY)": "26",
    "is not a whole number": "1.x",
    "is not a decimal number": "1;5",
    "holds an element that is not {type:identifier}": [{"type": None, "identifier": "x"}],
    "holds an element that is not {left:right}": [{"itemValueLHS": None, "itemValueRHS": "9"}],
    "names a row of orgs whose type is not school": "d1",
    "names a row of academicSessions whose type is not schoolYear": "t1",
    "names a row of academicSessions whose type is not gradingPeriod": "t1",
    "names a row of users whose role is not student": "u2",
    "names a row of userProfiles with another userSourcedId": "p2",
    "holds a grade that is no code of CEDS": ["01", "7th"],
    "is no code of CEDS": "Zweistein",
}
# Rows that new ones are made from: nothing points at the new ones, so nothing else has to go.
LIKE = {
    "orgs": "s1", "academicSessions": "t1", "courses": "c1", "classes": "k1", "users": "u1", "roles": "r1",
    "userProfiles": "p2", "enrollments": "e1", "demographics": "u1", "categories": "cat", "lineItems": "l1",
    "results": "x1", "scoreScales": "sc", "lineItemScoreScales": "ls", "resultScoreScales": "xs",
    "lineItemLearningObjectiveIds": "lo", "resultLearningObjectiveIds": "xo", "resources": "b1",
    "classResources": "kb", "courseResources": "cb", "userResources": "ub",
}  # fmt: skip

FROM_THE_CLASS = {("scoreScales", "orgSourcedId"), ("scoreScales", "courseSourcedId"), ("lineItems", "schoolSourcedId")}
"""Cells that are filled from the row's class, if it has one."""


def broken_cell(rule: Known, own_id: str) -> Any:
    """A cell that breaks the rule; KeyError where it takes more than a cell."""
    if rule.rule == "is part of a circle":
        return own_id
    if rule.rule.startswith("names a row that is not in "):
        return "nowhere"
    if rule.rule.startswith(("holds an id that is not in ", "names no row that is in ")):
        return ["nowhere"] if rule.rule.startswith("names") else [LIKE[rule.rule.split()[7].rstrip(",")], "nowhere"]
    if rule.field == "sourcedId" and rule.rule == EMPTY:
        raise KeyError("a record without its key is refused before")
    return CELLS[rule.rule]


class Sweep:
    """A district with one row for each rule, and what must be found in it."""

    def __init__(self, version: Version, mode: str) -> None:
        self.district: Rows = rows(version.value)
        self.expected: dict[Key, list[str]] = {}
        self._version = version
        self._mode = mode
        for number, rule in enumerate(r for r in rules() if version in r.versions and mode in r.modes):
            try:
                self._break(rule, f"n{number}")
            except KeyError:
                continue

    def _break(self, rule: Known, own_id: str) -> None:
        cell = broken_cell(rule, own_id)
        self._support(rule.file, own_id)
        role = f"role-of-{own_id}"
        new = row(self.district, rule.file, LIKE[rule.file]) | {"sourcedId": own_id} | self._apart(rule.file, own_id)
        new[rule.field] = cell
        if rule.field == "sourcedId":
            own_id = new["sourcedId"] = "a b" if cell == "a b" and rule.file == "orgs" else f"{rule.file} {cell}"
        self.district[rule.file].append(new)
        self._expect(rule.severity.value, f"{rule.file}.{rule.field}", rule.rule, new["sourcedId"])
        if rule.rule == EMPTY and (rule.file, rule.field) in FROM_THE_CLASS:
            new["classSourcedId"] = None
            self._expect("row", f"{rule.file}.classSourcedId", EMPTY, own_id)
        if rule.rule.startswith("names no row"):
            self._expect(
                "value",
                f"{rule.file}.{rule.field}",
                rule.rule.replace("names no row that is", "holds an id that is not"),
                own_id,
            )
        if (
            rule.file == "users"
            and rule.severity.value == "row"
            and self._version == Version.V1_2
            and self._mode == "bulk"
        ):
            self._expect("row", "roles.userSourcedId", "names a row that is not in users", role)

    def _expect(self, severity: str, column: str, rule: str, own_id: str) -> None:
        self.expected.setdefault((severity, column, rule), []).append(own_id)

    def _support(self, file: str, own_id: str) -> None:
        """Rows that a new one needs, so that it breaks no other rule."""
        if file == "demographics":
            self.district["users"].append(row(self.district, "users", "u1") | {"sourcedId": own_id})
        if file in {"users", "demographics"} and self._version == Version.V1_2:
            role = row(self.district, "roles", "r1") | {"sourcedId": f"role-of-{own_id}", "userSourcedId": own_id}
            self.district["roles"].append(role)
        if file.endswith("Resources"):
            self.district["resources"].append(row(self.district, "resources", "b1") | {"sourcedId": own_id})

    @staticmethod
    def _apart(file: str, own_id: str) -> dict[str, Any]:
        """Cells that keep a new row from being the second of its kind."""
        if file.endswith("Resources"):
            return {"resourceSourcedId": own_id}
        return {"roleType": "secondary"} if file == "roles" else {}


SWEEPS = [(version, mode) for version in Version for mode in ("bulk", "delta")]


@pytest.mark.parametrize(("version", "mode"), SWEEPS, ids=[f"{v.value} {mode}" for v, mode in SWEEPS])
def test_every_rule_of_a_cell_is_found_in_its_row_only(place: Place, version: Version, mode: str) -> None:
    """As many findings as rows were broken, in these rows, and no other."""
    sweep = Sweep(version, mode)
    with pytest.raises(TargetError):
        place.run(lines(sweep.district), oneroster_version=version.value, file_mode=mode)
    found = json.loads(place.report.read_text())["findings"]
    counts = {(f["severity"], f"{f['file']}.{f['field']}", f["rule"]): f["count"] for f in found}
    assert counts == {key: len(ids) for key, ids in sweep.expected.items()}
    for f in found:
        ids = sweep.expected[f["severity"], f"{f['file']}.{f['field']}", f["rule"]]
        assert set(f["rows"]) <= {hashlib.sha256(own_id.encode()).hexdigest()[:12] for own_id in ids}


def test_no_rule_is_left_out() -> None:
    """What the sweep cannot break with one cell has a case of its own in test_rules.py or test_package.py."""
    swept = {key for place in SWEEPS for key in Sweep(*place).expected}
    cases = {key for _, _, _, expected in test_rules.CASES for key in expected}
    missing = {(r.severity.value, f"{r.file}.{r.field}", r.rule) for r in rules()} - swept - cases
    assert {(column, rule) for _, column, rule in missing if rule != CONFLICT} == {
        (f"{file}.sourcedId", EMPTY) for file in LIKE
    }, "only a record without its key is refused before the checks (test_crash.py)"
    conflicts = {column for _, column, rule in missing if rule == CONFLICT}
    assert conflicts <= {f"{file}.sourcedId" for file in LIKE}, "tried for every file in test_copies.py"
    cases_of_form = {rule for _, (_, _, rule) in test_package.RULES.values()} | test_package.ELSEWHERE
    assert cases_of_form == set(package_rules())
