"""The SDK's own suite, and what the target says of itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from singer_sdk.testing import get_target_test_class
from target_oneroster.warehouse.target import TargetOneRosterDuckDB

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = Path(sys.executable).with_name("target-oneroster-duckdb")
_suite: Any = get_target_test_class(TargetOneRosterDuckDB, config={"filepath": "warehouse.duckdb"})


class TestStandard(_suite):  # type: ignore[misc]
    """None of the suite's streams is OneRoster: each is left out, none fails a run."""

    @pytest.fixture(autouse=True)
    def somewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.chdir(tmp_path)
        yield
        if Path("warehouse.duckdb").exists():
            with duckdb.connect("warehouse.duckdb", read_only=True) as database:
                assert database.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]


def test_about_names_settings_and_capabilities() -> None:
    """A title and a description for each setting; the version is the wheel's."""
    answer = subprocess.run([TARGET, "--about", "--format=json"], capture_output=True, check=True).stdout
    about = json.loads(answer)
    assert about["name"] == "target-oneroster-duckdb"
    assert {"about", "activate-version", "batch", "hard-delete", "soft-delete"} <= set(about["capabilities"])
    assert about["version"] != "[could not be detected]"
    for name, setting in about["settings"]["properties"].items():
        assert setting["description"], name


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "Setting filepath is required."),
        ({"filepath": "x", "hard_delete": "Zweistein"}, "Setting hard_delete takes a value of type boolean or null."),
    ],
)
def test_a_fault_of_the_configuration_is_one_line(tmp_path: Path, config: Any, words: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    done = subprocess.run([TARGET, "--config", path], input=b"", capture_output=True)
    assert done.returncode == 4
    assert done.stderr.decode().splitlines()[-1] == f"Error: {words}"
    assert b"Zweistein" not in done.stderr


@pytest.mark.parametrize("command", ["target-oneroster-csv", "target-oneroster-duckdb"])
@pytest.mark.parametrize("option", ["--version", "--about", "--config=missing.json"])
def test_nothing_but_its_own_log_is_written_at_the_end(command: str, option: str) -> None:
    """The engine's binding reports objects that it could not free when the interpreter ends."""
    done = subprocess.run([TARGET.with_name(command), option], input=b"", capture_output=True)
    assert b"nanobind" not in done.stderr + done.stdout
