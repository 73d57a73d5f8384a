"""What each command does: reads the fleet file, opens the store, prints."""

from __future__ import annotations

import getpass
import json
import os
import signal
import sys
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from .clock import now, written
from .errors import FleetError, Misconfigured
from .fleet_file import find_file, read_fleet

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection

    from .district import District, Fleet
    from .run.district_run import Outcome
    from .stores import Store

OUTSIDE, BUSY = 77, 75
NEEDS_A_PERSON = 2


def check(options: argparse.Namespace) -> int:
    """Print all faults."""
    fleet = read_fleet(find_file(options.file), types=True)
    for line in [*fleet.faults, *fleet.warnings]:
        print(line)
    if fleet.faults:
        count = len(fleet.faults)
        print(f"oneroster-fleet: {count} {'mistake' if count == 1 else 'mistakes'}", file=sys.stderr)
        return Misconfigured.exit_code
    count = len(fleet.districts)
    print(f"{fleet.file}: {count:,} {'district' if count == 1 else 'districts'}, no mistakes")
    return 0


def _opened(options: argparse.Namespace, only: Collection[str] | None = ()) -> tuple[Fleet, Store]:
    """Return the fleet and its store. A mistake that is not one district's own is an error; check() lists them all."""
    from .stores import open_states

    fleet = read_fleet(find_file(options.file), only=only, plugins=only is None or bool(only))
    if fleet.whole:
        raise Misconfigured(str(fleet.whole[0]))
    _beside(fleet)
    return fleet, open_states(fleet.state)


def _beside(fleet: Fleet) -> None:
    """Commands that are found beside this program need no PATH; relative paths of the file begin at its folder."""
    if not fleet.folder.is_dir():
        raise Misconfigured(f"{fleet.file}: its folder is not there")


def _known(fleet: Fleet, ids: Collection[str]) -> None:
    from difflib import get_close_matches

    for id_ in ids:
        if id_ not in fleet.districts:
            near = get_close_matches(id_.lower(), fleet.districts, n=1)
            raise Misconfigured(
                f"no such district: {' '.join(id_.split())[:63]}{f'; did you mean {near[0]}?' if near else ''}"
            )


def list_(options: argparse.Namespace) -> int:
    """Print a line for each district."""
    from .status import statuses

    fleet, store = _opened(options)
    rows = statuses(fleet, store, now())
    rows = [r for r in rows if (r.due or not options.due) and (r.words.word == "late" or not options.late)]
    if options.json:
        print(json.dumps([row.shown(written) for row in rows], indent=1))
        return 0
    width = max([len(row.district.id) for row in rows], default=0)
    for row in rows:
        since = f"since {written(row.words.since)}" if row.words.since else ""
        due = "due" if row.due else ""
        print(f"{row.district.id:<{width}}  {row.words.word:<13}  {due:<3}  {since:<26}  {row.words.why}".rstrip())
    return 0


def run(options: argparse.Namespace) -> int:
    """Run districts, and return the code of the run, or of all."""
    if sys.platform == "win32":
        raise Misconfigured("run needs Linux or macOS; on Windows it runs in WSL")
    from .run.district_run import Run
    from .run.pool import run_all

    if options.jobs < 1:
        raise Misconfigured("--jobs: must be at least 1")
    wanted = list(dict.fromkeys([*options.ids, *options.full_refresh]))
    if not (wanted or options.all or options.due or options.provider):
        raise Misconfigured("name districts, or --all, --due or --provider P")
    caught = _signals()
    fleet, store = _opened(options, wanted or None)
    chosen = _chosen(fleet, store, options, wanted)
    is_one = len(wanted) == 1 and len(chosen) == 1
    mutex, codes = Lock(), []

    runner = Run(
        store=store,
        providers=fleet.providers, folder=fleet.folder, log_dir=fleet.log_dir, stopped=lambda: caught[0],
        echo=(lambda line: print(line, file=sys.stderr, flush=True)) if is_one else (lambda _: None),
    )  # fmt: skip

    def one(district: District) -> Outcome:
        from .run.district_run import Outcome

        if caught[0]:
            return Outcome(128 + caught[0], "stopped before it began")
        faults = [str(fault) for fault in fleet.faults_of.get(district.id, [])]
        return runner(district, full_refresh=district.id in options.full_refresh, faults=faults)

    def done(district: District, outcome: Outcome) -> None:
        with mutex:
            codes.append(outcome.code)
            stream = sys.stderr if is_one else sys.stdout
            if not is_one or not outcome.is_told:
                print(f"{district.id}  {outcome.code}  {outcome.seconds:.1f} s  {outcome.why}", file=stream, flush=True)

    run_all(chosen, fleet.providers, options.jobs, one, done, lambda: caught[0])
    if caught[0]:
        return 128 + caught[0]
    if is_one:
        return codes[0]
    return 0 if len(codes) == len(chosen) and all(code in (0, BUSY, OUTSIDE) for code in codes) else 1


