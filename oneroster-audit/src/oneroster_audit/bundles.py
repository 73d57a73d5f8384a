"""`diff` of two bundles: tap and target load both into a temporary warehouse."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from .errors import Unknown, Wrong

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


def loaded(*bundles: Path) -> AbstractContextManager[Path]:
    """Return a warehouse with one load for each bundle; it is removed at the end."""
    from contextlib import contextmanager

    @contextmanager
    def made() -> Iterator[Path]:
        tap, target = _program("tap-oneroster"), _program("target-oneroster-duckdb")
        with TemporaryDirectory(prefix="oneroster-audit-") as name:
            folder = Path(name)
            warehouse = folder / "warehouse.duckdb"
            for bundle in bundles:
                _load(folder, tap, target, bundle, warehouse)
            yield warehouse

    return made()


def _load(folder: Path, tap: str, target: str, bundle: Path, warehouse: Path) -> None:
    for name, config in (
        ("tap", {"mode": "csv", "csv_path": str(bundle.resolve())}),
        ("target", {"filepath": str(warehouse), "history": True, "views": False}),
    ):
        (folder / f"{name}.json").write_text(json.dumps(config), encoding="utf-8")
    with subprocess.Popen(  # noqa: S603
        [tap, "--config", str(folder / "tap.json")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as source:
        done = subprocess.run(  # noqa: S603
            [target, "--config", str(folder / "target.json")],
            stdin=source.stdout,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    if source.returncode or done.returncode:
        raise Unknown(f"{bundle.name} could not be loaded. Load it with tap-oneroster to see why.")


def _program(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise Wrong(f"{name} is not installed: it loads the bundles that are compared")
    return found
