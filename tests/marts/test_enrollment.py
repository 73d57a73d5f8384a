"""Counts of enrollments are those of a count in Python."""

from __future__ import annotations

from collections import defaultdict
from statistics import mean
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from .warehouses import TODAY

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def counted(sample: Path) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    """Students, seats, classes and mean size by school, grade and class type, counted in Python."""
    with duckdb.connect(str(sample), read_only=True) as connection:
        rows = connection.execute(
            f"""select c."schoolSourcedId", u.grades[1], c."classType", c."sourcedId", u."sourcedId"
            from oneroster.enrollments e join oneroster.classes c on c."sourcedId" = e."classSourcedId"
            join oneroster.users u on u."sourcedId" = e."userSourcedId"
            where e.role = 'student' and e."beginDate" <= date '{TODAY}'
            and (e."endDate" is null or e."endDate" > date '{TODAY}')"""
        ).fetchall()
    sizes: dict[str, set[str]] = defaultdict(set)
    cells: dict[tuple[str, str, str], list[tuple[str, str, str]]] = defaultdict(list)
    for school, grade, kind, class_id, user in rows:
        sizes[class_id].add(user)
        for each_grade in (grade, "all"):
            for each_kind in (kind, "all"):
                cells[school, each_grade, each_kind].append((kind, class_id, user))
    found = {}
    for key, members in cells.items():
        seats = {(c, u) for kind, c, u in members if key[2] != "all" or kind != "homeroom"}
        classes = {c for c, _ in seats}
        found[key] = (
            len({u for _, _, u in members}),
            len(seats),
            len(classes),
            round(mean(len(sizes[c]) for c in classes), 6),
        )
    return found


@pytest.mark.parametrize("desk", ["duckdb_desk", "postgres_desk"])
def test_the_counts_are_those_of_a_count_by_hand(desk: str, counted: Any, request: pytest.FixtureRequest) -> None:
    rows = request.getfixturevalue(desk).rows("restricted.enrollment_count")
    assert len(rows) == len(counted) > 20
    assert {row["day"] for row in rows} == {TODAY}
    for row in rows:
        expected = counted[row["school_id"], row["grade"], row["class_type"]]
        assert (row["students"], row["seats"], row["classes"], row["mean_class_size"]) == expected
