"""Stores of states: one folder, one database, one object store, and one promise."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from oneroster_fleet.errors import Busy, FleetError, Misconfigured, StateMoved, StoreDown
from oneroster_fleet.stores import open_states
from oneroster_fleet.stores.base import LAST, LOCK, encoded, merged_state, version_of

from tests.loaders.postgres import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from oneroster_fleet.stores import Store

STATE = {"bookmarks": {"users": {"at": "2026"}}}
RUN = {"run": "r1", "started": "2026-08-11T08:15:00Z"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(params=["folder", "database", "objects"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "database":
        url: str = request.getfixturevalue("server").database().url
        return url
    return f"file://{tmp_path}/states" if request.param == "folder" else f"memory://{tmp_path.name}"


@pytest.fixture
def store(address: str) -> Store:
    return open_states(address)


def test_a_state_is_written_if_the_stored_one_is_what_was_read(store: Store) -> None:
    """Two that read the same: the second one to write is refused."""
    assert store.read("north") is None
    store.write("north", encoded(STATE), version_of(None))
    document = store.read("north")
    assert merged_state(document) == STATE
    store.write("north", encoded({"bookmarks": {}}), version_of(document))
    with pytest.raises(StateMoved):
        store.write("north", encoded(STATE), version_of(document))
    with pytest.raises(StateMoved):
        store.write("south", encoded(STATE), version_of(document))
    assert merged_state(store.read("north")) == {"bookmarks": {}}
    assert store.states() == ["north"]


@pytest.mark.parametrize("broken", ["", "{", "[1]", "null", '"text"'])
def test_a_record_that_is_broken_is_an_empty_one(address: str, store: Store, broken: str) -> None:
    """It says nothing, and is not missing."""
    store.put("north", LAST, {"exit": 0})
    _overwrite(address, store, "north", LAST, broken)
    assert store.records(LAST, ["north", "south"]) == {"north": {}}


def _overwrite(address: str, store: Any, district: str, name: str, content: str) -> None:
    """Write what is no record in a record's place."""
    if address.startswith("postgresql"):
        with psycopg.connect(address) as connection:
            connection.execute(
                "update fleet set content = %s where district = %s and name = %s", (content, district, name)
            )
    elif address.startswith("file"):
        store._record(district, name).write_text(content)
    else:
        store._fs.pipe_file(store._record(district, name), content.encode())


def test_clearing_a_state_touches_no_record(store: Store) -> None:
    store.write("north", encoded(STATE), "")
    store.put("north", LAST, {"exit": 0})
    store.put("north", LAST, {"exit": 1})
    store.put("south", LAST, {"exit": 3})
    store.clear("north")
    store.clear("north")
    assert store.states() == []
    assert store.records(LAST, ["north", "south", "west"]) == {"north": {"exit": 1}, "south": {"exit": 3}}
    assert store.records(LAST, ["south"]) == {"south": {"exit": 3}}
    store.remove("north", LAST)
    store.remove("north", LAST)
    assert store.records(LAST, ["north"]) == {}
    assert store.records(LAST, []) == {}


def test_a_lock_is_held_by_one(store: Store, address: str) -> None:
    """And says since when; others see that it is held, and the next one gets it afterwards."""
    with store.lock("north", RUN):
        with pytest.raises(Busy), open_states(address).lock("north", {**RUN, "run": "r2"}):
            pytest.fail("two had it")
        with store.lock("south", RUN):
            found = open_states(address).running(["north", "south", "west"])
        assert {name: its["started"] for name, its in found.items()} == dict.fromkeys(
            ("north", "south"), RUN["started"]
        )
    assert store.running(["north"]) == {}
    with store.lock("north", RUN) as lock:
        lock.check()


def test_of_many_at_once_one_gets_the_lock(address: str) -> None:
    """The one that has it waits for the others, also if these were refused before it could say that it has it."""
    open_states(address)
    got: list[int] = []
    refused: list[int] = []
    end = threading.Event()

    def told() -> None:
        if len(got) + len(refused) == 6:
            end.set()

    def attempt() -> None:
        try:
            with open_states(address).lock("north", {**RUN, "run": str(threading.get_ident())}):
                got.append(1)
                told()
                end.wait(timeout=60)
        except Busy:
            refused.append(1)
            told()

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 5)


HOLDER = "import sys, time; from oneroster_fleet.stores import open_states\nwith open_states(sys.argv[1]).lock('north', {'run': 'r', 'started': 's'}):\n print('held', flush=True); time.sleep(600)"  # fmt: skip