def _signals() -> list[int]:
    """Remember the first signal in place of ending at once; the pipes are stopped first."""
    caught = [0]

    def remember(number: int, _: Any) -> None:
        caught[0] = caught[0] or number

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, remember)
    return caught


def _chosen(fleet: Fleet, store: Store, options: argparse.Namespace, wanted: list[str]) -> list[District]:
    _known(fleet, wanted)
    if options.provider and options.provider not in fleet.providers:
        raise Misconfigured(f"no such provider: {' '.join(options.provider.split())[:63]}")
    its = list(fleet.districts.values())
    if wanted:
        its = [fleet.districts[id_] for id_ in wanted]
    if options.provider:
        its = [d for d in its if d.provider == options.provider]
    if options.due:
        from .status import statuses

        due = {row.district.id for row in statuses(fleet, store, now()) if row.due}
        its = [d for d in its if d.id in due]
    return its


def state(options: argparse.Namespace) -> int:
    """Print, set or clear a state, in the words of `meltano state`."""
    from .stores.base import encoded, merged_state, version_of

    fleet, store = _opened(options)
    if options.action == "list":
        print("\n".join(store.states()))
        return 0
    if not options.id:
        raise Misconfigured(f"state {options.action} needs an ID")
    _known(fleet, [options.id])
    if options.action == "get":
        print(json.dumps({"singer_state": merged_state(store.read(options.id)) or {}}))
        return 0
    with store.lock(options.id, {"run": f"state {options.action}", "started": written(now()), "pid": os.getpid()}):
        if options.action == "clear":
            store.clear(options.id)
        else:
            found = _given_state(options.source)
            store.write(options.id, encoded(found), version_of(store.read(options.id)))
    return 0


def _given_state(source: str) -> dict[str, Any]:
    try:
        found = json.loads(sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise Misconfigured("state set: its file cannot be read as JSON") from None
    found = found.get("singer_state", found) if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(found.get("bookmarks", {}), dict):
        raise Misconfigured("state set: must be a Singer state, as `state get` prints it")
    return found


def hold(options: argparse.Namespace) -> int:
    """Hold a district, and write down who, when and why."""
    from .district import Hold
    from .holds import put_hold

    fleet, store = _opened(options)
    _known(fleet, [options.id])
    if options.until and not Hold("", options.until).is_in_force(now(), fleet.districts[options.id].zone):
        raise Misconfigured("--until: this day has come; name the first day on which it runs again")
    put_hold(store, options.id, _why(options), until=options.until, who=_who(), at=now())
    print(f"{options.id}: held{f' until {options.until}' if options.until else ''}")
    return 0


def release(options: argparse.Namespace) -> int:
    """Release a district, and write down who, when and why."""
    from .holds import release_hold

    fleet, store = _opened(options)
    _known(fleet, [options.id])
    why = _why(options)
    if not release_hold(store, options.id, why, who=_who(), at=now()):
        if fleet.districts[options.id].hold:
            raise FleetError(f"{options.id}: its hold stands in {fleet.file}; take it out there")
        raise FleetError(f"{options.id}: is not on hold")
    rest = f"; the hold in {fleet.file} still stands" if fleet.districts[options.id].hold else ""
    print(f"{options.id}: released{rest}")
    return 0


def _why(options: argparse.Namespace) -> str:
    if not (options.why or "").strip():
        raise Misconfigured("--why must be given: who asked, and why")
    return str(options.why).strip()


def _who() -> str:
    return os.environ.get("SUDO_USER") or getpass.getuser()


def board(options: argparse.Namespace) -> int:
    """Write the board."""
    from .board import write_board

    fleet, store = _opened(options)
    content = write_board(fleet, store, now(), options.out, webhook=options.webhook)
    if options.json:
        print(json.dumps(content, indent=1))
    fine = ("fresh", "running")
    return 0 if all(d["word"] in fine for d in content["districts"]) else NEEDS_A_PERSON


def dag(options: argparse.Namespace) -> int:
    """Write the DAG file, the pools or the settings."""
    from . import engine

    if options.settings or not (options.pools or options.out):  # the same for all fleets
        print(engine.settings() if options.settings else engine.dag_file(), end="")
        return 0
    fleet = read_fleet(find_file(options.file), types=True)
    if fleet.whole:
        raise Misconfigured(str(fleet.whole[0]))
    if options.pools:
        print(json.dumps(engine.pools(fleet), indent=1))
    else:
        engine.write(fleet, options.out)
        print(f"{options.out}: {len(fleet.districts):,} districts, {len(fleet.faults_of):,} of them misconfigured")
    return 0


def views(options: argparse.Namespace) -> int:
    """Print the views."""
    from .views import union_views

    fleet = read_fleet(find_file(options.file), plugins=False)
    print(union_views(fleet, options.dialect, options.schema, options.stream), end="")
    return 0
