"""Many districts in one process: their services, the fleet file that names them, and the log of all requests."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .district import District
from .faults import WRONG_SECRET, knobs_of
from .provider import Handler, Provider, Server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOG_SECONDS = 0.2


class _Host(Server):
    """An address at which several districts answer, each under a path of its own."""

    providers: dict[str, Provider]


class _HostHandler(Handler):
    server: _Host

    def provider(self) -> tuple[Provider, str]:
        _, id_, rest = self.path.split("/", 2) if self.path.count("/") > 1 else ("", self.path.strip("/"), "")
        its = self.server.providers.get(id_)
        # A path of no district is answered by any of them, with 404.
        return (its, f"/{rest}") if its else (next(iter(self.server.providers.values())), "/")


class SampleFleet:
    """Services of many districts; use it as a context manager.

    Args:
        districts: Their number; ids are d0001 and so on, and each has a seed, a client and a secret of its own.
        hosts: Number of addresses (by default one for each district).
        vendors: Number of vendors, which districts have in turn.
        students_per_school: Size of the districts.
        latency_seconds: Delay of each response.
        faults: Kind of fault by the number of the district, from 1 on.
    """

    def __init__(
        self,
        districts: int,
        *,
        hosts: int | None = None,
        vendors: int = 1,
        students_per_school: int = 20,
        latency_seconds: float = 0.0,
        faults: Mapping[int, str] | None = None,
    ) -> None:
        self.faults = dict(faults or {})
        self.vendors = vendors
        self.providers: dict[str, Provider] = {}
        """The service of each district, by its id."""
        self._hosts = [_Host(("127.0.0.1", 0), None, _HostHandler) for _ in range(min(hosts or districts, districts))]
        for host in self._hosts:
            host.providers = {}
        for number in range(1, districts + 1):
            id_, host, kind = f"d{number:04}", self._hosts[(number - 1) % len(self._hosts)], self.faults.get(number)
            district = District(seed=number, schools=1, students_per_school=students_per_school, gradebook=False)
            self.providers[id_] = host.providers[id_] = Provider(
                district,
                knobs=knobs_of(kind, latency_seconds),
                scopes=["roster-demographics.readonly"] if kind == "forbidden" else None,
                client_id=f"client-{id_}",
                client_secret=f"secret-of-{id_}",
                at=f"http://127.0.0.1:{host.server_port}/{id_}",
            )
        # Each host asks twice a second whether it is to end: a thousand of them would otherwise keep a core busy.
        self._threads = [
            Thread(target=host.serve_forever, kwargs={"poll_interval": 0.5}, daemon=True) for host in self._hosts
        ]

    def __enter__(self) -> SampleFleet:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        closing = [Thread(target=host.shutdown) for host in self._hosts]
        for each in closing:
            each.start()
        for each in closing:
            each.join()
        for host in self._hosts:
            host.server_close()

    def secrets(self) -> dict[str, str]:
        """Return the variables that the fleet file refers to; with a fault, a secret is another."""
        found = {}
        for number, (id_, its) in enumerate(self.providers.items(), 1):
            wrong = "-wrong" if self.faults.get(number) == WRONG_SECRET else ""
            found[f"FLEET_{id_.upper()}_CLIENT_ID"] = its.client_id
            found[f"FLEET_{id_.upper()}_CLIENT_SECRET"] = its.client_secret + wrong
        return found

    def fleet_file(self, *, concurrent: int = 4, per_host: int | None = None) -> str:
        """Return a fleet file: a DuckDB file for each district, states where FLEET_STATE says."""
        addresses = [its.base_url for its in self.providers.values()]
        return fleet_text(addresses, vendors=self.vendors, concurrent=concurrent, per_host=per_host)

    @staticmethod
    def text_of(districts: int) -> str:
        """Return a fleet file of so many districts at addresses where nobody answers."""
        return fleet_text([f"http://127.0.0.1:9/d{n:04}" for n in range(1, districts + 1)])

    def write(self, folder: str | Path, *, concurrent: int = 4, per_host: int | None = None) -> Path:
        """Write fleet.yml and fleet.env (mode 0600) into a folder; return the path of the log."""
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        (place / "fleet.yml").write_text(self.fleet_file(concurrent=concurrent, per_host=per_host), encoding="utf-8")
        variables = {"FLEET_STATE": f"file://{place.resolve()}/states", **self.secrets()}
        descriptor = os.open(place / "fleet.env", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{name}='{value}'\n" for name, value in variables.items())
        return place / "requests.jsonl"

    def log(self) -> list[dict[str, object]]:
        """Return all requests so far, in the order of their beginning."""
        rows: list[dict[str, object]] = []
        for id_, its in self.providers.items():
            host = urlsplit(its.base_url).netloc
            rows += [
                {"district": id_, "host": host, "method": r.method, "path": r.path, "status": r.status, "began": r.began, "ended": r.ended}
                for r in list(its.requests)
            ]  # fmt: skip
        return sorted(rows, key=lambda row: row["began"])  # type: ignore[arg-type,return-value]

    def serve(self, log: Path) -> None:
        """Serve until interrupted, and append each request to a log, a JSON object on each line."""
        told = dict.fromkeys(self.providers, 0)
        with log.open("a", encoding="utf-8") as file:
            while True:
                for id_, its in self.providers.items():
                    host = urlsplit(its.base_url).netloc
                    for r in its.requests[told[id_] :]:
                        row = {"district": id_, "host": host, "method": r.method, "path": r.path, "status": r.status}
                        file.write(json.dumps(row | {"began": r.began, "ended": r.ended}) + "\n")
                        told[id_] += 1
                file.flush()
                time.sleep(LOG_SECONDS)


def fleet_text(addresses: Sequence[str], *, vendors: int = 1, concurrent: int = 4, per_host: int | None = None) -> str:
    """Return a fleet file of districts at these addresses."""
    limit = f", per_host: {per_host}" if per_host else ""
    lines = ["version: 1", "state: env:FLEET_STATE", "defaults:", "  time_zone: America/Chicago"]
    lines.append("  loader: {name: target-oneroster-duckdb, filepath: '{district}.duckdb'}")
    lines += ["providers:", *(f"  vendor-{n}: {{concurrent: {concurrent}{limit}}}" for n in range(1, vendors + 1))]
    lines.append("districts:")
    for number, address in enumerate(addresses):
        lines += [
            f"- id: d{number + 1:04}",
            f"  name: District {number + 1}",
            f"  provider: vendor-{number % vendors + 1}",
            f"  tap: {{base_url: '{address}', token_url: '{address}/token'}}",
            "  secrets: {client_id: env, client_secret: env}",
        ]
    return "\n".join(lines) + "\n"
