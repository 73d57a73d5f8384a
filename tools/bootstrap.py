"""The commands of this checkout: `./run COMMAND`, on Windows `py tools/bootstrap.py COMMAND`.

It runs before anything is installed, so it uses the standard library only. Everything that it creates is inside the
checkout: `.venv`, `.marts`, `.uv`, `.meltano` and `output`.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path[0] = str(Path(__file__).resolve().parents[1])  # by default it is the folder of this file
from tools.environment import (  # noqa: E402
    AIRFLOW,
    APART,
    APART_LOCK,
    LOCK,
    MADE,
    OWN,
    ROOT,
    WINDOWS,
    content,
    enter,
    fail,
    fingerprint,
    from_index,
    get_uv,
    install_into,
    make_environment,
    prepare,
    program,
    programs,
    projects,
    ran,
    say,
    set_up,
    set_up_airflow,
    set_up_marts,
    set_up_plugins,
    use_pip_settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

OLDEST, NEWEST = (3, 11), (3, 14)
HELP = """\
./run                     the quick start: a sample district goes through Meltano into DuckDB; ends with a summary and two pages
./run query [SQL]         asks the quick start's warehouse
./run marts               builds the quick start's tables and pages of a district alone (dbt), and asks them a question
./run test [ARGS]         runs all tests; ARGS go to pytest
./run test-airbyte [ARGS] runs the tests that need PyAirbyte (600 MB, in an environment of its own)
./run test-marts [ARGS]   runs the tests of oneroster-marts (dbt, in an environment of its own)
./run test-airflow [ARGS] runs the tests of oneroster-fleet that need Airflow (in an environment of its own)
./run test-sdk-next [ARGS] runs all tests with the newest pre-release of singer-sdk (in an environment of its own)
./run lint                checks the code: ruff, mypy, and the directions of imports
./run docs [serve]        builds the site of docs/ into output/site; serve: shows it while you write
./run setup               installs the environment and Meltano's plugins, nothing more
./run release-dry-run     builds, checks and installs a release without publishing it: docs/releasing.md
./run lock [ARGS]         renews all requirements.lock after a change of dependencies (--upgrade: the newest of everything)
./run exec COMMAND [ARGS] runs any program of the environment
./run meltano ...         the same without `exec`, for meltano, python, pytest, ruff, mypy, pre-commit, and our own
                          programs: tap-..., target-..., source-oneroster, oneroster-sample

Needs Python 3.11 to 3.14 with pip, git, and a package index. Installs what is missing first, inside this folder only.
On Windows: py tools\\bootstrap.py in place of ./run
"""
TOOLS = re.compile(
    r"(meltano|python3?|pytest|ruff|mypy|pre-commit|lint-imports|source-oneroster|(tap|target|oneroster)-.+)"
)
QUICK = re.compile(r"(meltano|source-oneroster|(tap|target|oneroster)-.+)")
"""Programs for which the quick start's half of the lock is sufficient."""


def become(name: str, *arguments: str) -> NoReturn:
    """Run a program in place of this one."""
    command = [program(name), *arguments]
    if WINDOWS:
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)  # noqa: S606 - the command is the caller's own


QUICK_POLICY = """\
# The policy of the quick start's audit; ./run writes it anew each time.
warehouse: warehouse.duckdb
district: Sample district
report: {path: roster.html, json: roster.json}
"""
SECOND_NIGHT = ("--day", "1", "--event", "1:half:00002")


def quick_start() -> None:
    """Run the quick start."""
    set_up("quickstart")
    set_up_plugins()
    output = ROOT / "output"
    log = output / "quickstart.log"
    (output / "sample").mkdir(parents=True, exist_ok=True)
    (output / "policy.yml").write_text(QUICK_POLICY, encoding="utf-8")
    # Start anew each time: a second run would correctly find nothing new, and show nothing.
    for name in (
        "warehouse.duckdb",
        "warehouse.duckdb.wal",
        "audit.duckdb",
        "audit.duckdb.wal",
        "audit.restricted.duckdb",
    ):
        (output / name).unlink(missing_ok=True)
    one_night(log, "a sample district: output/sample/district.zip")
    summary = ran(program("python"), "-m", "tools.quickstart.summary")
    if summary.returncode:
        sys.exit(summary.returncode)
    print(flush=True)
    one_night(log, "a second night, in which a school loses half of its enrollments", *SECOND_NIGHT)
    ran(program("oneroster-audit"), "show", "--policy", "output/policy.yml")
    print(flush=True)
    pages = marts_pages()
    say("is tonight safe? Open output/roster.html")
    say(pages)


