"""What `./run` installs, and where: the environment of requirements.lock, Meltano's plugins, pip's settings for uv.

Uses the standard library only, because it runs before anything is installed.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
WINDOWS = sys.platform == "win32"
MADE = ROOT / ".uv"
LOG = MADE / "setup.log"
LOCK = ROOT / "requirements.lock"
OWN = (
    "oneroster-core",
    "oneroster-figures",
    "tap-oneroster",
    "target-oneroster-csv",
    "oneroster-sample",
    "oneroster-audit",
    "oneroster-fleet",
    "oneroster-marts",
)
APART = "oneroster-marts"
"""The package whose dependencies conflict with the tools': dbt-core needs pathspec below 0.13, mypy a newer one.

In `.venv` it is installed without them, for what reads its code and settings; it runs in an environment of its own.
"""
APART_LOCK = ROOT / APART / "requirements.lock"
AIRFLOW = ROOT / "tests" / "airflow"
"""The folder with the lock of Airflow, which only tests of oneroster-fleet need."""
FROM_PIP = {
    "no-index": "UV_NO_INDEX",
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
}
NETWORK = re.compile(
    r"connect|timed? ?out|resolve host|name resolution|dns error|certificate|proxy|HTTP status|Temporary failure"
    r"|no matching distribution",
    re.IGNORECASE,
)


def say(text: str) -> None:
    """Print a line about the set-up."""
    print(f"run: {text}", file=sys.stderr, flush=True)


def fail(text: str) -> NoReturn:
    """Exit with one line and code 1; whoever can go on without the step catches SystemExit, whose text is the line."""
    sys.exit(f"run: {text}")


def ran(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, without a check of its exit code."""
    return subprocess.run(command, check=False, text=True, **options)


def program(name: str) -> str:
    """Return the path of a program; the environment's programs come first."""
    found = shutil.which(name)
    if not found:
        fail(f"no program {name} in the environment. ./run --help lists the commands")
    return found


def programs(environment: Path) -> Path:
    """Return the folder of an environment's programs."""
    return environment / ("Scripts" if WINDOWS else "bin")


def enter(environment: Path) -> None:
    """Activate an environment for later commands."""
    os.environ["PATH"] = os.pathsep.join((str(programs(environment)), os.environ.get("PATH", os.defpath)))
    os.environ["VIRTUAL_ENV"] = str(environment)
    os.environ.pop("PYTHONHOME", None)
    # With this variable, as in container images, each program compiles every module it imports anew: Meltano then needs
    # three times the CPU time. The files lie in the checkout, and git ignores them.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def prepare() -> None:
    """Keep everything that tools write inside the checkout."""
    os.chdir(ROOT)
    os.environ["UV_PYTHON_DOWNLOADS"] = "never"
    os.environ["UV_NO_PROGRESS"] = "1"
    os.environ.setdefault("UV_CACHE_DIR", str(MADE / "cache"))
    os.environ["XDG_STATE_HOME"] = str(ROOT / ".meltano")  # Meltano's logs, otherwise in the home directory
    if (ROOT / "tap-oneroster/src/tap_oneroster/_core").is_file():
        fail(
            "the links of this checkout are text files. Turn on Windows' developer mode, and clone again with "
            "git clone -c core.symlinks=true"
        )


def python_with_pip() -> str:
    """Return a Python with pip: this one, or one in an environment in which the venv module installs pip."""
    inside = ROOT / ".venv" in Path(sys.executable).parents
    python = getattr(sys, "_base_executable", sys.executable) if inside else sys.executable
    if ran(python, "-c", "import pip", capture_output=True).returncode == 0:
        return python
    place = MADE / "pip"
    own = programs(place) / Path("python")
    if not shutil.which(str(own)) and ran(python, "-m", "venv", str(place), capture_output=True).returncode:
        shutil.rmtree(place, ignore_errors=True)
        fail(f"{python} has no pip. Install it (Debian: apt-get install python3-pip), then run again.")
    return str(own)


