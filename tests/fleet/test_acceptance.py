"""Real pipes: tap-oneroster and target-oneroster-duckdb under the fleet, and the services' own logs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from oneroster_sample.fleet import SampleFleet

from tests.csv.stores import s3_endpoint

if TYPE_CHECKING:
    from tests.support.fleet import Desk

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="run needs Linux or macOS")]
BIN = Path(sys.executable).parent


def users(path: Path) -> set[tuple[str, str, str, str]]:
    """Tenant, id and name of the users of a warehouse."""
    with duckdb.connect(path, read_only=True) as warehouse:
        return set(
            warehouse.execute('select tenant, "sourcedId", "givenName", "familyName" from oneroster.users').fetchall()
        )


def sample(desk: Desk, fleet: SampleFleet) -> None:
    """Write the sample's fleet file, and set its secrets."""
    fleet.write(desk.folder)
    for name, value in {**fleet.secrets(), "FLEET_STATE": f"file://{desk.folder}/states"}.items():
        desk.set(name, value)


def everything_but(folder: Path, *left_out: str) -> bytes:
    """The bytes of all files, but the warehouses and those named."""
    files = (p for p in folder.rglob("*") if p.is_file() and p.suffix != ".duckdb" and p.name not in left_out)
    return b"".join(path.read_bytes() for path in files)


def test_a_night_of_real_districts(desk: Desk) -> None:
    """A wrong secret is one token request; the others are complete, each with its own rows; no secret is anywhere."""
    with SampleFleet(4, faults={2: "wrong-secret", 4: "down"}) as fleet:
        sample(desk, fleet)
        done = desk.run("--all", "--jobs", "2")
        again = desk.run("--due")
        tokens = [row for row in fleet.log() if row["district"] == "d0002"]
        secrets = fleet.secrets()
    assert done.returncode == 1
    assert [desk.record(f"d000{n}")["exit"] for n in (1, 2, 3, 4)] == [0, 4, 0, 1]
    assert [(row["path"], row["status"]) for row in tokens] == [("/token", 401)], "not even again, when run --due comes"
    assert [line.split()[0] for line in again.stdout.splitlines()] == ["d0004"]
    first, third = users(desk.folder / "d0001.duckdb"), users(desk.folder / "d0003.duckdb")
    assert {row[0] for row in first} == {"d0001"}
    assert {row[0] for row in third} == {"d0003"}
    assert not {row[1:] for row in first} & {row[1:] for row in third}
    assert not any(desk.state("d0002")["completed"]["singer_state"]["bookmarks"].values()), "nothing was read"
    desk("board", "--out", "board")
    desk("dag", "--out", "dags")
    text = everything_but(desk.folder, "fleet.env") + done.stdout.encode() + done.stderr.encode()
    assert not [name for name, value in secrets.items() if name.endswith("SECRET") and value.encode() in text]


def test_exchanged_credentials(desk: Desk) -> None:
    """Two districts' secrets are exchanged: both fail, and nothing of one is in the place of the other."""
    with SampleFleet(2) as fleet:
        sample(desk, fleet)
        theirs = fleet.secrets()
        for setting in ("CLIENT_ID", "CLIENT_SECRET"):
            desk.set(f"FLEET_D0001_{setting}", theirs[f"FLEET_D0002_{setting}"])
            desk.set(f"FLEET_D0002_{setting}", theirs[f"FLEET_D0001_{setting}"])
        assert desk.run("--all", "--jobs", "2").returncode == 1
        assert [desk.record(id_)["exit"] for id_ in ("d0001", "d0002")] == [4, 4]
        for name, value in theirs.items():
            desk.set(name, value)
        # The addresses are exchanged with them: now each loads, and each lands in the place of its own id.
        path = desk.folder / "fleet.yml"
        one, two = (fleet.providers[id_].base_url for id_ in ("d0001", "d0002"))
        text = path.read_text().replace(one, "SWAP").replace(two, one).replace("SWAP", two)
        path.write_text(text)
        for setting in ("CLIENT_ID", "CLIENT_SECRET"):
            desk.set(f"FLEET_D0001_{setting}", theirs[f"FLEET_D0002_{setting}"])
            desk.set(f"FLEET_D0002_{setting}", theirs[f"FLEET_D0001_{setting}"])
        assert desk.run("--all", "--jobs", "2").returncode == 0
    first, second = users(desk.folder / "d0001.duckdb"), users(desk.folder / "d0002.duckdb")
    assert {row[0] for row in first} == {"d0001"}
    assert {row[0] for row in second} == {"d0002"}
    assert not {row[1:] for row in first} & {row[1:] for row in second}


