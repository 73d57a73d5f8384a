"""One id for two people or two seats: no order of arrival says which of them is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._core.sql import quoted

if TYPE_CHECKING:
    from .findings import Findings

__all__ = ["COLLISIONS", "check_collisions"]

# Pairs of rows a and b of one id, a before b.
COLLISIONS = (
    (
        "users",
        "one id for two people (another role and username, or another name and username)",
        (
            'a."username" <> b."username" AND (a."role" <> b."role" '
            'OR (a."givenName" <> b."givenName" AND a."familyName" <> b."familyName"))'
        ),
    ),
    (
        "enrollments",
        "one id for two enrollments (another class or user)",
        'a."classSourcedId" <> b."classSourcedId" OR a."userSourcedId" <> b."userSourcedId"',
    ),
)


def check_collisions(findings: Findings) -> None:
    """Compare the rows that came under an id that came before."""
    for file, rule, differ in COLLISIONS:
        repeated = f"{file} repeated"
        if findings.engine.has(repeated):
            table = quoted(repeated)
            count = findings.engine.one(
                f'SELECT count(DISTINCT a."sourcedId") FROM {table} a JOIN {table} b '
                f'ON a."sourcedId" = b."sourcedId" AND a."row number" < b."row number" WHERE {differ}'
            )
            if count:
                findings.stop(file, "sourcedId", rule, count)
