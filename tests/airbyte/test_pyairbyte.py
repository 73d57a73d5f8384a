"""PyAirbyte runs the source and fills its DuckDB cache: `./run test-airbyte`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from oneroster_core.model import FILES
from oneroster_sample.provider import Knobs, Provider

from tests.airbyte.source import SOURCE
from tests.loaders.source import Bundles, Service, comparable
from tests.loaders.stores import NESTED, utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oneroster_core.model import File

pytestmark = [pytest.mark.airbyte, pytest.mark.timeout(1500)]

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".uv" / "airbyte" / "bin" / "python"
PAGE = (ROOT / "docs" / "airbyte.md").read_text(encoding="utf-8")
EXAMPLE = PAGE.partition("```python\n")[2].partition("```")[0]
STILL_THERE = PAGE.partition("```sql\n")[2].partition("```")[0]
"""The query of that page: what was not extracted since the last whole read is gone."""
MERGE = {"force_full_refresh": True}
REPLACE = {"force_full_refresh": True, "write_strategy": "replace"}


class PyAirbyte:
    """PyAirbyte in a process of its own environment."""

    def __init__(self, folder: Path) -> None:
        quiet = {"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1", "NO_LIVE_PROGRESS": "1"}
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(
            [PYTHON, Path(__file__).with_name("in_pyairbyte.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=folder,
            env={**os.environ, **quiet, "AIRBYTE_LOGGING_ROOT": str(folder / "logs")},
        )

    def __call__(self, do: str, config: dict[str, Any], **job: Any) -> Any:
        """One job; what it gave back, or RuntimeError."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"do": do, "config": config, "executable": str(SOURCE), **job}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=240)
        self._log.close()


@pytest.fixture(scope="module")
def pyairbyte(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PyAirbyte]:
    """PyAirbyte, where `./run test-airbyte` has installed it."""
    if not PYTHON.exists():
        assert not os.environ.get("CI"), "PyAirbyte is not there"
        pytest.skip("PyAirbyte is not there: ./run test-airbyte")
    running = PyAirbyte(tmp_path_factory.mktemp("pyairbyte"))
    yield running
    running.close()


