"""Start one run of a twin after the other, and kill each at another moment: python -m tests.support.killed_twins FOLDER.

FOLDER holds config.json. What a run wrote to its output is in FOLDER/out-N.jsonl, its log in FOLDER/log-N.txt; TMPDIR is the
caller's business. One process imports the tap once; its forks are the runs.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

_RUNS = 50


def _run(folder: Path, number: int, config: dict[str, object]) -> None:
    from tap_oneroster import TapOneRoster

    for name, descriptor in ((f"out-{number}.jsonl", 1), (f"log-{number}.txt", 2)):
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, descriptor)
    TapOneRoster(config=config).sync_all()
    sys.stdout.flush()


def main() -> None:
    """Kill the runs at fifty moments between the start and a little after the end of a whole run."""
    import tap_oneroster.singer.tap  # noqa: F401  (the forks have it)

    folder = Path(sys.argv[1])
    config = json.loads((folder / "config.json").read_text())
    whole = 0.0
    for number in range(_RUNS + 1):
        started = time.monotonic()
        child = os.fork()
        if not child:
            try:
                _run(folder, number, config)
            finally:
                os._exit(0)
        if number:
            time.sleep(whole * number / _RUNS)
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        whole = whole or time.monotonic() - started


if __name__ == "__main__":
    main()
