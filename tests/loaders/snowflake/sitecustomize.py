"""Brings a loader's Snowflake connector to the stand-in of `server.py`; Python imports this module when it starts.

The loader's own code stays as it is. What it sends is changed on its way, only where the stand-in
has no such thing: the stage that each user has (`@~`), and a query of the files in a stage. The files
go to a stage with a name, from there into a table with one VARIANT column, and that table is queried.
"""

from __future__ import annotations

import os
import re
from typing import Any

PLACE = re.compile(r"'@~/target-snowflake/([^'/]+)/?'(\s*\(file_format => [^)]+\))?")
"""The user's stage, with the name of a batch; in a query with the file format."""
QUERY = re.compile(rf"(?P<columns>select .+?) from {PLACE.pattern}")
"""A query of it."""
SCHEMA = "STAGED"
"""Where those stages and tables are."""
NO_SUCH_STATEMENT = ["^drop file format", "^remove '@~"]


def staged(batch: str) -> str:
    """Name of the stage and of the table that hold a batch."""
    return f"{SCHEMA}.batch_" + re.sub(r"\W", "_", batch)


def steps(statement: str) -> list[str]:
    """What to send in place of a statement."""
    place = PLACE.search(statement)
    if not place or re.match("remove ", statement):
        return [statement]
    name = staged(place[1])
    if statement.startswith("put "):
        return [
            f"create stage if not exists {name}",
            PLACE.sub(f"@{name}", statement),
            f"create or replace table {name} (v variant)",
            f"copy into {name} from @{name} file_format = (type = 'JSON')",
        ]
    query = QUERY.search(statement)
    assert query, statement
    before, after = statement[: query.start()], statement[query.end() :].replace("SEQ8()", "rowid")
    rows = f"create or replace table {name}_rows as {query['columns'].replace('$1:', 'v:')} from {name}"
    return [rows, f"{before}select * from {name}_rows{after}"]


def divert(port: int) -> None:
    """Let connections go to that port of this machine."""
    from snowflake.connector.connection import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor

    connect, execute = SnowflakeConnection.connect, SnowflakeCursor.execute

    def connect_here(self: SnowflakeConnection, **options: Any) -> Any:
        options |= {"host": "127.0.0.1", "port": port, "protocol": "http", "network_timeout": 20, "schema": SCHEMA}
        options["session_parameters"] = {**options.get("session_parameters", {}), "nop_regexes": NO_SUCH_STATEMENT}
        return connect(self, **options)

    def execute_here(self: SnowflakeCursor, command: str, params: Any = None, *rest: Any, **options: Any) -> Any:
        *before, last = steps(command)
        for statement in before:
            execute(self, statement, params if statement.startswith("put ") else None)
        return execute(self, last, None if before else params, *rest, **options)

    SnowflakeConnection.connect = connect_here
    SnowflakeCursor.execute = execute_here


if "FAKESNOW_PORT" in os.environ:
    divert(int(os.environ["FAKESNOW_PORT"]))
