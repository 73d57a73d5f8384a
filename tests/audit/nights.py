"""A warehouse with history, made by SQL: nights of a small district, without tap and target.

It keeps to what target-oneroster-duckdb promises: versions with load numbers, `_loads`, receipts.
"""

from __future__ import annotations

import copy
import io
import json
import tempfile
from collections import defaultdict
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from oneroster_core.sql import literal, quoted
from target_oneroster._core.model import FILES, RECEIPTS, file
from target_oneroster.warehouse.schema import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]
District = dict[str, dict[str, Row]]
FIRST = datetime(2026, 9, 14, 7, 0, tzinfo=UTC)
"""A Monday. Nights are a day apart."""


def district(schools: int = 8, students: int = 30, classes: int = 5) -> District:
    """A district: each student of a school in each of its classes, half of which are in term 1, half in term 2."""
    found: District = {f.name: {} for f in FILES}

    def add(name: str, sourced_id: str, /, **columns: Any) -> None:
        found[name][sourced_id] = {"sourcedId": sourced_id, **columns}

    add(
        "academicSessions",
        "year",
        title="2026-2027",
        type="schoolYear",
        startDate="2026-08-24",
        endDate="2027-06-05",
        schoolYear="2027",
    )
    for term in ("t1", "t2"):
        add("academicSessions", term, title=term, type="term", parentSourcedId="year", schoolYear="2027")
    add("orgs", "d", name="District", type="district")
    for s in range(1, schools + 1):
        org = f"s{s}"
        add("orgs", org, name=f"School {s}", type="school", parentSourcedId="d")
        add("courses", f"{org}-course", title="Course", orgSourcedId=org)
        for c in range(classes):
            add("classes", f"{org}-c{c}", title=f"Class {c}", courseSourcedId=f"{org}-course", classType="scheduled",
                schoolSourcedId=org, termSourcedIds=["t1" if c % 2 else "t2"], periods=["1"])  # fmt: skip
        people = [(f"{org}-p{n}", "student") for n in range(students)] + [(f"{org}-teacher", "teacher")]
        for person, role in people:
            add("users", person, username=person, givenName=f"Given {person}", familyName=f"Family {person}", identifier=person,
                enabledUser=True, grades=["05"] if role == "student" else [], email=f"{person}@example.com")  # fmt: skip
            add("roles", f"{person}-r", userSourcedId=person, roleType="primary", role=role, orgSourcedId=org)
            for c in range(classes):
                enroll(found, f"{org}-c{c}", person, role)
    return found


def enroll(found: District, class_id: str, person: str, role: str = "student", **columns: Any) -> None:
    """Enroll a person."""
    school = found["classes"][class_id]["schoolSourcedId"]
    sourced_id = f"{class_id}-{person}"
    found["enrollments"][sourced_id] = {
        "sourcedId": sourced_id, "classSourcedId": class_id, "schoolSourcedId": school, "userSourcedId": person,
        "role": role, **columns,
    }  # fmt: skip


def of_school(found: District, name: str, school: str) -> list[str]:
    """Ids of the rows of a school."""
    column = file(name).school
    return [k for k, row in found[name].items() if row.get(column or "") == school]


