"""How persons are named on pages that are restricted: by their ids, or by their names if that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..reader import Reader

__all__ = ["BANNER", "people"]

BANNER = {
    True: "Restricted: contains pupils' names; delete after use.",
    False: "Restricted: contains pupils' ids; delete after use.",
}
"""What stands on top, by whether persons are named by their names."""


def people(reader: Reader, *, names: bool) -> Mapping[str, str]:
    """Return names by the id of a person; empty unless names were asked for, so that ids are shown."""
    if not names:
        return {}
    persons = reader.table("restricted.dim_person", "user_id", "person_id")
    given, family, user = (reader.quote(name) for name in ("givenName", "familyName", "sourcedId"))
    query = (
        f"select persons.person_id, max(users.{given}) as given, max(users.{family}) as family from {persons} as persons"
        f" inner join {reader.source('users')} as users on users.{user} = persons.user_id group by persons.person_id"
    )
    found = {}
    for row in reader.rows(query):
        name = ", ".join(filter(None, (row["family"], row["given"])))
        if name:
            found[row["person_id"]] = name
    return found
