"""Two sources of one night: what differs is found by row and column, and nothing else is."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.provider import Provider

from tests.audit.nights import load
from tests.support.tap import settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.audit.conftest import Desk

NAMES = ("rest", "csv")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one night as a bundle, loaded from the service and from the bundle."""
    folder = tmp_path_factory.mktemp("night")
    made = District(seed=9, schools=2, students_per_school=5).changed(1)
    write_bundle(made, folder / "night.zip")
    with Provider(made) as provider:
        load(settings(provider), folder / "rest.duckdb")
    load({"mode": "csv", "csv_path": str(folder / "night.zip")}, folder / "csv.duckdb")
    return folder


@pytest.fixture
def pair(night: Path, tmp_path: Path) -> tuple[str, str]:
    """Copies of both, to be changed."""
    for name in NAMES:
        shutil.copy(night / f"{name}.duckdb", tmp_path)
    return str(tmp_path / "rest.duckdb"), str(tmp_path / "csv.duckdb")


def change(path: str, *statements: str) -> None:
    """Change a warehouse by hand."""
    with duckdb.connect(path) as database:
        for statement in statements:
            database.execute(statement)


def found(desk: Desk, a: str, b: str, code: int = 0, command: str = "reconcile") -> dict[str, dict[str, Any]]:
    """The files of `reconcile --json`."""
    assert desk(command, a, b, "--json") == code, desk.err
    return {row["file"]: row for row in json.loads(desk.out)["files"]}


def unlike(files: dict[str, dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """The files in which something differs."""
    return {
        name: (row["only_a"], row["only_b"], row["differ"], row["columns"])
        for name, row in files.items()
        if row["only_a"] or row["only_b"] or row["differ"]
    }


def test_equal_receipts_prove_it_and_no_row_is_read(desk: Desk, pair: tuple[str, str]) -> None:
    files = found(desk, *pair)
    assert unlike(files) == {}
    change(pair[1], "UPDATE oneroster.enrollments SET role = 'aide'")
    assert found(desk, *pair)["enrollments"] == files["enrollments"]


def test_the_planted_differences_are_found_and_no_other(desk: Desk, pair: tuple[str, str]) -> None:
    """Derived rows have other ids in a bundle than over REST: they are compared by what identifies them."""
    for path in pair:
        change(path, 'UPDATE oneroster."syncReceipts" SET "contentDigest" = NULL')
    assert unlike(found(desk, *pair)) == {}
    change(
        pair[0],
        'DELETE FROM oneroster.enrollments WHERE "sourcedId" IN (SELECT "sourcedId" FROM oneroster.enrollments ORDER BY 1 LIMIT 3)',
    )
    change(
        pair[1],
        """UPDATE oneroster.classes SET title = 'Other', periods = ['99'], metadata = '{"x": 1}', "dateLastModified" = now()
           WHERE "sourcedId" = (SELECT min("sourcedId") FROM oneroster.classes)""",
        """UPDATE oneroster.roles SET "roleType" = 'other' WHERE "sourcedId" = (SELECT min("sourcedId") FROM oneroster.roles)""",
        """UPDATE oneroster.users SET _sdc_deleted_at = now() WHERE "sourcedId" = (SELECT min("sourcedId") FROM oneroster.users)""",
        """DELETE FROM oneroster."classResources" WHERE "sourcedId" = (SELECT min("sourcedId") FROM oneroster."classResources")""",
    )
    assert unlike(found(desk, *pair, code=3)) == {
        "enrollments": (0, 3, 0, []),
        "classes": (0, 0, 1, ["periods", "title"]),
        "roles": (0, 0, 1, ["roleType"]),
        "users": (1, 0, 0, []),
        "classResources": (1, 0, 0, []),
    }
    assert desk("reconcile", *pair) == 3
    assert "school 00001: " in desk.out
    for name, row in unlike(found(desk, pair[1], pair[0], 3)).items():
        assert row[:2] == (
            (3, 0) if name == "enrollments" else (0, 1) if name in ("users", "classResources") else (0, 0)
        )


def test_loads_that_are_more_than_six_hours_apart_are_compared_by_count(desk: Desk, pair: tuple[str, str]) -> None:
    change(
        pair[0], 'UPDATE oneroster."_loads" SET "loadedAt" = "loadedAt" - INTERVAL 7 HOUR', "DELETE FROM oneroster.orgs"
    )
    files = found(desk, *pair, code=3)
    assert "hours apart: only counts are compared." in desk.err
    assert files["enrollments"] == {"file": "enrollments", "only_a": 0, "only_b": 0, "columns": []}
    assert files["orgs"]["only_b"] > 0


def test_a_side_is_a_load_a_file_with_its_schema_or_a_bundle(desk: Desk, night: Path, pair: tuple[str, str]) -> None:
    shutil.copy(pair[1], desk.folder / "warehouse.duckdb")
    files = found(desk, "1", pair[0])
    assert unlike(files) == {}
    assert unlike(found(desk, f"{pair[0]}:oneroster", str(night / "night.zip"))) == {}
    moved = found(desk, f"{pair[0]}:oneroster", pair[1], command="diff")["enrollments"]
    assert moved == {
        "file": "enrollments",
        "before": moved["now"],
        "added": 0,
        "removed": 0,
        "changed": 0,
        "now": moved["now"],
    }
    for command in ("reconcile", "diff"):
        assert desk(command, "7", pair[0]) == 2
        assert desk.err == "oneroster-audit: the warehouse has no load 7\n"
        assert desk(command, f"{pair[0]}:other", pair[1]) == 2
        assert "has no schema other of target-oneroster-duckdb" in desk.err
        assert desk(command, "nowhere", pair[1]) == 2
        assert "nowhere is neither the number of a load, nor a DuckDB file" in desk.err


def test_a_second_source_that_differs_holds_above_one_percent(desk: Desk, pair: tuple[str, str]) -> None:
    """The policy names it; a few rows are a warning, and another night says nothing."""
    shutil.copy(pair[0], desk.folder / "warehouse.duckdb")
    desk.policy(
        f"warehouse: warehouse.duckdb\nmax_age_hours: 1000000\nsecond: {pair[1]}\nreport: {{path: page.html}}\n"
    )
    change(
        pair[1],
        'UPDATE oneroster."syncReceipts" SET "contentDigest" = NULL',
        """UPDATE oneroster.enrollments SET role = 'aide'""",
        """UPDATE oneroster.courses SET title = 'Other' WHERE "sourcedId" = (SELECT min("sourcedId") FROM oneroster.courses)""",
    )
    assert desk("run") == 3, desk.err
    findings = [f for f in desk.report()["findings"] if f["check"] == "sources.differ"]
    assert [(f["file"], f["severity"], f["column"], f["share"] > 0.5) for f in findings] == [
        ("enrollments", "hold", "role", True),
        ("courses", "warn", "title", False),
    ]
    assert "Files that differ" in (desk.folder / "page.html").read_text(encoding="utf-8")
    (desk.folder / "audit.duckdb").unlink()
    change(pair[1], 'UPDATE oneroster."_loads" SET "loadedAt" = "loadedAt" - INTERVAL 7 HOUR')
    assert desk("run") == 0, desk.err
    assert [f["severity"] for f in desk.report()["findings"] if f["check"] == "sources.apart"] == ["note"]
    assert "more than six hours apart" in (desk.folder / "page.html").read_text(encoding="utf-8")
