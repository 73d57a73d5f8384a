"""Mode crosswalk: random ids that are based on nothing personal, kept in a file of the district."""

from __future__ import annotations

import stat
import subprocess
import sys
import uuid

import duckdb
import pytest
from oneroster_core.model import FILES, file
from oneroster_core.model.ids import derived_id
from oneroster_core.twin.words import is_referred_to
from singer_sdk.exceptions import ConfigValidationError
from tap_oneroster.twin.command import command

from tests.support.twin import EVERYTHING, by_csv, twin_run, write

ELEMENTS = EVERYTHING


@pytest.fixture
def policy(tmp_path):
    return write(tmp_path, ELEMENTS, mode="crosswalk", more=["crosswalk: walk.duckdb"])


def run(bundle, policy, **more):
    return twin_run(by_csv(bundle("1.2")), policy, key=None, **more)


def ids(run):
    return {f.name: sorted(r["sourcedId"] for r in run.records[f.name]) for f in FILES if run.records.get(f.name)}


def test_ids_are_random_and_the_same_every_night(bundle, policy, tmp_path):
    """What is referred to has a random UUID; another crosswalk has others."""
    first, second = run(bundle, policy), run(bundle, policy)
    assert first.error is None
    assert ids(first) == ids(second)
    assert {stream: first.records[stream] for stream in ids(first)} == {
        stream: second.records[stream] for stream in ids(second)
    }
    for stream, found in ids(first).items():
        versions = {uuid.UUID(one).version for one in found}
        assert versions == ({4} if is_referred_to(stream) or stream == "demographics" else {5}), stream
        assert len(set(found)) == len(found)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = run(bundle, write(elsewhere, ELEMENTS, mode="crosswalk", more=["crosswalk: walk.duckdb"]))
    assert not {one for found in ids(first).values() for one in found} & {
        one for found in ids(other).values() for one in found
    }
    given = [[r["givenName"] for r in each.records["users"]] for each in (first, other)]
    assert given[0] != given[1], "names are chosen by the random id, too"


def test_ids_that_nothing_refers_to_are_made_of_random_ids_and_an_ordinal(bundle, policy):
    """Not of anything in the row."""
    found = run(bundle, policy)
    seen: dict[tuple[str, ...], int] = {}
    for record in found.records["enrollments"]:
        key = (record["classSourcedId"], record["schoolSourcedId"], record["userSourcedId"])
        assert record["sourcedId"] == derived_id(file("enrollments"), key, seen.setdefault(key, 0))
        seen[key] += 1


def test_references_hold(bundle, policy):
    """Nothing dangles."""
    found = run(bundle, policy)
    present = {f.name: {r["sourcedId"] for r in found.records.get(f.name, ())} for f in FILES}
    for of in FILES:
        for field in of.fields:
            if field.refers_to and of.name in found.records:
                for record in found.records[of.name]:
                    value = record.get(field.name) or []
                    assert set(value if isinstance(value, list) else [value]) <= present[field.refers_to], (
                        of.name,
                        field,
                    )


def test_the_file_is_private_and_of_one_consumer(bundle, policy, tmp_path, capsys):
    """Mode 0600; another consumer's policy, or a lost file, is refused before anything is read."""
    run(bundle, policy)
    path = tmp_path / "walk.duckdb"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with duckdb.connect(str(path)) as database:
        assert len(database.execute("SELECT id FROM ids WHERE domain = 'users'").fetchall()) > 100
    assert command(["crosswalk", "check", str(policy)]) == 0
    check = capsys.readouterr().out.split("'")[1]
    other = write(tmp_path, ELEMENTS, mode="crosswalk", consumer="other", name="o.yml", more=["crosswalk: walk.duckdb"])
    with pytest.raises(ConfigValidationError, match="of another consumer"):
        run(bundle, other)
    sure = write(tmp_path, ELEMENTS, mode="crosswalk", more=["crosswalk: walk.duckdb", f"key_check: '{check}'"])
    assert run(bundle, sure).error is None
    path.chmod(0o644)
    with pytest.raises(ConfigValidationError, match="mode 0600"):
        run(bundle, sure)
    assert command(["crosswalk", "purge", str(sure)]) == 0
    assert not path.exists()
    with pytest.raises(ConfigValidationError, match="without it everybody would be somebody new"):
        run(bundle, sure)


def test_an_id_is_written_before_its_row_leaves(bundle, policy, tmp_path, monkeypatch):
    """A run that is killed has given ids to rows; the next run gives them the same."""
    from tap_oneroster.singer.writer import BlockWriter

    class Killed(BaseException):
        pass

    lines = []

    def write_lines(self, data):
        lines.append(bytes(data))
        if sum(b'"stream":"users","record"' in line for line in lines):
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(BlockWriter, "write_lines", write_lines)
        with pytest.raises(Killed):
            run(bundle, policy)
    left = b"".join(lines)
    again = run(bundle, policy)
    assert all(record["sourcedId"].encode() in left for record in again.records["users"])


def test_treatments_by_the_address_are_refused(tmp_path, bundle):
    """A pseudonym of the address would be based on it."""
    path = write(tmp_path, {"users": ["email: hmac"]}, mode="crosswalk", more=["crosswalk: walk.duckdb"])
    with pytest.raises(ConfigValidationError, match=r"policy.yml:7: users.email: must be one of: fake, keep, drop"):
        run(bundle, path)


def test_a_full_disk_is_one_line_without_ids(bundle, policy, caplog):
    """Exit 1; the next run goes on, and rows that have left have the same ids."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limits[1]))
    try:
        full = run(bundle, policy)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert full.error is not None
    assert "crosswalk: cannot be written or read (TransactionException); look whether its disk is full" in full.error
    assert "Traceback" not in caplog.text
    whole = run(bundle, policy)
    assert whole.error is None
    for stream, records in full.records.items():
        if stream != "syncReceipts":
            assert {r["sourcedId"] for r in records} <= {r["sourcedId"] for r in whole.records[stream]}


def test_a_file_that_was_made_by_half_is_no_crosswalk_yet(bundle, policy, tmp_path):
    """A run was killed before the first id; only a policy that has seen another one refuses it."""
    path = tmp_path / "walk.duckdb"
    duckdb.connect(str(path)).close()
    path.chmod(0o600)
    sure = write(
        tmp_path, ELEMENTS, mode="crosswalk", name="s.yml", more=["crosswalk: walk.duckdb", "key_check: '12345678'"]
    )
    with pytest.raises(ConfigValidationError, match="the crosswalk is empty, and key_check is of another crosswalk"):
        run(bundle, sure)
    assert run(bundle, policy).error is None


def test_two_runs_at_once_cannot_share_it(bundle, policy, tmp_path):
    """The second one is told so, in one line."""
    assert run(bundle, policy).error is None
    code = "import duckdb, sys; d = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.read()"
    command_line = [sys.executable, "-c", code, str(tmp_path / "walk.duckdb")]
    with subprocess.Popen(command_line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline()
        with pytest.raises(ConfigValidationError, match="another run of this consumer has it open"):
            run(bundle, policy)
        other.communicate()
    assert run(bundle, policy).error is None