def one_night(log: Path, text: str, *events: str) -> None:
    """Make the sample of a night, load it, and audit the load."""
    policy = ("--policy", "output/policy.yml")
    say(f"{text} (log: {log.relative_to(ROOT)})")
    for what, expected, command in (
        ("the sample was not made", {0}, ("oneroster-sample", "bundle", "output/sample/district.zip", *events)),
        ("the pipeline failed", {0}, ("meltano", "run", "--full-refresh", "quickstart")),
        ("the audit failed", {0, 3}, ("oneroster-audit", "run", *policy)),  # 3: it holds a school
    ):
        with log.open("wb") as file:
            done = ran(program(command[0]), *command[1:], stdout=file, stderr=file)
        if done.returncode not in expected:
            print(*content(log).splitlines()[-20:], sep="\n", file=sys.stderr)
            fail(f"{what}; all it said is in {log.relative_to(ROOT)}")


def marts_pages() -> str:
    """Make the marts' pages of a sample district; return a line that names them, or says why there are none."""
    try:
        place = set_up_marts("quickstart")
    except SystemExit as reason:  # dbt is not needed for the rest
        return f"the marts' pages are skipped, and ./run marts makes them: {str(reason).removeprefix('run: ')}"
    made = ran(programs(place) / "python", "-m", "tools.quickstart.marts")
    if made.returncode:
        sys.exit(made.returncode)
    return "how is a district doing? Open output/marts/site/index.html"


def query(*arguments: str) -> None:
    """Query the quick start's warehouse."""
    set_up("quickstart")
    become("python", "-m", "tools.quickstart.query", *arguments)


def marts() -> None:
    """Build tables and pages of a sample district, in the environment of the marts, and ask a question."""
    enter(set_up_marts("quickstart"))
    become("python", "-m", "tools.quickstart.marts", "--ask")


def setup() -> None:
    """Install everything."""
    set_up("all")
    set_up_plugins()


def test(*arguments: str) -> None:
    """Run the tests."""
    setup()
    become("python", "-m", "pytest", *(arguments or ("-n", "auto")))


def test_airbyte(*arguments: str) -> None:
    """Run the tests that need PyAirbyte, whose pins conflict with Meltano's and which needs Python 3.11 or 3.12."""
    set_up("all")
    use_pip_settings()
    uv = get_uv()
    place = MADE / "airbyte"
    python = programs(place) / "python"
    if not shutil.which(str(python)) or ran(python, "-c", "import airbyte_cdk", capture_output=True).returncode:
        say("PyAirbyte")
        make_environment(uv, place, ">=3.11,<3.13", "PyAirbyte needs Python 3.11 or 3.12")
        from_index("PyAirbyte", uv, "pip", "install", "--quiet", "--python", place, "airbyte==0.71.*")
    become("python", "-m", "pytest", "-m", "airbyte", "tests/airbyte", *arguments)


def test_marts(*arguments: str) -> None:
    """Run the tests of oneroster-marts, whose dbt and our mypy need different versions of one package."""
    place = set_up_marts()
    enter(place)
    # The environment has what these tests need, and not what others import.
    is_named = any(argument.startswith("tests") for argument in arguments)
    places = () if is_named else ("tests/marts",)
    # Tests of a file share what they build. The ten districts of test_truth.py: ./run test-marts -m "marts and slow"
    words = arguments or ("-n", "2")
    # A warehouse is built in the time of the first test that needs it; on a busy machine, the one for Snowflake takes minutes.
    become("python", "-m", "pytest", "--timeout", "1800", "-m", "marts and not slow", *words, *places)


def test_airflow(*arguments: str) -> None:
    """Run the tests that need Airflow, whose pins conflict with Meltano's."""
    set_up("all")
    set_up_airflow()
    # The nights of a hundred districts and of 200 kills: ./run test-airflow -m "airflow and slow"
    places = () if any(argument.startswith("tests") for argument in arguments) else ("tests/airflow",)
    become("python", "-m", "pytest", "-m", "airflow and not slow", *arguments, *places)


def test_sdk_next(*arguments: str) -> None:
    """Run the tests with the newest pre-release of singer-sdk; Meltano's plugins keep the release of the lock."""
    setup()
    use_pip_settings()
    uv = get_uv()
    place = MADE / "sdk-next"
    mark = place / "ready"
    if content(mark) != fingerprint():
        make_environment(uv, place, sys.executable, "no environment could be made")
        say("packages of requirements.lock, for the newest singer-sdk")
        install_into(uv, place)
        mark.write_text(f"{fingerprint()}\n", encoding="utf-8")
    newest = ("--prerelease", "allow", "--upgrade-package", "singer-sdk", "singer-sdk")
    from_index("singer-sdk", uv, "pip", "install", "--quiet", "--python", place, *newest)
    enter(place)
    version = "import importlib.metadata as m; print(m.version('singer-sdk'))"
    say("singer-sdk " + ran(program("python"), "-c", version, capture_output=True).stdout.strip())
    become("python", "-m", "pytest", *(arguments or ("-n", "auto")))


