"""Findings of the checks: counted by file, field and rule, with their root cause, without any value."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ..._core.sql import literal, quoted
from ..tables import GONE

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..._core.sql import Engine

_EXAMPLES = 3
_CAUSES = 20


class Severity(StrEnum):
    """The effect of a finding on the bundle."""

    STOP = "stop"
    """Nothing can be published."""
    ROW = "row"
    """The row is removed, and so are the rows that depend on it."""
    VALUE = "value"
    """The value is removed, the row stays."""
    NOTE = "note"
    """Nothing is removed; a person should look at it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule in one column of one file."""

    severity: Severity
    file: str
    field: str
    rule: str
    count: int
    rows: tuple[str, ...] = ()
    """Some of the rows: hashes of their sourcedIds; for a published package, line numbers."""

    def text(self) -> str:
        """Return the finding as one line."""
        examples = f" (rows {', '.join(self.rows)})" if self.rows else ""
        place = ".".join(filter(None, (self.file, self.field)))
        return f"{place or 'the bundle'}: {self.rule}: {self.count}{examples}"


def hashed(column: str = '"sourcedId"') -> str:
    """Return SQL for the name of a row in messages: a hash, because an id may be personal data."""
    return f"left(sha256({column}), 12)"


class Findings:
    """Findings of one bundle, and the rows that are removed because of them."""

    def __init__(self, engine: Engine, bulk: Collection[str]) -> None:
        self.engine = engine
        self.bulk = bulk
        """Files with complete content; the others are deltas, of which the receiver has more rows."""
        self.found: list[Finding] = []
        self.went_along: Counter[str] = Counter()
        """By file: number of rows that referred to a deleted row."""
        self._touched: set[str] = set()
        """Files whose tables still contain rejected rows."""
        engine.run("CREATE TABLE rejected (file VARCHAR, id VARCHAR, field VARCHAR, rule VARCHAR, cause VARCHAR)")

    def add(self, severity: Severity, file: str, field: str, rule: str, where: str, count: int) -> None:
        """Add a finding for the `count` rows of a file that match `where`."""
        rows = self.engine.run(
            f'SELECT {hashed()} FROM {quoted(file)} WHERE {where} ORDER BY "sourcedId" LIMIT {_EXAMPLES}'
        )
        self.found.append(Finding(severity, file, field, rule, count, tuple(row for (row,) in rows)))

    def settle(
        self,
        severity: Severity,
        file: str,
        field: str,
        rule: str,
        broken: str,
        *,
        count: int | None = None,
        cause: str | None = None,
    ) -> None:
        """Add a finding for the rows that match `broken`; then reject these rows or clear their values, by severity.

        `count` is the number of these rows if it is known; `cause` is SQL for the root cause, by default each row itself.
        """
        count = self.engine.count(file, broken) if count is None else count
        if not count:
            return
        self.add(severity, file, field, rule, broken, count)
        if severity is Severity.ROW:
            self._reject(file, field, rule, broken, cause)
        elif severity is Severity.VALUE:
            self.engine.run(f"UPDATE {quoted(file)} SET {quoted(field)} = '' WHERE {broken}")

    def _reject(self, file: str, field: str, rule: str, where: str, cause: str | None) -> None:
        """Register rows of a file for removal; `cause` is SQL for the root cause, by default the row itself."""
        self._touched.add(file)
        cause = cause or f"{literal(file + ' ')} || {hashed()}"
        self.engine.run(
            f'INSERT INTO rejected SELECT {literal(file)}, "sourcedId", {literal(field)}, {literal(rule)}, {cause} '
            f'FROM {quoted(file)} WHERE ({where}) AND "sourcedId" NOT IN '
            f"(SELECT id FROM rejected WHERE file = {literal(file)})"
        )

    def stop(self, file: str, field: str, rule: str, count: int) -> None:
        """Add a finding that prevents publication."""
        self.found.append(Finding(Severity.STOP, file, field, rule, count))

    def remove_rejected(self, file: str) -> None:
        """Move the rejected rows of a file from its table into `<file> rejected`."""
        if file not in self._touched:
            return
        self._touched.discard(file)
        chosen = f'"sourcedId" IN (SELECT id FROM rejected WHERE file = {literal(file)})'
        kept = quoted(f"{file} rejected")
        if self.engine.has(f"{file} rejected"):
            self.engine.run(f"INSERT INTO {kept} SELECT * FROM {quoted(file)} WHERE {chosen}")
        else:
            self.engine.run(f"CREATE TABLE {kept} AS SELECT * FROM {quoted(file)} WHERE {chosen}")
        self.engine.run(f"DELETE FROM {quoted(file)} WHERE {chosen}")

    def let_go(self, file: str, where: str) -> None:
        """Delete rows that refer to a deleted row: a bulk file omits them, a delta marks them."""
        insert = f'INSERT INTO {GONE} SELECT {literal(file)}, "sourcedId" FROM {quoted(file)} WHERE {where}'
        if count := self.engine.one(insert):
            if file in self.bulk:
                self.engine.run(f"DELETE FROM {quoted(file)} WHERE {where}")
            else:
                self.engine.run(f"UPDATE {quoted(file)} SET \"status\" = 'tobedeleted' WHERE {where}")
            self.went_along[file] += count

    def says_all(self, target: str, file: str) -> bool:
        """True if a row of `file` may only refer to rows of `target` in this bundle.

        False if the receiver has more rows of `target`: because they arrive as a delta, or because none arrive and the
        row itself is part of a delta.
        """
        return target in self.bulk and (
            file in self.bulk or bool(self.engine.count(target)) or self.engine.has(f"{target} rejected")
        )

    def staying(self, file: str) -> str:
        """Return SQL for the rows of a file that are not being deleted; only a delta has deleted rows."""
        return "true" if file in self.bulk else "\"status\" <> 'tobedeleted'"

    @property
    def rejected_rows(self) -> dict[str, int]:
        """Number of rejected rows, by file."""
        found = self.engine.run("SELECT file, count(*) FROM rejected GROUP BY file ORDER BY file")
        # For an id with different rows, count all of them.
        return {file: max(ids, self.engine.count(f"{file} rejected")) for file, ids in found}

    def causes(self) -> list[tuple[str, dict[str, int]]]:
        """Return the root causes of rejected rows, those with most rows first: a name, and rows by file."""
        grouped: dict[str, dict[str, int]] = {}
        for cause, file, count in self.engine.run(
            "SELECT cause, file, count(*) FROM rejected WHERE cause IN (SELECT cause FROM rejected GROUP BY cause "
            f"ORDER BY count(*) DESC, cause LIMIT {_CAUSES}) GROUP BY cause, file ORDER BY cause, file"
        ):
            grouped.setdefault(cause, {})[file] = count
        return sorted(grouped.items(), key=lambda item: (-sum(item[1].values()), item[0]))

    def of(self, severity: Severity) -> list[Finding]:
        """Return the findings of one severity."""
        return [finding for finding in self.found if finding.severity is severity]
