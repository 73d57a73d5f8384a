"""The crosswalk of mode crosswalk: random ids, kept in a file inside the district, based on nothing personal."""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname
from uuid import uuid4

from typing_extensions import override

from .._core.errors import FatalSourceError
from .._core.twin.keys import Ids, key_check, uuids
from .._core.twin.lined import PolicyError
from .ordinals import Ordinals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._core.twin.policy import Policy

_SEPARATOR = "\x1f"
_MOST_KEPT = 100_000


def crosswalk_path(policy: Policy) -> Path:
    """Return the place of the file; it may be written as a file: URL."""
    text = policy.crosswalk
    return Path(url2pathname(urlsplit(text).path)) if text.startswith("file:") else Path(text)


def crosswalk_error(policy: Policy) -> str | None:
    """Return why the file cannot be used, without opening it; None if it can be, or if it may be made."""
    try:
        import duckdb  # noqa: F401
    except ImportError:
        return "a crosswalk needs DuckDB: install tap-oneroster[warehouse]"
    path = crosswalk_path(policy)
    if "://" in policy.crosswalk and not policy.crosswalk.startswith("file:///"):
        return "crosswalk must be a local file"
    if not path.exists():
        if policy.key_check:
            return "the crosswalk is not there, and without it everybody would be somebody new; remove key_check to begin anew"
        return None if path.parent.is_dir() else "the folder of the crosswalk is not there"
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return "others can read the crosswalk; give it mode 0600"
    return _owner_error(policy, path)


def _owner_error(policy: Policy, path: Path) -> str | None:
    """Return why a file that exists is not the policy's."""
    import duckdb

    try:
        with duckdb.connect(str(path), read_only=True) as database:
            found = database.execute("SELECT consumer, secret FROM about").fetchone()
    except duckdb.CatalogException:  # a run was killed while it made the file: nobody has an id yet
        found = None
    except duckdb.Error as error:
        return _cannot_open(error)
    if found is None and policy.key_check:
        return "the crosswalk is empty, and key_check is of another crosswalk; put that back, or remove key_check to begin anew"
    if found and (found[0] != policy.consumer or (policy.key_check and key_check(found[1]) != policy.key_check)):
        return "the crosswalk is of another consumer, or key_check is of another crosswalk"
    return None


def _cannot_open(error: Exception) -> str:
    return (
        f"the crosswalk cannot be opened ({type(error).__name__}): another run of this consumer has it open, the disk is full,"
        " or the file is damaged; run again later, or put a copy of the file back"
    )


@contextmanager
def _private() -> Iterator[None]:
    """Let DuckDB make its files, also the log of what it writes, with mode 0600."""
    mask = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(mask)


