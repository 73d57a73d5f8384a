"""The command `oneroster-marts`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from . import __version__
from ._core.process import start
from .errors import Failed, MartsError, Wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .settings import Settings

EXIT_CODES: dict[int, tuple[str, str]] = {
    0: ("Built, and all tests passed.", "Nothing."),
    1: ("A model or a test failed, or a table or column is missing.", "Read the last lines."),
    2: ("The command line or a setting is wrong.", "Correct what the last line names."),
    3: ("Built, but tests of the data warn (only with --strict).", "Mend the data at the source."),
    130: ("Stopped by SIGINT.", "Run it again."),
    143: ("Stopped by SIGTERM.", "Run it again."),
}
"""For each exit code: its meaning, and what to do. The documentation is derived from it."""


def main() -> None:
    """Run the command line of this process; a signal ends it with its code."""
    start(command)


def command(arguments: Sequence[str]) -> int:
    """Run a command, and return its exit code; a failure is one line on stderr."""
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    try:
        code = _written(options)
    except MartsError as error:
        print(f"oneroster-marts: {error}", file=sys.stderr)
        return error.exit_code
    return code


def _written(options: argparse.Namespace) -> int:
    """Run what was asked for until all that it says has arrived at stdout."""
    try:
        code: int = options.do(options)
        if not sys.stdout.closed:  # as serve-mcp leaves it
            sys.stdout.flush()
    except OSError as error:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - so that Python does not complain of it at its end
        if isinstance(error, BrokenPipeError):
            raise Failed("the program that reads from this one has ended before all was said") from None
        raise Failed(f"{error.filename or 'stdout'}: {error.strerror or 'cannot be written'}") from None
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="oneroster-marts",
        description="Builds tables that describe a district from the OneRoster tables of a warehouse.",
        epilog="Exit codes: " + " ".join(f"{code}: {meaning}" for code, (meaning, _) in EXIT_CODES.items()),
    )
    parser.add_argument("--version", action="version", version=f"oneroster-marts {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, do: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        config = os.environ.get("ONEROSTER_MARTS_CONFIG")
        sub.add_argument(
            "--config", type=Path, default=Path(config) if config else None, help="the settings, as JSON or YAML"
        )
        sub.set_defaults(do=do)
        return sub

    for sub in (
        add("build", _build, "build the tables, and test the data"),
        add("test", _test, "test the tables that were built, and the project's own rules"),
    ):
        sub.add_argument("--strict", action="store_true", help="exit 3 where tests of the data warn")
        sub.add_argument("--select", action="append", default=[], metavar="MODEL", help="only these, in dbt's words")
    add("doctor", _doctor, "say what can be built from the warehouse and the settings, without building it")
    pages = add(
        "pages", _pages, "write pages of what was built: the district, its schools, licences, loads of teachers"
    )
    pages.add_argument("--out", type=Path, metavar="FOLDER", help="where to (default: setting site_path)")
    pages.add_argument("--school", default="", metavar="ID", help="of the schools only this one")
    pages.add_argument(
        "--restricted", action="store_true", help="also what is about single pupils, as files that only you can read"
    )
    pages.add_argument("--names", action="store_true", help="with --restricted: names in place of ids")
    ask = add("ask", _ask, "answer a question in words, in numbers only")
    ask.add_argument("question", nargs="+", help="such as: class size by grade")
    ask.add_argument("--json", action="store_true", help="as JSON, with what was understood")
    add("serve-mcp", _serve, "serve the metrics to an assistant that speaks MCP, on stdin and stdout")
    push = add("push", _push, "write the lists on which others act as messages of Singer, for any target")
    push.add_argument(
        "--since", default="", metavar="DATE", help="what changed since that day (default: the day before)"
    )
    push.add_argument("--restricted", action="store_true", help="also the lists of single persons, by id")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    from .project import inputs
    from .settings import read_settings

    return read_settings(options.config, inputs())


def _build(options: argparse.Namespace) -> int:
    return _run(options, "build", "--exclude-resource-type", "unit_test")


def _test(options: argparse.Namespace) -> int:
    return _run(options, "test")


def _run(options: argparse.Namespace, name: str, *arguments: str) -> int:
    from .build import run_dbt

    selected = [word for model in options.select for word in ("--select", model)]
    outcome = run_dbt(_settings(options), name, *arguments, *selected)
    for line in outcome.warnings:
        print(f"oneroster-marts: warning: {line}", file=sys.stderr)
    if outcome.failures:
        _fail(outcome.failures)
    built = f"{outcome.models} tables built, " if name == "build" else ""
    warned = f", {len(outcome.warnings)} of them with a warning" if outcome.warnings else ""
    print(f"{built}{outcome.tests} tests passed{warned}")
    return 3 if outcome.warnings and options.strict else 0


def _doctor(options: argparse.Namespace) -> int:
    from .build import run_dbt

    settings = _settings(options)
    found = run_dbt(settings, "compile", "--select", "staging", "inputs")
    if found.failures:
        _fail(found.failures)
    for line in run_dbt(settings, "run-operation", "doctor").said:
        print(line)
    return 0


def _pages(options: argparse.Namespace) -> int:
    from .pages.site import write_site

    if options.names and not options.restricted:
        raise Wrong("--names: only with --restricted")
    settings = _settings(options)
    out = options.out or Path(settings.site_path)
    written = write_site(settings, out, school=options.school, restricted=options.restricted, names=options.names)
    print(f"{len(written):,} pages in {out}; open {out / 'index.html'}")
    return 0


def _ask(options: argparse.Namespace) -> int:
    import json

    from .answers.query import Answers
    from .answers.shown import answer_of, text_of
    from .reader import open_reader

    settings = _settings(options)
    with open_reader(settings) as reader:
        answers = Answers(reader, settings.small_cell)
        answer = answer_of(" ".join(options.question), answers)
        print(json.dumps(answer, ensure_ascii=False) if options.json else text_of(answer, answers))
    return 0 if answer["answered"] else 1


def _serve(options: argparse.Namespace) -> int:
    from .server import serve

    serve(_settings(options))
    return 0


def _push(options: argparse.Namespace) -> int:
    from .push import push

    counts = push(_settings(options), sys.stdout, since=options.since, restricted=options.restricted)
    sys.stdout.flush()
    print("oneroster-marts: " + ", ".join(f"{n:,} {name}" for name, n in counts.items()), file=sys.stderr)
    return 0


def _fail(failures: list[str]) -> NoReturn:
    for line in failures[:-1]:
        print(f"oneroster-marts: {line}", file=sys.stderr)
    raise Failed(failures[-1])


if __name__ == "__main__":
    main()
