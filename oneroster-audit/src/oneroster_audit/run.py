"""`run`, `approve` and what they share: from the policy to the store, the page and the alerts."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from . import __version__
from .audit import Audit, as_rows, audit_load
from .errors import Unknown, Wrong
from .night import Before
from .report.contents import contents
from .restricted import forget, keep, restricted_path
from .store import Store
from .verdicts import cell_verdicts, exit_code, judge
from .warehouse import Warehouse
from .words import ALL, Cell, Finding, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .policy import Policy


class Outcome:
    """What a run ended with."""

    def __init__(self, load: int, verdict: Verdict, *, is_planned: bool, is_new: bool) -> None:
        self.load, self.verdict, self.is_new, self.is_planned = load, verdict, is_new, is_planned

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        return exit_code(self.verdict, is_planned=self.is_planned)


def open_warehouse(policy: Policy) -> Warehouse:
    """Open the policy's warehouse."""
    return Warehouse(policy.path(policy.warehouse), policy.schema, policy.tenant)


def open_store(policy: Policy, *, read_only: bool = False) -> Store:
    """Open the policy's store."""
    return Store(policy.path(policy.store), policy.tenant, read_only=read_only)


def newest_load(store: Store) -> int:
    """Return the number of the newest load that was audited; raise Wrong if there is none."""
    last = store.newest()
    if last is None:
        raise Wrong("no load was audited yet: oneroster-audit run")
    return int(last["load"])


def run(policy: Policy, now: datetime | None = None) -> Outcome:
    """Audit the newest load. Without a new one, return the last verdict and write nothing."""
    with open_warehouse(policy) as warehouse:
        loads = warehouse.loads()
        if not loads:
            raise Unknown("the warehouse has no load yet.")
        newest = loads[max(loads)]
        with open_store(policy) as store:
            last = store.newest()
            if last and newest.number < last["load"]:
                raise Unknown(
                    f"the newest load is {newest.number}, older than load {last['load']}, which was audited. Was the "
                    "warehouse put back from a copy? Then move the store away, too."
                )
            if last and newest.number == last["load"]:
                age = (now or datetime.now(UTC)) - newest.loaded_at
                if age > timedelta(hours=policy.max_age_hours):
                    raise Unknown(
                        f"no new load since {newest.loaded_at:%Y-%m-%d %H:%M} UTC. Nothing newer is released."
                    )
                return Outcome(last["load"], Verdict(last["verdict"]), is_planned=bool(last["planned"]), is_new=False)
            before = _before(store, last)
        audit = audit_load(warehouse, policy, loads, newest.number, before)
        place = restricted_path(policy.path(policy.store))
        keep(warehouse, place, policy.tenant, newest.number, audit.baselines)
    with open_store(policy) as store:
        _write(store, audit, policy)
    write_report(policy, newest.number)
    judged = audit.judgement
    return Outcome(newest.number, judged.verdict, is_planned=judged.is_planned, is_new=True)


def _before(store: Store, last: dict[str, Any] | None) -> Before:
    good = store.rows("loads", "verdict IN ('passed', 'noted')", "load DESC LIMIT 1")
    approved: dict[str, int] = {}
    for row in store.rows("approvals"):
        approved[row["school_id"]] = max(approved.get(row["school_id"], 0), row["load"])
    firsts: dict[str, int] = {}
    if last:
        firsts = {f["id"]: f["first_load"] for f in store.rows("findings", "load = $load", load=last["load"])}
    return Before(store.released(), good[0]["load"] if good else None, approved, firsts)


def _write(store: Store, audit: Audit, policy: Policy) -> None:
    """Write a load, all or nothing."""
    load, judged = audit.load, audit.judgement
    limits = {
        school: f"{own.lost_percent:g} % until {own.until}: {own.reason}"
        for school, own in policy.limits.schools.items()
    }
    with store.transaction():
        store.add(
            "loads",
            [
                audit.facts
                | {
                    "load": load.number,
                    "loaded_at": load.loaded_at,
                    "whole": load.whole,
                    "baseline": audit.baseline,
                    "verdict": str(judged.verdict),
                    "planned": judged.is_planned,
                    "audited_at": datetime.now(UTC),
                    "policy_digest": policy.digest,
                    "versions": f"oneroster-audit {__version__}",
                    "district": policy.district,
                    "limits": "; ".join(
                        [f"{policy.limits.lost_percent:g} %", *(f"{s}: {t}" for s, t in limits.items())]
                    ),
                }
            ],
        )
        for table, rows in as_rows(audit):
            store.add(table, rows)
        if judged.verdict != Verdict.UNKNOWN:
            store.release([s for s in audit.schools if s not in judged.held], load.number)


