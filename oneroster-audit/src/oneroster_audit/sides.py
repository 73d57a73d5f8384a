"""What `diff` and `reconcile` compare: loads of the policy's warehouse, DuckDB files, or bundles, which are loaded first."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .bundles import loaded
from .errors import Wrong
from .pair import Side, file_and_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .policy import Policy


@contextmanager
def opened(names: tuple[str, str], policy: Callable[[], Policy]) -> Iterator[tuple[Side, Side]]:
    """Yield the two sides; the policy is read only if one of them is a load's number. Raise Wrong for what is neither."""
    bundles = [Path(name) for name in names if _kind(name) == "bundle"]
    with ExitStack() as stack:
        warehouse = stack.enter_context(loaded(*bundles)) if bundles else None
        sides, number = [], 0
        for name in names:
            match _kind(name):
                case "load":
                    of = policy()
                    sides.append(Side(name, of.path(of.warehouse), of.schema, of.tenant, int(name)))
                case "bundle" if warehouse:
                    number += 1
                    sides.append(Side(name, warehouse, load=number))
                case _:
                    path, schema = file_and_schema(name)
                    sides.append(Side(name, path, schema))
        yield sides[0], sides[1]


def _kind(name: str) -> str:
    if name.isdecimal():
        return "load"
    path, _ = file_and_schema(name)
    if not path.exists():
        raise Wrong(f"{name} is neither the number of a load, nor a DuckDB file (FILE or FILE:SCHEMA), nor a bundle")
    return "file" if _is_duckdb(path) else "bundle"


def _is_duckdb(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as source:
        return source.read(12)[8:] == b"DUCK"
