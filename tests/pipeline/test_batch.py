"""`tap | target` with files between them instead of records."""

from __future__ import annotations

import io
import json
import os
import subprocess

import duckdb
import pytest
from oneroster_sample.provider import Provider
from target_oneroster.errors import TargetError
from target_oneroster.singer.batches import BatchFile

from tests.csv.stores import s3_endpoint
from tests.support.processes import BIN, pipe


def batches(root, format_="jsonl", compression="gzip"):
    return {"encoding": {"format": format_, "compression": compression}, "storage": {"root": str(root)}}


@pytest.mark.parametrize(
    ("version", "format_", "compression", "metadata", "tenant"),
    [
        ("1.2", "jsonl", "gzip", "keep", {}),
        ("1.2", "jsonl", "none", "keep", {"tenant": "north"}),
        ("1.2", "parquet", "snappy", "drop", {}),
        ("1.1", "parquet", "zstd", "drop", {"tenant": "north"}),
        ("1.2", "parquet", "none", "keep", {}),  # metadata has to go the way of records
    ],
)
def test_the_bundle_is_the_same_to_the_byte(bundle, tmp_path, version, format_, compression, metadata, tenant):
    tap = {"mode": "csv", "csv_path": str(bundle(version)), **tenant}
    written = []
    for name, batch in (("lines.zip", {}), ("files.zip", batches(tmp_path / "a b", format_, compression))):
        target = {"output_path": str(tmp_path / name), "metadata": metadata, "require_receipts": True}
        first, second, state, log = pipe({**tap, **({"batch_config": batch} if batch else {})}, target, tmp_path)
        assert (first, second) == (0, 0), log
        assert json.loads(state)["bookmarks"]
        written.append((tmp_path / name).read_bytes())
        assert "_sdc_" not in log
    assert written[0] == written[1]
    assert not list((tmp_path / "a b").iterdir()), "files whose rows are published"


def overwrite_its_middle(path):
    """A file whose first and last bytes are as they were."""
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xff" * 20 + data[120:])


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            lambda path: path.write_bytes(path.read_bytes()[:-20]),
            "File 1 of a batch of users cannot be read (it is damaged or cut off)",
        ),
        (overwrite_its_middle, "File 1 of a batch of users cannot be read (it is damaged or cut off)"),
        (lambda path: path.unlink(), "File 1 of a batch of users cannot be read (No such file or directory)"),
        (lambda path: path.write_bytes(b""), "fewer or more rows arrived than the receipt counts"),
    ],
    ids=["cut off", "damaged in the middle", "gone", "empty"],
)
def test_a_file_that_is_not_whole_publishes_nothing(bundle, tmp_path, damage, says):
    config = tmp_path / "tap.json"
    settings = {"mode": "csv", "csv_path": str(bundle("1.2")), "batch_config": batches(tmp_path / "files")}
    config.write_text(json.dumps(settings), encoding="utf-8")
    messages = subprocess.run([BIN / "tap-oneroster", "--config", config], capture_output=True, check=True).stdout
    (path,) = (tmp_path / "files").glob("*--users-*")
    damage(path)
    config.write_text(json.dumps({"output_path": str(tmp_path / "out.zip")}), encoding="utf-8")
    done = subprocess.run([BIN / "target-oneroster-csv", "--config", config], input=messages, capture_output=True)
    assert done.returncode == 1
    assert done.stdout == b""
    assert says in done.stderr.decode().splitlines()[-1]
    assert "Traceback" not in done.stderr.decode()
    assert not (tmp_path / "out.zip").exists()


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_a_store_that_fails_while_a_file_is_read_is_an_error_of_that_file(tmp_path, monkeypatch, compression):
    """The libraries of stores raise exceptions of their own, whose texts may hold keys."""

    class StoreIsGone(Exception):
        pass

    class Stream(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, _):
            raise StoreIsGone("a secret")

    file = BatchFile(f"file://{tmp_path}/x.jsonl", 2, "users", "Nothing was published.")
    monkeypatch.setattr(file, "_open", lambda: io.BufferedReader(Stream()))
    with pytest.raises(TargetError) as caught:
        list(file.lines(compression))
    assert str(caught.value) == "File 2 of a batch of users cannot be read (StoreIsGone). Nothing was published."


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_the_bundle_of_a_service_is_the_same_to_the_byte(district, tmp_path, version):
    """Users bring their roles and profiles inside them, as lines do."""
    written = []
    with Provider(district, version=version) as provider:
        names = ("base_url", "token_url", "client_id", "client_secret")
        tap = {"mode": "rest", "oneroster_version": version} | {name: getattr(provider, name) for name in names}
        for name, batch in (("lines.zip", {}), ("files.zip", {"batch_config": batches(tmp_path / "files", "parquet")})):
            target = {"output_path": str(tmp_path / name), "on_invalid": "quarantine", "require_receipts": True}
            first, second, _, log = pipe(tap | batch, target, tmp_path)
            assert (first, second) == (0, 0), log
            written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    ("target", "format_", "compression"),
    [
        ("target-oneroster-csv", "jsonl", "gzip"),
        ("target-oneroster-csv", "parquet", "snappy"),
        ("target-oneroster-duckdb", "jsonl", "gzip"),
        ("target-oneroster-duckdb", "parquet", "snappy"),
    ],
)
def test_files_come_from_s3(bundle, tmp_path, target, format_, compression):
    """The tap has the keys in its settings, the target has them in its environment."""
    pytest.importorskip("s3fs", reason="tap-oneroster[s3] is not installed")
    config = tmp_path / "config.json"
    with s3_endpoint() as s3:
        batch = batches("s3://drop/night", format_, compression)
        batch["storage"]["params"] = s3.options
        settings = {"mode": "csv", "csv_path": str(bundle("1.2")), "batch_config": batch}
        config.write_text(json.dumps(settings), encoding="utf-8")
        messages = subprocess.run([BIN / "tap-oneroster", "--config", config], capture_output=True, check=True).stdout
        place = "output_path" if target == "target-oneroster-csv" else "filepath"
        config.write_text(json.dumps({place: str(tmp_path / "out.zip")}), encoding="utf-8")
        keys = {"AWS_ENDPOINT_URL": s3.endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        done = subprocess.run(
            [BIN / target, "--config", config],
            input=messages,
            capture_output=True,
            env={**os.environ, **keys, "AWS_DEFAULT_REGION": "us-east-1"},
        )
        there = [each["Key"] for each in s3.client().list_objects_v2(Bucket="drop").get("Contents", [])]
    left = [key for key in there if key.encode() in messages]
    assert done.returncode == 0, done.stderr.decode()[-1000:]
    assert b"s3://drop/night/" in messages
    assert (tmp_path / "out.zip").exists()
    assert not left, "files whose rows are in place"
    if target == "target-oneroster-duckdb":
        receipts = {
            m["record"]["collection"]: m["record"]["received"]
            for m in map(json.loads, messages.splitlines())
            if m.get("stream") == "syncReceipts" and m["type"] == "RECORD"
        }
        with duckdb.connect(str(tmp_path / "out.zip"), read_only=True) as database:
            for name in ("users", "enrollments", "results"):
                assert database.table(f"oneroster.{name}").count("*").fetchall() == [(receipts[name],)]
