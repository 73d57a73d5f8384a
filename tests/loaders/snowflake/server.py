"""A stand-in for Snowflake; it runs in an environment that has fakesnow.

It prints its port. Then each line of its input, a JSON list of database and query, is answered by one line: the rows
as JSON, or what is wrong as text. They come over the wire through Snowflake's own connector, as to anyone else.
"""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from typing import Any

import fakesnow
import snowflake.connector


def answer(how: dict[str, Any], database: str, query: str) -> Any:
    """Rows of a query."""
    try:
        with snowflake.connector.connect(**how, database=database) as connection:
            return connection.cursor(snowflake.connector.DictCursor).execute(query).fetchall()
    except snowflake.connector.Error as problem:
        return str(problem)


def main() -> None:
    """Serve until the input ends."""
    out = sys.stdout
    with redirect_stdout(sys.stderr), fakesnow.server() as how:  # the server logs to standard output
        print(how["port"], file=out, flush=True)
        for line in sys.stdin:
            print(json.dumps(answer(how, *json.loads(line)), default=str), file=out, flush=True)


if __name__ == "__main__":
    main()
