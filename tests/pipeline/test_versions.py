"""`tap | target` as two processes: a bundle goes from 1.1 to 1.2 and comes back."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import zipfile

import pytest

from tests.support.processes import BIN, pipe


def read(path):
    """Files of a bundle as rows by id; the orgs of a user in one order, since theirs means nothing."""
    files = {}
    with zipfile.ZipFile(path) as bundle:
        for name in bundle.namelist():
            rows = csv.DictReader(io.StringIO(bundle.read(name).decode("utf-8"), newline=""))
            files[name] = {row.get("sourcedId") or row["propertyName"]: row for row in rows}
            for row in files[name].values():
                if "orgSourcedIds" in row:
                    row["orgSourcedIds"] = ",".join(sorted(row["orgSourcedIds"].split(",")))
    return files


def test_a_bundle_survives_the_way_to_1_2_and_back(bundle, tmp_path):
    """What 1.1 holds, 1.2 can hold: the bundle that comes back says the same, cell by cell."""
    there, back = tmp_path / "there.zip", tmp_path / "back.zip"
    for source, target, version in ((bundle("1.1"), there, "1.2"), (there, back, "1.1")):
        tap, sink, state, log = pipe(
            {"mode": "csv", "csv_path": str(source)},
            {"output_path": str(target), "oneroster_version": version, "metadata": "keep"},
            tmp_path,
        )
        assert (tap, sink) == (0, 0), log
        assert "bookmarks" in json.loads(state.splitlines()[-1])
    before, after = read(bundle("1.1")), read(back)
    before.pop("demographics.csv")  # not selected by default
    before["manifest.csv"]["file.demographics"]["value"] = "absent"
    assert before.keys() == after.keys()
    for name in before.keys() - {"manifest.csv"}:
        assert before[name].keys() == after[name].keys(), name
        for key, row in before[name].items():
            other = after[name][key]
            assert {k: v for k, v in row.items() if v} == {k: v for k, v in other.items() if v}, name
    modes = [
        {k: row["value"] for k, row in m["manifest.csv"].items() if k.startswith("file.")} for m in (before, after)
    ]
    assert modes[0] == modes[1]


def test_the_same_input_gives_the_same_bytes(bundle, tmp_path):
    outputs = [tmp_path / "a.zip", tmp_path / "b.zip"]
    for output in outputs:
        pipe({"mode": "csv", "csv_path": str(bundle("1.2"))}, {"output_path": str(output)}, tmp_path)
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


@pytest.mark.parametrize("kind", ["killed", "broken"])
def test_a_tap_that_did_not_finish_publishes_nothing(bundle, tmp_path, kind):
    """Either way Meltano closes the target's input as if all were well."""
    output = tmp_path / "out.zip"
    output.write_bytes(b"last night's bundle")
    config = tmp_path / "c.json"
    config.write_text(json.dumps({"mode": "csv", "csv_path": str(bundle("1.2"))}), encoding="utf-8")
    lines = subprocess.run(
        [BIN / "tap-oneroster", "--config", config], capture_output=True, check=True
    ).stdout.splitlines(keepends=True)
    cut = b"".join(lines[: len(lines) // 2]) if kind == "killed" else b"".join(lines)[:-500]
    config.write_text(json.dumps({"output_path": str(output)}), encoding="utf-8")
    sink = subprocess.run(
        [BIN / "target-oneroster-csv", "--config", config], input=cut, capture_output=True, check=False
    )
    assert sink.returncode != 0
    assert sink.stdout == b""
    assert b"Traceback" not in sink.stderr
    assert output.read_bytes() == b"last night's bundle"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.json", "out.zip"]
