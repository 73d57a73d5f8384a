"""How long the pages of a large district take, how much memory, and how large they are, without and with --restricted.

    ./run test-marts --collect-only -q                                 # makes the environment of the marts
    ./run python -m benchmarks.marts --keep FOLDER                     # builds the marts of 740 schools
    ./run python -m benchmarks.marts_pages FOLDER [--names]

The command fails if a page is larger than 500 kB, or if the pages took more than 120 s of CPU, which on an idle machine is not less
than what the clock says.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
MOST_SECONDS, MOST_BYTES = 120, 500_000


def measure(config: Path, *arguments: str) -> list[str]:
    """Write the pages, say what it took, and return what is wrong with it."""
    program = str(ROOT / ".marts" / "bin" / "oneroster-marts")
    with TemporaryDirectory() as site:
        started = time.perf_counter()
        process = subprocess.Popen([program, "pages", "--config", str(config), "--out", site, *arguments])
        _, status, usage = os.wait4(process.pid, 0)
        wall, cpu, peak = time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
        if os.waitstatus_to_exitcode(status):
            raise SystemExit("the pages were not made")
        sizes: dict[str, list[int]] = {}
        for path in Path(site).rglob("*.html"):
            kind = path.parent.name if path.parent != Path(site) else path.name
            sizes.setdefault(kind, []).append(path.stat().st_size)
    print(f"pages {' '.join(arguments)}: {wall:.0f} s wall, {cpu:.0f} s CPU, {peak:,.0f} MB peak")
    for kind, found in sorted(sizes.items()):
        print(
            f"  {len(found):5,} {kind}: {sum(found) / len(found) / 1000:,.0f} kB each, {max(found) / 1000:,.0f} kB the largest"
        )
    wrong = [
        f"a page of {kind} is larger than {MOST_BYTES:,} bytes"
        for kind, found in sizes.items()
        if max(found) > MOST_BYTES
    ]
    return wrong + ([f"more than {MOST_SECONDS} s of CPU"] if cpu > MOST_SECONDS else [])


def main() -> None:
    """Write the pages twice, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="what benchmarks.marts kept")
    parser.add_argument("--names", action="store_true", help="the restricted pages with names in place of ids")
    options = parser.parse_args()
    config = options.folder / "marts.json"
    if not config.exists():
        raise SystemExit(f"{config}: no such file; run benchmarks.marts with --keep first")
    wrong = measure(config)
    wrong += measure(config, "--restricted", *(["--names"] if options.names else []))
    if wrong:
        raise SystemExit("; ".join(wrong))


if __name__ == "__main__":
    main()
