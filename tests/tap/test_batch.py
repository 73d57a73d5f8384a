"""BATCH: the same records as without it, in files that are announced whole or not at all."""

from __future__ import annotations

import gc
import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import redirect_stdout
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from oneroster_core.model import FILES, Kind
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.provider import Knobs, Provider
from singer_sdk.exceptions import ConfigValidationError
from tap_oneroster import TapOneRoster
from tap_oneroster.singer.writer import BlockWriter

from tests.csv.stores import s3_endpoint
from tests.singer import run_tap
from tests.support.tap import broken, select, settings

TAP = Path(sys.executable).with_name("tap-oneroster")
STAMPS = {"_sdc_extracted_at", "_sdc_table_version"}


@pytest.fixture
def config(bundle):
    """Settings for the bundle of version 1.2."""
    return {"mode": "csv", "csv_path": str(bundle("1.2"))}


@pytest.fixture
def files(tmp_path):
    """Where the files of batches go."""
    return tmp_path / "files"


def batches(config, root, format_="jsonl", compression=None, storage=None, **more):
    """The same settings, with batches."""
    encoding = {"format": format_, **({"compression": compression} if compression else {})}
    return {**config, "batch_config": {"encoding": encoding, "storage": {"root": str(root), **(storage or {})}, **more}}


def announced(run, stream=None):
    """Paths of the files that the run announced, in order."""
    return [
        Path(url.removeprefix("file://"))
        for m in run.messages
        if m["type"] == "BATCH" and m["stream"] == (stream or m["stream"])
        for url in m["manifest"]
    ]


def rows(run, stream):
    """Rows of the files of JSON lines, in order."""
    lines: list[str] = []
    for path in announced(run, stream):
        data = path.read_bytes()
        lines += (gzip.decompress(data) if path.suffix == ".gz" else data).decode().split("\n")[:-1]
    return [json.loads(line) for line in lines]


def bare(row):
    return {name: value for name, value in row.items() if name not in STAMPS}


def proof(run):
    """What receipts say, without times and names of runs."""
    volatile = {"runId", "startedAt", "finishedAt"}
    return [{k: v for k, v in receipt.items() if k not in volatile} for receipt in run.receipts.values()]


def test_messages_come_in_the_order_of_the_promise(config, files):
    """SCHEMA, files, ACTIVATE_VERSION, STATE; receipts are records, as ever."""
    run = run_tap(batches(config, files), catalog=select(config, "orgs"))
    assert run.kinds == [
        ("SCHEMA", "syncReceipts"),
        ("SCHEMA", "orgs"),
        ("BATCH", "orgs"),
        ("ACTIVATE_VERSION", "orgs"),
        ("STATE", ""),
        ("RECORD", "syncReceipts"),
        ("STATE", ""),
    ]
    batch, activated = (next(m for m in run.messages if m["type"] == t) for t in ("BATCH", "ACTIVATE_VERSION"))
    assert batch["encoding"] == {"format": "jsonl", "compression": "gzip"}
    assert batch["version"] == activated["version"] == rows(run, "orgs")[0]["_sdc_table_version"]
    assert {file.stat().st_mode & 0o777 for file in announced(run)} == {0o600}, "pupils' data, for the owner alone"


@pytest.mark.parametrize("tenant", [None, 'no"rth\nside'])
@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_the_rows_are_the_records(config, files, tenant, compression):
    """Byte for byte and in the same order, with the same receipts and the same state."""
    config = {**config, **({"tenant": tenant} if tenant else {})}
    plain = run_tap(config)
    run = run_tap(batches(config, files, compression=compression, batch_size=70))
    assert set(run.records) == {"syncReceipts"}
    for stream in set(plain.records) - {"syncReceipts"}:
        found = rows(run, stream)
        assert [json.dumps(bare(row)) for row in found] == [json.dumps(row) for row in plain.records[stream]]
        assert all(row.keys() >= STAMPS for row in found)
    assert proof(run) == proof(plain)
    assert run.of("ACTIVATE_VERSION") == plain.of("ACTIVATE_VERSION")
    assert run.state["bookmarks"].keys() == plain.state["bookmarks"].keys()


def test_a_file_has_no_more_rows_than_it_may(config, files):
    run = run_tap(batches(config, files, batch_size=70), catalog=select(config, "users"))
    counts = [gzip.decompress(path.read_bytes()).count(b"\n") for path in announced(run)]
    assert counts == [70] * (len(counts) - 1) + [run.receipts["users"]["received"] % 70]