@contextmanager
def _reaching() -> Iterator[None]:
    """Turn an error of the database into one line: its own words hold ids."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise FatalSourceError(
            f"crosswalk: cannot be written or read ({type(error).__name__}); look whether its disk is full, and run again."
            " No row has left without its id in the file"
        ) from None


def purge(policy: Policy) -> bool:
    """Remove the crosswalk, so that nobody can link the twin to persons again; False if there is none."""
    path = crosswalk_path(policy)
    found = path.exists()
    for one in (path, path.with_name(path.name + ".wal")):
        one.unlink(missing_ok=True)
    return found


class CrosswalkIds(Ids):
    """Ids of a crosswalk; a new id is written to the file before its row leaves, so that a crash cannot give it two."""

    are_numbered = True

    def __init__(self, database: Any, secret: bytes, tenant: str) -> None:
        self._database = database
        self._secret = secret
        self._tenant = tenant
        self._kept: dict[str, dict[str, str]] = {}
        self._ordinals: dict[str, Ordinals] = {}

    @classmethod
    def open(cls, policy: Policy, tenant: str) -> CrosswalkIds:
        """Open the file of a policy, or make it; raise PolicyError if it is another consumer's."""
        import duckdb

        if problem := crosswalk_error(policy):
            raise policy.fault("crosswalk", problem)
        try:
            with _private():
                database = duckdb.connect(str(crosswalk_path(policy)))
                database.execute("CREATE TABLE IF NOT EXISTS about (consumer VARCHAR, secret BLOB)")
                database.execute(
                    "CREATE TABLE IF NOT EXISTS ids "
                    "(domain VARCHAR, id VARCHAR, pseudonym VARCHAR, PRIMARY KEY (domain, id))"
                )
                found = database.execute("SELECT consumer, secret FROM about").fetchone()
                if found is None:
                    found = (policy.consumer, secrets.token_bytes(32))
                    database.execute("INSERT INTO about VALUES (?, ?)", found)
        except duckdb.Error as error:
            raise policy.fault("crosswalk", _cannot_open(error)) from None
        return cls(database, found[1], tenant)

    @property
    def check(self) -> str:
        """The key_check of the file, for the policy."""
        return key_check(self._secret)

    @override
    def begin(self, stream: str) -> None:
        """Begin a pass over a stream: its rows are numbered anew."""
        self._ordinals.pop(stream, None)

    @override
    def own(self, domain: str, ids: Sequence[str]) -> tuple[list[str], list[bytes]]:
        found = self._find(domain, ids)
        made = [found[one] for one in ids]
        return made, [self._mark(one) for one in made]

    @override
    def pseudonyms(self, domain: str, ids: Sequence[str | None]) -> list[str | None]:
        found = self._find(domain, ids)
        return [found[one] if one else None for one in ids]

    @override
    def identifiers(self, kind: str, values: Sequence[str | None], owners: Sequence[bytes]) -> list[str | None]:
        """Return ids that are made of the person's random id, not of the value."""
        made = iter(uuids([self._mark(kind, owner) for value, owner in zip(values, owners, strict=True) if value]))
        return [next(made) if value else None for value in values]

    @override
    def numbered(self, stream: str, keys: Sequence[tuple[str | None, ...]]) -> list[int]:
        return self._ordinals.setdefault(stream, Ordinals()).number(map(hash, keys))

    def _mark(self, text: str, more: bytes = b"") -> bytes:
        return hmac.digest(self._secret, text.encode() + _SEPARATOR.encode() + more, "sha256")

    def _find(self, domain: str, ids: Sequence[str | None]) -> dict[str, str]:
        kept = self._kept.setdefault(domain, {})
        if len(kept) > _MOST_KEPT:
            kept.clear()
        missing = list({one for one in ids if one and one not in kept})
        if missing:
            kept.update(self._look_up(domain, missing))
            if new := [one for one in missing if one not in kept]:
                made = [str(uuid4()) for _ in new]
                names = [self._tenant + _SEPARATOR + one for one in new]
                with _private(), _reaching():
                    self._database.execute("INSERT INTO ids SELECT ?, unnest(?), unnest(?)", [domain, names, made])
                kept.update(zip(new, made, strict=True))
        return kept

    def _look_up(self, domain: str, ids: Sequence[str]) -> dict[str, str]:
        prefix = self._tenant + _SEPARATOR
        with _reaching():
            rows = self._database.execute(
                "SELECT id, pseudonym FROM ids WHERE domain = ? AND id IN (SELECT unnest(?))",
                [domain, [prefix + one for one in ids]],
            ).fetchall()
        return {one.removeprefix(prefix): pseudonym for one, pseudonym in rows}

    @override
    def close(self) -> None:
        with _private(), _reaching():
            self._database.close()


def opened(policy: Policy) -> CrosswalkIds:
    """Return the crosswalk of a policy for a look; raise PolicyError if there is none."""
    if not crosswalk_path(policy).exists():
        raise PolicyError([f"{policy.name}: there is no crosswalk yet; the first run makes it"])
    return CrosswalkIds.open(policy, "")
