"""A warehouse that our tap has filled by MeltanoLabs' target-postgres, read by their tap-postgres: a bundle comes out again."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.loaders.conftest import loader  # noqa: F401 - a fixture
from tests.loaders.pipe import pipe
from tests.loaders.stores import Postgres

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TARGET = Path(sys.executable).with_name("target-oneroster-csv")


def rows(path):
    """Rows of a bundle's files, without what a tap leaves in the source unless it is told otherwise."""
    found = {}
    with zipfile.ZipFile(path) as bundle:
        for name in bundle.namelist():
            if name not in {"manifest.csv", "demographics.csv"}:
                text = io.StringIO(bundle.read(name).decode(), newline="")
                found[name] = [{**row, "password": ""} for row in csv.DictReader(text)]
    return found


def test_a_warehouse_gives_the_bundle_back(bundle, loader, sis_project, postgres, tmp_path):  # noqa: F811
    """Cell by cell, lists and objects out of `text[]` and `jsonb`; rows the loader has marked as deleted stay away."""
    database = postgres.database()
    store = Postgres(loader("target-postgres"), database, {})
    pipe({"mode": "csv", "csv_path": str(bundle("1.2"))}, store.executable, store.settings, tmp_path)
    gone = 'select min("sourcedId") from oneroster.enrollments'
    [lost] = database.execute(gone)
    database.execute(f'update oneroster.enrollments set _sdc_deleted_at = now() where "sourcedId" = ({gone})')

    tap = sis_project.folder / ".meltano" / "extractors" / "tap-postgres" / "venv" / "bin" / "tap-postgres"
    place, _, socket = database.url.partition("?host=")
    url = f"postgresql+psycopg2://postgres:any@localhost/{place.rpartition('/')[2]}?host={socket}"
    (tmp_path / "tap.json").write_text(json.dumps({"sqlalchemy_url": url, "filter_schemas": ["oneroster"]}))
    command = [tap, "--config", tmp_path / "tap.json"]
    entries = json.loads(subprocess.run([*command, "--discover"], capture_output=True, check=True).stdout)
    for stream in entries["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = True
    (tmp_path / "catalog.json").write_text(json.dumps(entries))
    said = subprocess.run([*command, "--catalog", tmp_path / "catalog.json"], capture_output=True, check=True).stdout
    output = tmp_path / "out.zip"
    (tmp_path / "target.json").write_text(json.dumps({"output_path": str(output), "metadata": "keep"}))
    done = subprocess.run([TARGET, "--config", tmp_path / "target.json"], input=said, capture_output=True)
    assert done.returncode == 0, done.stderr[-2000:]

    expected, found = rows(bundle("1.2")), rows(output)
    expected["enrollments.csv"] = [row for row in expected["enrollments.csv"] if row["sourcedId"] != lost]
    assert found.keys() == expected.keys()
    for name, wanted in expected.items():
        assert sorted(found[name], key=str) == sorted(wanted, key=str), name
