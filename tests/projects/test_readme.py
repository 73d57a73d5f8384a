"""README's commands in one clean clone: as they stand and in their order, and then with a district of the reader's own."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.knobs import Knobs
from oneroster_sample.provider import Provider

from .conftest import as_they_stand, blocks

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

    from .conftest import Clone

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(sys.platform == "win32", reason="blocks for a POSIX shell"),
]
PEOPLE = "select role, count(*) from {} group by role order by role"
FIRST_NIGHT = "(from oneroster.roles_history where _sdc_first_load <= 1 and coalesce(_sdc_ended_load > 1, true))"
"""The service shows the first night of the quick start, and the bundle is that of its second night."""
MINE = District(seed=2026, schools=2, students_per_school=30)


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """What a warehouse says."""
    with duckdb.connect(str(path), read_only=True) as database:
        return database.execute(query).fetchall()


def test_the_commands_of_readme(clone: Clone, after_readme: CompletedProcess[str]) -> None:
    """They end well, install once, and each example keeps a warehouse of its own in which nothing is deleted."""
    text = "\n".join(as_they_stand())
    for part in ("./run ", "serve --port", "csv.duckdb", "target-oneroster-csv --config"):
        assert part in text, part
    assert after_readme.returncode == 0, after_readme.stdout[-2000:] + after_readme.stderr[-3000:]
    assert after_readme.stderr.count("run: packages of requirements.lock") == 1
    output = clone.folder / "output"
    for name, night in (("rest", FIRST_NIGHT), ("csv", "oneroster_current.roles")):
        path = output / f"{name}.duckdb"
        assert rows(path, "select count(*) from oneroster.roles where _sdc_deleted_at is not null") == [(0,)], name
        people = rows(path, PEOPLE.format("oneroster_current.roles"))
        assert people
        assert people == rows(output / "warehouse.duckdb", PEOPLE.format(night)), name
    assert (output / "roster.html").exists(), "the quick start's second night was audited"
    assert (output / "marts/site/index.html").exists(), "the marts' pages are made at its end"
    assert "how is a district doing? Open output/marts/site/index.html" in after_readme.stderr
    assert (clone.folder / "output" / "to-1.2.zip").exists()


def test_nothing_is_made_outside_the_clone(clone: Clone, after_readme: CompletedProcess[str]) -> None:
    """The home folder stays as it was, and git sees no new file."""
    assert after_readme.returncode == 0
    assert {path.name for path in clone.home.iterdir()} <= {".rustup"}  # pip asks rustc for its version
    ignored = (clone.folder / ".gitignore").read_text(encoding="utf-8").split()
    new = {path.name for path in clone.folder.iterdir()} - clone.names
    assert new <= {name.strip("/") for name in ignored}


def test_the_quick_start_ends_well_without_the_marts(
    clone: Clone, after_readme: CompletedProcess[str], tmp_path: Path
) -> None:
    """Where the index does not deliver dbt: a line names the command that makes the pages, and the exit code is 0."""
    assert after_readme.returncode == 0
    (clone.folder / ".marts" / "ready").rename(tmp_path / "ready")
    shutil.rmtree(clone.folder / "output" / "marts")
    ended = clone.terminal(
        "./run",
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_FIND_LINKS="",
        UV_HTTP_RETRIES="0",
        UV_CACHE_DIR=str(tmp_path / "cache"),
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert ended.stderr.splitlines()[-1].startswith(
        "run: the marts' pages are skipped, and ./run marts makes them: packages: the package index did not deliver."
    )
    assert not (clone.folder / "output" / "marts").exists()


def test_a_district_of_ones_own(clone: Clone, after_readme: CompletedProcess[str], tmp_path: Path) -> None:
    """A bundle that README does not know, and a service that caps pages: README alone, with values of one's own."""
    assert after_readme.returncode == 0
    write_bundle(MINE, tmp_path / "drop", version="1.1")
    for file in (tmp_path / "drop").iterdir():
        os.utime(file, (0, 0))  # the tap waits ten seconds before it reads a folder whose files were just written
    [csv] = [block for block in blocks("README.md") if "TAP_ONEROSTER_CSV_PATH" in block]
    assert "output/sample/district.zip" in csv
    first, path, *rest = csv.splitlines(keepends=True)
    assert all("csv" in line for line in rest), "README: another name instead of csv, in the last three lines"
    path = path.replace("output/sample/district.zip", str(tmp_path / "drop"))
    csv = first + path + "".join(rest).replace("csv", "own")
    [sheet, *_] = [block for block in blocks("README.md") if "https://sis.example.org" in block]
    with Provider(MINE, version="1.1", knobs=Knobs(page_cap=40)) as provider:
        values = (provider.base_url, provider.token_url, provider.client_id, provider.client_secret)
        for setting, value in zip(("BASE_URL", "TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET"), values, strict=True):
            sheet, found = re.subn(rf"(TAP_ONEROSTER_{setting}=)\S+", rf"\g<1>{value}", sheet)
            assert found == 1
        ended = clone.terminal(csv + sheet)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-3000:]
    for name in ("own", "district"):
        for stream in ("orgs", "users", "classes", "enrollments"):
            held = rows(clone.folder / f"output/{name}.duckdb", f"select count(*) from oneroster_current.{stream}")
            assert held == [(sum(1 for _ in MINE.active(stream, "1.1")),)], (name, stream)
