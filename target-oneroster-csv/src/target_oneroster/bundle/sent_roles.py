"""The roles that were sent for each user, so that a delta of 1.2 can report that a person has left an org.

A user's record lists the user's roles, but not the roles that were removed. The ids of sent roles are stored in a file
beside the bundle that only its owner can read. If a user arrives without a role that was sent, that role is deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.model import Version, file
from .._core.sql import literal, quoted, read_csv
from .checks.findings import Finding, Severity

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from .._core.sql import Engine
    from .options import BundleOptions
    from .published import Existing

SUFFIX = ".sent-roles.csv"
NO_MEMORY = (
    "nothing says which roles were sent before, so roles that a user has lost stay; "
    'file_modes {"roles": "bulk"} sends all roles of all users'
)
_TAKEN_BACK = "roles: deleted, since their users no longer have them"
_TABLE = "sent roles"
_COLUMNS = ("sourcedId", "userSourcedId", "roleType", "role", "orgSourcedId")
_NAMES = ", ".join(map(quoted, _COLUMNS))


class SentRoles:
    """The roles that earlier bundles sent, as a table of the engine."""

    def __init__(self, engine: Engine, options: BundleOptions, memory: Path | None) -> None:
        self._engine = engine
        self._upsert = options.load_method == "upsert"
        self._is_delta = options.mode("roles") == "delta"
        self.known = memory is not None
        """True if it is known which roles were sent."""
        is_standard = options.version == Version.V1_2 and options.dialect is None
        self.active = is_standard and (self._is_delta or self.known)
        if self.active and memory:
            came = read_csv(memory, _COLUMNS, header=True)
            engine.run(f'CREATE TABLE "{_TABLE}" AS SELECT * FROM {came}')
        elif self.active:
            engine.make(_TABLE, _COLUMNS)

    @property
    def wants_bundle(self) -> bool:
        """True if the published bundle is the only source of the roles that were sent."""
        return self.active and not self.known

    def learn(self, old: Existing) -> None:
        """Read the sent roles from the published bundle."""
        if self.wants_bundle and old.version == Version.V1_2 and "roles" in old.modes:
            old.load(self._engine, file("roles"), "old roles", [*_COLUMNS, "status"])
            self._engine.run(
                f'INSERT INTO "{_TABLE}" SELECT {_NAMES} FROM "old roles" WHERE "status" <> \'tobedeleted\''
            )
            self._engine.run('DROP TABLE "old roles"')
            self.known = True

    def take_back(self, counts: Counter[str], *, derived: bool) -> Finding | None:
        """Add a deletion for each role that was sent and that its user, who arrived, no longer has.

        With `derived`, roles were derived from their users, so each user has brought all roles. Without it, only users
        with a role of their own (1.1) have. Return a note if nothing is known.
        """
        engine = self._engine
        if not (self.active and self._is_delta):
            return None
        whole = "true" if derived else "(u.\"role\" <> '' OR u.\"status\" = 'tobedeleted')"
        users = engine.one(f"SELECT count(*) FROM users u WHERE {whole}") if engine.has("users") else 0
        if not users or not engine.has("roles"):
            self.active = False  # no user has brought all roles, so the known ones stay unchanged
            return None
        if not self.known:
            return Finding(Severity.NOTE, "roles", "", NO_MEMORY, users)
        rows = (
            f'SELECT s.*, \'tobedeleted\' AS "status", u."dateLastModified" FROM "{_TABLE}" s '
            f'JOIN users u ON u."sourcedId" = s."userSourcedId" WHERE {whole} '
            'AND s."sourcedId" NOT IN (SELECT "sourcedId" FROM roles)'
        )
        counts[_TAKEN_BACK] += engine.insert("roles", (*_COLUMNS, "status", "dateLastModified"), f"({rows})")
        return None

    def write(self, target: Path, *, published: bool) -> Path | None:
        """Write the roles sent if the bundle is `published`, or those that may be sent before that; None if unused.

        So a run killed in between remembers too many roles, never too few. Bundles of an upsert repeat the deletions.
        """
        engine = self._engine
        if not self.active:
            return None
        now = "false"
        sent = f'SELECT {_NAMES} FROM "{_TABLE}"'
        if engine.has("roles"):
            now = "\"status\" <> 'tobedeleted'"
            if published and not self._is_delta:
                sent += " WHERE false"
            elif published and not self._upsert:
                sent += f' WHERE "sourcedId" NOT IN (SELECT "sourcedId" FROM roles WHERE NOT {now})'
            sent += f" UNION SELECT {_NAMES} FROM roles WHERE {now}"
        engine.run(
            f'COPY (SELECT * FROM ({sent}) ORDER BY "userSourcedId", "sourcedId") '
            f"TO {literal(str(target))} (FORMAT csv, HEADER true, NULLSTR '\x01')"
        )
        return target
