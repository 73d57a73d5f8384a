"""Ask a warehouse that target-oneroster-duckdb made, and print the answer as a table.

./run query [--database FILE] ["select ..."]     without SQL: people by school and role
"""

from __future__ import annotations

import argparse
import sys

import duckdb

EXAMPLE = """
select o.name as school, r.role, count(*) as people
from oneroster_current.roles r join oneroster_current.orgs o on o.sourcedId = r.orgSourcedId
group by all order by all
"""
"""The views of oneroster_current show present rows; the tables also keep rows that the source deleted."""


def main() -> None:
    """Print the result."""
    parser = argparse.ArgumentParser(prog="./run query", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sql", nargs="?", default=EXAMPLE, help="without: people by school and role")
    parser.add_argument("--database", default="output/warehouse.duckdb", help="by default that of the quick start")
    options = parser.parse_args()
    try:
        with duckdb.connect(options.database, read_only=True) as database:
            answer = database.sql(options.sql)
            if answer:
                answer.show()
    except duckdb.Error as problem:
        sys.exit(f"query: {str(problem).splitlines()[0]}")


if __name__ == "__main__":
    main()
