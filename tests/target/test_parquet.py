"""BATCH with Parquet: whole columns become the cells that records would have become, or the records are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import oneroster_core.model as model
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oneroster_core.codec import encode_value
from oneroster_core.model import Kind
from oneroster_core.model.schema import json_schema
from tap_oneroster.arrow import column, typed
from target_oneroster._core.sql import Engine
from target_oneroster.bundle import build, parquet_lane
from target_oneroster.bundle.early_load import EarlyLoad
from target_oneroster.bundle.fast_lane import FastLane
from target_oneroster.bundle.options import BundleOptions
from target_oneroster.bundle.parquet_lane import ParquetLane
from target_oneroster.bundle.staging import BundleStaging
from target_oneroster.bundle.tables import staged_rows
from target_oneroster.bundle.write import write_files
from target_oneroster.errors import Misconfigured, TargetError, one_line
from target_oneroster.singer.parquet_batch import ParquetBatch

from tests.support.batches import batch

from .mini import receipt, record_line, rows, schema_line

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Place

FILES = [model.file(name) for name in ("users", "classes", "courses", "enrollments", "scoreScales", "results", "roles")]
"""Files that have columns of every kind."""


def written(name: str, records: list[dict[str, Any]], path: Path, tenant: bool = False, **others: pa.Array) -> Path:
    """A file as our tap writes it: every column of the schema, with its type."""
    properties = json_schema(model.file(name), tenant=tenant)["properties"]
    columns = {field: column([r.get(field) for r in records], typed(of)) for field, of in properties.items()} | others
    pq.write_table(pa.table(columns), path)
    return path


def night(name: str, path: Path, records: list[dict[str, Any]], version: int = 1, others: Any = ()) -> list[Any]:
    """The messages of a run whose other streams come as records."""
    district = rows()
    found: list[Any] = [schema_line("syncReceipts")]
    for stream, mine in district.items():
        if stream != name:
            found += [schema_line(stream), *(record_line(stream, r) for r in mine)]
            found.append(record_line("syncReceipts", receipt(stream, mine)))
    found += [schema_line(name), *others, batch(name, path, "parquet", version=version)]
    return [*found, record_line("syncReceipts", receipt(name, records))]


# --- the same cells -----------------------------------------------------------------------------------------------

TEXTS = st.text(st.sampled_from("aB7é, {}:\"'\\\n\t\x00\x7f\xa0\u2003"), max_size=6)
PLAIN = st.text(st.sampled_from("aB7é.-_/@ "), min_size=1, max_size=6).map(str.strip).filter(bool)
DAYS = st.dates().map(str)
MOMENTS = st.datetimes().map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}.123Z".rjust(24, "0"))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [0.0, -0.0, 85.0, 0.1, 1e-5, 2.0**53, 1e16]
)


def values_of(field: model.Field, texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Values of a field as our tap sends them; texts may be as odd as `texts` are."""
    match field.kind:
        case Kind.TRUE_FALSE:
            values: st.SearchStrategy[Any] = st.booleans()
        case Kind.INTEGER:
            values = st.integers(-(2**62), 2**62)
        case Kind.NUMBER:
            values = NUMBERS
        case Kind.DATE:
            values = DAYS
        case Kind.DATETIME:
            values = MOMENTS
        case Kind.REFS | Kind.STRINGS | Kind.WORDS:
            values = st.lists(texts, max_size=3)
        case Kind.USER_IDS:
            values = st.lists(st.fixed_dictionaries({"type": texts, "identifier": texts}), max_size=2)
        case Kind.SCALE_VALUES:
            values = st.lists(st.fixed_dictionaries({"itemValueLHS": texts, "itemValueRHS": texts}), max_size=2)
        case _:
            values = texts
    return st.none() | values


