"""Convert tables from one version of the standard to the other, and count what the target version cannot hold."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from .._core.copies.tables import UNITED_ROLES, strongest
from .._core.derive import BARE_UUID, held_by, role_rows
from .._core.model import FILES, Field, File, Version, csv_files, file
from .._core.sql import Engine, literal, quoted, read_csv
from .staging import SEPARATOR, STAGED_FORM

if TYPE_CHECKING:
    from pathlib import Path

    from .options import BundleOptions

CLASSES_THERE = "classes there"
"""Table with the classes of the published bundle; created if rows of a delta need them."""
FROM_CLASSES = {
    ("lineItems", "schoolSourcedId"): "schoolSourcedId",
    ("scoreScales", "orgSourcedId"): "schoolSourcedId",
    ("scoreScales", "courseSourcedId"): "courseSourcedId",
}
"""File and column that 1.2 requires, and the column of the class that provides the value."""

_ADMINISTRATORS = ("districtAdministrator", "principal", "siteAdministrator", "systemAdministrator")


def convert(engine: Engine, options: BundleOptions, folder: Path) -> Counter[str]:
    """Convert the tables to one version; return the number of replaced or omitted values, by rule."""
    counts: Counter[str] = Counter()
    _school_years(engine, counts)
    _class_types(engine, options, counts)
    if options.version == Version.V1_2:
        _roles_from_users(engine, folder, counts)
        _administrators(engine, options, counts)
        _schools_from_classes(engine, counts)
        _objective_urns(engine, counts)
    else:
        _users_from_roles(engine, options, counts)
        _one_role_of_united(engine, counts)
        _words_of_1_2(engine, counts)
    _not_held(engine, options.version, counts)
    return counts


def _update(engine: Engine, counts: Counter[str], rule: str, table: str, change: str, where: str) -> None:
    """Change cells of a table, and add the number of rows to a rule."""
    if engine.has(table):
        counts[rule] += engine.one(f"UPDATE {quoted(table)} SET {change} WHERE {where}")


def _school_years(engine: Engine, counts: Counter[str]) -> None:
    """Replace `2025-2026` by the year in which it ends; the standard has no ranges."""
    years = "regexp_full_match(\"schoolYear\", '\\d{4}[-/]\\d{4}')"
    _update(
        engine,
        counts,
        "academicSessions.schoolYear: range written as the year it ends in",
        "academicSessions",
        '"schoolYear" = right("schoolYear", 4)',
        f'{years} AND CAST(right("schoolYear", 4) AS INT) = CAST(left("schoolYear", 4) AS INT) + 1',
    )


def _class_types(engine: Engine, options: BundleOptions, counts: Counter[str]) -> None:
    """Set the configured type of classes without a type, which REST allows and a bundle does not."""
    if word := options.default_class_type:
        rule = "classes.classType: default_class_type written where none came"
        _update(engine, counts, rule, "classes", f'"classType" = {literal(word)}', "\"classType\" = ''")


def _objective_urns(engine: Engine, counts: Counter[str]) -> None:
    """Write UUIDs of objectives as URNs, because CSV requires URNs and REST has plain UUIDs."""
    bare = f"\"source\" = 'case' AND regexp_full_match(\"learningObjectiveId\", '{BARE_UUID}')"
    for table in ("lineItemLearningObjectiveIds", "resultLearningObjectiveIds"):
        change = '"learningObjectiveId" = \'urn:uuid:\' || "learningObjectiveId"'
        _update(engine, counts, f"{table}.learningObjectiveId: UUID written as a URN", table, change, bare)


def _roles_from_users(engine: Engine, folder: Path, counts: Counter[str]) -> None:
    """Add rows of `roles` for 1.1 users without any: one for each org, primary there."""
    if not engine.has("users"):
        return
    roles = file("roles")
    if not engine.has("roles"):
        engine.make("roles", [f.name for f in roles.fields if f.csv and not f.secret])
    came = "SELECT * FROM users"
    if engine.has(UNITED_ROLES):  # a person with several rows has a role in each
        came = (
            'SELECT u.* REPLACE (coalesce(r.role, u."role") AS "role", coalesce(r.org, u."orgSourcedIds") AS '
            f'"orgSourcedIds") FROM users u LEFT JOIN "{UNITED_ROLES}" r USING ("sourcedId") ORDER BY "sourcedId", r.place'
        )
    missing = engine.run(
        f'SELECT "sourcedId", "role", "orgSourcedIds", "status", "dateLastModified" FROM ({came}) WHERE "role" <> \'\' '
        'AND "orgSourcedIds" <> \'\' AND "sourcedId" NOT IN (SELECT "userSourcedId" FROM roles)'
    )
    if not missing:
        return
    path = folder / "roles of users"
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for user, found in groupby(missing, key=itemgetter(0)):
            rows = list(found)  # a person with several rows gets all their roles, in that order
            held = [one for _, role, orgs, *_ in rows for one in held_by(orgs.split(","), role)]
            for row_id, role_type, org, role in role_rows(user, held):
                row = (row_id, *rows[0][3:], user, role_type, role or "", org)
                out.write(SEPARATOR.join(row) + "\n")
    names = ("sourcedId", "status", "dateLastModified", "userSourcedId", "roleType", "role", "orgSourcedId")
    engine.insert("roles", names, read_csv(path, names, **STAGED_FORM))
    path.unlink()
    counts["roles: made from users.role and orgSourcedIds, users"] += len(missing)


def _administrators(engine: Engine, options: BundleOptions, counts: Counter[str]) -> None:
    """Replace 1.1's `administrator`, which `roles` does not allow, by the setting or according to the org's type."""
    if options.administrator_role:
        word = literal(options.administrator_role)
    elif engine.has("orgs"):
        word = (
            "coalesce((SELECT CASE o.\"type\" WHEN 'school' THEN 'siteAdministrator' "
            "WHEN 'district' THEN 'districtAdministrator' END FROM orgs o "
            'WHERE o."sourcedId" = roles."orgSourcedId"), \'systemAdministrator\')'
        )
    else:
        word = "'systemAdministrator'"
    rule = "roles.role: administrator written as a word of 1.2"
    _update(engine, counts, rule, "roles", f'"role" = {word}', "\"role\" = 'administrator'")


def _known_classes(engine: Engine) -> str:
    """Return SQL for the classes that arrived and those of the published bundle."""
    names = '"sourcedId", "schoolSourcedId", "courseSourcedId"'
    tables = [table for table in ("classes", CLASSES_THERE) if engine.has(table)]
    known = [f"SELECT {names} FROM {quoted(table)}" for table in tables]
    if len(known) > 1:
        known[1] += ' WHERE "sourcedId" NOT IN (SELECT "sourcedId" FROM classes)'
    return (
        " UNION ALL ".join(known) or "SELECT '' AS \"sourcedId\", '' AS \"schoolSourcedId\", '' AS \"courseSourcedId\""
    )


def wants_classes(engine: Engine, options: BundleOptions) -> bool:
    """True if rows lack a value that 1.2 requires from their class, and their class did not arrive."""
    return options.version == Version.V1_2 and any(
        engine.has(table)
        and options.mode(table) == "delta"
        and engine.count(
            table,
            f'{quoted(column)} = \'\' AND "classSourcedId" NOT IN (SELECT "sourcedId" FROM ({_known_classes(engine)}))',
        )
        for table, column in FROM_CLASSES
    )


def _schools_from_classes(engine: Engine, counts: Counter[str]) -> None:
    """Set values that 1.2 requires and the class provides."""
    for (table, column), source in FROM_CLASSES.items():
        value = (
            f"coalesce((SELECT c.{quoted(source)} FROM ({_known_classes(engine)}) c "
            f'WHERE c."sourcedId" = {quoted(table)}."classSourcedId"), \'\')'
        )
        rule = f"{table}.{column}: taken from the class"
        _update(engine, counts, rule, table, f"{quoted(column)} = {value}", f"{quoted(column)} = ''")


def _users_from_roles(engine: Engine, options: BundleOptions, counts: Counter[str]) -> None:
    """Set `users.role` and `users.orgSourcedIds` of users that arrived as in 1.2.

    Primary roles take precedence, and of several roles the one with most rights; roles that a delta deletes count only
    if the user has no others. The order of orgs has no meaning in the standard: the primary one comes first, the others
    are ordered by id.
    """
    if not engine.has("users") or not engine.count("roles"):
        return
    admin = ", ".join(literal(word) for word in _ADMINISTRATORS)
    word = (
        f"CASE WHEN r.\"role\" IN ({admin}) THEN 'administrator' "
        f'WHEN r."role" = \'counselor\' THEN {literal(options.counselor_role)} ELSE r."role" END'
    )
    rows = (
        f'SELECT r."userSourcedId" AS id, r."orgSourcedId" AS org, {word} AS word, '
        "(r.\"roleType\" <> 'primary')::INT AS secondary, "
        '(r."orgSourcedId" <> u."primaryOrgSourcedId")::INT * 2 + secondary AS place, '
        f"secondary * 100 + {strongest('word')} AS rank "
        f'FROM ({_roles_that_stay(engine)}) r JOIN users u ON u."sourcedId" = r."userSourcedId"'
    )
    several = f"SELECT id FROM ({rows}) GROUP BY 1 HAVING min(word) <> max(word)"
    counts["users.role: several roles, one kept"] += engine.one(f"SELECT count(*) FROM ({several})")
    lacking = "(\"role\" = '' OR \"orgSourcedIds\" = '')"
    if not (found := engine.count("users", lacking)):
        return
    by_org = (
        "SELECT id, org, min(place) AS place, min(rank) AS rank, arg_min(word, rank) AS word "
        f"FROM ({rows}) GROUP BY 1, 2"
    )
    engine.run(
        'CREATE TABLE "user roles" AS SELECT id, arg_min(word, rank) AS role, '
        f"string_agg(org, ',' ORDER BY place, org) AS orgs FROM ({by_org}) GROUP BY 1"
    )
    engine.replace(
        "users",
        "SELECT u.* REPLACE (coalesce(nullif(u.\"role\", ''), r.role, '') AS \"role\", "
        "coalesce(nullif(u.\"orgSourcedIds\", ''), r.orgs, '') AS \"orgSourcedIds\") "
        'FROM users u LEFT JOIN "user roles" r ON r.id = u."sourcedId"',
    )
    counts["users.role and orgSourcedIds: taken from roles"] += found
    changed = f"\"role\" IN ({admin}, 'counselor')"
    counts["users.role: word of 1.2 written as a word of 1.1"] += engine.count("roles", changed)
    engine.run('DROP TABLE "user roles"')


def _one_role_of_united(engine: Engine, counts: Counter[str]) -> None:
    """Count persons with different roles in several rows, because a row of 1.1 holds one role."""
    if engine.has(UNITED_ROLES):
        counts["users.role: several roles, one kept"] += engine.one(
            f'SELECT count(*) FROM (SELECT 1 FROM "{UNITED_ROLES}" GROUP BY "sourcedId" HAVING min(role) <> max(role))'
        )


def _roles_that_stay(engine: Engine) -> str:
    """Return SQL for roles that a delta does not delete; for a user whose roles are all deleted, for these."""
    stays = "\"status\" <> 'tobedeleted'"
    if not engine.count("roles", f"NOT {stays}"):
        return "SELECT * FROM roles"
    having = f'SELECT "userSourcedId" FROM roles WHERE {stays}'
    return f'SELECT * FROM roles WHERE {stays} OR "userSourcedId" NOT IN ({having})'


def _words_of_1_2(engine: Engine, counts: Counter[str]) -> None:
    """Clear words that 1.2 added, in columns that may be empty."""
    for kind in csv_files(Version.V1_1):
        for field in kind.columns(Version.V1_1):
            if field.words and field.words.added and Version.V1_1 not in field.required:
                words = ", ".join(literal(word) for word in field.words.added)
                name = quoted(field.name)
                rule = f"{kind.name}.{field.name}: word of 1.2 left out"
                _update(engine, counts, rule, kind.name, f"{name} = ''", f"{name} IN ({words})")


def _not_held(engine: Engine, version: Version, counts: Counter[str]) -> None:
    """Count rows and cells for which the version has no file or column."""
    for kind in FILES:
        if not engine.has(kind.name):
            continue
        if not kind.exists_in(version):
            if kind.name != "roles":
                counts[f"{kind.name}: rows that {version.value} has no file for"] += engine.count(kind.name)
            else:  # users.role holds them if their users arrived
                alone = '"userSourcedId" NOT IN (SELECT "sourcedId" FROM users)' if engine.has("users") else "true"
                rule = f"roles: rows without their user, which {version.value} has no place for"
                counts[rule] += engine.count("roles", alone)
            continue
        present = engine.columns(kind.name)
        lost = [
            f
            for f in kind.fields
            if f.csv and not f.exists_in(version) and f.name in present and not _elsewhere(kind, f)
        ]
        if lost:
            filled = ", ".join(f"count(*) FILTER ({quoted(f.name)} <> '')" for f in lost)
            for field, cells in zip(lost, engine.run(f"SELECT {filled} FROM {quoted(kind.name)}")[0], strict=True):
                counts[f"{kind.name}.{field.name}: cells that {version.value} has no column for"] += cells


def _elsewhere(kind: File, field: Field) -> bool:
    """True if the other version keeps the same fact in another file."""
    return kind.name == "users" and field.name in {"role", "orgSourcedIds"}
