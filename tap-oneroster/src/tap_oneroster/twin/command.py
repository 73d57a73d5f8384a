"""`oneroster-twin`: make a key, check a policy, list what leaves, look at rows before and after, and end a crosswalk."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.model import Version
from .._core.shell import COMPLETE, REFUSED, command_line, run
from .._core.twin.elements import as_csv, as_markdown, as_ndpa, changes, counts_of, elements, needs
from .._core.twin.keys import consumer_key, decode_key, key_check, new_key
from .._core.twin.lined import PolicyError
from .policy_file import ids_of, policy_at, policy_text, today

if TYPE_CHECKING:
    import argparse

    from .._core.twin.policy import Policy

_KEY = "TAP_ONEROSTER_TWIN_KEY"
_FORMATS = {"csv": as_csv, "markdown": as_markdown, "ndpa": as_ndpa}


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError
    return int(text)


_count.__name__ = "number"  # argparse says "invalid number value"


def _parser() -> argparse.ArgumentParser:
    parser = command_line("oneroster-twin", "What one consumer may see of a district: its policy, and its key.")
    parser.epilog = f"The master key is read from the variable {_KEY}."
    commands = parser.add_subparsers(dest="command", required=True)
    key = commands.add_parser(
        "key", help="make a master key; with --policy, show the key_check of the key that there is"
    )
    key.add_argument("--policy", type=Path, metavar="FILE")
    check = commands.add_parser("check", help="say what is wrong with a policy, all at once")
    check.add_argument("policy", type=Path)
    listed = commands.add_parser("elements", help="list what leaves: stream, field, category, treatment")
    listed.add_argument("policy", type=Path)
    listed.add_argument("--format", choices=[*_FORMATS], default="markdown")
    listed.add_argument("--receipts", type=Path, metavar="FILE", help="JSON lines of syncReceipts: fills the counts")
    listed.add_argument("--against", type=Path, metavar="FILE", help="an earlier list (csv): say what changed since")
    preview = commands.add_parser("preview", help="show rows before and after: personal data, on this terminal")
    preview.add_argument("policy", type=Path)
    preview.add_argument("--csv-path", required=True, help="a bundle")
    preview.add_argument("--stream", action="append", default=[], help="a stream; can be repeated (default: users)")
    preview.add_argument("--rows", type=_count, default=10)
    preview.add_argument("--tenant")
    crosswalk = commands.add_parser("crosswalk", help="show the key_check of a crosswalk, or remove it")
    crosswalk.add_argument("action", choices=["check", "purge"])
    crosswalk.add_argument("policy", type=Path)
    for one in (check, listed, preview):
        one.add_argument("--today", metavar="DAY", help="another day than today, for tests")
    return parser


def _policy(options: argparse.Namespace) -> Policy:
    if getattr(options, "today", None):
        os.environ["ONEROSTER_TODAY"] = options.today
    return policy_at(options.policy, today())


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _master() -> bytes:
    text = os.environ.get(_KEY, "")
    if not text:
        raise PolicyError([f"the variable {_KEY} is not set; it holds the master key"])
    try:
        return decode_key(text)
    except ValueError as error:
        raise PolicyError([f"{_KEY} {error}"]) from None


def _make_key(options: argparse.Namespace) -> None:
    """Print a new key, or the key_check of a policy; the policy's own key_check may be missing or wrong."""
    if options.policy is None:
        _say(new_key())
        return
    from .._core.twin.policy import read_policy

    # A key_check of the right form stands in the place of the policy's, in the same line, so that lines of faults are right.
    lines = [
        "key_check: '00000000'" if one.startswith("key_check:") else one
        for one in policy_text(options.policy).split("\n")
    ]
    more = [] if any(one.startswith("key_check:") for one in lines) else ["key_check: '00000000'"]
    policy = read_policy("\n".join([*lines, *more]), options.policy.name, today())
    _say(f"key_check: '{key_check(consumer_key(_master(), policy.consumer, policy.epoch))}'")


def _check(options: argparse.Namespace) -> None:
    policy = _policy(options)
    if policy.mode == "keyed" and os.environ.get(_KEY):
        ids_of(policy, {"twin_key": os.environ[_KEY]})
    for version in Version:
        _say(*(f"a {version.value} bundle needs {one}: name it or give a treatment" for one in needs(policy, version)))
    if policy.scope and any(re.fullmatch("[1-9]", grade) for grade in policy.scope.grades or ()):
        _say("scope.grades: the standard writes 06, not 6; nobody has a grade that the source does not write so")
    if policy.agreement is None or policy.agreement.ends is None:
        _say("the policy names no end of an agreement: it never stops by itself")
    fields = sum(map(len, policy.elements.values()))
    _say(f"{policy.name}: can be used; {fields} fields of {len(policy.elements)} streams leave")


def _elements(options: argparse.Namespace) -> None:
    policy = _policy(options)
    counts = counts_of(_receipts(options.receipts), policy.consumer) if options.receipts else None
    found = elements(policy, counts)
    if options.against:
        try:
            lines = changes(options.against.read_text(encoding="utf-8"), found)
        except (OSError, UnicodeDecodeError, KeyError):
            raise PolicyError(["--against names a file that is no earlier list in CSV"]) from None
        _say(*lines or ["nothing changed"])
    else:
        sys.stdout.write(_FORMATS[options.format](found))


def _receipts(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the receipts of a file: bare records, or messages of Singer."""
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                found = json.loads(line) if line.strip() else {}
                if found.get("type") == "RECORD":
                    found = found["record"] if found.get("stream") == "syncReceipts" else {}
                if "collection" in found:
                    yield {**found, "distinct": int(found.get("distinct") or 0)}
    except (OSError, ValueError, TypeError, AttributeError):
        raise PolicyError(["--receipts names a file that is not JSON lines of syncReceipts"]) from None


def _preview(options: argparse.Namespace) -> None:
    from .preview import preview

    policy = _policy(options)
    key = os.environ.get(_KEY)
    config = {"csv_path": options.csv_path, "twin": str(options.policy), **({"twin_key": key} if key else {})}
    if options.tenant:
        config["tenant"] = options.tenant
    _say(*preview(policy, config, options.stream or ["users"], options.rows))


def _crosswalk(options: argparse.Namespace) -> None:
    from .crosswalk import opened, purge

    policy = _policy(options)
    if policy.mode != "crosswalk":
        raise policy.fault("mode", "mode is not crosswalk")
    if options.action == "purge":
        _say("removed: nobody can link this twin to persons again" if purge(policy) else "there was no crosswalk")
        return
    ids = opened(policy)
    _say(f"key_check: '{ids.check}'")
    ids.close()


_COMMANDS = {
    "key": _make_key,
    "check": _check,
    "elements": _elements,
    "preview": _preview,
    "crosswalk": _crosswalk,
}


def command(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        _COMMANDS[options.command](options)
    except PolicyError as error:
        sys.stderr.write("".join(f"{fault}\n" for fault in error.faults))
        return REFUSED
    return COMPLETE


def main() -> None:
    """Run the command line."""
    run(lambda **_: command())


if __name__ == "__main__":
    main()
