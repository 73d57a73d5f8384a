"""The order of the checks: referenced files come first, so that rows that depend on a bad row are removed with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._core.model import Version, csv_files, file
from ..._core.sql import quoted
from .cells import cell_rules
from .collisions import reject_conflicts
from .findings import Finding, Findings, Severity, hashed
from .references import HIERARCHIES, check_cycles, check_references
from .relations import relations_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..._core.model import File
    from ..._core.sql import Engine

NO_ROLES = "no user has a role: neither roles nor users.role came"
WITHOUT_ROLE = "has no row in roles"
MISSING_FILE = "is absent, and importers of rosters want it"
MINIMUM = ("academicSessions", "orgs", "courses", "classes", "users", "enrollments")
"""Files that every roster should have; roles of users have a rule of their own."""


def check(engine: Engine, version: Version, *, bulk: Collection[str]) -> Findings:
    """Check every table; remove rejected rows and bad values from the tables.

    `bulk` names the files with complete content. References are looked up only in these, because the receiver has more
    rows of the others.
    """
    findings = Findings(engine, bulk)
    _check_minimum(findings)
    for kind in _targets_first(version):
        if findings.of(Severity.STOP):
            break  # later findings would only be consequences
        reject_conflicts(findings, kind.name)
        if engine.count(kind.name):
            _check_cells(findings, kind, version)
            findings.remove_rejected(kind.name)
            check_references(findings, kind, version)
            findings.remove_rejected(kind.name)
        if kind.name != "users":
            _finish(findings, kind, version)
        if kind.name == _last_word_on_users(version):
            _finish_users(findings, version)
    return findings


def _check_minimum(findings: Findings) -> None:
    """If one file of a roster arrives as bulk, the others should too."""
    there = {name: findings.engine.count(name) for name in MINIMUM if name in findings.bulk}
    if any(there.values()):
        for name, rows in there.items():
            if not rows:
                findings.found.append(Finding(Severity.NOTE, name, "", MISSING_FILE, 1))


def _last_word_on_users(version: Version) -> str:
    """Return the file after which the remaining users are known: in 1.2 a user without a role is rejected."""
    return "users" if version == Version.V1_1 else "roles"


def _finish(findings: Findings, kind: File, version: Version) -> None:
    """Run the checks of a file that have to wait until its bad rows are removed."""
    if findings.engine.count(kind.name):
        _check_relations(findings, kind.name, version)
        check_references(findings, kind, version, own=True)
        if kind.name in HIERARCHIES and kind.name in findings.bulk:
            check_cycles(findings, kind.name)


def _finish_users(findings: Findings, version: Version) -> None:
    if version == Version.V1_2 and findings.engine.count("users") and findings.says_all("roles", "users"):
        _reject_users_without_role(findings)
    _finish(findings, file("users"), version)
    if findings.engine.count("userProfiles"):
        check_references(findings, file("userProfiles"), version)
        findings.remove_rejected("userProfiles")


def _reject_users_without_role(findings: Findings) -> None:
    """In 1.2 roles tie a user to orgs; if a user's roles were rejected, reject the user for the same cause."""
    engine = findings.engine
    roles_went = engine.has("roles rejected")
    if not engine.count("roles") and not roles_went:
        findings.stop("users", "sourcedId", NO_ROLES, engine.count("users"))
        return
    broken = f'{findings.staying("users")} AND "sourcedId" NOT IN (SELECT "userSourcedId" FROM roles)'
    lost = (
        'SELECT min(r.cause) FROM rejected r JOIN "roles rejected" x ON r.file = \'roles\' AND r.id = x."sourcedId" '
        'WHERE x."userSourcedId" = users."sourcedId"'
    )
    cause = f"coalesce(({lost}), 'users ' || {hashed()})" if roles_went else None
    findings.settle(Severity.ROW, "users", "sourcedId", WITHOUT_ROLE, broken, cause=cause)
    findings.remove_rejected("users")


def _targets_first(version: Version) -> list[File]:
    """Return the files in an order in which every reference leads to an earlier file."""
    waiting = {kind.name: kind for kind in csv_files(version)}
    ordered: list[File] = []
    while waiting:
        for kind in list(waiting.values()):
            targets = {field.refers_to for field in kind.columns(version) if field.refers_to}
            if "users" in targets and kind.name not in {"users", "userProfiles", "roles"}:
                targets.add(_last_word_on_users(version))
            if not targets & (waiting.keys() - {kind.name}):
                ordered.append(waiting.pop(kind.name))
    return ordered


def _check_cells(findings: Findings, kind: File, version: Version) -> None:
    """Check all cell rules of a file in one pass; query details only of rules that were broken."""
    rules = list(cell_rules(kind, version, bulk=findings.bulk))
    present = set(findings.engine.columns(kind.name))
    rules = [rule for rule in rules if rule[1] in present]
    counts = ", ".join(f"count(*) FILTER (WHERE {broken})" for _, _, _, broken in rules)
    found = findings.engine.run(f"SELECT {counts} FROM {quoted(kind.name)}")[0]
    for (severity, field, rule, broken), count in zip(rules, found, strict=True):
        findings.settle(severity, kind.name, field, rule, broken, count=count)


def _check_relations(findings: Findings, file: str, version: Version) -> None:
    engine = findings.engine
    for relation in relations_of(file, version):
        if not all(name in findings.bulk and engine.count(name) for name in relation.needs):
            continue
        broken = f"{findings.staying(file)} AND ({relation.broken})"
        findings.settle(relation.severity, file, relation.field, relation.rule, broken)
    findings.remove_rejected(file)
