"""A district one can read at a glance: a row or two of every file, valid in both versions."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import oneroster_core.model as model
from oneroster_core.model.schema import json_schema, key_properties

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Rows = dict[str, list[dict[str, Any]]]

UUID = "5f2bbdb5-57a4-47a2-8f3c-e2a839d84fcb"

_ROWS: Rows = {
    "orgs": [
        {"sourcedId": "d1", "name": "District", "type": "district"},
        {"sourcedId": "s1", "name": 'School "One", north', "type": "school", "parentSourcedId": "d1"},
    ],
    "academicSessions": [
        {
            "sourcedId": "y",
            "title": "Year",
            "type": "schoolYear",
            "startDate": "2025-08-01",
            "endDate": "2026-07-31",
            "schoolYear": "2026",
        },
        {
            "sourcedId": "t1",
            "title": "Term",
            "type": "term",
            "startDate": "2025-08-01",
            "endDate": "2026-01-31",
            "parentSourcedId": "y",
            "schoolYear": "2026",
        },
        {
            "sourcedId": "g1",
            "title": "Period",
            "type": "gradingPeriod",
            "startDate": "2025-08-01",
            "endDate": "2025-10-31",
            "parentSourcedId": "t1",
            "schoolYear": "2026",
        },
    ],
    "courses": [
        {
            "sourcedId": "c1",
            "title": "Art",
            "orgSourcedId": "s1",
            "schoolYearSourcedId": "y",
            "grades": ["01", "02"],
            "subjects": ["Art", "Craft"],
            "subjectCodes": ["05", "06"],
        },
    ],
    "classes": [
        {
            "sourcedId": "k1",
            "title": "Art 1",
            "courseSourcedId": "c1",
            "classType": "scheduled",
            "schoolSourcedId": "s1",
            "termSourcedIds": ["t1"],
            "periods": ["1", "3"],
        },
        {
            "sourcedId": "k2",
            "title": "Art 2",
            "courseSourcedId": "c1",
            "classType": "homeroom",
            "schoolSourcedId": "s1",
            "termSourcedIds": ["t1"],
        },
    ],
    "users": [
        {
            "sourcedId": "u1",
            "enabledUser": True,
            "username": "ann",
            "givenName": "Ann",
            "familyName": "Árni",
            "userIds": [{"type": "LDAP", "identifier": "ann"}],
            "agentSourcedIds": ["u3"],
            "grades": ["01"],
        },
        {"sourcedId": "u2", "enabledUser": True, "username": "tom", "givenName": "Tom", "familyName": "Ode, Jr."},
        {
            "sourcedId": "u3",
            "enabledUser": False,
            "username": "mum",
            "givenName": "Mia",
            "familyName": "Árni",
            "agentSourcedIds": ["u1"],
        },
    ],
    "roles": [
        {"sourcedId": "r1", "userSourcedId": "u1", "roleType": "primary", "role": "student", "orgSourcedId": "s1"},
        {
            "sourcedId": "r2",
            "userSourcedId": "u2",
            "roleType": "primary",
            "role": "teacher",
            "orgSourcedId": "s1",
            "userProfileSourcedId": "p2",
        },
        {"sourcedId": "r3", "userSourcedId": "u3", "roleType": "primary", "role": "parent", "orgSourcedId": "s1"},
    ],
    "userProfiles": [
        {
            "sourcedId": "p2",
            "userSourcedId": "u2",
            "profileType": "LMS",
            "vendorId": "v",
            "credentialType": "basic",
            "username": "tom",
        },
    ],
    "enrollments": [
        {
            "sourcedId": "e1",
            "classSourcedId": "k1",
            "schoolSourcedId": "s1",
            "userSourcedId": "u1",
            "role": "student",
            "beginDate": "2025-08-15",
        },
        {
            "sourcedId": "e2",
            "classSourcedId": "k1",
            "schoolSourcedId": "s1",
            "userSourcedId": "u2",
            "role": "teacher",
            "primary": True,
            "beginDate": "2025-08-15",
            "endDate": "2026-01-31",
        },
    ],
    "demographics": [{"sourcedId": "u1", "birthDate": "2018-02-03", "sex": "female", "asian": True}],
    "categories": [{"sourcedId": "cat", "title": "Work", "weight": 40.0}],
    "lineItems": [
        {
            "sourcedId": "l1",
            "title": "Essay",
            "assignDate": "2025-09-01",
            "dueDate": "2025-09-08",
            "classSourcedId": "k1",
            "categorySourcedId": "cat",
            "academicSessionSourcedId": "g1",
            "resultValueMin": 0.0,
            "resultValueMax": 100.0,
            "schoolSourcedId": "s1",
        },
    ],
    "results": [
        {
            "sourcedId": "x1",
            "lineItemSourcedId": "l1",
            "studentSourcedId": "u1",
            "scoreStatus": "fully graded",
            "score": 88.5,
            "scoreDate": "2025-09-09",
            "classSourcedId": "k1",
        },
    ],
    "scoreScales": [
        {
            "sourcedId": "sc",
            "title": "Letters",
            "type": "letter",
            "orgSourcedId": "s1",
            "courseSourcedId": "c1",
            "classSourcedId": "k1",
            "scoreScaleValue": [
                {"itemValueLHS": "A", "itemValueRHS": "90-100"},
                {"itemValueLHS": "B", "itemValueRHS": "0-89"},
            ],
        },
    ],
    "lineItemScoreScales": [{"sourcedId": "ls", "lineItemSourcedId": "l1", "scoreScaleSourcedId": "sc"}],
    "resultScoreScales": [{"sourcedId": "xs", "resultSourcedId": "x1", "scoreScaleSourcedId": "sc"}],
    "lineItemLearningObjectiveIds": [
        {"sourcedId": "lo", "lineItemSourcedId": "l1", "source": "case", "learningObjectiveId": f"urn:uuid:{UUID}"}
    ],
    "resultLearningObjectiveIds": [
        {"sourcedId": "xo", "resultSourcedId": "x1", "source": "unknown", "learningObjectiveId": "own:1", "score": 3.0}
    ],
    "resources": [
        {"sourcedId": "b1", "vendorResourceId": "isbn:1", "roles": ["student", "teacher"], "importance": "primary"}
    ],
    "classResources": [{"sourcedId": "kb", "classSourcedId": "k1", "resourceSourcedId": "b1"}],
    "courseResources": [{"sourcedId": "cb", "courseSourcedId": "c1", "resourceSourcedId": "b1"}],
    "userResources": [{"sourcedId": "ub", "userSourcedId": "u1", "resourceSourcedId": "b1", "orgSourcedId": "s1"}],
}
_ROLES_1_1 = {"u1": "student", "u2": "teacher", "u3": "parent"}


def rows(version: str = "1.2") -> Rows:
    """The district's rows; in 1.1 users carry role and orgs, and what 1.2 has added is not there."""
    district = copy.deepcopy(_ROWS)
    if version == "1.1":
        for user in district["users"]:
            user |= {"role": _ROLES_1_1[user["sourcedId"]], "orgSourcedIds": ["s1"]}
        for name in [n for n in district if not model.file(n).exists_in(model.Version.V1_1)]:
            del district[name]
        for name in district:
            for row in district[name]:
                for field in model.file(name).fields:
                    if not field.exists_in(model.Version.V1_1):
                        row.pop(field.name, None)
    for name in district:
        for row in district[name]:
            row |= {"status": "active", "dateLastModified": "2026-01-02T03:04:05.678Z"}
    return district


