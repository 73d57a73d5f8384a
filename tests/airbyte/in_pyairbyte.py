"""Runs where PyAirbyte is installed: takes jobs from standard input, a line each, and answers in lines."""

from __future__ import annotations

import json
import sys
from typing import Any

import airbyte
from airbyte.caches import DuckDBCache


def do(job: dict[str, Any]) -> Any:
    """One call of PyAirbyte, on a source and a cache that the job names."""
    source = airbyte.get_source("source-oneroster", config=job["config"], local_executable=job["executable"])
    match job["do"]:
        case "check":
            return source.check()
        case "discover":
            return source.get_available_streams()
        case _:
            source.select_streams(job["streams"])
            return source.read(cache=DuckDBCache(db_path=job["cache"]), **job["how"]).processed_records


def main() -> None:
    """Answer until there are no more jobs."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        try:
            answer = {"result": do(json.loads(line))}
        except Exception as error:  # to be told, whatever it is
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
