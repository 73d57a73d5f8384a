"""docs/recipes/sis-database.md: what it promises about files, views and columns."""

from __future__ import annotations

import os
import re
import subprocess

import oneroster_core.model as model
import pytest
from oneroster_core.model import Version

from .conftest import EXAMPLE, PAGE, snippet

ROLES_SAY = {"role", "orgSourcedIds"}
"""Required of users by 1.1 and made of `roles`."""


def plain(name):
    return name.replace("_", "").lower()


def test_the_page_names_the_columns_that_must_be_filled():
    """As the model has them, in both versions; and every column that it names is one of the standard."""
    rows = re.findall(r"^\| `(\w+)` \| (`sourced_id`.*?) \| (.*?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    files = {plain(file.name): file for file in model.FILES}
    assert len(rows) == 8
    for view, required, optional in rows:
        file = files[plain(view)]
        wanted = {f.name for f in file.fields if Version.V1_1 in f.required or Version.V1_2 in f.required}
        wanted -= ROLES_SAY if view == "users" else set()
        assert {plain(name) for name in re.findall(r"`(\w+)`", required)} == {plain(name) for name in wanted}, view
        known = {plain(f.name) for f in file.fields if f.csv}
        assert {plain(name) for name in re.findall(r"`(\w+)`", optional)} <= known, view


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_exported_files_give_the_same_bundle(sis, first_night):
    """The views by COPY into files, and a tap for folders of files: the bundle is the tap-postgres one, byte for byte."""
    folder = sis.output.parent / "export"
    folder.mkdir()
    psql = sis.database._psql
    url = sis.database.url
    environment = {
        "PATH": f"{psql.parent}:{os.environ['PATH']}",
        "PGHOST": url.partition("host=")[2],
        "PGUSER": "postgres",
        "PGDATABASE": url.partition("?")[0].rpartition("/")[2],
    }
    subprocess.run(["bash", "-ec", snippet("sh", "copy")], cwd=folder.parent, env=environment, check=True)
    sis.output.unlink()
    sis.run("tap-csv-folder", TAP_CSV_FOLDER_PATH=str(folder))
    assert sis.output.read_bytes() == first_night("1.2").output.read_bytes()
    assert sis.told()["findings"] == []


def test_the_example_has_the_files_that_the_page_names():
    """And no others, of those that are kept."""
    named = set(re.findall(r"^\| (`.*?`) \|", PAGE.read_text(encoding="utf-8").partition("## Try it")[0], re.MULTILINE))
    files = {name for group in named for name in re.findall(r"`([\w.]+)`", group)}
    listed = subprocess.run(["git", "ls-files", "."], cwd=EXAMPLE, capture_output=True, text=True, check=True).stdout
    assert files == set(listed.split()) - {".gitignore"}
