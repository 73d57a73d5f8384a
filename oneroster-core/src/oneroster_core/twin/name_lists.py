"""The lists that replacements of names come from; their origin and licence are in names/LICENCE.txt."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def names(kind: str, number: int) -> tuple[str, ...]:
    """Return a list of names: `kind` is given or family, `number` the version that the policy names."""
    folder = files(__package__) / "names"
    return tuple((folder / f"{kind}_{number}.txt").read_text(encoding="ascii").split())
