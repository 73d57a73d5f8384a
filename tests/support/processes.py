"""The tap and the CSV target as two processes with a pipe between them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent


def pipe(tap, target, tmp_path):
    """Run the two with these settings; the exit codes, the target's output and its log."""
    files = []
    for name, settings in (("tap", tap), ("target", target)):
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(json.dumps(settings), encoding="utf-8")
    with (
        subprocess.Popen(
            [BIN / "tap-oneroster", "--config", files[0]], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as source,
        subprocess.Popen(
            [BIN / "target-oneroster-csv", "--config", files[1]],
            stdin=source.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as sink,
    ):
        source.stdout.close()  # the target's alone: where it stops reading, the tap has to notice
        state, log = sink.communicate()
    return source.returncode, sink.returncode, state, log