def records_of(file: model.File, texts: st.SearchStrategy[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    own = {f.name: values_of(f, texts) for f in file.fields if f.csv and f.name != "sourcedId"}
    return st.lists(st.fixed_dictionaries({"sourcedId": PLAIN, **own}), min_size=1, max_size=4)


def staged(
    file: model.File, records: list[dict[str, Any]], folder: Path, *, columns: bool, loaded: bool = False
) -> list[Any] | None:
    """The staged cells of records, by columns (loaded when the file comes, or not) or by lines; None if not taken."""
    folder.mkdir()
    staging, batches, engine = BundleStaging(folder), ParquetBatch(), Engine(folder)
    stage = staging.stage(file.name)
    early = EarlyLoad(lambda: engine)
    try:
        if loaded:
            path = written(file.name, records, folder / "x.parquet")
            if ParquetLane(staging, stage, batches, early).take(path, batches.columns(path), 1) is None:
                assert not engine.has(file.name)
                return None
            early.end()
            return [stage.records, *engine.run(f'SELECT * FROM "{file.name}"')]
        if columns:
            path = written(file.name, records, folder / "x.parquet")
            if ParquetLane(staging, stage, batches).take(path, batches.columns(path), 1) is None:
                return None
        else:
            lines = [{"type": "RECORD", "stream": file.name, "record": r, "version": 1} for r in records]
            block = b"".join(encode_value(line) + b"\n" for line in lines)
            if not FastLane(staging, stage, lambda _: None, trusted=True).take(block, len(lines)):
                return None
        staging.close()
        found = engine.run(f'SELECT * FROM {staged_rows(stage)} ORDER BY "row number"')
        return [stage.records, stage.in_order, *found]
    finally:
        staging.discard()
        batches.close()
        engine.close()


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
@pytest.mark.parametrize("texts", [PLAIN, TEXTS], ids=["plain", "odd"])
def test_columns_become_the_cells_of_lines(file: model.File, texts: Any, tmp_path_factory: Any) -> None:
    """For any values that the columns take; plain values they all take."""
    taken: list[bool] = []

    @settings(max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(records_of(file, texts))
    def holds(records: list[dict[str, Any]]) -> None:
        folder = tmp_path_factory.mktemp("staged")
        by_columns = staged(file, records, folder / "columns", columns=True)
        taken.append(by_columns is not None)
        if by_columns is not None:
            by_lines = staged(file, records, folder / "lines", columns=False)
            assert by_lines is None or by_columns == by_lines
        by_loading = staged(file, records, folder / "loaded", columns=True, loaded=True)
        assert (by_loading is None) == (by_columns is None)
        if by_loading and by_columns:
            assert by_loading == [by_columns[0], *(row[1:] for row in by_columns[2:])]

    holds()
    assert any(taken)


ODD = {
    "a line break in a text": {"givenName": "Ann\nLee"},
    "a control character in a word": {"status": "acti\tve"},
    "a comma in an element of a list": {"grades": ["07,08"]},
    "a blank at the end of an element": {"grades": ["07 "]},
    "an empty element": {"grades": ["07", ""]},
    "a reference that is no id": {"agentSourcedIds": ["u 2"]},
    "a brace in a user id": {"userIds": [{"type": "sis", "identifier": "a},{b:c"}]},
    "no id": {"sourcedId": None},
    "an empty id": {"sourcedId": ""},
}


@pytest.mark.parametrize("change", ODD.values(), ids=list(ODD))
def test_a_value_that_may_be_written_in_another_way_is_for_records(change: dict[str, Any], tmp_path: Path) -> None:
    users = rows()["users"]
    assert staged(model.file("users"), users, tmp_path / "plain", columns=True) is not None
    assert staged(model.file("users"), [{**users[0], **change}, *users[1:]], tmp_path / "odd", columns=True) is None


@pytest.mark.parametrize("score", [1e-5, 1e16, float("inf"), float("nan")])
def test_a_number_that_is_not_written_plainly_is_for_records(score: float, tmp_path: Path) -> None:
    results = [dict(rows()["results"][0], score=score)]
    assert staged(model.file("results"), results, tmp_path / "odd", columns=True) is None


# --- a whole run --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["users", "enrollments", "classes", "results"])
@pytest.mark.parametrize("order", [1, -1], ids=["ascending", "descending"])
def test_the_bundle_is_that_of_records(place: Place, tmp_path: Path, name: str, order: int) -> None:
    records = sorted(rows()[name], key=lambda r: r["sourcedId"])[::order]
    path = written(name, records, tmp_path / "x.parquet")
    messages = night(name, path, records)
    lines = [record_line(name, r) for r in records]
    place.run([m for each in messages for m in (lines if each["type"] == "BATCH" else [each])])
    expected = place.files()
    place.run(messages, output_path=str(tmp_path / "other"))
    assert {p.name: p.read_bytes() for p in (tmp_path / "other").iterdir()} == expected
    assert not path.exists(), "its rows are in place"


def test_records_and_files_of_one_stream_count_in_the_order_in_which_they_came(place: Place, tmp_path: Path) -> None:
    users = [dict(u, dateLastModified="2027-01-01T00:00:00.000Z") for u in rows()["users"]]
    again = [dict(u, givenName="File") for u in users]
    path = written("users", again, tmp_path / "x.parquet")
    first = [record_line("users", u) for u in users]
    messages = night("users", path, users, others=first)[:-1]
    proof = receipt("users", users, received=2 * len(users), distinct=len(users))
    place.run([*messages, record_line("syncReceipts", proof)])
    assert {row["givenName"] for row in place.rows("users")} <= {"File", *(u["givenName"] for u in users)}
    assert sorted(place.ids("users")) == sorted(u["sourcedId"] for u in users)


def test_a_new_version_begins_again(place: Place, tmp_path: Path) -> None:
    """The files of an attempt that was given up do not count."""
    users = rows()["users"]
    old = written("users", [dict(users[0], sourcedId="gone")], tmp_path / "old.parquet")
    new = written("users", users, tmp_path / "new.parquet")
    place.run(night("users", new, users, 2, [batch("users", old, "parquet", version=1)]))
    assert sorted(place.ids("users")) == sorted(u["sourcedId"] for u in users)


def test_odd_rows_go_the_way_of_records(place: Place, tmp_path: Path) -> None:
    users = [dict(u, givenName="Ann\nLee", grades=["07,08"] if u.get("grades") else None) for u in rows()["users"]]
    place.run(night("users", written("users", users, tmp_path / "x.parquet"), users))
    assert {row["givenName"] for row in place.rows("users")} == {"Ann Lee"}
    assert "0708" in {row["grades"] for row in place.rows("users")} or not any(u.get("grades") for u in users)


def cut(users: list[dict[str, Any]], folder: Path, *at: int) -> list[Any]:
    """Messages of files with the users between these places."""
    folder.mkdir()
    ends = [*at, len(users)]
    parts = [users[start:end] for start, end in zip([0, *at], ends, strict=True)]
    return [
        batch("users", written("users", part, folder / f"{n}.parquet"), "parquet", version=1)
        for n, part in enumerate(parts)
    ]


def in_files(users: list[dict[str, Any]], folder: Path, *at: int) -> list[Any]:
    """The messages of a run whose users come as files that are cut at these places."""
    *first, last = cut(users, folder, *at)
    messages = night("users", folder, users, others=first)
    return [last if m["type"] == "BATCH" and m not in first else m for m in messages]


def as_records(messages: list[Any], users: list[dict[str, Any]]) -> list[Any]:
    """The same run with records in place of its files."""
    files = [m for m in messages if m["type"] == "BATCH"]
    lines = [record_line("users", u) for u in users]
    return [m for each in messages for m in (lines if each is files[0] else [] if each in files else [each])]


AT_ONCE = [0, 2, 4_000_000]
"""Number of records up to which files are loaded when they come: none, some, all."""


@pytest.mark.parametrize("at_once", AT_ONCE)
@pytest.mark.parametrize("odd", [None, 0, 2, 5], ids=["no odd row", "the first", "in the middle", "the last"])
def test_several_files_make_the_bundle_of_records(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, odd: int | None
) -> None:
    """Whether they are loaded when they come or later, and wherever a row goes the way of records."""
    users = [dict(u, givenName="A\nB") if n == odd else u for n, u in enumerate(rows()["users"])][::-1]
    messages = in_files(users, tmp_path / "files", 2, 4)
    place.run(as_records(messages, users))
    expected = place.files()
    for module in (build, parquet_lane):
        monkeypatch.setattr(module, "LOADED_AT_ONCE", at_once)
    place.run(messages, output_path=str(tmp_path / "other"))
    assert {p.name: p.read_bytes() for p in (tmp_path / "other").iterdir()} == expected


@pytest.mark.parametrize("at_once", AT_ONCE)
@pytest.mark.parametrize("modified", ["2026-01-01", "2028-01-01"], ids=["an older copy", "a newer copy"])
def test_copies_in_two_files_are_found(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, modified: str
) -> None:
    users = [dict(u, dateLastModified="2027-01-01T00:00:00.000Z") for u in rows()["users"]]
    copy = dict(users[0], givenName="Copy", dateLastModified=f"{modified}T00:00:00.000Z")
    messages = in_files([*users, copy], tmp_path / "files", len(users))
    proof = receipt("users", users, received=len(users) + 1, distinct=len(users))
    messages = [*messages[:-1], record_line("syncReceipts", proof)]
    place.run(as_records(messages, [*users, copy]))
    expected = place.files()
    for module in (build, parquet_lane):
        monkeypatch.setattr(module, "LOADED_AT_ONCE", at_once)
    place.run(messages, output_path=str(tmp_path / "other"))
    assert {p.name: p.read_bytes() for p in (tmp_path / "other").iterdir()} == expected
    assert (b"Copy" in expected["users.csv"]) == (modified > "2027")


@pytest.mark.parametrize("metadata", ["keep", "drop"])
def test_metadata_is_kept_if_it_is_wanted(place: Place, tmp_path: Path, metadata: str) -> None:
    users = [dict(u, metadata={"bus": {"line": "7"}}) for u in rows()["users"]]
    place.run(night("users", written("users", users, tmp_path / "x.parquet"), users), metadata=metadata)
    kept = {row.get("metadata.bus.line") for row in place.rows("users")}
    assert kept == ({"7"} if metadata == "keep" else {None})


def test_two_tenants_are_refused(place: Place, tmp_path: Path) -> None:
    users = rows()["users"]
    tenants = [dict(u, tenant=t) for u, t in zip(users, "nssnns", strict=False)]
    path = written("users", tenants, tmp_path / "x.parquet", tenant=True)
    messages = night("users", path, users)
    schema = next(m for m in messages if m["type"] == "SCHEMA" and m["stream"] == "users")
    schema["schema"] = json_schema(model.file("users"), tenant=True)
    with pytest.raises(Misconfigured, match="two tenants"):
        place.run(messages)
    assert path.exists()


@pytest.mark.parametrize(
    "others",
    [
        {"_sdc_deleted_at": pa.array(["2026-01-01"] * 6)},
        {"noSuchColumn": pa.array(["x"] * 6)},
        {"birthday": pa.array([1] * 6)},
    ],
    ids=["a mark of deletion", "a column that the standard does not have", "another one"],
)
def test_other_columns_are_for_records(place: Place, tmp_path: Path, others: dict[str, pa.Array]) -> None:
    """A row that a loader marked as deleted stays out, as it does when it comes as a record."""
    users = rows()["users"]
    cut = {name: values.slice(0, len(users)) for name, values in others.items()}
    path = written("users", users, tmp_path / "x.parquet", **cut)
    batches = ParquetBatch()
    staging = BundleStaging(tmp_path)
    lane = ParquetLane(staging, staging.stage("users"), batches)
    assert lane.take(path, batches.columns(path), 1) is None
    batches.close()
    staging.discard()


def test_a_file_without_rows_is_no_fault(place: Place, tmp_path: Path) -> None:
    users = rows()["users"]
    empty = written("users", [], tmp_path / "empty.parquet")
    place.run(
        night(
            "users",
            written("users", users, tmp_path / "x.parquet"),
            users,
            others=[batch("users", empty, "parquet", version=1)],
        )
    )
    assert sorted(place.ids("users")) == sorted(u["sourcedId"] for u in users)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("file:///nowhere/x.parquet", "File 1 of a batch of users cannot be read"),
        ("https://example.com/x.parquet", "must lie in a local folder"),
        ("broken", "File 1 of a batch of users cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_publishes_nothing(place: Place, tmp_path: Path, url: str, says: str) -> None:
    users = rows()["users"]
    path = tmp_path / "broken.parquet"
    path.write_bytes(b"PAR1 no more")
    messages = night("users", path, users)
    for message in messages:
        if message["type"] == "BATCH" and url != "broken":
            message["manifest"] = [url]
    with pytest.raises(TargetError, match=says):
        place.run(messages)
    assert not place.output.exists()


# --- the memory of the engine -------------------------------------------------------------------------------------


def test_engine_memory_is_the_limit_of_the_engine(tmp_path: Path) -> None:
    engine = Engine(tmp_path, memory="300MB")
    assert engine.run("SELECT current_setting('memory_limit')") == [("286.1 MiB",)]
    engine.close()


@pytest.mark.parametrize("text", ["much", "400", "-1GB", "0MB", "400MB; DROP TABLE x"])
def test_a_memory_that_is_no_size_is_refused_before_anything_is_read(place: Place, text: str) -> None:
    with pytest.raises(Misconfigured, match="Setting engine_memory: write a size like 400MB") as refused:
        place.run([], engine_memory=text)
    assert "DROP" not in str(refused.value)


def test_too_little_memory_says_what_to_set(place: Place, tmp_path: Path) -> None:
    users = rows()["users"]
    path = written("users", users, tmp_path / "x.parquet")
    with pytest.raises(duckdb.OutOfMemoryException) as failed:
        place.run(night("users", path, users), engine_memory="1MB")
    says = "The staging engine needs more memory. Nothing was published. Raise engine_memory, and run again."
    assert one_line(failed.value) == says
    assert not place.output.exists()


def test_a_table_that_is_written_needs_no_memory_any_more(tmp_path: Path) -> None:
    """Only the roles are read again, when what was sent is remembered."""
    engine = Engine(tmp_path)
    for name in ("orgs", "roles"):
        columns = [field.name for field in model.file(name).fields if field.csv]
        engine.make(name, columns)
        engine.run(f"INSERT INTO {name} VALUES ({', '.join(['?'] * len(columns))})", ["x"] * len(columns))
    assert write_files(engine, BundleOptions(), tmp_path) == {"orgs": 1, "roles": 1}
    assert not engine.has("orgs")
    assert engine.has("roles")
    engine.close()
