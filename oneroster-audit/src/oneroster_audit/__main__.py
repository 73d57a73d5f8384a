"""The command `oneroster-audit`, also as `python -m oneroster_audit`: commands and exit codes, nothing else."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from ._core.process import start
from .errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .policy import Policy

EXIT_CODES = {
    0: ("Passed, noted, first night, or held as the calendar planned.", "Nothing."),
    1: (
        "Unknown: no new load, an incomplete one, no history, a busy file, or a check that failed.",
        "Load again. Nothing newer is released.",
    ),
    2: ("Wrong use, or a fault in the policy.", "Correct the file and line that it names."),
    3: ("Held: at least one school.", "Open the page. If the loss is right, approve."),
    130: ("Stopped by SIGINT.", "Run it again."),
    143: ("Stopped by SIGTERM.", "Run it again."),
}
"""Each exit code with its meaning and what to do. The documentation is derived from it."""


def main() -> None:
    """Run the command; a signal ends it with its code, and nothing is half written."""
    start(command)


def command(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.do(options)
    except AuditError as error:
        print(f"oneroster-audit: {error}", file=sys.stderr)
        return error.exit_code
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="oneroster-audit",
        description="Compares the nightly loads of a OneRoster warehouse, and says whether tonight's can be published.",
        epilog="Exit codes: " + " ".join(f"{code}: {meaning}" for code, (meaning, _) in EXIT_CODES.items()),
    )
    parser.add_argument("--version", action="version", version=f"oneroster-audit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, do: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        policy = Path(os.environ.get("ONEROSTER_AUDIT_POLICY") or "policy.yml")
        sub.add_argument("--policy", type=Path, default=policy, help="the policy (default: policy.yml)")
        sub.set_defaults(do=do)
        return sub

    sub = add("run", _run, "audit the newest load: checks, store, page, alerts")
    sub.add_argument("--alert-must", action="store_true", help="exit 1 where an alert could not be sent")
    sub = add("show", _show, "show the findings of a load (default: the newest that was audited)")
    sub.add_argument("load", nargs="?", type=int)
    sub.add_argument("--json", action="store_true", help="as JSON")
    sub = add("approve", _approve, "approve what is held in a load; it is released then")
    sub.add_argument("load", type=int)
    sub.add_argument("--by", required=True, type=_text, metavar="NAME", help="who approves")
    sub.add_argument("--reason", required=True, type=_text, metavar="TEXT", help="why")
    sub.add_argument("--school", action="append", default=[], metavar="ID", help="only this school; repeatable")
    sub = add("init", _init, "write policy.yml from what the warehouse holds; never overwrites one")
    sub.add_argument("--warehouse", default="warehouse.duckdb", help="the DuckDB file (default: warehouse.duckdb)")
    sub.add_argument("--schema", default="oneroster")
    sub.add_argument("--tenant", default="")
    for name, do, text in (
        ("diff", _diff, "compare two loads, files or bundles"),
        ("reconcile", _reconcile, "compare two sources of one night, as REST and CSV; exit 3 above one percent"),
    ):
        sub = add(name, do, text)
        sub.add_argument("a", metavar="A", help="a load's number, FILE[:SCHEMA], or a bundle")
        sub.add_argument("b", metavar="B")
        sub.add_argument("--json", action="store_true", help="as JSON")
    sub = add("rows", _rows, "write the ids of the rows behind a finding to a file of mode 0600")
    sub.add_argument("finding")
    sub.add_argument("--out", type=Path, required=True, metavar="FILE")
    sub.add_argument("--names", action="store_true", help="with the names of persons")
    sub = add(
        "crosswalk", _crosswalk, "write who and what came back under other ids to a CSV file of mode 0600: a proposal"
    )
    sub.add_argument("load", type=int)
    sub.add_argument("--out", type=Path, required=True, metavar="FILE")
    sub = add("purge", _purge, "remove the details of old loads from the store")
    sub.add_argument("--before", required=True, type=date.fromisoformat, metavar="DATE", help="loads before this day")
    return parser


def _text(value: str) -> str:
    if not value.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return value.strip()


def _policy(options: argparse.Namespace, *, alerts: bool = False) -> Policy:
    from .policy import read_policy

    return read_policy(options.policy, alerts=alerts)


def _run(options: argparse.Namespace) -> int:
    from .alert import send_alerts
    from .report.contents import contents
    from .run import open_store, run

    policy = _policy(options, alerts=True)
    outcome = run(policy)
    fine = True
    if outcome.is_new and policy.alert:
        with open_store(policy) as store:
            fine = send_alerts(store, contents(store, outcome.load, policy.report.nights), policy, os.environ)
    _print_text(policy, outcome.load)
    return outcome.exit_code if fine or not options.alert_must else 1


def _show(options: argparse.Namespace) -> int:
    from .report.contents import contents
    from .run import newest_load, open_store

    policy = _policy(options)
    if not options.json:
        _print_text(policy, options.load)
        return 0
    with open_store(policy, read_only=True) as store:
        found = contents(store, options.load or newest_load(store), policy.report.nights)
    print(json.dumps(found.as_json(), ensure_ascii=False, indent=1))
    return 0


def _print_text(policy: Policy, load: int | None) -> None:
    from .report.contents import contents
    from .report.text import text
    from .run import newest_load, open_store

    with open_store(policy, read_only=True) as store:
        found = contents(store, load or newest_load(store), policy.report.nights)
    print(text(found, policy.zone), end="")


def _approve(options: argparse.Namespace) -> int:
    from .run import approve

    policy = _policy(options)
    outcome = approve(policy, options.load, options.school, options.by, options.reason)
    print(f"load {outcome.load} is {outcome.verdict} now")
    return 0


def _init(options: argparse.Namespace) -> int:
    from .init import write_policy

    write_policy(options.policy, options.warehouse, options.schema, options.tenant)
    print(f"{options.policy} is written. Read it, then: oneroster-audit run")
    return 0


def _diff(options: argparse.Namespace) -> int:
    from .compare import differences
    from .report.text import file_table
    from .sides import opened

    with opened((options.a, options.b), lambda: _policy(options)) as (a, b):
        found = differences(a, b)
    if options.json:
        print(json.dumps({"files": found}, indent=1))
        return 0
    print("\n".join(file_table(found)))
    return 0


def _reconcile(options: argparse.Namespace) -> int:
    from .pair import Pair
    from .reconcile import reconcile
    from .sides import opened

    with opened((options.a, options.b), lambda: _policy(options)) as sides, Pair(*sides) as pair:
        result = reconcile(pair)
    if options.json:
        print(json.dumps({"files": [of.as_json() for of in result.files]}, indent=1))
        if result.apart:
            print(next(result.lines()), file=sys.stderr)
    else:
        print("\n".join(result.lines()))
    return 0 if result.is_alike else 3


def _rows(options: argparse.Namespace) -> int:
    from .rows import find, write_rows
    from .run import open_store, open_warehouse

    policy = _policy(options)
    with open_store(policy, read_only=True) as store:
        finding = find(store, options.finding)
        with open_warehouse(policy) as warehouse:
            count = write_rows(store, warehouse, policy, finding, options.out, names=options.names)
    print(f"{count:,} rows are in {options.out}. Delete the file after use.")
    return 0


def _crosswalk(options: argparse.Namespace) -> int:
    from .restricted import write_crosswalk
    from .run import open_store

    policy = _policy(options)
    with open_store(policy, read_only=True) as store:
        store.load(options.load)  # or it was not audited
        told = store.rows("new_ids", "load = $load", load=options.load)
        is_kept = bool(store.rows("arrivals", "load = $load", load=options.load))
    count = write_crosswalk(
        policy.path(policy.store), policy.tenant, options.load, options.out, must_have=bool(told) or not is_kept
    )
    print(f"{count:,} rows are in {options.out}, a proposal. Delete the file after use.")
    return 0


def _purge(options: argparse.Namespace) -> int:
    from .run import newest_load, open_store, purge, write_report

    policy = _policy(options)
    with open_store(policy) as store:
        details, ids = purge(store, policy, options.before)
        newest = newest_load(store)
    write_report(policy, newest)
    print(f"details of {details:,} loads and ids of persons of {ids:,} loads are removed")
    return 0


if __name__ == "__main__":
    main()
