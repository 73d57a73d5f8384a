"""How persons are named on pages that are restricted: by their ids, or by their names if that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..reader import Reader, Row

BANNER = {
    True: "Restricted: contains pupils' names; delete after use.",
    False: "Restricted: contains pupils' ids; delete after use.",
}
"""What stands on top, by whether persons are named by their names."""


def people(reader: Reader, members: str) -> str:
    """Return the query of names: a row for each school and person of `members`, which is a query of `school_id` and `person_id`."""
    persons = reader.table("restricted.dim_person", "user_id", "person_id")
    given, family, user = (reader.quote(name) for name in ("givenName", "familyName", "sourcedId"))
    return (
        f"select members.school_id, members.person_id, max(users.{given}) as given, max(users.{family}) as family"
        f" from ({members}) as members inner join {persons} as persons on members.person_id = persons.person_id"
        f" inner join {reader.source('users')} as users on users.{user} = persons.user_id"
        " group by members.school_id, members.person_id"
    )


def names_of(rows: Iterable[Row]) -> dict[str, str]:
    """Return names by the id of a person, of rows of `people`; who has no name is not in it, so that the id is shown."""
    found = {row["person_id"]: ", ".join(filter(None, (row["family"], row["given"]))) for row in rows}
    return {person: name for person, name in found.items() if name}
