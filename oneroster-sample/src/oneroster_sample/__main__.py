"""Command line: write a sample district as a bundle, or serve it as a OneRoster provider."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from errno import EADDRINUSE, ENOSPC
from typing import TYPE_CHECKING

from .events import KINDS, parse_events
from .faults import FAULTS, parse_faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .district import District

VERSIONS = ("1.1", "1.2")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="oneroster-sample",
        description="Sample school districts, made up and always the same for the same seed.",
    )
    commands = parser.add_subparsers(dest="command", required=True)

    size = argparse.ArgumentParser(add_help=False)
    group = size.add_argument_group("the district")
    group.add_argument("--seed", type=int, default=1, help="another seed, another district (default: 1)")
    group.add_argument("--schools", type=int, default=3, help="number of schools (default: 3)")
    group.add_argument("--students-per-school", type=int, default=None, help="on average (default: 120)")
    group.add_argument("--enrollments", type=int, help="make a district with exactly that many enrollments instead")
    group.add_argument("--day", type=int, default=0, help="days of changes it has seen (default: 0)")
    group.add_argument(
        "--year", type=int, default=1, metavar="N", help="school year: 2 (or 2028) is the second one (default: 1)"
    )
    group.add_argument(
        "--rolled",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="share of the schools that rolled over (default: 1.0)",
    )
    group.add_argument(
        "--event",
        action="append",
        default=[],
        metavar="DAY:KIND:SCHOOL[:N]",
        help="something that happens to a school on a day, and holds from then on; can be repeated. "
        "What a bundle's events did is written to truth.json beside it. Kinds: "
        + "; ".join(f"{kind}: {what}" for kind, what in KINDS.items()),
    )
    group.add_argument(
        "--no-gradebook", action="store_true", help="without line items, results and what belongs to them"
    )
    group.add_argument(
        "--results",
        choices=("snapshot", "year"),
        default="snapshot",
        help="two items of a class, or work of every week, with students who slip (default: snapshot)",
    )
    group.add_argument("--passwords", action="store_true", help="with (made-up) passwords")
    group.add_argument("--version", choices=VERSIONS, default="1.2", help="version of OneRoster (default: 1.2)")

    bundle = commands.add_parser("bundle", parents=[size], help="write a CSV bundle")
    bundle.add_argument("path", help="a folder, or a file that ends in .zip")
    bundle.add_argument(
        "--mode", choices=("bulk", "delta"), default="bulk", help="all, or what changed (default: bulk)"
    )
    bundle.add_argument(
        "--delta", default="", metavar="FILES", help="files that come as delta in a bulk bundle: users,roles"
    )
    bundle.add_argument("--since", type=int, help="day after which a delta begins (default: the day before --day)")
    bundle.add_argument("--truth", metavar="FILE", help="where to write what the events did (default: truth.json)")
    bundle.add_argument("--only", metavar="FILES", help="files to write: orgs,users,enrollments (default: all)")

    usage = commands.add_parser(
        "usage", parents=[size], help="write what other systems know of it: attendance, licences, LMS memberships …"
    )
    usage.add_argument("path", help="a folder, such as the one of the bundle")

    serve = commands.add_parser("serve", parents=[size], help="serve it over REST, on this machine only")
    serve.add_argument("--port", type=int, default=8765, help="(default: 8765; 0: any free one)")
    serve.add_argument("--page-cap", type=int, help="most records a page has, whatever is asked for")
    serve.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="time to wait before every answer")
    serve.add_argument("--token-lifetime", type=int, default=3600, metavar="SECONDS", help="(default: 3600)")
    serve.add_argument("--no-total", action="store_true", help="without X-Total-Count")
    serve.add_argument("--no-link", action="store_true", help="without Link headers")

    fleet = commands.add_parser(
        "fleet", help="serve many districts over REST in one process, and write the fleet file and the secrets for them"
    )
    fleet.add_argument(
        "path", help="folder for fleet.yml, fleet.env (secrets) and requests.jsonl (log of all requests)"
    )
    fleet.add_argument("--districts", type=int, default=3, metavar="N", help="(default: 3)")
    fleet.add_argument(
        "--hosts", type=int, metavar="N", help="addresses that they share (default: one for each district)"
    )
    fleet.add_argument("--providers", type=int, default=1, metavar="N", help="vendors in the fleet file (default: 1)")
    fleet.add_argument("--concurrent", type=int, default=4, metavar="N", help="runs of a vendor at a time (default: 4)")
    fleet.add_argument("--per-host", type=int, metavar="N", help="runs of an address at a time (default: no limit)")
    fleet.add_argument("--students-per-school", type=int, default=20, metavar="N", help="on average (default: 20)")
    fleet.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="time to wait before every answer")
    fleet.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND:NUMBER",
        help="what is wrong with the district of that number, from 1 on; can be repeated. Kinds: "
        + "; ".join(f"{kind}: {what}" for kind, what in FAULTS.items()),
    )
    return parser


def _district(options: argparse.Namespace) -> District:
    from .district import District

    settings = {"seed": options.seed, "gradebook": not options.no_gradebook, "passwords": options.passwords}
    settings["weekly"] = options.results == "year"
    settings["events"] = parse_events(options.event)
    if options.students_per_school:
        settings["students_per_school"] = options.students_per_school
    if options.enrollments:
        district = District.of_size(options.enrollments, **settings)
    else:
        district = District(schools=options.schools, **settings)
    district = replace(district.changed(options.day), years=_year(options.year, district), rolled=options.rolled)
    district.night  # noqa: B018  (a wrong event is told before anything is written)
    return district


def _year(value: int, district: District) -> int:
    return value - district.school_year + 1 if value >= 1000 else value


def _names(value: str | None) -> list[str] | None:
    from ._core.model import FILES

    if value is None:
        return None
    names = [name for name in value.split(",") if name]
    if unknown := set(names) - {file.name for file in FILES}:
        raise ValueError(f"no such file: {', '.join(sorted(unknown))}")
    return names


def _bundle(options: argparse.Namespace) -> None:
    from ._core.log import Progress
    from .bundle import write_bundle

    progress = Progress(lambda text: print(text, file=sys.stderr, flush=True), logged=False)
    counts = write_bundle(
        _district(options),
        options.path,
        version=options.version,
        mode=options.mode,
        delta=_names(options.delta) or (),
        since=options.since,
        only=_names(options.only),
        truth=options.truth,
        progress=progress,
    )
    progress.end()
    _print_counts(counts)
    print(f"Rows written: {progress.total(sum(counts.values()))}.", file=sys.stderr)


def _print_counts(counts: dict[str, int]) -> None:
    for name, count in counts.items():
        print(f"{name:<30}{count:>12,}")
    print(f"{'rows in all':<30}{sum(counts.values()):>12,}")


def _usage(options: argparse.Namespace) -> None:
    from .usage import write_usage

    _print_counts(write_usage(_district(options), options.path, options.version))


def _serve(options: argparse.Namespace) -> None:
    from .provider import Knobs, Provider

    knobs = Knobs(
        page_cap=options.page_cap,
        latency_seconds=options.latency,
        token_lifetime_seconds=options.token_lifetime,
        total_header=not options.no_total,
        link_header=not options.no_link,
    )
    try:
        server = Provider(_district(options), version=options.version, knobs=knobs, port=options.port)
    except OSError as error:
        if error.errno != EADDRINUSE:
            raise
        raise OSError(f"port {options.port} is in use: choose another with --port (0: any free one)") from None
    with server as provider:
        print(provider.credential_sheet, flush=True)
        try:
            provider.wait()
        except KeyboardInterrupt:
            print("\nstopped")


def _fleet(options: argparse.Namespace) -> None:
    from .fleet import SampleFleet

    fleet = SampleFleet(
        options.districts,
        hosts=options.hosts,
        vendors=options.providers,
        students_per_school=options.students_per_school,
        latency_seconds=options.latency,
        faults=parse_faults(options.fault, options.districts),
    )
    with fleet:
        log = fleet.write(options.path, concurrent=options.concurrent, per_host=options.per_host)
        print(f"{options.districts:,} districts; the fleet file is {options.path}/fleet.yml", flush=True)
        print(
            f"in another terminal: set -a; . {options.path}/fleet.env; oneroster-fleet check {options.path}/fleet.yml",
            flush=True,
        )
        try:
            fleet.serve(log)
        except KeyboardInterrupt:
            print("\nstopped")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        {"bundle": _bundle, "fleet": _fleet, "serve": _serve, "usage": _usage}[options.command](options)
    except (OSError, ValueError) as error:
        # A disk that is full does not say which it is.
        where = f": {options.path}" if options.command != "serve" and getattr(error, "errno", None) == ENOSPC else ""
        print(f"oneroster-sample: {error}{where}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