def write_report(policy: Policy, number: int) -> None:
    """Write page and JSON of a load, each beside its place first and then renamed."""
    if not (policy.report.path or policy.report.json):
        return
    with open_store(policy, read_only=True) as store:
        found = contents(store, number, policy.report.nights)
    if policy.report.path:
        from .report.page import page

        _replace(policy.path(policy.report.path), page(found, policy))
    if policy.report.json:
        _replace(policy.path(policy.report.json), json.dumps(found.as_json(), ensure_ascii=False, indent=1) + "\n")


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(path)
    except OSError as error:
        raise Unknown(f"{path} cannot be written ({error.strerror}).") from None
    finally:
        partial.unlink(missing_ok=True)


def approve(policy: Policy, number: int, schools: Sequence[str], by: str, reason: str) -> Outcome:
    """Approve held schools of a load, or all of them; raise Wrong if that is not possible. They are released then."""
    with open_store(policy) as store:
        load, newest = store.load(number), newest_load(store)
        known = store.rows("schools", "load = $load", "school_id", load=number)
        held = [s["school_id"] for s in known if s["held"]]
        for school in schools:
            if school not in {s["school_id"] for s in known}:
                raise Wrong(f"load {number} has no school {school}")
            if school not in held:
                raise Wrong(f"school {school} is not held in load {number}")
        if load["verdict"] != Verdict.HELD:
            raise Wrong(f"load {number} is not held, it is {load['verdict']}")
        chosen = list(schools) or held
        approvals = [(ALL if set(chosen) == set(held) else s) for s in chosen] or [ALL]
        now = datetime.now(UTC)
        with store.transaction():
            store.add(
                "approvals",
                [
                    {"load": number, "school_id": school, "approved_by": by, "reason": reason, "approved_at": now}
                    for school in dict.fromkeys([*chosen, *(a for a in approvals if a == ALL)])
                ],
            )
            outcome = _judge_again(store, number, {s["school_id"]: s["name"] for s in known}, by)
            # A newer load that was released already is never put back.
            store.release([s for s in chosen if store.released().get(s, 0) < number], number)
    write_report(policy, newest)
    return outcome


def _judge_again(store: Store, number: int, schools: dict[str, str], by: str) -> Outcome:
    """Write the verdicts of a load anew, after an approval."""
    rows = store.rows("findings", "load = $load", "rowid", load=number)
    approved = {a["school_id"]: a["approved_by"] for a in store.rows("approvals", "load = $load", load=number)}
    findings = [
        Finding(
            r["check_id"], Severity[r["severity"].upper()], Cell(r["file"], r["school_id"], r["role"], r["term_id"]),
            r["column_name"], root=r["root"] or "", planned=bool(r["planned"]),
        )
        for r in rows
    ]  # fmt: skip
    judged = judge(findings, set(schools), approved)
    for row in rows:
        if row["severity"] == "hold" and (ALL in approved or row["school_id"] in approved) and not row["approved_by"]:
            row["approved_by"] = by
    verdicts = cell_verdicts(findings, approved)
    counts = store.rows("counts", "load = $load", "rowid", load=number)
    for count in counts:
        cell = Cell(count["file"], count["school_id"], count["role"], count["term_id"])
        count["verdict"] = str(verdicts.get(cell, Verdict.PASSED))
    load = store.load(number) | {"verdict": str(judged.verdict), "planned": judged.is_planned}
    tables = {
        "findings": rows,
        "counts": counts,
        "loads": [load],
        "schools": [{"load": number, "school_id": s, "name": n, "held": s in judged.held} for s, n in schools.items()],
    }
    for table, new in tables.items():
        store.delete(table, "load = $load", load=number)
        store.add(table, new)
    return Outcome(number, judged.verdict, is_planned=judged.is_planned, is_new=False)


def purge(store: Store, policy: Policy, before: date) -> tuple[int, int]:
    """Remove the details of loads before a day; those that are somebody's baseline, and the newest, stay.

    What holds ids of persons is removed of all of them. Return of how many loads details, and ids, were removed.
    """
    newest = newest_load(store)
    kept = {*store.released().values(), newest}
    older = [
        row["load"]
        for row in store.rows("loads", order="load")
        if row["loaded_at"].astimezone(policy.zone).date() < before
    ]
    loads = [load for load in older if load not in kept]
    there = {row["load"] for row in store.rows("arrivals")}
    with store.transaction():
        for table in (
            "counts",
            "columns",
            "findings",
            "reasons",
            "arrivals",
            "new_ids",
            "schedule_counts",
            "rollover",
            "consumers",
            "consumer_rules",
        ):
            store.delete(table, "list_contains($loads, load)", loads=loads)
    return len(there & set(loads)), forget(policy.path(policy.store), policy.tenant, older)
