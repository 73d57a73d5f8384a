"""Compare three counts of every stream: in the source, by the receipt, in the database.

The tap's receipt says what left the source; only a count in the database says what arrived.
Exits with 1 if the three differ, even if the loader reported success.

    python -m tools.quickstart.summary [BUNDLE] [DATABASE] [--schema NAME]
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_ALL_RECEIPTS = """
    select collection, distinct_ids, complete from (
        select collection, "distinct" as distinct_ids, complete,
               row_number() over (partition by collection order by "startedAt" desc) as age
        from {schema}."syncReceipts"
        where mode not in ('skipped', 'absent')
    ) where age = 1
"""


class Line(NamedTuple):
    """The three counts of one stream; None if there is nothing to count."""

    stream: str
    source: int | None
    receipt: int | None
    database: int | None
    complete: bool

    @property
    def left_out(self) -> bool:
        """True if the stream was not requested: there is no receipt for it, and no row in the database."""
        return self.receipt is None and not self.database

    @property
    def agrees(self) -> bool:
        """True if everything in the source has a receipt and arrived."""
        counts = {self.receipt, self.database} | ({self.source} - {None})
        return self.complete and len(counts) == 1 and None not in counts


def count_bundle(path: Path) -> dict[str, int]:
    """Return the number of distinct ids in each file of a zipped bundle, counted without the tap."""
    counts = {}
    with zipfile.ZipFile(path) as bundle:
        for name in bundle.namelist():
            stream = Path(name).stem
            if stream == "manifest":
                continue
            with bundle.open(name) as member:
                rows = csv.DictReader(io.TextIOWrapper(member, "utf-8-sig", newline=""))
                counts[stream] = len({row["sourcedId"] for row in rows})
    return counts


def compare(source: Mapping[str, int], database: duckdb.DuckDBPyConnection, schema: str) -> Iterator[Line]:
    """Yield the counts of every stream in the source or in a receipt."""
    receipts = {
        collection: (distinct, complete)
        for collection, distinct, complete in database.execute(_ALL_RECEIPTS.format(schema=schema)).fetchall()
    }
    tables = {
        name
        for (name,) in database.execute(
            "select table_name from duckdb_tables() where schema_name = ?", [schema]
        ).fetchall()
    }
    for stream in sorted({*source, *receipts}, key=str.lower):
        arrived = None
        if stream in tables:
            row = database.execute(f'select count(*) from {schema}."{stream}" where _sdc_deleted_at is null').fetchone()
            arrived = row[0] if row else None
        distinct, complete = receipts.get(stream, (None, False))
        yield Line(stream, source.get(stream), distinct, arrived, bool(complete))


def render(lines: Iterable[Line]) -> str:
    """Return the counts as a table."""
    rows: list[tuple[str, ...]] = [("stream", "in the source", "by the receipt", "in the database", "")]
    rows += [
        (line.stream, *(_number(n) for n in (line.source, line.receipt, line.database)), _verdict(line))
        for line in lines
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if n in {0, 4} else cell.rjust(w) for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _number(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _verdict(line: Line) -> str:
    if line.agrees:
        return "all there"
    if line.left_out:
        return "not selected"
    return "DIFFERENT" if line.complete else "INCOMPLETE"


def main() -> int:
    """Print the summary; return 1 if something is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bundle", nargs="?", type=Path, default=Path("output/sample/district.zip"))
    parser.add_argument("database", nargs="?", type=Path, default=Path("output/warehouse.duckdb"))
    parser.add_argument("--schema", default="oneroster")
    options = parser.parse_args()
    with duckdb.connect(str(options.database), read_only=True) as database:
        lines = list(compare(count_bundle(options.bundle), database, options.schema))
    print(render(lines))
    wrong = [line.stream for line in lines if not (line.agrees or line.left_out)]
    print()
    loaded = [line for line in lines if line.agrees]
    if wrong or not loaded:
        print(f"NOT everything arrived: {', '.join(wrong) or 'nothing was read'}. Do not use {options.database}.")
        return 1
    total = sum(line.database or 0 for line in loaded)
    print(f"All {total:,} records of {len(loaded)} streams are in {options.database}. Try:\n")
    print("  ./run query                                       people by school and role")
    print(f'  ./run query "select * from {options.schema}_current.users limit 5"')
    return 0


if __name__ == "__main__":
    sys.exit(main())