class Cache:
    """PyAirbyte's DuckDB file, its rows in the words of the model."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def raw(self, table: str) -> list[dict[str, Any]]:
        """Rows as they lie there."""
        return self.query(f'select * from main."{table.lower()}"')

    def query(self, query: str) -> list[dict[str, Any]]:
        """Answer of a query; to a copy, since PyAirbyte keeps the file for itself."""
        copy = self.path.with_name("copy.duckdb")
        for suffix in ("", ".wal"):
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)
            if self.path.with_name(self.path.name + suffix).exists():
                shutil.copy(f"{self.path}{suffix}", f"{copy}{suffix}")
        with duckdb.connect(str(copy)) as connection:
            found = connection.execute(query)
            columns = [column[0] for column in found.description]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def active(self, file: File) -> list[dict[str, Any]]:
        """Rows that are not marked as deleted, with the standard's names and the tap's values."""
        rows = [row for row in self.raw(file.name) if row["status"] == "active"]
        return [{f.name: _value(f.kind, row[f.name.lower()]) for f in file.fields if not f.secret} for row in rows]


def _value(kind: Any, value: Any) -> Any:
    if kind in NESTED and value is not None:
        return json.loads(value)
    match value:
        case datetime():
            return utc(value)
        case date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case _:
            return value


@pytest.mark.parametrize("binding", ["csv", "rest"])
def test_what_the_source_holds_is_in_the_cache(binding, pyairbyte, district, tmp_path):
    """Row by row: after a first read, after changes, after a snapshot, and after all was replaced.

    The second read takes up the state that the cache kept: it brings what changed, and no more. What vanished without
    a word stays until everything is replaced, for Airbyte has nothing that would say so.
    """
    source = Bundles(tmp_path / "drop") if binding == "csv" else Service(district)
    cache = Cache(tmp_path / "cache.duckdb")
    streams = [f for f in FILES if f.name != "demographics" and (f.csv or binding == "rest")]
    names = [*(f.name for f in streams), "syncReceipts"]

    def read(**how: Any) -> int:
        return int(pyairbyte("read", source.config, streams=names, cache=str(cache.path), how=how))

    with source:
        source.hold(district, 0)
        pyairbyte("check", source.config)
        assert set(pyairbyte("discover", source.config)) == {*names, "demographics"}
        first = read()
        compare(streams, district, cache, binding)
        again = read()
        assert again < first / 4 if binding == "csv" else again < first
        compare(streams, district, cache, binding)

        tomorrow = district.changed()
        source.hold(tomorrow, 1)
        changed = read()
        assert again < changed < first
        left_over = compare(streams, tomorrow, cache, binding, vanished=binding == "rest")
        if binding == "rest":
            assert left_over

        later = district.changed(2)
        source.hold(later, 2)
        read(**({} if binding == "csv" else MERGE))
        compare(streams, later, cache, binding, vanished=True)
        there = {row["sourcedid"] for row in cache.query(STILL_THERE)}
        assert there == {row["sourcedId"] for row in later.active("enrollments")}
        assert len({row["runid"] for row in cache.raw("syncReceipts")}) == 4, "no run's receipts are lost"

        read(**REPLACE)
        compare(streams, later, cache, binding)
        runs = {row["runid"] for row in cache.raw("syncReceipts")}
        assert len(runs) == 1, "receipts are replaced, too"


def compare(streams: Any, district: Any, cache: Cache, binding: str, *, vanished: bool = False) -> set[str]:
    """Every row of the district is in the cache, once; what else is there, which is nothing if not said otherwise."""
    left_over: set[str] = set()
    for stream in streams:
        held = comparable(stream, district.active(stream.name), binding)
        found = comparable(stream, cache.active(stream), binding)
        assert not set(held) - set(found), stream.name
        assert len(found) == len(set(found)), stream.name
        left_over |= {f"{stream.name} {row}" for row in set(found) - set(held)}
    assert vanished or not left_over
    return left_over


def test_a_read_that_fails_leaves_the_cache_as_it_was(pyairbyte, district, tmp_path):
    """PyAirbyte sees the exit code: it raises, writes no row and keeps the states it had."""
    cache = Cache(tmp_path / "cache.duckdb")
    with Provider(district) as service:
        sheet = {"base_url": service.base_url, "token_url": service.token_url}
        config = {"mode": "rest", **sheet, "client_id": service.client_id, "client_secret": service.client_secret}
        job: dict[str, Any] = {"streams": ["orgs", "enrollments"], "cache": str(cache.path), "how": {}}
        pyairbyte("read", config, **job)
        before = {table: cache.raw(table) for table in ("orgs", "enrollments", "_airbyte_state")}
        service.use(district.changed(20))
        service.knobs_for["enrollments"] = Knobs(page_cap=20, die_after_pages=2)
        with pytest.raises(RuntimeError, match="AirbyteConnectorFailedError"):
            pyairbyte("read", config, **job)
        assert {table: cache.raw(table) for table in before} == before


def test_the_example_of_the_page(pyairbyte, bundle, district, tmp_path):
    """docs/airbyte.md, as it stands there."""
    shutil.copy(bundle("1.2"), tmp_path / "district.zip")
    offline = {
        "AIRBYTE_OFFLINE_MODE": "1",
        "DO_NOT_TRACK": "1",
        "PATH": f"{SOURCE.parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [PYTHON, "-c", EXAMPLE], cwd=tmp_path, env={**os.environ, **offline}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1].endswith(f" {len(list(district.active('users')))} users")


def test_a_wrong_secret_fails_the_check(pyairbyte, service):
    sheet = {"base_url": service.base_url, "token_url": service.token_url}
    config = {"mode": "rest", **sheet, "client_id": service.client_id, "client_secret": "secret-name"}
    with pytest.raises(RuntimeError, match="AirbyteConnectorCheckFailedError") as failure:
        pyairbyte("check", config)
    assert "client_secret" in str(failure.value)
    assert "secret-name" not in str(failure.value)
