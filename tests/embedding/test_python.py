"""The examples of docs/python.md do what they say."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from oneroster_sample.provider import Provider

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^## (.+?)$.*?^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def here(bundle, tmp_path, monkeypatch):
    """A folder in which district.zip lies."""
    shutil.copy(bundle("1.2"), tmp_path / "district.zip")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(example: str, **replaced: str) -> dict[str, Any]:
    """Run an example, of at most ten lines; the names it left."""
    text = EXAMPLES[example]
    assert len([line for line in text.splitlines() if line.strip()]) <= 10
    for value, instead in replaced.items():
        assert value in text
        text = text.replace(value, instead)
    names: dict[str, Any] = {}
    exec(compile(text, example, "exec"), names)
    return names


def test_a_bundle_as_records(here, district):
    """Every user of the bundle, as dicts."""
    users = run("A bundle as records")["users"]
    assert {user["sourcedId"] for user in users} == {row["sourcedId"] for row in district.active("users")}
    assert users[0]["enabledUser"] is True


def test_a_service_as_records(district):
    """Every enrollment of the service; its pages are read while the records are used."""
    with Provider(district) as provider:
        names = {"BASE_URL": provider.base_url, "TOKEN_URL": provider.token_url}
        names |= {"CLIENT_ID": provider.client_id, "CLIENT_SECRET": provider.client_secret}
        found = run("A service as records", **names)["in_class"]
    assert sum(found.values()) == sum(1 for row in district.rows("enrollments") if row["status"] == "active")


def test_an_arrow_table(here, district):
    """Lists and booleans with their types."""
    table = run("An Arrow table")["table"]
    assert table.num_rows == sum(1 for _ in district.active("classes"))
    assert str(table.schema.field("termSourcedIds").type).startswith("list<")


def test_what_cannot_be_read_whole_is_an_error(here, tmp_path):
    """The records come first, the error after them: who went on to the end knows that all were there."""
    import zipfile

    with zipfile.ZipFile(tmp_path / "district.zip") as whole:
        files = {name: whole.read(name) for name in whole.namelist()}
    files["users.csv"] += b"too,few,cells\r\n"
    with zipfile.ZipFile(tmp_path / "district.zip", "w") as ragged:
        for name, content in files.items():
            ragged.writestr(name, content)
    problem = run("When something is missing")["problem"]
    assert "1 of" in problem
    assert "left out" in problem