def as_json(field, value):
    """A value of a Parquet file as it is in JSON."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return json.loads(value) if field.kind == Kind.OBJECT and value is not None else value


@pytest.mark.parametrize("compression", [None, "snappy", "gzip", "none"])
def test_parquet_holds_the_records_typed(district, files, compression):
    """Dates, times and numbers as such, lists of structs, metadata as JSON; read by DuckDB's and Arrow's reader alike."""
    duckdb, parquet = pytest.importorskip("duckdb"), pytest.importorskip("pyarrow.parquet")
    with Provider(district, version="1.2") as service:
        config = settings(service)
        plain = run_tap(config)
        run = run_tap(batches(config, files, "parquet", compression, batch_size=250))
    assert len(announced(run, "enrollments")) > 1
    kinds = set()
    for of in FILES:
        fields = {field.name: field for field in of.fields}
        paths = [str(path) for path in announced(run, of.name)]
        found = [row for path in paths for row in parquet.ParquetFile(path).read().to_pylist()]
        back = [{n: as_json(fields[n], v) for n, v in bare(row).items()} for row in found]
        assert back == plain.records[of.name], of.name
        if paths:
            table = duckdb.read_parquet(paths)
            kinds |= {(fields[n].kind, str(t)) for n, t in zip(table.columns, table.types, strict=True) if n in fields}
            assert len(table) == len(plain.records[of.name])
    assert proof(run) == proof(plain)
    assert {
        (Kind.DATE, "DATE"),
        (Kind.DATETIME, "TIMESTAMP WITH TIME ZONE"),
        (Kind.TRUE_FALSE, "BOOLEAN"),
        (Kind.NUMBER, "DOUBLE"),
        (Kind.REFS, "VARCHAR[]"),
        (Kind.USER_IDS, 'STRUCT("type" VARCHAR, identifier VARCHAR)[]'),
        (Kind.OBJECT, "VARCHAR"),
    } <= kinds
    assert len({kind for kind, _ in kinds}) == len(kinds), "one type for each kind"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("batch_size", [None, 70])
def test_parquet_of_a_bundle_holds_its_records(bundle, tmp_path, files, version, batch_size):
    """Also rows that came twice, words nobody knows, rows that are odd, and streams made from others; the same receipts."""
    parquet = pytest.importorskip("pyarrow.parquet")

    def spoil(data: bytes) -> bytes:
        header, first, second, *others = data.split(b"\r\n")
        return b"\r\n".join([header, first, first, second.replace(b",", b",\t", 1), second, first.lower(), *others])

    drop = broken(tmp_path / "spoilt.zip", bundle(version), "users.csv", spoil)
    config = {"mode": "csv", "csv_path": str(drop), "include_passwords": True, "tenant": "north"}
    plain = run_tap(config)
    size = {"batch_size": batch_size} if batch_size else {}
    run = run_tap(batches(config, files, "parquet", **size))
    for of in FILES:
        fields = {field.name: field for field in of.fields}
        found = [row for path in announced(run, of.name) for row in parquet.ParquetFile(path).read().to_pylist()]
        back = [{n: v if n == "tenant" else as_json(fields[n], v) for n, v in bare(row).items()} for row in found]
        assert back == plain.records.get(of.name, []), of.name
    assert proof(run) == proof(plain)
    assert run.receipts["users"]["distinct"] < run.receipts["users"]["received"]
    assert any("more than once" in rule for rule in run.receipts["users"]["deviations"])
    assert len(announced(run, "roles")) > 0


TEXTS = ["x" * 130_000, "Ωμέγα 学校 😀", 'a,"metadata":null}\n{"b', "}\n", "two\nlines", "null", "\\"]


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_texts_that_look_like_ends_of_records_are_texts(tmp_path, files, format_):
    """In columns and in metadata, also where a key there has the name of a column."""
    pytest.importorskip("pyarrow")
    import csv

    folder = tmp_path / "drop"
    write_bundle(District(seed=3, schools=1, students_per_school=20), folder, only={"users"})
    with (folder / "users.csv").open(encoding="utf-8", newline="") as file:
        one = next(csv.DictReader(file))
    with (folder / "users.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*one, "metadata.metadata", "metadata.note"])
        writer.writeheader()
        for number, text in enumerate(TEXTS):
            writer.writerow({**one, "sourcedId": str(number), "familyName": text, "metadata.note": text})
        writer.writerow({**one, "sourcedId": "m", "metadata.metadata": "null"})
        writer.writerow({**one, "sourcedId": "n"})
    config = {"mode": "csv", "csv_path": str(folder), "settle_seconds": 0}
    run = run_tap(batches(config, files, format_))
    plain = run_tap(config)
    if format_ == "jsonl":
        found = list(map(bare, rows(run, "users")))
    else:
        import pyarrow.parquet as pq

        users = next(of for of in FILES if of.name == "users")
        read = pq.ParquetFile(announced(run, "users")[0]).read().to_pylist()
        found = [{n: as_json(users.field(n), v) for n, v in bare(row).items()} for row in read]
    assert found == plain.records["users"]
    assert found[-2]["metadata"] == {"metadata": "null"}


def test_streams_that_are_changed_on_their_way_stay_records(config, files, caplog):
    """A deselected property stays in the source; a stream map does what it says."""
    catalog = select(config, "users", "orgs", "classes", properties=("givenName",))
    config = {**config, "stream_maps": {"orgs": {"name": "name.upper()"}}}
    run = run_tap(batches(config, files), catalog=catalog)
    assert set(run.records) == {"users", "orgs", "syncReceipts"}
    assert all("givenName" not in user for user in run.records["users"])
    assert all(org["name"].isupper() for org in run.records["orgs"])
    assert {m["stream"] for m in run.messages if m["type"] == "BATCH"} == {"classes"}
    assert not list(files.glob("*users*"))
    assert "users: no batches, but records" in caplog.text


def test_files_of_a_bundle_are_announced_while_it_is_read(tmp_path, files):
    """A loader need not wait for the last: each is whole when it is named."""
    write_bundle(District.of_size(60_000), tmp_path / "d.zip", version="1.2", only=["enrollments", "orgs"])
    path = tmp_path / "config.json"
    config = batches({"mode": "csv", "csv_path": str(tmp_path / "d.zip")}, files, batch_size=5000)
    path.write_text(json.dumps(config), encoding="utf-8")
    begun = []
    with subprocess.Popen([TAP, "--config", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tap:
        for line in tap.stdout:
            message = json.loads(line)
            if message["type"] == "BATCH" and message["stream"] == "enrollments":
                (url,) = message["manifest"]
                assert gzip.decompress(Path(url.removeprefix("file://")).read_bytes()).endswith(b"}\n")
                begun.append(len(list(files.glob("*enrollments*"))))
        assert tap.wait(240) == 0
    assert begun[0] < begun[-1] == len(begun)


def test_without_versions_in_the_rows_nothing_is_deleted(config, files):
    """A loader would take every row without a version for one that is gone."""
    run = run_tap(batches(config, files, add_record_metadata=False), catalog=select(config, "orgs"))
    assert run.of("ACTIVATE_VERSION") == []
    schema = next(m["schema"] for m in run.messages if m["type"] == "SCHEMA" and m["stream"] == "orgs")
    assert all(row.keys() == schema["properties"].keys() for row in rows(run, "orgs"))
    assert run_tap(config, catalog=select(config, "orgs")).of("ACTIVATE_VERSION") == ["orgs"]


def test_an_attempt_that_is_repeated_leaves_no_file(district, files):
    """The service changed while it was read: only the files of the second read are there and announced."""
    gone = min(row["sourcedId"] for row in district.active("enrollments"))
    knobs = Knobs(page_cap=50, refuse_sort=400)
    knobs.before_page = lambda number: knobs.without.update({gone} if number == 3 else ())
    with Provider(district, knobs_for={"enrollments": knobs}) as service:
        config = settings(service, max_concurrency=1)
        run = run_tap(batches(config, files, batch_size=40), catalog=select(config, "enrollments"))
    assert run.error is None
    assert sorted(files.iterdir()) == sorted(announced(run))
    found = [row["sourcedId"] for row in rows(run, "enrollments")]
    assert len(found) == len(set(found)) == run.receipts["enrollments"]["received"]
    assert gone not in found
    assert {m["version"] for m in run.messages if m.get("stream") == "enrollments" and "version" in m} == {
        rows(run, "enrollments")[0]["_sdc_table_version"]
    }


def test_what_a_read_that_fails_had_is_delivered_and_activates_nothing(tmp_path, bundle, files):
    """As without batches: rows up to the fault arrive, state stays, the receipt says incomplete."""
    cut = broken(tmp_path / "cut.zip", bundle("1.2"), "users.csv", lambda data: data[: len(data) // 2] + b',"x')
    run = run_tap(batches({"mode": "csv", "csv_path": str(cut)}, files))
    plain = run_tap({"mode": "csv", "csv_path": str(cut)})
    assert run.error == plain.error
    assert list(map(bare, rows(run, "users"))) == plain.records["users"]
    assert "users" not in run.of("ACTIVATE_VERSION")
    assert "users" not in {name for name, state in run.state["bookmarks"].items() if state.get("bundles")}
    assert proof(run) == proof(plain)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_a_run_that_is_stopped_announces_nothing_more_and_removes_the_other_files(tmp_path, files, format_):
    """What it had announced is whole, and the target's; a file that was just being announced stays, and is named."""
    write_bundle(District.of_size(300_000), tmp_path / "d.zip", version="1.2", only=["enrollments", "orgs"])
    path = tmp_path / "config.json"
    config = batches({"mode": "csv", "csv_path": str(tmp_path / "d.zip")}, files, format_, batch_size=1000)
    path.write_text(json.dumps(config), encoding="utf-8")
    log = tmp_path / "log"
    with (
        log.open("wb") as errors,
        subprocess.Popen([TAP, "--config", path], stdout=subprocess.PIPE, stderr=errors) as tap,
    ):
        while tap.poll() is None and len(list(files.glob("*enrollments*"))) <= 20:
            time.sleep(0.05)
        tap.send_signal(signal.SIGTERM)
        messages = [json.loads(line) for line in tap.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")]
        assert tap.wait(240) == 143
    named = {url for m in messages if m["type"] == "BATCH" for url in m["manifest"]}
    there = {f"file://{path}" for path in files.iterdir()}
    assert named <= there
    said = log.read_text(encoding="utf-8").partition("perhaps announced, left in place: ")[2]
    assert all(url.rpartition("/")[2] in said for url in there - named)
    enrollments = [url.removeprefix("file://") for url in named if "enrollments" in url]
    for path in enrollments:
        if format_ == "jsonl":
            assert gzip.decompress(Path(path).read_bytes()).endswith(b"}\n")
        else:
            assert Path(path).read_bytes()[-4:] == b"PAR1"
    assert not any(m["type"] in {"STATE", "ACTIVATE_VERSION"} and m.get("stream") == "enrollments" for m in messages)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("moment", ["before", "after"], ids=["before the line is written", "after it"])
def test_a_file_that_is_being_announced_is_never_removed(config, files, monkeypatch, caplog, moment):
    """A signal between the message and the note of it would leave the target with the name of a file that is gone."""

    class Stopped(BaseException):
        """What takes the place of the end of the process."""

    def stop(signum):
        raise Stopped

    def write(self, message):
        if message.type == "BATCH" and moment == "after":
            BlockWriter.write_lines(self, self.format_message(message))
        if message.type == "BATCH":
            running[0]._handle_termination(signal.SIGTERM, None)

    monkeypatch.setattr("tap_oneroster._core.shell.stop", stop)
    monkeypatch.setattr(BlockWriter, "write_message", write)
    running = [TapOneRoster(config=batches(config, files, batch_size=5), catalog=select(config, "users"))]
    with pytest.raises(Stopped), redirect_stdout(io.TextIOWrapper(io.BytesIO())):
        running[0].sync_all()
    (left,) = files.iterdir()
    assert f"perhaps announced, left in place: {left.name}" in caplog.text
    running.clear()
    gc.collect()  # the end of the process would close the file that was being written; here, that is now, and in no other test


@pytest.mark.parametrize("prefix", ["", "night-", "a/b-"])
def test_files_of_batches_that_no_loader_took_are_removed_after_a_day(config, files, caplog, prefix):
    """The load failed, or was killed: pupils' data does not pile up. What is younger, or not ours, stays."""
    settings = batches(config, files, storage={"prefix": prefix})
    old, young = (announced(run_tap(settings, catalog=select(config, "orgs", "users"))) for _ in range(2))
    strangers = [old[0].with_name(name) for name in ("tap-oneroster--notes.txt", f"x{old[0].name}")]
    for path in strangers:
        path.touch()
    yesterday = time.time() - 86_500
    for path in [*old, *strangers]:
        os.utime(path, (yesterday, yesterday))
    run = run_tap(settings, catalog=select(config, "orgs"))
    assert run.error is None
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in [*young, *strangers, *announced(run)])
    (line,) = [record.getMessage() for record in caplog.records if "older than a day" in record.getMessage()]
    assert all(path.name[path.name.index("tap-") :] in line for path in old)


