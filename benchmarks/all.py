"""Every figure of the documentation, measured anew by its own command, with the peers in the same run.

./run python -m benchmarks.all                  (on an idle machine; about half an hour)
./run python -m benchmarks.all --only batch     (one of them)

A table that was measured stands between two marks that name its command. This command runs it and replaces the table.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"(<!-- measured: (?P<command>[^>]+) -->\n\n)(?P<table>.*?)(\n\n<!-- end -->)", re.DOTALL)
_BUSY = 0.5
"""A load of the machine above which figures are not worth writing down."""


class Block(NamedTuple):
    """A measured table in a page."""

    page: Path
    command: str
    """Name of the benchmark and its options."""
    table: str


def pages() -> list[Path]:
    """Return the pages that may hold figures."""
    return sorted({ROOT / "README.md", *ROOT.glob("*-*/README.md"), *ROOT.glob("docs/**/*.md")})


def blocks() -> Iterator[Block]:
    """Yield the measured tables of all pages."""
    for page in pages():
        for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
            yield Block(page, found["command"], found["table"])


def main() -> None:
    """Run the commands of all measured tables, and write what they print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="BENCHMARK", help="run the tables of this benchmark only")
    parser.add_argument("--busy", action="store_true", help="write the figures although the machine does other work")
    options = parser.parse_args()
    for block in list(blocks()):
        if options.only in {None, block.command.split()[0]}:
            if os.getloadavg()[0] > _BUSY and not options.busy:
                sys.exit(f"The machine is busy (load {os.getloadavg()[0]:.1f}): wait, or use --busy.")
            print(f"{block.page.relative_to(ROOT)}: {block.command}", flush=True)
            _write(block, _measured(block.command))


def _measured(command: str) -> str:
    module, *options = shlex.split(command)
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _write(block: Block, table: str) -> None:
    text = block.page.read_text(encoding="utf-8")
    text = _BLOCK.sub(
        lambda found: found[1] + table + found[4] if found["command"] == block.command else found[0], text
    )
    block.page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
