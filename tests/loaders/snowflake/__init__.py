"""A stand-in for Snowflake, in an environment of its own: fakesnow, which runs Snowflake's SQL on DuckDB.

It shows what the loader sends to a server and what of it arrives. It is no Snowflake: `docs/loaders.md` says what that
leaves open.
"""

from __future__ import annotations

import json
import os
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROJECT = """
project_id: 0192e4a0-0000-7000-8000-000000000002
send_anonymous_usage_stats: false
cli:
  disable_version_check: true
plugins:
  utilities:
  - name: fakesnow
    namespace: fakesnow
    pip_url: fakesnow[server]==0.12.1 snowflake-connector-python<5
"""
"""The project by which Meltano makes that environment."""


class Server:
    """The server. It forgets everything when it ends."""

    def __init__(self, python: Path, log: Path) -> None:
        self._numbers = count()
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                [python, HERE / "server.py"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
            )
        assert self._process.stdin
        assert self._process.stdout
        self._questions, self._answers = self._process.stdin, self._process.stdout
        if not (port := self._answers.readline().strip()):
            self.close()
            raise RuntimeError(log.read_text()[-300:])
        self.port = int(port)

    def database(self) -> Database:
        """A new database."""
        return Database(self, f"DISTRICT_{next(self._numbers)}")

    def ask(self, database: str, query: str) -> list[dict[str, Any]]:
        """Rows of a query."""
        self._questions.write(json.dumps([database, query]) + "\n")
        self._questions.flush()
        rows = json.loads(self._answers.readline())
        assert isinstance(rows, list), rows
        return rows

    def close(self) -> None:
        """Stop the server."""
        self._questions.close()
        self._process.wait(240)
        self._answers.close()


class Database:
    """One database, and the way of a loader to it."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self.name = name

    def query(self, text: str) -> list[dict[str, Any]]:
        """Rows of a query."""
        return self._server.ask(self.name, text)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of a table as JSON has them."""
        found = self.query(f"select object_construct_keep_null(*) as its from {table}")
        return [json.loads(row["ITS"]) for row in found]

    def reached_by(self, loader: Path, folder: Path) -> Path:
        """A loader that reaches the stand-in; its environment stays as Meltano made it."""
        path = folder / loader.name
        settings = f"PYTHONPATH='{HERE}' FAKESNOW_PORT={self._server.port}"
        path.write_text(f"#!/bin/sh\n{settings} exec '{loader}' \"$@\"\n", encoding="utf-8")
        os.chmod(path, 0o755)  # noqa: PTH101
        return path
