"""Rejected rows with the rule they broke, in a file beside the bundle that only its owner can read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .._core.model import FILES
from .._core.sql import literal, quoted

if TYPE_CHECKING:
    from pathlib import Path

    from .._core.sql import Engine

SUFFIX = ".quarantine.jsonl"


def write_quarantine(engine: Engine, target: Path) -> None:
    """Write every rejected row as a line of JSON: file, field, rule, root cause, and the row."""
    target.touch(mode=0o600)
    part = target.with_suffix(".part")
    with target.open("wb") as out:
        for kind in FILES:
            table = f"{kind.name} rejected"
            if not engine.has(table):
                continue
            engine.run(
                f'COPY (SELECT r.file, r.field, r.rule, r.cause, t AS "row" FROM {quoted(table)} t '
                f'JOIN rejected r ON r.id = t."sourcedId" AND r.file = {literal(kind.name)} ORDER BY t."sourcedId") '
                f"TO {literal(str(part))} (FORMAT json)"
            )
            out.write(part.read_bytes())
            part.unlink()
    os.chmod(target, 0o600)  # noqa: PTH101 - the same as above where the file was there
