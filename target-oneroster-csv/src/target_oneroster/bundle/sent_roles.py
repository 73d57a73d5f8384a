"""Which roles were sent for whom: what tells a delta of 1.2 that a person has left an org.

A user's record says what roles the user has, not which ones are gone. The ids of the roles that were sent lie in
a file beside the bundle, private to its owner. Roles of a user who came and that did not come again are deleted.
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

__all__ = ["NO_MEMORY", "SUFFIX", "SentRoles"]

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
    """The roles that earlier bundles have sent, in a table of the engine."""

    def __init__(self, engine: Engine, options: BundleOptions, memory: Path | None) -> None:
        self._engine = engine
        self._upsert = options.load_method == "upsert"
        self._is_delta = options.mode("roles") == "delta"
        self.known = memory is not None
        """Whether anything says what was sent."""
        self.active = options.version == Version.V1_2 and (self._is_delta or self.known)
        if self.active and memory:
            came = read_csv(memory, _COLUMNS, header=True)
            engine.run(f'CREATE TABLE "{_TABLE}" AS SELECT * FROM {came}')
        elif self.active:
            engine.make(_TABLE, _COLUMNS)

    @property
    def wants_bundle(self) -> bool:
        """Whether the roles in the bundle that is there are the only ones known to have been sent."""
        return self.active and not self.known

    def learn(self, old: Existing) -> None:
        """Take the roles of the bundle that is there for those that were sent."""
        if self.wants_bundle and old.version == Version.V1_2 and "roles" in old.modes:
            old.load(self._engine, file("roles"), "old roles", [*_COLUMNS, "status"])
            self._engine.run(
                f'INSERT INTO "{_TABLE}" SELECT {_NAMES} FROM "old roles" WHERE "status" <> \'tobedeleted\''
            )
            self._engine.run('DROP TABLE "old roles"')
            self.known = True

    def take_back(self, counts: Counter[str], *, derived: bool) -> Finding | None:
        """Add a row to be deleted for each role that was sent and that its user, who came, no longer has.

        `derived`: the roles that came were made from their users, each of whom has brought all of them. Without
        it only users with a role of their own (1.1) have. Returns a note if nothing is known.
        """
        engine = self._engine
        if not (self.active and self._is_delta):
            return None
        whole = "true" if derived else "(u.\"role\" <> '' OR u.\"status\" = 'tobedeleted')"
        users = engine.one(f"SELECT count(*) FROM users u WHERE {whole}") if engine.has("users") else 0
        if not users or not engine.has("roles"):
            self.active = False  # nobody has brought all roles: what is known stays as it is
            return None
        if not self.known:
            return Finding(Severity.NOTE, "roles", "", NO_MEMORY, users)
        rows = (
            f'SELECT s.*, \'tobedeleted\' AS "status", u."dateLastModified" FROM "{_TABLE}" s '
            f'JOIN users u ON u."sourcedId" = s."userSourcedId" WHERE {whole} '
            'AND s."sourcedId" NOT IN (SELECT "sourcedId" FROM roles)'
        )
        if gone := engine.one(f"SELECT count(*) FROM ({rows})"):
            filled = {*_COLUMNS, "status", "dateLastModified"}
            empty = ", ".join(f"'' AS {quoted(name)}" for name in engine.columns("roles") if name not in filled)
            engine.run(f"INSERT INTO roles BY NAME SELECT *{', ' + empty if empty else ''} FROM ({rows})")
            counts[_TAKEN_BACK] += gone
        return None

    def write(self, target: Path, *, published: bool) -> Path | None:
        """Write what has been sent once the bundle is published, or, before that, what may have been; None if unused.

        A run that is killed in between so remembers too much, never too little. Bundles that are merged into
        (upsert) repeat what they have deleted.
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