PROJECT = """\
version: 1
default_environment: dev
environments: [{name: dev}]
plugins:
  extractors:
  - {name: tap-oneroster, namespace: tap_oneroster, executable: %s/tap-oneroster, capabilities: [catalog, discover, state],
     settings: [{name: mode}, {name: csv_path}, {name: tenant}, {name: tenant_isolated, kind: boolean}]}
  loaders:
  - {name: target-oneroster-duckdb, namespace: target_oneroster_duckdb, executable: %s/target-oneroster-duckdb, settings: [{name: filepath}]}
"""


def test_meltano_goes_on_where_the_fleet_stopped(desk: Desk) -> None:
    """`meltano el --state-id=north-usd` by hand reads nothing twice, and the fleet goes on after it."""
    command: list[str | Path] = [
        BIN / "oneroster-sample",
        "bundle",
        "north.zip",
        "--schools",
        "1",
        "--students-per-school",
        "20",
        "--no-gradebook",
    ]
    subprocess.run(command, cwd=desk.folder, check=True, capture_output=True)
    desk.file(
        "- {id: north-usd}\n",
        "version: 1\nstate: file://{folder}/states\ndefaults:\n  tap: {{mode: csv, csv_path: north.zip}}\n"
        "  loader: {{name: target-oneroster-duckdb, filepath: north.duckdb}}\ndistricts:\n",
    )
    assert desk.run("north-usd").returncode == 0
    (desk.folder / "meltano.yml").write_text(PROJECT % (BIN, BIN))
    environment = {
        **os.environ,
        "MELTANO_STATE_BACKEND_URI": f"file://{desk.folder}/states",
        "TAP_ONEROSTER_MODE": "csv",
        "TAP_ONEROSTER_CSV_PATH": str(desk.folder / "north.zip"),
        "TAP_ONEROSTER_TENANT": "north-usd",
        "TAP_ONEROSTER_TENANT_ISOLATED": "true",
        "TARGET_ONEROSTER_DUCKDB_FILEPATH": str(desk.folder / "north.duckdb"),
    }
    meltano: list[str | Path] = [
        BIN / "meltano",
        "el",
        "--state-id=north-usd",
        "tap-oneroster",
        "target-oneroster-duckdb",
    ]
    done = subprocess.run(meltano, cwd=desk.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "nothing new" in done.stderr
    assert "Records loaded: 0" in done.stderr or "20 collections: nothing new" in done.stderr
    assert desk.run("north-usd").returncode == 0
    (last,) = [p for p in (desk.folder / "logs/north-usd").iterdir() if desk.record("north-usd")["run"] in p.name]
    assert "collections: nothing new" in last.read_text()


def test_a_lake_on_s3(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two districts over two nights: a folder for each district and table, read as one table by its tenant."""
    pytest.importorskip("s3fs", reason="target-oneroster-csv[s3] is not installed")
    pytest.importorskip("moto.server", reason="moto is not installed")
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test-canary", "AWS_DEFAULT_REGION": "us-east-1"}
    with s3_endpoint() as s3, SampleFleet(2) as fleet:
        sample(desk, fleet)
        for name, value in {**keys, "AWS_ENDPOINT_URL": s3.endpoint}.items():
            desk.set(name, value)
        path = desk.folder / "fleet.yml"
        lake = "parquet_path: 's3://drop/lake/{stream}/tenant={district}/'"
        passed = f"pass_to_loader: [{', '.join([*keys, 'AWS_ENDPOINT_URL'])}]"
        path.write_text(
            path.read_text()
            .replace("filepath: '{district}.duckdb'", f"filepath: '{{district}}.duckdb', {lake}")
            .replace("defaults:\n", f"defaults:\n  {passed}\n")
        )
        for _ in range(2):
            done = desk.run("--all", "--jobs", "2")
            assert done.returncode == 0, done.stdout
        client, here = s3.client(), tmp_path_factory.mktemp("lake")
        names = [found["Key"] for found in client.list_objects_v2(Bucket="drop")["Contents"]]
        for name in names:
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            client.download_file("drop", name, str(here / name))
    assert {name.rpartition("/")[2] for name in names} == {"part-0.parquet"}, "nothing of an upload is left"
    found = duckdb.sql(
        f"""select tenant, "sourcedId", "givenName", "familyName"
        from read_parquet('{here}/lake/users/*/*.parquet', hive_partitioning = true)"""
    ).fetchall()
    assert len(found) == len(set(found))
    assert set(found) == users(desk.folder / "d0001.duckdb") | users(desk.folder / "d0002.duckdb")
    assert b"test-canary" not in everything_but(desk.folder)
