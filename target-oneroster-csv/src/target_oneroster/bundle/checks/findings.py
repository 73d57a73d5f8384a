"""What the checks have found: counted by file, field and rule, traced to where it began, without any value."""

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

__all__ = ["Finding", "Findings", "Severity", "hashed"]

_EXAMPLES = 3


class Severity(StrEnum):
    """What a finding does to the bundle."""

    STOP = "stop"
    """Nothing can be published."""
    ROW = "row"
    """The row has to go, and what depends on it."""
    VALUE = "value"
    """The value goes, the row stays."""
    NOTE = "note"
    """Everything stays; somebody should look."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that was broken in one column of one file."""

    severity: Severity
    file: str
    field: str
    rule: str
    count: int
    rows: tuple[str, ...] = ()
    """Some of the rows: hashes of their sourcedIds; in a package as it lies, numbers of lines."""

    def text(self) -> str:
        """The finding as a line."""
        examples = f" (rows {', '.join(self.rows)})" if self.rows else ""
        place = ".".join(filter(None, (self.file, self.field)))
        return f"{place or 'the bundle'}: {self.rule}: {self.count}{examples}"


def hashed(column: str = '"sourcedId"') -> str:
    """SQL for the name of a row in messages: a hash, since an id may be personal."""
    return f"left(sha256({column}), 12)"


class Findings:
    """Findings of one bundle, and the rows that go because of them."""

    def __init__(self, engine: Engine, bulk: Collection[str]) -> None:
        self.engine = engine
        self.bulk = bulk
        """Files that say all there is; the others are deltas, whose receiver has more."""
        self.found: list[Finding] = []
        self.went_along: Counter[str] = Counter()
        """Rows by file that pointed at a row the source has deleted."""
        self._touched: set[str] = set()
        """Files with rejected rows that are still in their tables."""
        engine.run("CREATE TABLE rejected (file VARCHAR, id VARCHAR, field VARCHAR, rule VARCHAR, cause VARCHAR)")

    def add(self, severity: Severity, file: str, field: str, rule: str, where: str, count: int) -> None:
        """Take in a finding that is true of `count` rows of a file, those `where` holds for."""
        if not count:
            return
        rows = self.engine.run(
            f'SELECT {hashed()} FROM {quoted(file)} WHERE {where} ORDER BY "sourcedId" LIMIT {_EXAMPLES}'
        )
        self.found.append(Finding(severity, file, field, rule, count, tuple(row for (row,) in rows)))

    def reject(self, file: str, field: str, rule: str, where: str, cause: str | None = None) -> None:
        """Note the rows of a file that have to go; `cause` is SQL for what it began with, by default the row."""
        self._touched.add(file)
        cause = cause or f"{literal(file + ' ')} || {hashed()}"
        self.engine.run(
            f'INSERT INTO rejected SELECT {literal(file)}, "sourcedId", {literal(field)}, {literal(rule)}, {cause} '
            f'FROM {quoted(file)} WHERE ({where}) AND "sourcedId" NOT IN '
            f"(SELECT id FROM rejected WHERE file = {literal(file)})"
        )

    def stop(self, file: str, field: str, rule: str, count: int) -> None:
        """Take in a finding that makes the bundle impossible."""
        self.found.append(Finding(Severity.STOP, file, field, rule, count))

    def remove_rejected(self, file: str) -> None:
        """Take the rejected rows of a file out of its table, into `<file> rejected`."""
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
        """Rows that pointed at a deleted row are deleted, too: a bulk file lacks them, a delta says so."""
        count = self.engine.one(f"SELECT count(*) FROM {quoted(file)} WHERE {where}")
        if count:
            self.engine.run(f'INSERT INTO {GONE} SELECT {literal(file)}, "sourcedId" FROM {quoted(file)} WHERE {where}')
            if file in self.bulk:
                self.engine.run(f"DELETE FROM {quoted(file)} WHERE {where}")
            else:
                self.engine.run(f"UPDATE {quoted(file)} SET \"status\" = 'tobedeleted' WHERE {where}")
            self.went_along[file] += count

    def says_all(self, target: str, file: str) -> bool:
        """Whether a row of `file` may only name rows that the file `target` has here.

        Not where the receiver has more of them: because they come as a delta, or because they do
        not come at all and the row is one of a delta.
        """
        return target in self.bulk and (
            file in self.bulk or bool(self.engine.count(target)) or self.engine.has(f"{target} rejected")
        )

    def staying(self, file: str) -> str:
        """SQL for the rows of a file that are not on their way out; only a delta has others."""
        return "true" if file in self.bulk else "\"status\" <> 'tobedeleted'"

    @property
    def rejected_rows(self) -> dict[str, int]:
        """Rows that have to go, by file."""
        found = self.engine.run("SELECT file, count(*) FROM rejected GROUP BY file ORDER BY file")
        # Of an id that came with different rows, all of them.
        return {file: max(ids, self.engine.count(f"{file} rejected")) for file, ids in found}

    def causes(self, limit: int = 20) -> list[tuple[str, dict[str, int]]]:
        """What the rejected rows began with, the most costly first: a name, and rows by file."""
        grouped: dict[str, dict[str, int]] = {}
        for cause, file, count in self.engine.run(
            "SELECT cause, file, count(*) FROM rejected WHERE cause IN (SELECT cause FROM rejected GROUP BY cause "
            f"ORDER BY count(*) DESC, cause LIMIT {limit}) GROUP BY cause, file ORDER BY cause, file"
        ):
            grouped.setdefault(cause, {})[file] = count
        return sorted(grouped.items(), key=lambda item: (-sum(item[1].values()), item[0]))

    def of(self, severity: Severity) -> list[Finding]:
        """Findings of one severity."""
        return [finding for finding in self.found if finding.severity is severity]
