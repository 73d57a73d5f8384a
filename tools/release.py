"""Perform a release without publishing it: `./run release-dry-run`. docs/releasing.md describes a maintainer's steps.

Each step prints one line, or the run stops there with an error:

1. build an sdist and a wheel of both packages, in the version that CHANGELOG.md names first (or of the tag)
2. `twine check --strict`: the index would take them, and can show their pages
3. install each by its name from an index on this machine, and start its commands
4. `meltano add --from-ref` with the definitions as the Hub will have them (`pip_url` is the name), `meltano install`
5. write what comes with the release: an SBOM (CycloneDX) and the list of licences, of each package's environment
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from meltano.core.plugin.base import PluginType

from tools.environment import ROOT, from_index, get_uv, make_environment, programs, say, use_pip_settings
from tools.project import kind_of_plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTPUT = ROOT / "output" / "release"
PACKAGES = {
    "tap-oneroster": ("tap-oneroster", "source-oneroster"),
    "target-oneroster-csv": ("target-oneroster-csv", "target-oneroster-duckdb"),
    "oneroster-audit": ("oneroster-audit",),
    "oneroster-fleet": ("oneroster-fleet",),
    "oneroster-marts": ("oneroster-marts",),
}
ASKS = {
    "source-oneroster": "spec",
    "oneroster-audit": "--help",
    "oneroster-fleet": "--help",
    "oneroster-marts": "--help",
}
"""What a program is asked, if not `--about`."""
TOOLS = ("twine==7.0.0", "cyclonedx-bom==7.5.0", "pip-licenses==5.5.5")


def version() -> str:
    """Return the version that CHANGELOG.md names first."""
    found = re.search(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        sys.exit("CHANGELOG.md names no version: ## 1.2.3")
    return found[1]


def step(what: str, *command: str | Path, **options: Any) -> str:
    """Run a step that must succeed; return its output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        sys.exit(f"{what} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return str(done.stdout)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def index(files: Path) -> Iterator[str]:
    """Serve built packages like an index, with a folder for each name; yield its address."""
    simple = OUTPUT / "index" / "simple"
    for path in files.iterdir():
        place = simple / path.name.partition("-")[0].replace("_", "-")
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    handler = partial(_Quiet, directory=str(simple.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/simple"
        server.shutdown()


def add_to_project(index_url: str, number: str) -> None:
    """Add the plugins to an empty Meltano project with the Hub's definitions, and install them."""
    folder = OUTPUT / "project"
    folder.mkdir()
    first = {"project_id": "release", "send_anonymous_usage_stats": False, "environments": [{"name": "dev"}]}
    (folder / "meltano.yml").write_text(yaml.safe_dump(first), encoding="utf-8")
    mine = {**os.environ, "UV_INDEX": index_url, "XDG_STATE_HOME": str(folder), "NO_COLOR": "1"}
    for path in sorted((ROOT / "hub").glob("*.yml")):
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))
        package = next(package for package, commands in PACKAGES.items() if path.stem in commands)
        definition["pip_url"] = package
        ref = OUTPUT / path.name
        ref.write_text(yaml.safe_dump(definition, sort_keys=False), encoding="utf-8")
        kind = PluginType(kind_of_plugin(path.stem)).singular
        options = ("--plugin-type", kind, "--from-ref", ref, "--no-install", path.stem)
        step(f"meltano add {path.stem}", "meltano", "add", *options, cwd=folder, env=mine)
    step("meltano install", "meltano", "install", cwd=folder, env=mine)
    for path in sorted((ROOT / "hub").glob("*.yml")):
        place = kind_of_plugin(path.stem)
        program = programs(folder / ".meltano" / place / path.stem / "venv") / path.stem
        said = step(path.stem, program, "--version")
        if number not in said:
            sys.exit(f"Meltano installed another {path.stem} than the one that was built: {said}")


def main() -> None:
    """Run the steps."""
    number = version()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    files, tools = OUTPUT / "dist", OUTPUT / "tools"
    files.mkdir(parents=True)
    build = {**os.environ, "SETUPTOOLS_SCM_PRETEND_VERSION": number}
    for package in PACKAGES:
        options = ("--no-isolation", "--outdir", files, ROOT / package)
        step(f"building {package}", sys.executable, "-m", "build", *options, env=build)
    say(f"built {', '.join(sorted(path.name for path in files.iterdir()))}")

    use_pip_settings()
    uv = get_uv()
    make_environment(uv, tools, sys.executable, "no environment could be made")
    from_index("tools of the release", uv, "pip", "install", "--quiet", "--python", tools, *TOOLS)
    step("twine check", programs(tools) / "twine", "check", "--strict", *sorted(files.iterdir()))
    say("twine check: the index would take them")

    with index(files) as address:
        for package, commands in PACKAGES.items():
            place = OUTPUT / f"with-{package}"
            make_environment(uv, place, sys.executable, "no environment could be made")
            install = (uv, "pip", "install", "--quiet", "--python", place, "--index", address, package)
            from_index(f"installing {package} by name", *install)
            for command in commands:
                program = programs(place) / command
                step(command, program, ASKS.get(command, "--about"))
            said = step(package, programs(place) / package, "--version")
            if number not in said:
                sys.exit(f"another {package} was installed than the one that was built: {said}")
            say(f"{package} {number}: installed by name, its commands start")
            python = programs(place) / "python"
            sbom = (
                "environment",
                "--output-reproducible",
                "--of",
                "JSON",
                "-o",
                OUTPUT / f"{package}.cdx.json",
                python,
            )
            step("the SBOM", programs(tools) / "cyclonedx-py", *sbom)
            listing = ("--python", python, "--format=markdown", "--with-urls")
            listed = step("the list of licences", programs(tools) / "pip-licenses", *listing)
            (OUTPUT / f"{package}.licences.md").write_text(listed, encoding="utf-8")
        add_to_project(address, number)
        say("meltano add --from-ref, meltano install: all plugins, by name")
    say(f"SBOMs and lists of licences: {OUTPUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
