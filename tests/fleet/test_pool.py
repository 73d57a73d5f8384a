"""Several districts at a time: limits of a vendor and of its machine, from the log of the services themselves."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

import pytest
from oneroster_sample.fleet import SampleFleet

from tests.support.fleet import most_at_once

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fleet import Desk

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="run needs Linux or macOS")
ASKS = """\
url=${TAP_FAKE_BASE_URL#http://}; host=${url%%/*}; path=/${url#*/}
for n in 1 2 3; do
  exec 3<>"/dev/tcp/${host%:*}/${host#*:}"; printf 'GET %s/x HTTP/1.0\\r\\n\\r\\n' "$path" >&3; cat <&3 >/dev/null; exec 3>&-
done
echo '{"bookmarks":{}}'
"""

WAITS_FOR_ALL = """\
mkdir -p started; : > "started/$$"
for n in {1..1200}; do [ "$(ls started | wc -l)" -ge 3 ] && break; read -rt 0.1 <> <(:); done
[ "$(ls started | wc -l)" -ge 3 ] || exit 1
echo '{"bookmarks":{}}'
"""


def vendor_fleet(desk: Desk, fleet: SampleFleet, **limits: int) -> None:
    """The sample's fleet file, with a tap that asks three times."""
    fleet.write(desk.folder, **limits)
    tap = desk.folder / "bin/tap-fake"
    tap.write_text(re.sub(r"\[ -n \"\$TAP_FAKE_DUMP.*", lambda _: ASKS, tap.read_text(), flags=re.DOTALL))
    path = desk.folder / "fleet.yml"
    text = path.read_text().replace("name: target-oneroster-duckdb", "name: target-fake")
    path.write_text(text.replace("tap: {", "tap: {name: tap-fake, "))
    for name, value in {**fleet.secrets(), "FLEET_STATE": f"file://{desk.folder}/states"}.items():
        desk.set(name, value)


@pytest.mark.parametrize("processes", [1, 3])
def test_limits_hold(desk: Desk, processes: int) -> None:
    """60 districts of two vendors on six machines, 12 jobs; also if several processes share them."""
    with SampleFleet(60, hosts=6, vendors=2, latency_seconds=0.02) as fleet:
        vendor_fleet(desk, fleet, concurrent=4, per_host=2)
        if processes == 1:
            assert desk.run("--all", "--jobs", "12").returncode == 0
        else:
            ids = list(fleet.providers)
            started = [desk.start(*ids[n::processes], "--jobs", "6") for n in range(processes)]
            assert [process.wait() for process in started] == [0] * processes
        rows = fleet.log()
    assert len({row["district"] for row in rows}) == 60
    assert most_at_once(rows, lambda row: row["host"]) <= 2
    if processes == 1:  # `concurrent` is kept by one process, and by Airflow's pools
        assert most_at_once(rows, lambda row: (int(row["district"][1:]) - 1) % 2) <= 4


def test_districts_run_side_by_side(desk: Desk) -> None:
    """Three taps end only when all three have started: one after the other, none of them would."""
    desk.file("- {id: a1}\n- {id: a2}\n- {id: a3}\n")
    tap = desk.folder / "bin/tap-fake"
    tap.write_text(re.sub(r"\[ -n \"\$TAP_FAKE_DUMP.*", lambda _: WAITS_FOR_ALL, tap.read_text(), flags=re.DOTALL))
    ran = desk.run("--all", "--jobs", "3")
    assert ran.returncode == 0, ran.stdout


def test_a_slow_vendor_does_not_stop_the_others(desk: Desk) -> None:
    """Those whose vendor is busy wait; the next ones in order whose vendor is free go first."""
    desk.file(
        "- {id: s1, provider: slow, tap: {sleep: '4'}}\n- {id: s2, provider: slow}\n- {id: f1, provider: aeries}\n- {id: f2}\n"
    )
    path = desk.folder / "fleet.yml"
    path.write_text(path.read_text().replace("providers:\n", "providers:\n  slow: {concurrent: 1}\n"))
    order = [line.split()[0] for line in desk.run("--all", "--jobs", "2").stdout.splitlines()]
    assert order == ["f1", "f2", "s1", "s2"]


def test_a_sample_fleet_of_many_districts(tmp_path: Path) -> None:
    """Each has its own address, client and secret; faults are where they were asked for; the log says all."""
    with SampleFleet(200, hosts=5, faults={2: "wrong-secret"}) as fleet:
        log = fleet.write(tmp_path)
        text = (tmp_path / "fleet.yml").read_text()
        assert len(set(re.findall(r"base_url: '(.*?)'", text))) == 200
        assert "secret-of" not in text
        secrets = fleet.secrets()
        assert len(set(secrets.values())) == 400
        assert secrets["FLEET_D0002_CLIENT_SECRET"] != fleet.providers["d0002"].client_secret
        assert (tmp_path / "fleet.env").stat().st_mode & 0o777 == 0o600
        import urllib.request

        its = fleet.providers["d0003"]
        form = f"grant_type=client_credentials&client_id={its.client_id}&client_secret={its.client_secret}".encode()
        with urllib.request.urlopen(its.token_url, form) as answer:
            assert json.loads(answer.read())["access_token"]
        (row,) = fleet.log()
        assert (row["district"], row["path"], row["status"]) == ("d0003", "/token", 200)
        assert log.name == "requests.jsonl"