class House:
    """A warehouse, and the nights in it."""

    def __init__(self, path: Path, *, tenant: str = "") -> None:
        self.path, self.tenant = path, tenant
        self.loads = 0
        self.state: District = defaultdict(dict)
        self._is_made = False

    def _make(self) -> None:
        """Make the file when the first night comes: a test may let the target do it instead."""
        self._is_made = True
        with self._open() as database:
            database.execute("CREATE SCHEMA IF NOT EXISTS oneroster")
            first = "tenant VARCHAR, " if self.tenant else ""
            database.execute(
                f'CREATE TABLE IF NOT EXISTS oneroster."_loads" ({first}"load" BIGINT, "loadedAt" TIMESTAMPTZ, "finishedAt" TIMESTAMPTZ, '
                '"table" VARCHAR, "came" BIGINT, "new" BIGINT, "changed" BIGINT, "unchanged" BIGINT, "deleted" BIGINT, '
                '"total" BIGINT, "whole" BOOLEAN, "outcome" VARCHAR)'
            )

    def _open(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.path))

    def load(
        self,
        rows: Mapping[str, Mapping[str, Row]],
        *,
        at: datetime | None = None,
        whole: bool = True,
        receipts: Mapping[str, Row] | None = None,
        outcome: str = "loaded",
        without: tuple[str, ...] = (),
    ) -> int:
        """Load a district; files of `without` do not come. A load that is not whole deletes nothing."""
        if not self._is_made:
            self._make()
        self.loads += 1
        at = at or FIRST + timedelta(days=self.loads - 1)
        with self._open() as database:
            for name, new in rows.items():
                if name not in without and (new or self.state[name]):
                    self._table(database, name, copy.deepcopy(dict(new)), at, whole, outcome)
            self._receipts(database, rows, at, receipts, without)
        return self.loads

    def _table(
        self,
        database: duckdb.DuckDBPyConnection,
        name: str,
        new: dict[str, Row],
        at: datetime,
        whole: bool,
        outcome: str,
    ) -> None:
        content = Table(file(name)).content
        place = f"oneroster.{quoted(name + '_history')}"
        spec = ", ".join(f"{quoted(n)} {kind}" for n, kind in content.items())
        first = "tenant VARCHAR, " if self.tenant else ""
        database.execute(
            f"CREATE TABLE IF NOT EXISTS {place} ({first}{spec}, _sdc_first_seen_at TIMESTAMPTZ, _sdc_ended_at TIMESTAMPTZ, "
            "_sdc_deleted_at TIMESTAMPTZ, _sdc_first_load BIGINT, _sdc_ended_load BIGINT)"
        )
        old = self.state[name]
        gone = [k for k in old if k not in new] if whole and new else []
        changed = [k for k in new if k in old and new[k] != old[k]]
        fresh = [k for k in new if k not in old]
        mine = " AND tenant = $tenant" if self.tenant else ""
        parameters = {"ids": gone + changed, "load": self.loads} | ({"tenant": self.tenant} if self.tenant else {})
        database.execute(
            f'UPDATE {place} SET _sdc_ended_load = $load WHERE _sdc_ended_load IS NULL AND list_contains($ids, "sourcedId"){mine}',
            parameters,
        )
        self.insert(database, name, [new[k] for k in fresh + changed])
        self.state[name] = {k: v for k, v in (old | new).items() if k not in gone}
        came, total = len(new), len(self.state[name])
        database.execute(
            f'INSERT INTO oneroster."_loads" VALUES ({"$tenant, " if self.tenant else ""}$load, $at, $at, $name, $came, $new, $changed, $same, '
            "$gone, $total, $whole, $outcome)",
            {"load": self.loads, "at": at, "name": name, "came": came, "new": len(fresh), "changed": len(changed),
             "same": came - len(fresh) - len(changed), "gone": len(gone), "total": total, "whole": whole, "outcome": outcome}
            | ({"tenant": self.tenant} if self.tenant else {}),
        )  # fmt: skip

    def insert(self, database: duckdb.DuckDBPyConnection, name: str, rows: list[Row]) -> None:
        """Add versions that begin with this load."""
        if not rows:
            return
        content = Table(file(name)).content
        with tempfile.NamedTemporaryFile("w", suffix=".json") as out:
            out.write("\n".join(json.dumps(row) for row in rows))
            out.flush()
            spec = ", ".join(f"{literal(n)}: {literal(kind)}" for n, kind in content.items())
            tenant = f"{literal(self.tenant)} AS tenant, " if self.tenant else ""
            database.execute(
                f"INSERT INTO oneroster.{quoted(name + '_history')} BY NAME SELECT {tenant}*, {self.loads} AS _sdc_first_load "
                f"FROM read_json({literal(out.name)}, format = 'newline_delimited', columns = {{{spec}}})"
            )

    def _receipts(
        self,
        database: duckdb.DuckDBPyConnection,
        rows: Any,
        at: datetime,
        given: Mapping[str, Row] | None,
        without: tuple[str, ...],
    ) -> None:
        if given is None:
            return
        kinds = Table(RECEIPTS).content | {"columns": "VARCHAR[]", "sourceModifiedAt": "TIMESTAMPTZ"}
        first = "tenant VARCHAR, " if self.tenant else ""
        spec = ", ".join(f"{quoted(n)} {kind}" for n, kind in kinds.items())
        database.execute(
            f'CREATE TABLE IF NOT EXISTS oneroster."syncReceipts" ({first}{spec}, _sdc_received_at TIMESTAMPTZ)'
        )
        for name in rows:
            if not rows[name] or name in without:
                continue
            row: Row = {"runId": f"run {self.loads}", "collection": name, "source": "district.zip", "mode": "bulk",
                        "expected": None, "received": len(rows[name]), "distinct": len(rows[name]), "rejected": 0,
                        "complete": True, "_sdc_received_at": at, **given.get("*", {}), **given.get(name, {})}  # fmt: skip
            if self.tenant:
                row["tenant"] = self.tenant
            names, marks = ", ".join(map(quoted, row)), ", ".join("?" for _ in row)
            database.execute(f'INSERT INTO oneroster."syncReceipts" ({names}) VALUES ({marks})', list(row.values()))

    def sql(self, text: str) -> None:
        """Change the warehouse by hand."""
        with self._open() as database:
            database.execute(text)


def as_csv(name: str, rows: Any) -> dict[str, dict[str, Any]]:
    """Rows by id, without what CSV does not carry."""
    kept = [f.name for f in file(name).fields if f.csv]
    return {row["sourcedId"]: {column: row[column] for column in kept} for row in rows}


def without(rows: District, name: str, keys: list[str]) -> District:
    """The same night without these rows."""
    gone = set(keys)
    return {**rows, name: {k: v for k, v in rows[name].items() if k not in gone}}


def lost_from(rows: District, school: str, count: int) -> District:
    """The same night without some enrollments of a school, spread over its cells."""
    return without(rows, "enrollments", of_school(rows, "enrollments", school)[:count])


def rebuilt(rows: District, school: str) -> District:
    """The same night with the calendar of a school rebuilt: its classes and enrollments come under new ids."""
    new = copy.deepcopy(rows)
    for name, column in (("classes", ""), ("enrollments", "classSourcedId")):
        for key in of_school(rows, name, school):
            row = new[name].pop(key)
            row["sourcedId"] = f"new-{key}"
            if column:
                row[column] = f"new-{row[column]}"
            new[name][row["sourcedId"]] = row
    return new


def load(config: dict[str, Any], path: Path) -> None:
    """Read everything by the tap, and load it into a warehouse by the target."""
    from tap_oneroster import TapOneRoster
    from target_oneroster.warehouse.target import TargetOneRosterDuckDB

    with redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")) as output:
        TapOneRoster(config=config).sync_all()
        output.flush()
    target = TargetOneRosterDuckDB(config={"filepath": str(path), "history": True})
    with redirect_stdout(io.StringIO()):
        target.listen(io.BytesIO(output.buffer.getvalue()))  # type: ignore[arg-type]
    target.close()
