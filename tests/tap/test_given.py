"""State and catalog that are not what they should be: one line, exit code 4, nothing read and nothing quoted."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from tap_oneroster import TapOneRoster
from tap_oneroster._core.shell import Refused

TAP = Path(sys.executable).with_name("tap-oneroster")
DEEP = "[" * 100_000 + "]" * 100_000


def nested(levels):
    """Objects inside of each other."""
    return '{"a":' * levels + "1" + "}" * levels


def bookmark(**its):
    return json.dumps({"bookmarks": {"users": its}})


STATES = {
    "null": '{"bookmarks": null}',
    "a list of bookmarks": '{"bookmarks": []}',
    "text": '{"bookmarks": "CANARY"}',
    "a list for a stream": '{"bookmarks": {"users": ["CANARY"]}}',
    "null for a stream": '{"bookmarks": {"users": null}}',
    "text for a stream": '{"bookmarks": {"users": "CANARY"}}',
    "a number": bookmark(replication_key="dateLastModified", replication_key_value=20261129),
    "no moment": bookmark(replication_key="dateLastModified", replication_key_value="CANARY"),
    "an object": bookmark(replication_key="dateLastModified", replication_key_value={"CANARY": 1}),
    "a start that is none": bookmark(starting_replication_value=1),
    "a last full read that is none": bookmark(replication_key_value="2026-01-01T00:00:00Z", full_read_at="CANARY"),
    "a last full read without a zone": bookmark(full_read_at="2026-01-01T00:00:00"),
    "counts that are none": bookmark(counts={"total": "CANARY", "schools": {}}),
    "counts without schools": bookmark(counts={"total": 5}),
    "schools that are none": bookmark(counts={"total": 5, "schools": {"s1": "CANARY"}}),
    "bundles that are none": bookmark(bundles="CANARY"),
    "a bundle that is none": bookmark(bundles=["CANARY"]),
    "a bundle without its facts": bookmark(bundles=[{"name": "CANARY"}]),
    "markers that are none": bookmark(progress_markers="CANARY"),
    "partitions that are none": bookmark(partitions={"CANARY": 1}),
    "partitions of none": bookmark(partitions=["CANARY"]),
    "deep": '{"bookmarks": {"users": {"replication_key_value": ' + DEEP + "}}}",
    "rather deep": '{"bookmarks": {"users": {"more": ' + nested(300) + "}}}",
    "deep beside": '{"other": ' + nested(300) + "}",
    "no JSON": "CANARY",
    "cut off": '{"bookmarks": {"users": ',
    "not UTF-8": b'{"bookmarks": {"users": {"x": "\xff"}}}',
    "a list": "[]",
    "null as a whole": "null",
}
GOOD = {"tap_stream_id": "orgs", "stream": "orgs", "schema": {"type": "object", "properties": {}}, "metadata": []}


def entry(**its):
    return json.dumps({"streams": [{**GOOD, **its}]})


CATALOGS = {
    "no streams": "{}",
    "null": '{"streams": null}',
    "an object": '{"streams": {"CANARY": 1}}',
    "text for a stream": '{"streams": ["CANARY"]}',
    "no id": json.dumps({"streams": [{"stream": "CANARY", "schema": {}}]}),
    "a number for an id": entry(tap_stream_id=5),
    "schema of text": entry(schema="CANARY"),
    "properties that are none": entry(schema={"type": "object", "properties": "CANARY"}),
    "a property that is none": entry(schema={"type": "object", "properties": {"name": "CANARY"}}),
    "metadata that is none": entry(metadata="CANARY"),
    "metadata null": entry(metadata=None),
    "an entry that is none": entry(metadata=["CANARY"]),
    "no metadata in an entry": entry(metadata=[{"breadcrumb": []}]),
    "a breadcrumb that is none": entry(metadata=[{"breadcrumb": "CANARY", "metadata": {}}]),
    "selected by a word": entry(metadata=[{"breadcrumb": [], "metadata": {"selected": "CANARY"}}]),
    "included by a word": entry(metadata=[{"breadcrumb": [], "metadata": {"inclusion": "CANARY"}}]),
    "keys that are none": entry(key_properties="CANARY"),
    "a method that is none": entry(replication_method="CANARY"),
    "deep": '{"streams": ' + DEEP + "}",
    "rather deep": '{"streams": [], "more": ' + nested(300) + "}",
    "no JSON": "CANARY",
}


def given(text):
    """A file that holds this text, as the command line opens it."""
    return io.TextIOWrapper(io.BytesIO(text if isinstance(text, bytes) else text.encode()), encoding="utf-8")


def refused(bundle, capsys, caplog, **options):
    """What the command says, and that it says and does nothing else."""
    caplog.set_level("DEBUG")
    settings = SimpleNamespace(config={"mode": "csv", "csv_path": str(bundle("1.2"))}, parse_env=False)
    with pytest.raises(Refused) as error:
        TapOneRoster.invoke(config=settings, **options)
    assert error.value.exit_code == 4
    written = capsys.readouterr()
    assert written.out == ""
    said = error.value.message
    assert "\n" not in said
    for text in ("CANARY", "20261129", "Traceback"):
        assert text not in said + caplog.text + written.err
    return said


@pytest.mark.parametrize("case", STATES)
def test_a_state_that_is_none_is_one_line(bundle, capsys, caplog, case):
    assert refused(bundle, capsys, caplog, state=given(STATES[case])).startswith("--state")


@pytest.mark.parametrize("case", CATALOGS)
def test_a_catalog_that_is_none_is_one_line(bundle, capsys, caplog, case):
    assert refused(bundle, capsys, caplog, catalog=given(CATALOGS[case])).startswith("--catalog")


@pytest.mark.parametrize(
    ("option", "text"), [("--state", STATES["null"]), ("--state", STATES["deep"]), ("--catalog", CATALOGS["null"])]
)
def test_the_command_ends_with_4_and_one_line(tmp_path, bundle, option, text):
    (tmp_path / "config").write_text(json.dumps({"mode": "csv", "csv_path": str(bundle("1.2"))}), encoding="utf-8")
    (tmp_path / "given").write_text(text, encoding="utf-8")
    command = [TAP, "--config", tmp_path / "config", option, tmp_path / "given"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.splitlines()[-1].startswith(f"Error: {option}")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["--state", "--catalog"])
def test_a_file_that_is_not_there_is_4(tmp_path, bundle, option):
    (tmp_path / "config").write_text(json.dumps({"mode": "csv", "csv_path": str(bundle("1.2"))}), encoding="utf-8")
    done = subprocess.run(
        [TAP, "--config", tmp_path / "config", option, tmp_path / "no"], capture_output=True, text=True
    )
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "value", ["2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00+02:00", None]
)
def test_a_bookmark_that_is_a_moment_is_taken(bundle, value):
    """Somebody may have written it by hand."""
    state = json.loads(bookmark(replication_key="dateLastModified", replication_key_value=value))
    tap = TapOneRoster(config={"mode": "csv", "csv_path": str(bundle("1.2"))}, state=state)
    assert tap.state["bookmarks"]["users"]["replication_key_value"] == value
