"""Two bundles compared by their cells alone: the difference that `truth.json` must tell."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter, defaultdict
from itertools import product
from typing import TYPE_CHECKING, Any

from oneroster_sample.bundle import write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from oneroster_sample.district import District

Tables = dict[str, dict[str, dict[str, str]]]
COUNTS = ("before", "added", "removed", "changed", "now")


def read_bundle(path: Path) -> Tables:
    """Rows by file and id; without the columns that a bulk leaves empty, and without metadata."""
    tables: Tables = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name == "manifest.csv":
                continue
            rows = csv.DictReader(io.TextIOWrapper(archive.open(name), encoding="utf-8", newline=""))
            table = tables[name.removesuffix(".csv")] = {}
            for row in rows:
                assert row["sourcedId"] not in table, name
                kept = {k: v for k, v in row.items() if not k.startswith(("metadata.", "status", "dateLast"))}
                table[row["sourcedId"]] = kept
    return tables


def two_nights(district: District, folder: Path, version: str, since: int = 0) -> tuple[Tables, Tables, dict[str, Any]]:
    """The bundles of day `since` and of the district's day, and the truth of the second."""
    before = district.changed(since - district.day)
    write_bundle(before, folder / "before.zip", version=version, truth=folder / "before.json")
    write_bundle(district, folder / "now.zip", version=version, since=since)
    told = folder / "truth.json"
    truth = json.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
    return read_bundle(folder / "before.zip"), read_bundle(folder / "now.zip"), truth


def parts(text: str) -> list[str]:
    """The values of a cell with a list."""
    return text.split(",") if text else []


def keys(tables: Tables, name: str) -> Iterator[tuple[str, tuple[list[str], str, list[str]]]]:
    """Schools, role and terms of each row of a file."""
    orgs = defaultdict(set)
    if name == "users":
        for held in tables.get("roles", {}).values():
            orgs[held["userSourcedId"]].add(held["orgSourcedId"])
    for its_id, row in tables.get(name, {}).items():
        schools: list[str] = []
        role, terms = "", schools
        match name:
            case "enrollments":
                schools, role = [row["schoolSourcedId"]], row["role"]
                terms = parts(tables.get("classes", {}).get(row["classSourcedId"], {}).get("termSourcedIds", ""))
            case "classes":
                schools, terms = [row["schoolSourcedId"]], parts(row["termSourcedIds"])
            case "roles":
                schools, role = [row["orgSourcedId"]], row["role"]
            case "users":
                schools, role = list(orgs[its_id]) or parts(row.get("orgSourcedIds", "")), row.get("role", "")
            case "courses":
                schools = [row["orgSourcedId"]]
            case "lineItems":
                schools = [row.get("schoolSourcedId", "")]
        yield its_id, (schools or [""], role, terms or [""])


def cells_of(tables: Tables, name: str) -> dict[str, set[tuple[str, str, str]]]:
    """Cells of each row of a file, with sums."""
    return {
        its_id: set(product(("*", *schools), ("*", role), ("*", *terms)))
        for its_id, (schools, role, terms) in keys(tables, name)
    }


def difference(old: Tables, new: Tables) -> dict[tuple[str, str, str, str], dict[str, int]]:
    """Counts of every cell of every file."""
    counts: defaultdict[tuple[str, str, str, str], Counter[str]] = defaultdict(Counter)
    for name in {*old, *new}:
        was, its = cells_of(old, name), cells_of(new, name)
        for row_id in {*was, *its}:
            left, right = was.get(row_id, set()), its.get(row_id, set())
            differ = left and right and old[name][row_id] != new[name][row_id]
            for cell in left | right:
                count = counts[name, *cell]
                count["before"] += cell in left
                count["now"] += cell in right
                count["added"] += cell not in left
                count["removed"] += cell not in right
                count["changed"] += bool(differ and cell in left and cell in right)
    return {cell: {what: count[what] for what in COUNTS} for cell, count in counts.items()}


def renamed(old: dict[str, dict[str, str]], new: dict[str, dict[str, str]], *columns: str) -> set[str]:
    """Ids that are gone while a row with the same values in these columns came under a new one."""
    came = {tuple(row[column] for column in columns) for its_id, row in new.items() if its_id not in old}
    return {
        its_id for its_id, row in old.items() if its_id not in new and tuple(row[column] for column in columns) in came
    }


def reasons(old: Tables, new: Tables) -> dict[tuple[str, str], tuple[int, int]]:
    """Enrollments and students by school and reason, for the student enrollments that are gone."""
    classes = renamed(old["classes"], new["classes"], "schoolSourcedId", "classCode")
    persons = renamed(old["users"], new["users"], "username")
    schools, courses = defaultdict(set), defaultdict(set)
    for row in new["enrollments"].values():
        if row["role"] == "student":
            schools[row["userSourcedId"]].add(row["schoolSourcedId"])
            its = new["classes"].get(row["classSourcedId"], {}).get("courseSourcedId")
            courses[row["userSourcedId"]].add((row["schoolSourcedId"], its))
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for its_id, row in old["enrollments"].items():
        if its_id in new["enrollments"] or row["role"] != "student":
            continue
        user, school, its_class = row["userSourcedId"], row["schoolSourcedId"], row["classSourcedId"]
        here = (school, old["classes"].get(its_class, {}).get("courseSourcedId"))
        rules = {
            "class has a new id": its_class in classes,
            "person has a new id": user in persons,
            "left the district": user not in new["users"],
            "moved to another school": schools[user] and school not in schools[user],
            "another section of the course": here in courses[user],
            "class closed": its_class not in new["classes"],
            "no class left, person still there": not schools[user],
            "dropped the class": True,
        }
        found[school, next(reason for reason, holds in rules.items() if holds)].append(user)
    return {key: (len(users), len(set(users))) for key, users in found.items()}


def check(old: Tables, new: Tables, truth: dict[str, Any]) -> None:
    """The truth against the difference: every cell, the files, the reasons; the events and the everyday add up."""
    counts = difference(old, new)
    told = {
        (cell["file"], cell["school"], cell["role"], cell["term"]): {what: cell[what] for what in COUNTS}
        for cell in truth["cells"]
    }
    assert told == counts
    assert all(c["before"] + c["added"] - c["removed"] == c["now"] for c in told.values())
    assert truth["files"] == {name: counts[name, "*", "*", "*"] for name in {*old, *new}}
    shares: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    why: Counter[tuple[str, str]] = Counter()
    for part in (truth["everyday"], *truth["events"]):
        for cell in part["cells"]:
            shares[cell["file"], cell["school"], cell["role"], cell["term"]].update(
                {what: cell[what] for what in ("added", "removed", "changed")}
            )
        for line in part["reasons"]:
            why[line["school"], line["reason"]] += line["enrollments"]
    changed = {cell: {what: count[what] for what in ("added", "removed", "changed")} for cell, count in counts.items()}
    assert {cell: dict(count) for cell, count in shares.items()} == {
        cell: count for cell, count in changed.items() if any(count.values())
    }
    told_reasons = {
        (line["school"], line["reason"]): (line["enrollments"], line["students"]) for line in truth["reasons"]
    }
    if "drop-file" not in str(truth["events"]):
        assert told_reasons == reasons(old, new)
    assert why == {key: count for key, (count, _) in told_reasons.items()}
