"""Connections to PostgreSQL; an error is one line without the address."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import FleetError, Misconfigured, StoreDown

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 10


def open_connection(address: str, what: str) -> Any:
    """Return a connection that commits each statement."""
    try:
        import psycopg
    except ImportError:
        raise Misconfigured(f"{what}: install oneroster-fleet[postgres]") from None
    try:
        return psycopg.connect(address, autocommit=True, connect_timeout=SECONDS, application_name="oneroster-fleet")
    except psycopg.Error as error:
        raise StoreDown(f"{what}: the database cannot be reached ({type(error).__name__})") from None


@contextmanager
def connect(address: str, what: str) -> Iterator[Any]:
    """Open a connection, and close it. An error of the database is one line without its words, which hold values."""
    with open_connection(address, what) as connection:
        try:
            yield connection
        except FleetError:
            raise
        except Exception as error:
            import psycopg

            if isinstance(error, psycopg.Error):
                raise StoreDown(f"{what}: the database does not answer ({type(error).__name__})") from None
            raise
