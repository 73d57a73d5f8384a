"""Sixty nights into one warehouse with a history: does a night, or the file, grow with the number of nights?

./run python -m benchmarks.warehouse_nights --enrollments 30000 --nights 60

Prints CPU seconds and the size of the file for some nights, and the ratio of the last nights to the first after night 1. Each
night changes 1 % of the rows: one third each are changed, gone and new.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import random
import tempfile
import time
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from oneroster_core.model import RECEIPTS, file
from oneroster_core.model.schema import json_schema, key_properties
from target_oneroster.warehouse.target import TargetOneRosterDuckDB

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAM = "enrollments"
SHOWN = 10


def main() -> None:
    """Load the nights and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--enrollments", type=int, default=30_000)
    parser.add_argument("--nights", type=int, default=60)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    seconds, sizes = [], []
    with tempfile.TemporaryDirectory() as scratch:
        warehouse = Path(scratch) / "warehouse.duckdb"
        for messages in _nights(options.enrollments, options.nights):
            started = time.process_time()
            _load(warehouse, messages)
            seconds.append(time.process_time() - started)
            sizes.append(warehouse.stat().st_size / 2**20)
    print("| night | CPU s | MB |\n| --- | ---: | ---: |")
    for night in range(options.nights):
        if night < 3 or (night + 1) % SHOWN == 0:
            print(f"| {night + 1} | {seconds[night]:.2f} | {sizes[night]:.1f} |")
    late, early = median(seconds[-5:]), median(seconds[1:6])
    growth = (sizes[-1] - sizes[1]) / (options.nights - 2)
    changed = options.nights / 100
    print(f"\nCPU of the last five nights to that of nights 2 to 6: {late / early:.2f}.")
    print(f"Size of the last night to that of night 2: {sizes[-1] / sizes[1]:.2f}, {growth * 1024:.0f} kB a night.")
    print(f"The nights changed {changed:.1f} times as many rows as the first one brought.")


def _nights(size: int, nights: int) -> Iterator[bytes]:
    dice = random.Random(0)
    rows = {f"e{n:08}": _row(n) for n in range(size)}
    number = size
    for night in range(1, nights + 1):
        yield b"".join(
            json.dumps(message, separators=(",", ":")).encode() + b"\n"
            for message in _messages(list(rows.values()), night)
        )
        for key in dice.sample(sorted(rows), size // 100):
            number += 1
            match number % 3:
                case 0:
                    rows[key] = rows[key] | {"classSourcedId": f"c{number}"}
                case 1:
                    del rows[key]
                case _:
                    rows[f"e{number:08}"] = _row(number)


def _row(number: int) -> dict[str, Any]:
    return {
        "sourcedId": f"e{number:08}", "status": "active", "classSourcedId": f"c{number // 25}",
        "schoolSourcedId": f"s{number // 5000}", "userSourcedId": f"u{number // 7}", "role": "student",
        "primary": False, "beginDate": "2026-08-15",
    }  # fmt: skip


def _messages(rows: list[dict[str, Any]], night: int) -> Iterator[dict[str, Any]]:
    for kind in (RECEIPTS, file(STREAM)):
        keys = list(key_properties(kind))
        yield {"type": "SCHEMA", "stream": kind.name, "schema": json_schema(kind), "key_properties": keys}
    begin = datetime(2026, 9, 1, tzinfo=UTC) + timedelta(days=night)
    for row in rows:
        read = (begin + timedelta(milliseconds=int(row["sourcedId"][1:]) % 1000)).isoformat()
        yield {"type": "RECORD", "stream": STREAM, "record": row, "version": night, "time_extracted": read}
    yield {"type": "ACTIVATE_VERSION", "stream": STREAM, "version": night}
    receipt = {
        "runId": str(night),
        "collection": STREAM,
        "source": "bundle",
        "mode": "bulk",
        "complete": True,
        "distinct": len(rows),
        "contentDigest": "0",
    }
    yield {"type": "RECORD", "stream": RECEIPTS.name, "record": receipt}


def _load(warehouse: Path, messages: bytes) -> None:
    target = TargetOneRosterDuckDB(config={"filepath": str(warehouse), "history": True})
    try:
        with redirect_stdout(io.StringIO()):
            target.listen(io.BytesIO(messages))  # type: ignore[arg-type]
    finally:
        target.close()


if __name__ == "__main__":
    main()
