"""Real processes, killed, cut off and locked out: whole streams or nothing, no state, nothing left behind."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from target_oneroster.errors import TargetError
from target_oneroster.warehouse import warehouse_file

from tests.target.mini import encode, lines, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import House

STATE = {"bookmarks": {"orgs": {"x": 2}}}


@pytest.fixture
def start(house: House, tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts the target as a process whose input stays open; the warehouse holds a district already."""
    house.run(lines(rows()))
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"filepath": str(house.path)}))

    def make(**options: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "target_oneroster.warehouse", "--config", str(config)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, **pipes, **options)  # type: ignore[call-overload, no-any-return]

    return make


def changed(size: int = 0) -> bytes:
    """A run that changes every course and user, and adds `size` users."""
    district = rows()
    for name in ("courses", "users"):
        for row in district[name]:
            row["metadata"] = {"changed": True}
    one = district["users"][0]
    district["users"] += [dict(one, sourcedId=f"more-{n}", familyName=f"{n}-" * 20) for n in range(size)]
    return encode(lines(district, receipts=True, state=STATE))


def is_whole(house: House, size: int) -> None:
    """Each table is as it was before or as it is after, and the file is a good one."""
    with duckdb.connect(str(house.path)) as database:  # writing: a log that a kill left behind is replayed
        for name, more in (("courses", 0), ("users", size)):
            count, new = database.execute(
                f"SELECT count(*), count(*) FILTER (metadata.changed IS NOT NULL) FROM oneroster.{name}"
            ).fetchall()[0]
            before = len(rows()[name])
            assert (count, new) in {(before, 0), (before + more, before + more)}, name


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_at_once(house: House, start: Callable[..., Any], number: int, code: int) -> None:
    """No drain, no rows, no state, nothing left behind, and the exit code that says why."""
    process = start()
    process.stdin.write(changed())
    process.stdin.flush()
    wait_for(house)
    process.send_signal(number)
    out, _ = process.communicate()
    assert (process.returncode, out) == (code, b"")
    assert house.rows("courses", "metadata IS NOT NULL") == {}
    assert house.strays() == []


def wait_for(house: House) -> None:
    """Until the process has begun to stage."""
    while not any((path / "staged").exists() for path in house.path.parent.glob(".*")):
        time.sleep(0.05)


def log_of(house: House) -> Path:
    """The log that DuckDB writes before a commit is in the file."""
    return house.path.with_name(house.path.name + ".wal")


MOMENTS: dict[str, tuple[float, Callable[[House, int], bool]]] = {
    "a tenth is read": (0.1, lambda house, size: True),
    "half is read": (0.5, lambda house, size: True),
    "all but the end is read": (0.95, lambda house, size: True),
    "all is read": (1, lambda house, size: True),
    "the log of a commit is begun": (1, lambda house, size: log_of(house).exists()),
    "the file grows": (1, lambda house, size: house.path.stat().st_size > size),
    "the file has grown by half a megabyte": (1, lambda house, size: house.path.stat().st_size > size + 2**19),
    "it has ended": (1, lambda house, size: False),
}
"""When to kill: how much of the input the process has taken, and what is to be seen of it then."""


@pytest.mark.slow
def test_killed_at_any_time_it_holds_whole_streams(house: House, start: Callable[..., Any]) -> None:
    """SIGKILL while it reads, stages, commits; the next run clears up and brings all of it."""
    size = 20_000
    data = changed(size)
    for moment, (share, seen) in MOMENTS.items():
        house.path.unlink(missing_ok=True)
        log_of(house).unlink(missing_ok=True)
        house.run(lines(rows()))
        before = house.path.stat().st_size
        process = start()
        process.stdin.write(data[: int(len(data) * share)])  # returns when all but a pipe's 64 KB was taken
        process.stdin.flush()
        if share == 1:
            process.stdin.close()
        while process.poll() is None and not seen(house, before):
            time.sleep(0.001)
        process.kill()
        out = process.stdout.read()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()
        is_whole(house, size)
        if moment == "it has ended":
            assert out
        if out:
            assert json.loads(out) == STATE
            assert house.rows("courses", "metadata IS NULL") == {}
    assert house.run(data) == [STATE]
    assert len(house.rows("users")) == len(rows()["users"]) + size
    assert house.strays() == []


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (b'{"type":"RECORD","stream":"users","rec', b"is not a JSON object"),
        (b'["Zweistein"]\n', b"is not a JSON object"),
        (b'{"type":"RECORD","stream":"buses","record":{"id":"Zweistein"}}\n', b"before the SCHEMA message"),
        (b'{"type":"RECORD","stream":"users"}\n', b"lacks record"),
    ],
    ids=["cut off", "not an object", "before its schema", "no record"],
)
def test_broken_input_loads_nothing(house: House, start: Callable[..., Any], tail: bytes, words: bytes) -> None:
    """Non-zero, one line without traceback or value, no state, every table as it was."""
    process = start()
    out, err = process.communicate(
        changed() + tail,
    )
    assert (process.returncode, out) == (1, b"")
    assert words in err
    assert b"Nothing was loaded." in err
    assert b"Traceback" not in err
    assert b"Zweistein" not in err
    assert house.rows("courses", "metadata IS NOT NULL") == {}
    assert house.strays() == []


