"""BATCH in loaders that take it: file by file the same rows as record by record, and deletes that hit no other."""

from __future__ import annotations

import json
import subprocess

import pytest
from oneroster_core.model import FILES

from .pipe import TAP, catalog, pipe
from .source import Bundles, Service

pytestmark = pytest.mark.slow
SOME = ("orgs", "users", "roles", "userProfiles", "classes", "enrollments", "results", "scoreScales")
"""Streams that together have every kind of field; one case loads all."""


def by_batch(config, folder, **more):
    """The same settings, with batches of few rows: each stream of some size has several files."""
    folder.mkdir(exist_ok=True)
    batch = {"encoding": {"format": "jsonl"}, "storage": {"root": str(folder)}, "batch_size": 300, **more}
    return {**config, "batch_config": batch}


def held(store, stream):
    """Rows as they lie there, what the loader notes about itself left out, but for whether they are deleted."""
    rows = [
        {
            "is deleted": bool(row.get("_sdc_deleted_at")),
            "has a version": bool(row.get("_sdc_table_version")),
            "has a time": bool(row.get("_sdc_extracted_at")),
            **{name: value for name, value in row.items() if not name.startswith("_sdc_")},
        }
        for row in store.raw(stream)
    ]
    return sorted(json.dumps(row, sort_keys=True, ensure_ascii=False, default=str) for row in rows)


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("target-postgres", "jsonl"),
        ("target-oneroster-duckdb", "parquet"),
        ("target-oneroster-duckdb", "jsonl"),
    ],
)
@pytest.mark.parametrize(("binding", "hard"), [("csv", False), ("rest", True)], ids=["csv, soft", "rest, hard"])
def test_a_store_holds_the_same_rows_either_way(name, format_, binding, hard, district, make_store, tmp_path):
    """Three nights, the third of which deletes: after each, all columns of all rows are the same.

    Without `_sdc_table_version` in the files, ACTIVATE_VERSION would take every row of theirs for gone.
    """
    source = Bundles(tmp_path / "drop") if binding == "csv" else Service(district)
    only = [] if (format_, binding) == ("parquet", "csv") else [*SOME, "syncReceipts"]
    files = by_batch(source.config, tmp_path / "files", encoding={"format": format_})
    ways = {
        "records": (source.config, make_store(name, hard_delete=hard)),
        "batches": (files, make_store(name, hard_delete=hard)),
    }
    states = dict.fromkeys(ways)
    deleted = 0
    with source:
        for night in range(3):
            source.hold(district.changed(night) if night else district, night)
            for way, (config, store) in ways.items():
                before = None if binding == "rest" and night == 2 else states[way]
                chosen = catalog(config, tmp_path, *only) if only else None
                states[way] = pipe(config, store.executable, store.settings, tmp_path, state=before, catalog=chosen)
            for file in FILES:
                if file.name in only or (not only and file.csv and file.name != "demographics"):
                    records, batches = (held(store, file.name) for _, store in ways.values())
                    assert batches == records, (night, file.name)
                    deleted += sum('"is deleted": true' in row for row in batches)
    assert bool(deleted) is not hard
    if name == "target-oneroster-duckdb":
        assert not list((tmp_path / "files").iterdir()), "files whose rows are in place"
    live = ways["batches"][1].active("enrollments")
    assert len(live) == sum(1 for _ in district.changed(2).active("enrollments"))


def test_csv_files_hold_the_same_rows_either_way(bundle, make_store, tmp_path):
    """target-csv refuses columns that are not in the SCHEMA: `add_record_metadata: false` leaves them out."""
    config = {"mode": "csv", "csv_path": str(bundle("1.2"))}
    store = make_store("target-csv")
    pipe(by_batch(config, tmp_path / "files", add_record_metadata=False), store.executable, store.settings, tmp_path)
    batches = {name: store.rows(name) for name in ("users", "enrollments", "results")}
    for path in store.place.iterdir():
        path.unlink()
    pipe(config, store.executable, store.settings, tmp_path)
    for name, rows in batches.items():
        assert len(rows) > 50
        assert sorted(map(repr, rows)) == sorted(map(repr, store.rows(name)))


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("target-jsonl", "jsonl"),
        ("target-duckdb", "jsonl"),
        ("target-csv", "jsonl"),  # as long as rows have columns that are not in the SCHEMA
        ("target-csv", "parquet"),
        ("target-postgres", "parquet"),
    ],
)
def test_a_loader_that_does_not_take_a_batch_fails(name, format_, bundle, make_store, tmp_path):
    """Nothing is lost in silence: the loader ends with an error, so the state is not kept."""
    store = make_store(name)
    config, settings = tmp_path / "tap.json", tmp_path / "loader.json"
    plain = {"mode": "csv", "csv_path": str(bundle("1.2"))}
    tap = by_batch(plain, tmp_path / "files", encoding={"format": format_})
    config.write_text(json.dumps(tap), encoding="utf-8")
    settings.write_text(json.dumps(store.settings), encoding="utf-8")
    messages = subprocess.run([TAP, "--config", config], capture_output=True, check=True).stdout
    done = subprocess.run([store.executable, "--config", settings], input=messages, capture_output=True)
    assert done.returncode != 0
    assert b"bookmarks" not in done.stdout
