"""The command `oneroster-fleet`, also as `python -m oneroster_fleet`: commands and exit codes, nothing else."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from ._core.process import start
from ._core.shell import command_line
from .errors import FleetError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

EXIT_CODES: dict[int, tuple[str, str]] = {
    0: ("Complete, and the state has moved.", "Nothing."),
    1: ("Not complete: network, a source that moved, a service or the state store that is down.", "Run it again."),
    2: ("`board`: something needs a person.", "Read the board."),
    3: ("Held by a brake: more is gone than the settings allow.", "Someone has to look. Another run ends the same."),
    4: (
        "Misconfigured or refused: fleet file, command line, secrets, sign-in or scopes.",
        "Correct what the last line names. Another run is of no use, and may lock the account.",
    ),
    75: ("Another run of this district is alive.", "Nothing."),
    77: ("Outside its window, or on hold.", "Nothing."),
    124: ("Stopped after `timeout`.", "Run it again, or raise timeout."),
    130: ("Stopped by SIGINT.", "Run it again."),
    143: ("Stopped by SIGTERM.", "Run it again."),
}
"""For each exit code: its meaning, and what to do. The documentation is derived from it."""


def main() -> None:
    """Run the command line of this process."""
    start(command)


def command(arguments: Sequence[str]) -> int:
    """Run a command, and return its exit code; a failure is one line on stderr."""
    try:
        options = parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    try:
        code: int = options.do(options)
    except FleetError as error:
        print(f"oneroster-fleet: {error}", file=sys.stderr)
        return error.exit_code
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    from . import commands

    top = command_line(
        "oneroster-fleet", "Loads many districts a night, each with its own credentials, state and place."
    )
    top.epilog = "Exit codes: " + " ".join(f"{code}: {meaning}" for code, (meaning, _) in EXIT_CODES.items())
    top.add_argument("--version", action="version", version=f"oneroster-fleet {__version__}")
    subs = top.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, do: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = subs.add_parser(name, help=text, description=text)
        sub.set_defaults(do=do)
        if name != "check":
            sub.add_argument(
                "--file",
                default=None,
                metavar="FILE",
                help="the fleet file (default: ONEROSTER_FLEET_FILE, or fleet.yml)",
            )
        return sub

    sub = add("check", commands.check, "print all mistakes in the fleet file; asks no network")
    sub.add_argument(
        "file", nargs="?", metavar="FILE", help="file or folder (default: ONEROSTER_FLEET_FILE, or fleet.yml)"
    )
    sub = add("list", commands.list_, "list the districts, with a word for each")
    sub.add_argument("--due", action="store_true", help="only those that `run --due` would start")
    sub.add_argument("--late", action="store_true", help="only those that are late")
    sub.add_argument("--json", action="store_true", help="as JSON")
    sub = add("run", commands.run, "run districts now")
    sub.add_argument("ids", nargs="*", metavar="ID")
    sub.add_argument("--all", action="store_true", help="all districts")
    sub.add_argument("--due", action="store_true", help="those whose last success is older than their schedule")
    sub.add_argument("--provider", metavar="P", help="those of a provider")
    sub.add_argument("--jobs", type=int, default=1, metavar="N", help="so many at a time (default: 1)")
    sub.add_argument(
        "--full-refresh", action="append", default=[], metavar="ID", help="run this one, and read it whole; repeatable"
    )
    sub = add("board", commands.board, "write the board: index.html and board.json; exit 2 if something needs a person")
    sub.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the board")
    sub.add_argument("--json", action="store_true", help="print board.json, too")
    sub.add_argument("--webhook", metavar="URL", help="tell changes there (or env:NAME)")
    sub = add("state", commands.state, "read or change the state of a district")
    sub.add_argument("action", choices=("get", "set", "clear", "list"))
    sub.add_argument("id", nargs="?", metavar="ID")
    sub.add_argument("source", nargs="?", default="-", metavar="JSON-FILE", help="for set (default: standard input)")
    sub = add("hold", commands.hold, "start no run of a district until it is released")
    sub.add_argument("id", metavar="ID")
    sub.add_argument("--until", type=date.fromisoformat, metavar="DATE", help="the first day on which it runs again")
    sub.add_argument("--why", metavar="TEXT", help="who asked, and why; must be given")
    sub = add("release", commands.release, "let a district run again")
    sub.add_argument("id", metavar="ID")
    sub.add_argument("--why", metavar="TEXT", help="who asked, and why; must be given")
    sub = add("dag", commands.dag, "write the DAG file for Airflow 3")
    what = sub.add_mutually_exclusive_group()
    what.add_argument("--out", type=Path, metavar="DIR", help="folder for the DAG file and oneroster_fleet.json")
    what.add_argument("--pools", action="store_true", help="print the pools: airflow pools import")
    what.add_argument("--settings", action="store_true", help="print the settings of Airflow that a fleet needs")
    sub = add("views", commands.views, "print the views that show the tables of all districts as one")
    sub.add_argument("--dialect", choices=("postgres", "snowflake", "duckdb"), required=True)
    sub.add_argument("--schema", default="all_districts", help="schema of the views (default: all_districts)")
    sub.add_argument(
        "--stream",
        action="append",
        default=[],
        metavar="NAME",
        help="duckdb, snowflake: only this one; repeatable (default: all but demographics)",
    )
    return top


if __name__ == "__main__":
    main()
