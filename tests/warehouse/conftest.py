"""Runs the warehouse target in process, and asks the file what is in it."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from target_oneroster.warehouse.target import TargetOneRosterDuckDB

from tests.target.mini import encode

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass
class House:
    """A warehouse, and how rows get there."""

    path: Path
    config: dict[str, Any] = field(default_factory=dict)

    def run(self, messages: Iterable[Any] | bytes, **config: Any) -> Any:
        """Give the target these messages; the state that it acknowledged."""
        settings = {"filepath": str(self.path)} | self.config | config
        data = messages if isinstance(messages, bytes) else encode(messages)
        target = TargetOneRosterDuckDB(config=settings)
        output = io.StringIO()
        try:
            with redirect_stdout(output):
                target.listen(io.BytesIO(data))  # type: ignore[arg-type]
        finally:
            target.close()
            self.outcome = target.run.outcome if target._run else None
            self.state = [json.loads(line) for line in output.getvalue().splitlines()]
        return self.state

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        with duckdb.connect(str(self.path), read_only=True) as database:
            database.execute("USE oneroster")
            return database.execute(text).fetchall()

    def rows(self, table: str, where: str = "true") -> dict[str, dict[str, Any]]:
        """Rows of a table by their id."""
        with duckdb.connect(str(self.path), read_only=True) as database:
            answer = database.execute(f'SELECT * FROM oneroster."{table}" WHERE {where}')
            names = [column[0] for column in answer.description or []]
            found = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        assert len({row["sourcedId"] for row in found}) == len(found)
        return {row["sourcedId"]: row for row in found}

    def there(self, table: str) -> set[str]:
        """Ids of the rows that are there."""
        return set(self.rows(table, "_sdc_deleted_at IS NULL"))

    def strays(self) -> list[str]:
        """Files beside the warehouse that should not be there."""
        return [path.name for path in self.path.parent.iterdir() if path != self.path]


@pytest.fixture
def house(tmp_path: Path) -> House:
    (tmp_path / "house").mkdir()
    return House(tmp_path / "house" / "warehouse.duckdb")
