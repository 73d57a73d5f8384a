"""A twin of whatever the tap reads, into whatever it writes: a part of the streams, files of batches, a warehouse, stream maps."""

from __future__ import annotations

import gzip
import json

import pytest
from oneroster_sample.provider import Provider

from tests.support.tap import select
from tests.support.twin import EVERYTHING, KEY, by_csv, rest_settings, twin_run, write

ROLES = {"roles": "'*'", "userProfiles": ["username", "profileId"]}


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_derived_streams_leave_without_their_parents(version, district, bundle, tmp_path):
    """A policy that names roles and no users: the service is asked for users, and only roles leave."""
    policy, whole = write(tmp_path, ROLES), write(tmp_path, EVERYTHING, name="whole.yml")
    with Provider(district, version=version) as provider:
        rest, all_of_it = (twin_run(rest_settings(provider), path) for path in (policy, whole))
    drop = twin_run(by_csv(bundle(version)), policy)
    assert rest.error is None
    assert drop.error is None
    assert set(rest.records) <= {"roles", "userProfiles", "syncReceipts"}
    ids = [sorted(r["userSourcedId"] for r in run.records["roles"]) for run in (rest, drop, all_of_it)]
    assert ids[0] == ids[1] == ids[2]


def test_a_stream_that_is_not_selected_stays(bundle, tmp_path):
    """The catalog may take less than the policy allows, never more."""
    policy = write(tmp_path, EVERYTHING)
    config = by_csv(bundle("1.2"), twin=str(policy), twin_key=KEY)
    run = twin_run(by_csv(bundle("1.2")), policy, catalog=select(config, "users", properties=("email",)))
    assert set(run.records) == {"users", "syncReceipts"}
    assert "email" not in run.records["users"][0]
    assert run.records["users"][0]["givenName"]


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_files_of_batches_hold_the_twin(format_, bundle, tmp_path):
    """The same rows as the records."""
    policy = write(tmp_path, EVERYTHING)
    records = twin_run(by_csv(bundle("1.2")), policy)
    storage = {"root": f"file://{tmp_path / 'files'}"}
    run = twin_run(by_csv(bundle("1.2"), batch_config={"encoding": {"format": format_}, "storage": storage}), policy)
    assert run.error is None
    found = []
    for message in run.messages:
        if message["type"] == "BATCH" and message["stream"] == "enrollments":
            for url in message["manifest"]:
                path = url.removeprefix("file://")
                if format_ == "jsonl":
                    with gzip.open(path) as lines:
                        found += [json.loads(line) for line in lines]
                else:
                    import pyarrow.parquet

                    found += pyarrow.parquet.read_table(path).to_pylist()
    wanted = ["sourcedId", "userSourcedId", "classSourcedId", "role"]
    rows = [sorted([r[name] for name in wanted] for r in many) for many in (found, records.records["enrollments"])]
    assert rows[0] == rows[1]


def test_a_stream_map_sees_the_twin_only(bundle, tmp_path):
    """Maps run after the policy."""
    maps = {"users": {"copy": "givenName", "start": "sourcedId[:8]"}}
    run = twin_run(by_csv(bundle("1.2"), stream_maps=maps), write(tmp_path, EVERYTHING))
    plain = twin_run(by_csv(bundle("1.2")), write(tmp_path, EVERYTHING))
    assert run.error is None
    assert all(record["start"] == record["sourcedId"][:8] for record in run.records["users"])
    names = [sorted(r[key] for r in many.records["users"]) for many, key in ((run, "copy"), (plain, "givenName"))]
    assert names[0] == names[1]


def test_programs_that_embed_the_tap_get_the_twin(bundle, tmp_path):
    """`records` of a stream, without messages."""
    from tap_oneroster import TapOneRoster

    policy = write(tmp_path, {"users": ["givenName"]})
    tap = TapOneRoster(config=by_csv(bundle("1.2"), twin=str(policy), twin_key=KEY))
    users = list(tap.records("users"))
    assert len(users) > 50
    assert set(users[0]) == {"sourcedId", "status", "dateLastModified", "givenName"}
    assert all(len(user["sourcedId"]) == 36 for user in users)