def test_files_in_a_bucket_that_no_loader_took_are_removed_after_a_day(config, monkeypatch):
    """The same in an object store, whose clock is its own."""
    with s3_endpoint() as s3:
        settings = batches(config, "s3://drop/files", storage={"prefix": "night/", "params": s3.options})

        def names():
            listed = s3.client().list_objects_v2(Bucket="drop", Prefix="files/night/")
            return {one["Key"] for one in listed.get("Contents", ())}

        run_tap(settings, catalog=select(config, "orgs"))
        before = names()
        run_tap(settings, catalog=select(config, "orgs"))
        assert before < names(), "they are not old"
        monkeypatch.setattr("tap_oneroster.batch_files.batch_files._KEPT", timedelta(seconds=-60))
        run_tap(settings, catalog=select(config, "orgs"))
        after = names()
    assert len(after) == len(before) == 1
    assert not after & before


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_files_that_no_target_was_told_of_are_removed(config, files, tmp_path):
    """The target went away while the messages were written."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(batches(config, files, batch_size=1)), encoding="utf-8")
    with subprocess.Popen([TAP, "--config", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tap:
        told = set()
        for line in tap.stdout:
            told |= set(json.loads(line).get("manifest", ()))
            if b'"enrollments"' in line and b"BATCH" in line:
                break
        tap.stdout.close()
        assert b"the target stopped reading" in tap.stderr.read()
        assert tap.wait(240) == 1
    left = {path.name.split("--")[1].partition("-")[0] for path in files.iterdir()}
    assert "enrollments" in left
    assert not left & {"users", "results", "lineItems"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_files_in_s3(config, format_):
    """A real endpoint; a loader finds the object under the URL of the message."""
    pytest.importorskip("s3fs", reason="tap-oneroster[s3] is not installed")
    with s3_endpoint() as s3:
        storage = {"prefix": "night/", "params": s3.options}
        run = run_tap(batches(config, "s3://drop/a b", format_, storage=storage), catalog=select(config, "users"))
        (url,) = (m["manifest"][0] for m in run.messages if m["type"] == "BATCH")
        assert re.fullmatch(r"s3://drop/a b/night/tap-oneroster--users-[0-9a-f-]+-1\.(jsonl\.gz|parquet)", url)
        body = s3.client().get_object(Bucket="drop", Key=url.removeprefix("s3://drop/"))["Body"].read()
    if format_ == "jsonl":
        assert gzip.decompress(body).count(b"\n") == run.receipts["users"]["received"]
    else:
        assert body[:4] == body[-4:] == b"PAR1"


def test_a_trial_run_writes_no_files(config, files, tmp_path):
    """`--test` reads one record of each stream; it leaves nothing behind."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(batches(config, files)), encoding="utf-8")
    done = subprocess.run([TAP, "--config", path, "--test"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not files.exists()


def test_a_place_that_cannot_be_written_is_one_line(config, tmp_path):
    (tmp_path / "occupied").write_text("x")
    run = run_tap(batches(config, tmp_path / "occupied" / "files"))
    assert "a file of the batch cannot be written" in run.error
    assert "batch_config.storage" in run.error
    assert str(tmp_path) not in run.error
    assert "RECORD" not in {m["type"] for m in run.messages}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"encoding": {"format": "csv"}}, "batch_config.encoding.format: must be one of jsonl, parquet"),
        ({"encoding": {"format": "jsonl", "compression": "zstd"}}, "jsonl takes one of gzip, none"),
        ({"storage": {"root": "sftp://secret-name/x"}}, "batch_config.storage.root: batches go to a local folder or"),
        (
            {"storage": {"root": "s3://b", "params": {"endpoint_url": "http://secret-name"}}},
            "batch_config.storage.params",
        ),
        ({"storage": {}}, "batch_config.storage.root: must be set"),
        ({"batch_size": 0}, "batch_config.batch_size: the minimum is 1"),
    ],
)
def test_wrong_settings_are_named(config, files, wrong, says):
    given = batches(config, files)
    given["batch_config"] |= wrong
    with pytest.raises(ConfigValidationError) as refused:
        TapOneRoster(config=given)
    assert says in str(refused.value)
    assert "secret-name" not in " ".join(refused.value.errors)


def test_parquet_without_its_package_says_what_to_install(config, files, monkeypatch):
    monkeypatch.setattr("tap_oneroster.batch_files.settings.find_spec", lambda name: None)
    with pytest.raises(ConfigValidationError, match=r"install tap-oneroster\[parquet\]"):
        TapOneRoster(config=batches(config, files, "parquet"))
    assert run_tap(batches(config, files)).error is None, "jsonl needs nothing"