def pip(*arguments: str) -> list[str]:
    """Return a command of pip."""
    os.environ |= {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    return [python_with_pip(), "-m", "pip", "--disable-pip-version-check", *arguments]


def use_pip_settings(*, others: bool = True) -> None:
    """Pass pip's index and certificates to uv, which does not read pip's settings.

    Settings of uv itself take precedence. Without `others`, pip's further indexes and folders of packages are left out.
    """
    settings: dict[str, str] = {}
    lines = ran(*pip("config", "list"), capture_output=True).stdout.splitlines()
    for line in sorted(lines, key=lambda line: line.startswith(":env:")):  # environment variables take precedence
        name, _, value = line.partition("=")
        try:
            text = str(ast.literal_eval(value))
        except (SyntaxError, ValueError):
            continue
        settings[name.rpartition(".")[2]] = " ".join(text.split())
    if not others:
        settings = {name: text for name, text in settings.items() if name not in {"extra-index-url", "find-links"}}
    for option, variable in FROM_PIP.items():
        if settings.get(option) and not os.environ.get(variable):
            os.environ[variable] = settings[option]
    # pip ignores a missing folder, uv does not.
    places = [place for place in settings.get("find-links", "").split() if "://" in place or Path(place).exists()]
    if places:
        os.environ["UV_FIND_LINKS"] = ",".join(filter(None, (os.environ.get("UV_FIND_LINKS"), *places)))
    if os.environ.get("UV_INDEX"):  # pip takes the best match of all indexes; uv needs a setting for it
        os.environ.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")


def from_index(what: str, *command: str | Path) -> None:
    """Run a step that needs the package index; an error is one line that says what to do."""
    MADE.mkdir(exist_ok=True)
    with LOG.open("wb") as log:
        done = ran(*command, stdout=log, stderr=log)
    if done.returncode == 0:
        return
    text = LOG.read_text(encoding="utf-8", errors="replace")
    place = LOG.relative_to(ROOT)
    if NETWORK.search(text):
        fail(
            f"{what}: the package index did not deliver. Check the network, or set PIP_INDEX_URL (and PIP_CERT, "
            f"HTTPS_PROXY) to what your network asks for, then run again. Details: {place}"
        )
    fail(f"{what} failed: {(text.splitlines() or ['no reason given'])[-1]} Details: {place}")


def get_uv() -> Path:
    """Return uv, installed with the version and the hashes of the lock."""
    pin = re.search(r"^uv==([^ ;\\]+)(?:.*\\\n)*.*\n", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    if not pin:
        fail("requirements.lock has no uv")
    place = MADE / f"uv-{pin[1]}"
    if not place.exists():
        say(f"uv {pin[1]}")
        MADE.mkdir(exist_ok=True)
        new = MADE / "new"
        shutil.rmtree(new, ignore_errors=True)
        wanted = MADE / "uv.lock"
        wanted.write_text(pin[0], encoding="utf-8")
        options = (
            "--require-hashes",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--no-cache-dir",
            "--root-user-action",
            "ignore",
        )
        from_index("uv", *pip("install", "--quiet", "--target", str(new), *options, "-r", str(wanted)))
        new.rename(place)
    return next(
        path for path in (place / "bin" / "uv", place / "bin" / "uv.exe", place / "Scripts" / "uv.exe") if path.exists()
    )


def make_environment(uv: Path, place: Path, python: str, need: str) -> None:
    """Create an empty environment."""
    done = ran(uv, "venv", "--quiet", "--clear", "--python", python, place, capture_output=True)
    if done.returncode:
        fail(f"{need}: {(done.stderr.splitlines() or ['no reason given'])[-1]}")


def projects(*, apart: bool = False) -> list[Path]:
    """Return the pyproject.toml of each package of the environment; `apart`: of the environment of the marts."""
    left_out = {"oneroster-audit", "oneroster-figures", "oneroster-fleet"} if apart else {APART}
    return sorted(path for path in ROOT.glob("*/pyproject.toml") if path.parent.name not in left_out)


def fingerprint(*, apart: bool = False) -> str:
    """Return a fingerprint of the environment's content and place."""
    files = [APART_LOCK if apart else LOCK, ROOT / "pyproject.toml", *projects(apart=apart)]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return f"{digest[:16]} {ROOT}"


def content(path: Path) -> str:
    """Return a mark's text; empty if there is none."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


@contextmanager
def alone() -> Iterator[None]:
    """Lock the checkout for one set-up at a time; a second one waits, and then has nothing to do."""
    MADE.mkdir(exist_ok=True)
    with (MADE / "busy").open("a") as file:
        if WINDOWS:
            import msvcrt as windows

            lock: Any = windows
            while True:
                try:
                    lock.locking(file.fileno(), lock.LK_LOCK, 1)
                    break
                except OSError:  # raised after ten tries of a second each
                    continue
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def set_up(half: str) -> None:
    """Install the lock: `all` of it, or the part for the `quickstart`, without tools and tests."""
    environment, mark = ROOT / ".venv", ROOT / ".venv" / "ready"
    python = programs(environment) / "python"

    def ready() -> bool:
        return bool(shutil.which(str(python))) and content(mark) in {f"{h} {fingerprint()}" for h in ("all", half)}

    if ready():
        return
    with alone():
        if ready():
            return
        use_pip_settings()
        uv = get_uv()
        # Without the mark, an earlier set-up was interrupted; if it names another place, the checkout was moved.
        if not shutil.which(str(python)) or not content(mark).endswith(f" {ROOT}"):
            say(f"environment .venv, Python {sys.version.split()[0]}")
            inside = environment in Path(sys.executable).parents
            base = getattr(sys, "_base_executable", sys.executable) if inside else sys.executable
            make_environment(uv, environment, base, "no environment could be made")
        mark.unlink(missing_ok=True)
        say("packages of requirements.lock")
        install_into(uv, environment, half)
        mark.write_text(f"{half} {fingerprint()}\n", encoding="utf-8")


def install_into(uv: Path, environment: Path, half: str = "all") -> None:
    """Install the lock, and our own packages from this checkout."""
    install = (uv, "pip", "install", "--quiet", "--python", environment)
    if half == "all":
        from_index("packages", *install, "--require-hashes", "-r", LOCK)
    else:  # as constraints, pins and hashes apply as well
        members = [option for path in projects() for option in ("-r", path)]
        from_index("packages", *install, "--constraint", LOCK, "--group", "pyproject.toml:quickstart", *members)
    say("this project's own packages")
    editable = [option for name in OWN for option in ("-e", name)]
    from_index("this project's own packages", *install, "--no-deps", "--no-build-isolation", *editable)


def set_up_marts(half: str = "all") -> Path:
    """Install the environment of oneroster-marts, from a lock of its own; return its place.

    `half` is `all`, with every warehouse and the tests, or `quickstart`, which is a third of it: marts on DuckDB.
    """
    place = ROOT / ".marts"
    mark = place / "ready"

    def ready() -> bool:
        return content(mark) in {f"{h} {fingerprint(apart=True)}" for h in ("all", half)}

    if ready():
        return place
    with alone():
        if ready():
            return place
        use_pip_settings()
        uv = get_uv()
        make_environment(uv, place, sys.executable, "no environment could be made")
        say(f"packages of {APART_LOCK.relative_to(ROOT)}")
        install = (uv, "pip", "install", "--quiet", "--python", place)
        if half == "all":
            from_index("packages", *install, "--require-hashes", "-r", APART_LOCK)
        else:  # as constraints, pins and hashes apply as well
            members = [option for path in projects(apart=True) for option in ("-r", path)]
            build = ("--extra", "duckdb", "--group", f"{APART}/pyproject.toml:build")
            from_index("packages", *install, "--constraint", APART_LOCK, *build, *members)
        editable = [option for path in projects(apart=True) for option in ("-e", path.parent)]
        from_index("this project's own packages", *install, "--no-deps", "--no-build-isolation", *editable)
        mark.write_text(f"{half} {fingerprint(apart=True)}\n", encoding="utf-8")
    return place


def set_up_airflow() -> Path:
    """Install Airflow from a lock of its own; return its place."""
    place, lock = ROOT / ".airflow", AIRFLOW / "requirements.lock"
    mark = place / "ready"
    wanted = f"{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]} {ROOT}"
    if content(mark) == wanted:
        return place
    with alone():
        use_pip_settings()
        uv = get_uv()
        make_environment(uv, place, sys.executable, "no environment could be made")
        say(f"packages of {lock.relative_to(ROOT)}")
        from_index("Airflow", uv, "pip", "install", "--quiet", "--python", place, "--require-hashes", "-r", lock)
        mark.write_text(f"{wanted}\n", encoding="utf-8")
    return place


def set_up_plugins() -> None:
    """Install the plugins that the quick start and the tests run, each in its own Meltano environment.

    Meltano installs other plugins when they first run.
    """
    mark = ROOT / ".meltano" / "ready"
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("tests/loaders/*/pyproject.toml")))
    sources += "".join(re.findall(r"pip_url.*\n", (ROOT / "meltano.yml").read_text(encoding="utf-8")))
    wanted = f"{hashlib.sha256(sources.encode()).hexdigest()[:16]} {fingerprint()}"
    if content(mark) == wanted:
        return
    say("Meltano's plugins")
    mark.unlink(missing_ok=True)
    use_pip_settings()
    names = ("tap-oneroster", "target-oneroster-csv", "target-oneroster-duckdb")
    from_index("Meltano's plugins", program("meltano"), "install", "--clean", *names)
    mark.write_text(f"{wanted}\n", encoding="utf-8")