def test_a_broken_line_among_quick_ones_loads_nothing(house: House, start: Callable[..., Any]) -> None:
    """Blocks are not parsed on their way to the disk; what is wrong in one is found all the same."""
    data = changed(3000).replace(b'"familyName":"1500-', b'"familyName:"Zweistein-', 1)
    process = start()
    out, err = process.communicate(data)
    assert (process.returncode, out) == (1, b"")
    assert b"Error: A line of stream users is not a record message. Nothing was loaded." in err
    assert b"Zweistein" not in err
    assert house.rows("courses", "metadata IS NOT NULL") == {}


@pytest.mark.parametrize("limit", [200_000, 1_500_000], ids=["while staging", "while loading"])
def test_a_full_disk_is_one_line(house: House, start: Callable[..., Any], limit: int) -> None:
    """What cannot be written is said in one line; the file opens, and holds whole streams."""

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = start(preexec_fn=small)
    out, err = process.communicate(
        changed(20_000),
    )
    assert (process.returncode, out) == (1, b"")
    assert b"Traceback" not in err
    assert err.decode().splitlines()[-1].startswith("Error: ")
    is_whole(house, 20_000)
    assert [name for name in house.strays() if not name.endswith(".wal")] == []


def test_a_file_that_another_process_holds_is_named(
    house: House, monkeypatch: pytest.MonkeyPatch, start: Callable[..., Any]
) -> None:
    """DuckDB lets one process write; a reader that keeps the file open holds it as well."""
    monkeypatch.setattr("target_oneroster._core.sql.PATIENCE_SECONDS", 0.1)
    reader = subprocess.Popen(
        [sys.executable, "-c", f"import duckdb; c = duckdb.connect({str(house.path)!r}); print(); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    reader.stdout.readline()
    try:
        with pytest.raises(Exception, match="is in use: another process has it open") as caught:
            house.run(changed())
        assert "\n" not in str(caught.value)
    finally:
        reader.communicate(b"\n")
    assert house.state == []
    assert house.run(changed()) == [STATE]


def test_readers_are_locked_out_only_while_rows_are_committed(house: House, start: Callable[..., Any]) -> None:
    """A tap may take an hour; the file is free while it does."""
    process = start()
    process.stdin.write(changed())
    process.stdin.flush()
    wait_for(house)
    assert len(house.rows("courses")) == len(rows()["courses"])
    out, _ = process.communicate()
    assert json.loads(out) == STATE


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"sourcedId,name\r\n" * 2000, "is not a DuckDB database"),
        ("damaged", "is damaged"),
        (None, "filepath is a folder"),
    ],
    ids=["a CSV file", "damaged", "a folder"],
)
def test_a_file_that_is_no_warehouse_is_refused_at_the_start(house: House, content: Any, words: str) -> None:
    """Before the tap has worked for nothing; the file is left as it is."""
    if content is None:
        house.path.mkdir()
    elif content == "damaged":
        duckdb.connect(str(house.path)).close()
        whole = bytearray(house.path.read_bytes())
        whole[30:40] = b"Zweistein!"
        house.path.write_bytes(whole)
    else:
        house.path.write_bytes(content)
    before = house.path.read_bytes() if content else None
    with pytest.raises(TargetError, match=words) as failure:
        house.run(changed())
    assert failure.value.exit_code == (1 if content == "damaged" else 4)
    assert house.state == []
    if content:
        assert house.path.read_bytes() == before
    assert house.strays() == []


def test_a_file_of_a_newer_duckdb_is_named(tmp_path: Path) -> None:
    """By the words of DuckDB, since no newer one is at hand to make such a file."""
    words = "IO Error: Trying to read a database file with version number 99, but we can only read versions between 1 and 68."
    assert "was made by a newer DuckDB than" in warehouse_file._fault(words, tmp_path / "block" / "x").message


def test_two_runs_at_a_time_both_arrive(house: House, start: Callable[..., Any]) -> None:
    """Each stages on its own; the second waits until the first has committed."""
    processes = [start(), start()]
    for process in processes:
        process.stdin.write(changed())
        process.stdin.close()
    for process in processes:
        assert json.loads(process.stdout.read()) == STATE
        assert process.wait() == 0
        process.stdout.close()
        process.stderr.close()
    assert len(house.rows("users")) == len(rows()["users"])
    assert house.strays() == []


def test_a_warehouse_that_vanishes_while_it_runs_is_not_begun_anew(house: House, start: Callable[..., Any]) -> None:
    """What came may be only what changed: a new file of that would look like all there is."""
    process = start()
    process.stdin.write(changed())
    process.stdin.flush()
    while len(list(house.path.parent.iterdir())) < 2:  # the run's own folder: it has begun
        time.sleep(0.05)
    house.path.unlink()
    out, err = process.communicate()
    assert (process.returncode, out) == (1, b"")
    assert b"was there when the run began, and is gone. Nothing was loaded." in err
    assert b"Traceback" not in err
    assert list(house.path.parent.iterdir()) == []


def test_a_row_without_key_is_named_in_a_new_warehouse(house: House) -> None:
    """Its tables have their keys from the start; the words are those of any other run."""
    district = rows()
    district["users"][-1]["sourcedId"] = None
    with pytest.raises(Exception, match="Stream users: a record lacks a key property"):
        house.run(lines(district, receipts=True, state=STATE))
    assert house.state == []
    assert list(house.path.parent.iterdir()) == []
