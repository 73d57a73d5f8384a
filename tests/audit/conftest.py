"""A folder with a policy and a warehouse, and the commands of the audit in process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from oneroster_audit.__main__ import command

from tests.audit.nights import House, district, rebuilt

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Desk:
    """A working folder."""

    folder: Path
    house: House
    out: str = ""
    err: str = ""
    capsys: Any = None

    def policy(self, text: str) -> None:
        """Write the policy."""
        (self.folder / "policy.yml").write_text(text, encoding="utf-8")

    def __call__(self, *arguments: str) -> int:
        """Run a command and return its exit code."""
        code = command([arguments[0], "--policy", str(self.folder / "policy.yml"), *arguments[1:]])
        self.out, self.err = self.capsys.readouterr()
        return code

    def audit(self, rows: Any, code: int = 0, **options: Any) -> dict[str, Any]:
        """Load a night, audit it, and return what `show --json` prints."""
        self.house.load(rows, **options)
        assert self("run") == code, self.out + self.err
        return self.report()

    def report(self, *arguments: str) -> dict[str, Any]:
        """What `show --json` prints."""
        assert self("show", "--json", *arguments) == 0, self.err
        found: dict[str, Any] = json.loads(self.out)
        return found

    def store(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the store."""
        with duckdb.connect(str(self.folder / "audit.duckdb"), read_only=True) as database:
            return database.execute(query).fetchall()

    def cells(self, load: int, file: str, key: str = "school_id, role, term_id") -> dict[Any, tuple[int, ...]]:
        """Counts of a file: before, added, removed, changed, now."""
        rows = self.store(
            f"SELECT {key}, before, added, removed, changed, now FROM counts WHERE load = {load} AND file = '{file}'"
        )
        return {row[:-5] if len(row) > 6 else row[0]: row[-5:] for row in rows}

    def released(self) -> dict[str, int]:
        """From which load each school is published."""
        return dict(self.store("SELECT school, load FROM released ORDER BY school"))


POLICY = "warehouse: warehouse.duckdb\ntime_zone: America/Chicago\nmax_age_hours: 100000\n"


def found(report: dict[str, Any], check: str) -> list[dict[str, Any]]:
    """Findings of a check."""
    return [f for f in report["findings"] if f["check"] == check]


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(tmp_path, House(tmp_path / "warehouse.duckdb"), capsys=capsys)
    made.policy(POLICY)
    return made


PAGE_POLICY = (
    "warehouse: warehouse.duckdb\nmax_age_hours: 1000000\ndistrict: A & B <i>Unified</i>\nreport: {path: page.html}\n"
)
STATES = ("first night", "all well", "one school held", "unknown", "everything held")


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The page in five states."""
    folder: Path = tmp_path_factory.mktemp("pages")
    house = House(folder / "warehouse.duckdb")
    rows = district(8, students=30, classes=3)
    (folder / "policy.yml").write_text(PAGE_POLICY, encoding="utf-8")
    found = {}
    receipts: Any = {"*": {}}
    for state, night, more in (
        ("first night", rows, {}),
        ("all well", rows, {}),
        ("one school held", rebuilt(rows, "s3"), {}),
        ("unknown", rows, {"receipts": {"users": {"complete": False}}}),
        ("everything held", rows, {"without": ("classes",)}),
    ):
        house.load(night, **({"receipts": receipts} | more))
        command(["run", "--policy", str(folder / "policy.yml")])
        found[state] = (folder / "page.html").read_text(encoding="utf-8")
    return found
