"""Write everything that is derived from the code into the files that contain it.

    python -m tools.derive                      write
    python -m tools.derive --check              compare only; exit 1 and name the files that differ
    python -m tools.derive --repository URL     first make URL (or a folder) the address of the repository

In a file, derived lines are between two marks (in Markdown the marks are HTML comments):

    # derived: settings of tap-oneroster
    # end of derived

Everything outside the marks is written by hand and stays unchanged.

Meltano's lock files in plugins/ are derived as a whole: those of our own plugins from hub/, others from their
present content, in Meltano's own format.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from meltano.core.plugin.base import StandalonePlugin
from oneroster_audit.__main__ import EXIT_CODES as AUDIT_EXIT_CODES
from oneroster_core.shell import EXIT_CODES
from oneroster_fleet.__main__ import EXIT_CODES as FLEET_EXIT_CODES
from oneroster_marts.__main__ import EXIT_CODES as MARTS_EXIT_CODES

from tools import marts_pages, marts_picture
from tools.derived import addresses, definitions, tables
from tools.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = ("README.md", "*/README.md", "docs/*.md", "docs/*/*.md", "hub/*.yml", "*/pyproject.toml")
ONLY_THE_HUB = {"domain_url", "keywords", "maintenance_status", "quality"}
LOCKS = "plugins/*/*.lock"
PICTURE = "docs/assets/marts.svg"
PAGES_OF_MARTS = "docs/marts/*.md"
BLOCK = re.compile(
    r"^(?P<start>(?P<indent> *)(?:#|<!--) derived: (?P<what>[a-z ]+) of (?P<plugin>[a-z-]+?)(?: -->)?\n)"
    r".*?"
    r"^(?P<end> *(?:#|<!--) end of derived(?: -->)?)$",
    re.MULTILINE | re.DOTALL,
)
DERIVED: dict[str, dict[str, Callable[[str], str]]] = {
    ".yml": {
        "addresses": definitions.addresses,
        "settings": definitions.meltano_settings,
        "utility settings": definitions.utility_settings,
        "transformer settings": definitions.transformer_settings,
        "capabilities": definitions.capabilities,
        "python versions": definitions.pythons,
    },
    ".toml": {"links": addresses.project_urls},
    ".md": {
        "settings": tables.settings_table,
        "streams": tables.streams_table,
        "presets": tables.presets_table,
        "rules": tables.rules_table,
        "rules of form": tables.package_table,
        "exit codes": lambda _: tables.exit_codes(EXIT_CODES),
        "links": addresses.links,
        "audit checks": tables.audit_checks,
        "consumer rules": tables.consumer_rules,
        "audit exit codes": lambda _: tables.exit_codes(AUDIT_EXIT_CODES),
        "airflow settings": tables.airflow_settings,
        "fleet exit codes": lambda _: tables.exit_codes(FLEET_EXIT_CODES),
        "fleet keys": tables.fleet_keys,
        "marts settings": tables.marts_settings,
        "marts exit codes": lambda _: tables.exit_codes(MARTS_EXIT_CODES),
    },
}
"""By the ending of a file: what makes the lines between two marks, by their name; it is given the plugin that they name."""


def rewritten(path: Path) -> str:
    """Return the file's text with its derived lines updated."""

    def block(match: re.Match[str]) -> str:
        lines = DERIVED[path.suffix][match["what"]](match["plugin"])
        indented = "".join(f"{match['indent']}{line}" for line in lines.splitlines(keepends=True))
        return f"{match['start']}{indented}{match['end']}"

    text, blocks = BLOCK.subn(block, path.read_text(encoding="utf-8"))
    if blocks != text.count(" derived: ") or blocks != text.count(" end of derived"):
        sys.exit(f"{path.relative_to(ROOT)}: a mark of derived lines has no counterpart")
    return text


def locked(path: Path) -> str:
    """Return a lock file as Meltano writes it: for our own plugins from hub/, for others from its present content."""
    definition = ROOT / "hub" / f"{path.name.partition('--')[0]}.yml"
    if definition.exists():
        content = {k: v for k, v in yaml.safe_load(rewritten(definition)).items() if k not in ONLY_THE_HUB}
    else:
        content = json.loads(path.read_text(encoding="utf-8"))
    canonical = StandalonePlugin.parse({**content, "plugin_type": path.parent.name}).canonical()
    return json.dumps(canonical, indent=2) + "\n"  # same format as meltano.core.plugin_lock_service


def picture(_: Path) -> str:
    """Return the picture of the marts."""
    return marts_picture.svg()


def page_of_mart(path: Path) -> str:
    """Return the page of a mart."""
    return marts_pages.page(path.stem)


def main() -> None:
    """Write or compare the files."""
    parser = argparse.ArgumentParser(description="Write what follows from the code into the files that repeat it.")
    parser.add_argument("--check", action="store_true", help="compare only")
    parser.add_argument("--repository", metavar="URL", help="make this the address of the repository")
    options = parser.parse_args()
    if options.repository:
        addresses.move_repository(options.repository)
    stale = []
    for pattern, derive in (
        *((pattern, rewritten) for pattern in FILES),
        (LOCKS, locked),
        (PICTURE, picture),
        (PAGES_OF_MARTS, page_of_mart),
    ):
        for path in sorted(ROOT.glob(pattern)):
            text = derive(path)
            if text != path.read_text(encoding="utf-8"):
                stale.append(str(path.relative_to(ROOT)))
                if not options.check:
                    path.write_text(text, encoding="utf-8", newline="\n")
    if options.check and stale:
        sys.exit(f"out of date: {', '.join(stale)}. Run: ./run python -m tools.derive")
    print("out of date, written: " + ", ".join(stale) if stale else "derived files agree with the code")


if __name__ == "__main__":
    main()
