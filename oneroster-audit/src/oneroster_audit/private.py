"""Files that only their owner can read: they hold ids of persons."""

from __future__ import annotations

import csv
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .errors import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path


@contextmanager
def owner_only() -> Iterator[None]:
    """Let files that are made in between, by whatever library, have mode 0600."""
    mask = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(mask)


def write_csv(out: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write a CSV file of mode 0600, first beside its place; return the number of rows, or raise Unknown."""
    count = 0
    partial = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with os.fdopen(
            os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline=""
        ) as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(header)
            for row in rows:
                writer.writerow(row)
                count += 1
        partial.replace(out)
    except OSError as error:
        raise Unknown(f"{out} cannot be written ({error.strerror})") from None
    finally:
        partial.unlink(missing_ok=True)
    return count
