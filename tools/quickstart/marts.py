"""Build the marts of a sample district and write its pages, for the end of `./run`; `./run marts` asks a question, too.

Runs in the environment of the marts. Everything is written to output/marts.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "output" / "marts"
PROGRAMS = Path(sys.executable).parent
TODAY = "2026-11-16"
"""A Monday of the sample's first semester: the day that is described."""
SIZE = ("--students-per-school", "260")
INPUTS = ("attendance", "licences", "vendor_activity", "lms_memberships", "final_grades")
QUESTION = "class size by grade"


def say(text: str) -> None:
    """Print a line about the progress."""
    print(f"run: {text}", file=sys.stderr, flush=True)


def run(name: str, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run a program of the environment, and return what it wrote to stdout; end with its last lines if it fails."""
    done = subprocess.run([str(PROGRAMS / name), *arguments], input=stdin, capture_output=True, cwd=FOLDER, check=False)
    if done.returncode:
        print(*done.stderr.decode(errors="replace").splitlines()[-5:], sep="\n", file=sys.stderr)
        say(f"{name} {arguments[0]} failed")
        sys.exit(1)
    return done.stdout


def main() -> None:
    """Make the district, load it, build the marts, write the pages; with --ask say how many there are, and ask."""
    asks = sys.argv[1:] == ["--ask"]
    shutil.rmtree(FOLDER, ignore_errors=True)  # anew each time, as the quick start
    FOLDER.mkdir(parents=True)
    say("a larger district, its marts and its pages: output/marts")
    run("oneroster-sample", "bundle", "district.zip", *SIZE, "--results", "year")
    run("oneroster-sample", "usage", "inputs", *SIZE, "--results", "year")
    settings = {
        "tap.json": {"mode": "csv", "csv_path": "district.zip"},
        "target.json": {"filepath": "warehouse.duckdb", "history": True},
        "marts.json": {"today": TODAY, "inputs": {name: f"inputs/{name}.csv" for name in INPUTS}},
    }
    for name, content in settings.items():
        (FOLDER / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    records = run("tap-oneroster", "--config", "tap.json")
    run("target-oneroster-duckdb", "--config", "target.json", stdin=records)
    built = run("oneroster-marts", "build", "--config", "marts.json").decode()
    run("oneroster-marts", "pages", "--config", "marts.json")
    if not asks:
        return
    sys.stdout.write(built)
    say(f'a question: oneroster-marts ask --config marts.json "{QUESTION}"')
    print(run("oneroster-marts", "ask", "--config", "marts.json", QUESTION).decode())
    say("how is a district doing? Open output/marts/site/index.html")


if __name__ == "__main__":
    main()