@pytest.mark.parametrize("kind", ["folder", "database"])
def test_a_lock_dies_with_its_process(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """`kill -9` leaves nothing that has to be cleared by hand."""
    url = f"file://{tmp_path}/s" if kind == "folder" else request.getfixturevalue("server").database().url
    with subprocess.Popen([sys.executable, "-c", HOLDER, url], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        holder.stdout.readline()
        store = open_states(url)
        assert list(store.running(["north"])) == ["north"]
        holder.kill()
    for _ in range(100):
        try:
            with store.lock("north", RUN):
                return
        except Busy:
            continue
    pytest.fail("the lock outlived its process")


def test_a_lock_of_an_object_store_is_taken_over_after_three_minutes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its run was killed and refreshes it no more; the run that lost it is told, and does not remove the other's."""
    from oneroster_fleet.stores import objects

    monkeypatch.setattr(objects, "SETTLE_SECONDS", 0.0)
    store = open_states(f"memory://{tmp_path.name}")
    with store.lock("north", RUN) as lost:
        record = store.records(LOCK, ["north"])["north"]
        assert record["run"] == "r1"
        assert record["refreshed"]
        store.put("north", LOCK, record | {"refreshed": "2026-01-01T00:00:00Z"})
        assert store.running(["north"]) == {}
        with store.lock("north", {**RUN, "run": "r2"}):
            with pytest.raises(FleetError, match="taken over"):
                lost.check()
            assert store.records(LOCK, ["north"])["north"]["run"] == "r2"
    assert store.records(LOCK, ["north"]) == {}


def test_a_lock_of_an_object_store_is_refreshed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from oneroster_fleet.stores import objects

    monkeypatch.setattr(objects, "REFRESH_SECONDS", 0.02)
    store = open_states(f"memory://{tmp_path.name}")
    with store.lock("north", RUN):
        store.put("north", LOCK, {**RUN, "refreshed": "2026-01-01T00:00:00Z"})
        while store.records(LOCK, ["north"])["north"]["refreshed"].startswith("2026-01-01"):
            pass
    assert store.records(LOCK, ["north"]) == {}


def test_meltano_reads_what_we_write_and_we_what_it_writes(tmp_path: Path) -> None:
    """Its own store of files: the same folder, the same words, in both directions; a partial state comes on top."""
    from meltano.core.state_store.base import MeltanoState
    from meltano.core.state_store.filesystem import LocalFilesystemStateStoreManager

    theirs = LocalFilesystemStateStoreManager(uri=f"file://{tmp_path}/states", lock_timeout_seconds=10)
    ours = open_states(f"file://{tmp_path}/states")
    ours.write("north", encoded(STATE), "")
    found = theirs.get("north")
    assert found
    assert json.loads(found.json_merged())["singer_state"] == STATE
    state = MeltanoState("north", {"singer_state": {"bookmarks": {"orgs": {"at": "1"}}}}, {"singer_state": STATE})
    theirs.update(state)
    assert merged_state(ours.read("north")) == {"bookmarks": {"users": {"at": "2026"}, "orgs": {"at": "1"}}}
    assert sorted(theirs.get_state_ids()) == ours.states() == ["north"]


def test_meltano_s_table_is_ours(server: Server) -> None:
    """The columns of its `state`, as it makes them: ours has the same names."""
    from meltano.core.job_state import JobState

    database = server.database()
    store = open_states(database.url)
    store.write("north", encoded(STATE), "")
    (row,) = database.rows("state")
    assert set(row) == set(JobState.__table__.columns.keys())
    assert json.loads(row["completed_state"]) == {"singer_state": STATE}


@pytest.mark.parametrize(
    ("address", "kind", "message"),
    [
        ("/srv/fleet", Misconfigured, "must be file:///"),
        ("env:NOWHERE", Misconfigured, "the variable NOWHERE is not set"),
        ("postgresql://me:hunter2@127.0.0.1:9/fleet", StoreDown, "the database cannot be reached"),
        ("nowhere://x", Misconfigured, "state: no such kind of store"),
    ],
)
def test_a_store_that_cannot_be_opened(address: str, kind: type[FleetError], message: str) -> None:
    """One line, without the address."""
    with pytest.raises(kind, match=message) as caught:
        open_states(address, {})
    assert "hunter2" not in str(caught.value)


def test_the_address_of_the_store_may_stand_in_a_variable(tmp_path: Path) -> None:
    open_states("env:WHERE", {"WHERE": f"file://{tmp_path}"}).put("a", LAST, {})
    assert [path.name for path in tmp_path.iterdir()] == [".fleet"]


def test_a_state_that_is_not_meltano_s_is_told(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="not Meltano's"):
        merged_state(b"{")
    assert merged_state(b'{"completed": {}, "partial": {}}') is None


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from moto.server import ThreadedMotoServer

    for name, value in (
        ("AWS_ACCESS_KEY_ID", "k"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    import s3fs

    fs = s3fs.S3FileSystem(skip_instance_cache=True)
    fs.mkdir("fleet")
    yield "s3://fleet/states"
    server.stop()


@pytest.mark.slow
def test_on_s3(bucket: str) -> None:
    """States, records, and a lock that only one can create."""
    store = open_states(bucket)
    store.write("north", encoded(STATE), "")
    store.put("north", LAST, {"exit": 0})
    assert merged_state(store.read("north")) == STATE
    assert store.records(LAST, ["north", "south"]) == {"north": {"exit": 0}}
    assert store.states() == ["north"]
    with store.lock("north", RUN), pytest.raises(Busy), open_states(bucket).lock("north", {**RUN, "run": "r2"}):
        pytest.fail("two had it")
    assert store.running(["north"]) == {}
