"""PostgreSQL: the table `state` has the columns of Meltano's, and the table `fleet` holds our records. Locks are advisory."""

from __future__ import annotations

import json
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from ..errors import Busy, FleetError, StateMoved
from .base import LOCK, Lock, Store, record_of, version_of
from .connect import connect, open_connection

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from .base import Records

TABLES = """\
create table if not exists state
  (state_id varchar primary key, updated_at timestamp, partial_state varchar, completed_state varchar);
create table if not exists fleet
  (district varchar, name varchar, content varchar not null, written_at timestamptz default now(),
   primary key (district, name))
"""
_STATE = "select completed_state::text, partial_state::text from state where state_id = %s"


class Sql(Store):
    """A database; each call has a connection of its own, and a lock lives as long as its connection."""

    def __init__(self, address: str) -> None:
        self._address = address
        with connect(address, "state") as connection:
            known = connection.execute("select to_regclass('state') is not null and to_regclass('fleet') is not null")
            if not known.fetchone()[0]:
                # Two that begin at the same moment would both create the tables; the second one would fail.
                connection.execute("select pg_advisory_lock(%s)", (_key("tables"),))
                connection.execute(TABLES)

    @override
    def read(self, district: str) -> bytes | None:
        with connect(self._address, "state") as connection:
            return _document(connection.execute(_STATE, (district,)).fetchone())

    @override
    def write(self, district: str, document: bytes, version: str) -> None:
        found = json.loads(document)
        completed, partial = json.dumps(found["completed"]), json.dumps(found["partial"])
        with connect(self._address, "state") as connection, connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", (_key(f"write {district}"),))
            if version_of(_document(connection.execute(f"{_STATE} for update", (district,)).fetchone())) != version:
                raise StateMoved("the stored state is not the one that this run began with; it was left as it is")
            connection.execute(
                "insert into state (state_id, updated_at, completed_state, partial_state) values (%s, now(), %s, %s) "
                "on conflict (state_id) do update set updated_at = now(), "
                "completed_state = excluded.completed_state, partial_state = excluded.partial_state",
                (district, completed, partial),
            )

    @override
    def clear(self, district: str) -> None:
        with connect(self._address, "state") as connection:
            connection.execute("delete from state where state_id = %s", (district,))

    @override
    def states(self) -> list[str]:
        with connect(self._address, "state") as connection:
            return [row[0] for row in connection.execute("select state_id from state order by state_id")]

    @override
    def records(self, name: str, districts: Collection[str]) -> Records:
        with connect(self._address, "state") as connection:
            rows = connection.execute(
                "select district, content from fleet where name = %s and district = any(%s)", (name, list(districts))
            )
            return {district: record_of(content) for district, content in rows}

    @override
    def put(self, district: str, name: str, content: Mapping[str, Any]) -> None:
        with connect(self._address, "state") as connection:
            connection.execute(
                "insert into fleet (district, name, content) values (%s, %s, %s) "
                "on conflict (district, name) do update set content = excluded.content, written_at = now()",
                (district, name, json.dumps(content)),
            )

    @override
    def remove(self, district: str, name: str) -> None:
        with connect(self._address, "state") as connection:
            connection.execute("delete from fleet where district = %s and name = %s", (district, name))

    @override
    @contextmanager
    def lock(self, district: str, content: Mapping[str, Any]) -> Iterator[Lock]:
        connection = open_connection(self._address, "state")
        try:
            if not connection.execute("select pg_try_advisory_lock(%s)", (_key(district),)).fetchone()[0]:
                raise Busy("another run of this district is alive")
            self.put(district, LOCK, content)
            yield _Held(connection)
        finally:
            connection.close()

    @override
    def running(self, districts: Collection[str]) -> Records:
        keys = {_key(district): district for district in districts}
        with connect(self._address, "state") as connection:
            rows = connection.execute(
                "select (classid::bigint << 32) | objid::bigint from pg_locks "
                "where locktype = 'advisory' and granted and objsubid = 1 "
                "and database = (select oid from pg_database where datname = current_database())"
            )
            held = [keys[key] for (key,) in rows if key in keys]
        return self.records(LOCK, held)


class _Held(Lock):
    """A connection that holds a lock; a database that was restarted has forgotten it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def check(self) -> None:
        try:
            self._connection.execute("select 1")
        except Exception as error:  # of any kind: the lock is gone with the connection
            raise FleetError(
                f"the lock was lost: the database closed its connection ({type(error).__name__})"
            ) from None


def _key(name: str) -> int:
    return int.from_bytes(sha256(f"oneroster-fleet {name}".encode()).digest()[:8], "big", signed=True)


def _document(row: Any) -> bytes | None:
    if row is None:
        return None
    return json.dumps({"completed": json.loads(row[0] or "{}"), "partial": json.loads(row[1] or "{}")}).encode()