def row(district: Rows, file: str, source_id: str) -> dict[str, Any]:
    """One row of a district, to be changed."""
    return next(r for r in district[file] if r["sourcedId"] == source_id)


def receipt(stream: str, records: Iterable[Mapping[str, Any]], **changes: Any) -> dict[str, Any]:
    """The receipt of a whole read of a stream."""
    records = list(records)
    ids = {r["sourcedId"] for r in records}
    return {
        "runId": "run", "collection": stream, "source": "test", "mode": "rest", "version": "1.2", "complete": True,
        "received": len(records), "distinct": len(ids), "rejected": 0, "filter": None, "contentDigest": "0" * 16,
    } | changes  # fmt: skip


def schema_line(stream: str) -> dict[str, Any]:
    """The SCHEMA message of a stream, as our tap writes it."""
    file = model.RECEIPTS if stream == "syncReceipts" else model.file(stream)
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": json_schema(file, secrets=True),
        "key_properties": list(key_properties(file)),
    }


def lines(
    district: Rows, *, receipts: bool = False, version: int | None = None, state: Any = None
) -> list[dict[str, Any]]:
    """A run of a tap as messages."""
    messages: list[dict[str, Any]] = [schema_line("syncReceipts")] if receipts else []
    for stream, records in district.items():
        messages.append(schema_line(stream))
        messages += [record_line(stream, record, version) for record in records]
    if receipts:
        messages += [record_line("syncReceipts", receipt(s, r)) for s, r in district.items()]
    if state is not None:
        messages.append({"type": "STATE", "value": state})
    return messages


def record_line(stream: str, record: Mapping[str, Any], version: int | None = None) -> dict[str, Any]:
    """One RECORD message."""
    message = {"type": "RECORD", "stream": stream, "record": dict(record)}
    return message if version is None else message | {"version": version}


def activate(stream: str, version: int) -> dict[str, Any]:
    """The message at the end of a whole read."""
    return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}


def whole(version: int, *records: dict[str, Any], stream: str = "users") -> list[dict[str, Any]]:
    """A whole read of one stream."""
    return [
        schema_line(stream),
        *(record_line(stream, record, version) for record in records),
        activate(stream, version),
    ]


def encode(messages: Iterable[Any]) -> bytes:
    """Messages as the bytes of a pipe."""
    return b"".join(json.dumps(m, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for m in messages)
