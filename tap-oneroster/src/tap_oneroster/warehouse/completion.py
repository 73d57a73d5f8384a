"""Rows that released rows point at: what is not there is added as it was when the row that names it was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.sql import quoted
from .places import Place, by_school, references

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .._core.model import Field, File
    from .database import Database


class Completion:
    """Adds to the chosen rows of each file what others point at; `unchanged` selects the rows that need no choice."""

    def __init__(self, files: Sequence[File], database: Database, unchanged: str, loads: Mapping[str, int]) -> None:
        self._files, self._database, self._unchanged, self._loads = files, database, unchanged, loads

    def _run(self, text: str) -> None:
        self._database.run(text, **self._loads)

    def run(self) -> None:
        """Add the rows that released rows point at and that are not there: as they were when the row was chosen."""
        self._run("CREATE OR REPLACE TABLE wanted (file VARCHAR, id VARCHAR, k BIGINT)")
        for of, its in self._references():
            self._want(its, f"SELECT {{id}} AS id, x.k FROM ({self._taken(of)}) x")
            if by_school(of):
                where = Place(of, "$newest")
                rows = f"(SELECT * FROM {of.name}_versions WHERE {self._unchanged})"
                held = f"SELECT {{id}} AS id, {where.load} AS k FROM {rows} x {' '.join(where.joins)}"
                self._want(its, held, only_held=True)
        while added := self._add_wanted():
            for of, its in self._references():
                if of.name in added:
                    self._want(its, f"SELECT {{id}} AS id, x.k FROM ({self._taken(of)}) x")

    def _references(self) -> Iterator[tuple[File, Field]]:
        there = {of.name for of in self._files}
        return ((of, its) for of in self._files for its in references(of) if its.refers_to in there)

    def _taken(self, of: File) -> str:
        return f"SELECT x.*, c.k FROM {of.name}_chosen c JOIN {of.name}_delta x ON x.row = c.row"

    def _want(self, its: Field, rows: str, *, only_held: bool = False) -> None:
        """Note what these rows point at by one reference, as far as it is not released."""
        target = its.refers_to
        missing = f"SELECT id FROM {target}_delta EXCEPT SELECT id FROM {target}_chosen"
        if target == "users":
            missing += " EXCEPT SELECT new FROM reissued"
        if not self._database.run(f"SELECT 1 FROM ({missing}) LIMIT 1"):
            return
        name = f"x.{quoted(its.name)}"
        named = rows.format(id=f"unnest({name})" if its.kind.is_list else name)
        if only_held:  # reading a whole file is worth it only for rows that can point at something missing
            overlap = (
                f"list_has_any({name}, (SELECT list(id) FROM ({missing})))"
                if its.kind.is_list
                else f"{name} IN ({missing})"
            )
            named += f" WHERE {overlap}"
        self._run(
            f"INSERT INTO wanted SELECT DISTINCT '{target}', id, k FROM ({named}) "
            f"WHERE k IS NOT NULL AND id IN ({missing})"
        )

    def _add_wanted(self) -> set[str]:
        """Add what is wanted, and return the files that got rows."""
        names = {name for (name,) in self._database.run("SELECT DISTINCT file FROM wanted")}
        grown = set()
        for name in sorted(names):
            before = self._count(name)
            self._run(
                f"INSERT INTO {name}_chosen SELECT arg_max(d.row, w.k), d.id, max(w.k) FROM wanted w "
                f"JOIN {name}_delta d ON d.id = w.id AND stands(d.first, d.ended, w.k) "
                f"WHERE w.file = '{name}' AND d.id NOT IN (SELECT id FROM {name}_chosen) GROUP BY d.id"
            )
            if self._count(name) > before:
                grown.add(name)
        self._database.run("DELETE FROM wanted")
        return grown

    def _count(self, name: str) -> int:
        return self._database.number(f"SELECT count(*) FROM {name}_chosen")
