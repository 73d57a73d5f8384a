"""What becomes of rows that a snapshot no longer holds, and of files when there is nothing new."""

from __future__ import annotations

import shutil

import pytest
from oneroster_sample.bundle import write_bundle

from .pipe import catalog, pipe

pytestmark = pytest.mark.slow


@pytest.fixture
def drop(district, tmp_path):
    """A folder for bulk bundles of resources; on night 1 the first of them is missing."""
    folder = tmp_path / "drop"
    folder.mkdir()

    def put(night):
        write_bundle(district, tmp_path / "loose", only={"resources"})
        file = tmp_path / "loose" / "resources.csv"
        header, first, *others = file.read_text(encoding="utf-8").splitlines(keepends=True)
        others[0] = others[0].replace("isbn/", f"isbn/{night}/")  # no night is quite like another
        file.write_text("".join([header, *([] if night == 1 else [first]), *others]), encoding="utf-8")
        shutil.make_archive(str(folder / str(night)), "zip", tmp_path / "loose")
        return first.split(",")[0]

    return put


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
@pytest.mark.parametrize("name", ["target-postgres", "target-snowflake", "target-oneroster-duckdb"])
def test_what_is_gone_is_marked_or_removed(name, hard, drop, make_store, tmp_path):
    """`_sdc_deleted_at` says when, and is taken back when the row is; with `hard_delete` the row goes."""
    config = {"mode": "csv", "csv_path": f"{tmp_path / 'drop'}/*.zip"}
    store, state, seen = make_store(name, hard_delete=hard), None, []
    for night in range(2 if hard else 3):
        first = drop(night)
        only = catalog(config, tmp_path, "resources")
        state = pipe(config, store.executable, store.settings, tmp_path, state=state, catalog=only)
        row = {r["sourcedId"]: r for r in store.named("resources")}.get(first)
        seen.append("no row" if row is None else "deleted" if row["_sdc_deleted_at"] else "there")
        assert len(store.active("resources")) == 40 - (night == 1)
    assert seen == (["there", "no row"] if hard else ["there", "deleted", "there"])


def test_csv_files_of_one_name_are_emptied(drop, make_store, tmp_path):
    """A run that finds nothing new still announces its streams, and the loader begins their files anew."""
    config = {"mode": "csv", "csv_path": f"{tmp_path / 'drop'}/*.zip"}
    store = make_store("target-csv", file_naming_scheme="{stream_name}.csv")
    drop(0)
    only = catalog(config, tmp_path, "resources")
    lines = []
    state = None
    for _ in range(2):
        state = pipe(config, store.executable, store.settings, tmp_path, state=state, catalog=only)
        lines.append(len((store.place / "resources.csv").read_text(encoding="utf-8").splitlines()))
    assert lines == [41, 1]