def lint() -> None:
    """Check the code: all checks run, and the command fails if any of them fails."""
    set_up("all")
    checks = (("ruff", "check"), ("ruff", "format", "--check"), ("mypy",), ("lint-imports",))
    sys.exit(max([ran(program(name), *rest).returncode for name, *rest in checks]))


def docs(what: str = "build", *arguments: str) -> None:
    """Build the site, with dbt's documentation of the marts in marts/dbt/index.html, or serve the site alone."""
    set_up("all")
    os.environ["NO_MKDOCS_2_WARNING"] = "1"
    if what != "build":
        become("python", "-m", "mkdocs", what, *arguments)
    code = ran(program("python"), "-m", "mkdocs", what, "--strict", *arguments).returncode
    if code or arguments:  # into a folder of the caller's own the site is built alone
        sys.exit(code)
    python = programs(set_up_marts()) / "python"
    sys.exit(ran(python, "-m", "tools.marts_docs", ROOT / "output/site/marts/dbt/index.html").returncode)


def release_dry_run() -> None:
    """Perform a release without publishing it."""
    set_up("all")
    become("python", "-m", "tools.release")


def lock(*arguments: str) -> None:
    """Renew requirements.lock, that of oneroster-marts, and that of Airflow.

    Further indexes of this machine may hold fewer files of a version: a lock that lists only these cannot be installed
    on another system.
    """
    use_pip_settings(others=False)
    uv = get_uv()
    options = (
        "--quiet",
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-emit-find-links",
    )
    own = ("--group", "pyproject.toml:dev"), projects(), LOCK
    extras = [option for extra in ("duckdb", "postgres", "snowflake", "mcp") for option in ("--extra", extra)]
    apart = (*extras, "--group", f"{APART}/pyproject.toml:test"), projects(apart=True), APART_LOCK
    airflow: tuple[tuple[str, ...], list[Path], Path] = (), [AIRFLOW / "requirements.in"], AIRFLOW / "requirements.lock"
    codes = []
    for groups, sources, target in (own, apart, airflow):
        draft = MADE / "draft.lock"
        draft.write_text(pins(target.read_text(encoding="utf-8")), encoding="utf-8")
        names = [str(path.relative_to(ROOT)) for path in sources]
        named = ("--custom-compile-command", "./run lock", *groups, *names, "--output-file", str(draft))
        codes.append(subprocess.call([uv, "pip", "compile", *options, *named, *arguments]))
        if not codes[-1]:
            draft.replace(target)
    sys.exit(max(codes))


def pins(lock: str) -> str:
    """Return a lock without its hashes. If uv finds hashes of a version, it does not ask the index for its files again."""
    return re.sub(r" \\\n(?: +--hash=\S+(?: \\)?\n)+", "\n", lock)


def execute(name: str = "", *arguments: str) -> None:
    """Run a program of the environment, and install only the quick start's half of the lock if that is sufficient."""
    if not name:
        fail("exec needs a program: ./run exec meltano --help")
    short_python = name.startswith("python") and arguments[:1] == ("-c",)
    set_up("quickstart" if QUICK.fullmatch(name) or short_python else "all")
    if name in {"meltano", "uv"}:  # these install packages
        use_pip_settings()
    become(name, *arguments)


COMMANDS: dict[str, Callable[..., None]] = {
    "query": query,
    "marts": marts,
    "test": test,
    "test-airbyte": test_airbyte,
    "test-marts": test_marts,
    "test-airflow": test_airflow,
    "test-sdk-next": test_sdk_next,
    "lint": lint,
    "docs": docs,
    "setup": setup,
    "release-dry-run": release_dry_run,
    "lock": lock,
    "exec": execute,
}


def main(arguments: list[str]) -> None:
    """Run a command."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        fail(
            f"Python 3.11 to 3.14 is needed, this is {sys.version.split()[0]}. On Windows: py -3.13 tools\\bootstrap.py"
        )
    name, *rest = arguments or [""]
    if name in {"-h", "--help", "help"}:
        sys.stdout.write(HELP)
        return
    if not (name in {"", *COMMANDS} or TOOLS.fullmatch(name)):
        known = [*COMMANDS, "meltano", "python", "pytest", "ruff", "mypy", "pre-commit", *OWN[1:]]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        nearest = f" Did you mean {near[0]}?" if near else ""
        say(f"no command {name}.{nearest} ./run --help lists the commands; any other program: ./run exec {name}")
        sys.exit(2)
    prepare()
    enter(ROOT / ".venv")
    if not name:
        quick_start()
    elif name in COMMANDS:
        COMMANDS[name](*rest)
    else:
        execute(name, *rest)


if __name__ == "__main__":
    main(sys.argv[1:])