def test_copies_in_a_bundle_are_told_apart_by_their_real_ids(bundle, tmp_path):
    """Identical rows of one id become one, as without a twin; rows that differ are a conflict."""
    from tests.support.tap import broken

    def twice(data):
        lines = data.splitlines(keepends=True)
        return b"".join([*lines, lines[1]])

    path = broken(tmp_path / "b.zip", bundle("1.1"), "users.csv", twice)
    run, once = (twin_run(by_csv(one), write(tmp_path, EVERYTHING)) for one in (path, bundle("1.1")))
    assert run.error is None
    assert run.receipts["users"]["received"] == once.receipts["users"]["received"] + 1
    assert run.receipts["users"]["contentDigest"] == once.receipts["users"]["contentDigest"]
    rows = [sorted(json.dumps(r) for r in each.records["roles"]) for each in (run, once)]
    assert rows[0] == rows[1]


def test_a_warehouse_is_read_as_a_twin(bundle, tmp_path):
    """One read of the district serves many consumers."""
    import io

    from target_oneroster.warehouse.target import TargetOneRosterDuckDB

    from tests.singer import run_tap

    clear = run_tap(by_csv(bundle("1.2")))
    file = tmp_path / "w.duckdb"
    target = TargetOneRosterDuckDB(config={"filepath": str(file), "history": True})
    target.listen(io.BytesIO(b"".join(json.dumps(m).encode() + b"\n" for m in clear.messages)))  # type: ignore[arg-type]
    policy = write(tmp_path, {"users": ["givenName", "primaryOrgSourcedId"], "orgs": "'*'", "roles": "'*'"})
    run = twin_run({"mode": "warehouse", "warehouse_path": str(file)}, policy)
    drop = twin_run(by_csv(bundle("1.2")), policy)
    assert run.error is None
    for name in ("users", "orgs", "roles"):
        ids = [sorted(r["sourcedId"] for r in each.records[name]) for each in (run, drop)]
        assert ids[0] == ids[1], name
    assert run.receipts["users"]["source"] == "reading-app"


@pytest.mark.parametrize("binding", ["rest", "csv"])
def test_sorted_rows_do_not_tell_the_order_of_the_source(binding, district, bundle, tmp_path):
    """With sort the rows of each stream come by pseudonym; the rows, and their digest, are the same."""
    plain, ordered = write(tmp_path, EVERYTHING), write(tmp_path, EVERYTHING, more=["sort: true"], name="sort.yml")
    with Provider(district, version="1.2") as provider:
        config = rest_settings(provider) if binding == "rest" else by_csv(bundle("1.2"))
        one, other = twin_run(config, plain), twin_run(config, ordered)
    assert other.error is None
    for name, receipt in one.receipts.items():
        ids = [record["sourcedId"] for record in other.records[name]]
        assert ids == sorted(ids), name
        assert receipt["contentDigest"] == other.receipts[name]["contentDigest"]
        rows = [sorted(json.dumps(record) for record in run.records[name]) for run in (one, other)]
        assert rows[0] == rows[1], name
    assert [r["sourcedId"] for r in one.records["users"]] != [r["sourcedId"] for r in other.records["users"]]


def test_sorted_rows_need_few_open_files(bundle, tmp_path):
    """A process may open 256 files on a Mac, and 1,024 on many servers."""
    import resource

    policy = write(tmp_path, EVERYTHING, more=["sort: true"])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(100, hard), hard))
    try:
        run = twin_run(by_csv(bundle("1.2")), policy)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert run.error is None
    assert len({record["sourcedId"][:2] for record in run.records["enrollments"]}) > 100


def test_sorted_rows_that_do_not_wait_in_memory_come_out_the_same(bundle, tmp_path, monkeypatch):
    """They are written in parts, and read back by their beginnings."""
    from tap_oneroster.twin import spool

    policy = write(tmp_path, EVERYTHING, more=["sort: true"])
    one = twin_run(by_csv(bundle("1.2")), policy)
    monkeypatch.setattr(spool, "_MOST_WAITING", 2_000)
    other = twin_run(by_csv(bundle("1.2")), policy)
    assert {name: one.records[name] for name in one.receipts} == {name: other.records[name] for name in one.receipts}


def test_what_cannot_be_read_for_the_scope_is_read_once(bundle, tmp_path):
    """Not once more for each collection that the policy names; no row leaves."""
    from tests.support.tap import broken

    path = broken(tmp_path / "b.zip", bundle("1.2"), "users.csv", lambda data: data.replace(b"\n", b'\n"', 1))
    run = twin_run(by_csv(path), write(tmp_path, EVERYTHING, more=["scope: {users: [student]}"]))
    assert run.error
    assert run.error.count("the file cannot be read on from here") == 1
    assert set(run.records) <= {"syncReceipts"}
