"""Whose row it is: which school, person or other row decides as of which load a row is read. Made from the model (pure)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from .._core.model import FILES, Kind, file
from .._core.sql import quoted

if TYPE_CHECKING:
    from .._core.model import Field, File

_SHARED = frozenset({"courses", "users"})
"""Files that name an org and are everybody's: a released school may point at each of their rows."""


@cache
def by_school(of: File) -> bool:
    """True if each row belongs to a school: by its own column, or by the class, item or result that it is about."""
    return of.name not in _SHARED and (of.school is not None or parent(of) is not None)


@cache
def by_user(of: File) -> bool:
    """True if each row belongs to a person alone: profiles and demographics."""
    return not by_school(of) and of.name != "users" and person(of) is not None


@cache
def parent(of: File) -> Field | None:
    """Return the reference to the row that this one belongs to, if that row belongs to a school; None without one."""
    if of.name in ("classes", "roles", *_SHARED):
        return None
    links = [its for its in of.fields if its.refers_to and its.refers_to != of.name and not its.kind.is_list]
    if of.derived:
        links.sort(key=lambda its: its.name != (of.derived.identity[0] if of.derived else ""))
    return next((its for its in links if by_school(file(its.refers_to or ""))), None)


def person(of: File) -> Field | None:
    """Return the column that names the person whom a row is about."""
    return next((its for its in of.fields if its.refers_to == "users" and not its.kind.is_list), None)


def references(of: File) -> list[Field]:
    """Return the columns that name rows which must be there, too."""
    return [its for its in of.fields if its.refers_to and its.csv]


class Place:
    """The joins that find the schools of a row `x`, and the expressions of these schools, its own column first."""

    def __init__(self, of: File, k: str) -> None:
        self.joins: list[str] = []
        self.schools: list[str] = []
        self._follow(of, "x", k)
        self.held = []
        for number, school in enumerate(self.schools, 1):
            self.joins.append(f"LEFT JOIN held h{number} ON h{number}.school = {school}")
            self.held.append(f"h{number}")

    def _follow(self, of: File, alias: str, k: str) -> None:
        own = _own(of)
        if own:
            self.schools.append(f"{alias}.{quoted(own)}")
        if link := parent(of):
            next_alias = f"p{len(self.joins) + 1}"
            self.joins.append(
                f'LEFT JOIN {link.refers_to}_versions {next_alias} ON {next_alias}."sourcedId" = {alias}.{quoted(link.name)} '
                f"AND stands({next_alias}.first, {next_alias}.ended, {k})"
            )
            self._follow(file(link.refers_to or ""), next_alias, k)

    @property
    def load(self) -> str:
        """The load of the first of its schools that is held; null if none is."""
        return f"coalesce({', '.join(f'{h}.load' for h in self.held)}, NULL)"

    @property
    def additive(self) -> str:
        """True if additions of that school pass."""
        return f"coalesce({', '.join(f'{h}.additive' for h in self.held)}, false)"

    @property
    def school(self) -> str:
        """The school that decides: a held one, else the parent's, else its own."""
        first = [f"{h}.school" for h in self.held]
        return f"coalesce({', '.join([*first, *reversed(self.schools)])})"


def _own(of: File) -> str | None:
    if of.name == "userResources":
        return "orgSourcedId"
    return of.school if of.school and of.field(of.school).kind != Kind.REFS else None


def ordered() -> list[File]:
    """Return the files so that each comes after the one that its rows belong to."""
    done: list[File] = []

    def visit(of: File) -> None:
        link = parent(of)
        if link:
            visit(file(link.refers_to or ""))
        if of not in done:
            done.append(of)

    for of in FILES:
        visit(of)
    return done
