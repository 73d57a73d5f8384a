"""All rules of the checks as a table, for the documentation and for tests that break each rule."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from ..._core.copies import CONFLICT
from ..._core.model import Version, csv_files
from .cells import cell_rules
from .findings import Severity
from .form import Form
from .package import Package
from .references import reference_rules
from .relations import relations_of
from .run import MINIMUM, MISSING_FILE, NO_ROLES, WITHOUT_ROLE

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Known:
    """One rule of one column, and the versions and file modes to which it applies."""

    severity: Severity
    file: str
    field: str
    rule: str
    versions: tuple[Version, ...]
    modes: tuple[str, ...]


def rules() -> list[Known]:
    """Return the rules that are checked before publication, by file and column."""
    found: dict[tuple[Severity, str, str, str], list[tuple[Version, str]]] = {}
    for version, mode in product(Version, ("bulk", "delta")):
        for key in _of(version, mode):
            found.setdefault(key, []).append((version, mode))
    return [
        Known(*key, tuple(dict.fromkeys(v for v, _ in places)), tuple(dict.fromkeys(m for _, m in places)))
        for key, places in found.items()
    ]


def _of(version: Version, mode: str) -> Iterator[tuple[Severity, str, str, str]]:
    """Yield the rules of a bundle whose files all have one mode."""
    files = csv_files(version)
    bulk = {file.name for file in files} if mode == "bulk" else set()
    if bulk:
        yield from ((Severity.NOTE, name, "", MISSING_FILE) for name in MINIMUM)
    for file in files:
        yield Severity.ROW, file.name, "sourcedId", CONFLICT
        for severity, field, rule, _ in cell_rules(file, version, bulk=bulk):
            yield severity, file.name, field, rule
        if bulk:
            for severity, field, rule in reference_rules(file, version):
                yield severity, file.name, field, rule
        if bulk and file.name == "users" and version == Version.V1_2:
            yield Severity.STOP, "users", "sourcedId", NO_ROLES
            yield Severity.ROW, "users", "sourcedId", WITHOUT_ROLE
        for relation in relations_of(file.name, version):
            if bulk or not relation.needs:
                yield relation.severity, file.name, relation.field, relation.rule


def package_rules() -> list[str]:
    """Return the rules for the form of a published bundle; each prevents publication."""
    return [*Package, *Form]
