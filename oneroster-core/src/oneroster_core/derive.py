"""Rows that a source keeps inside other records, whichever binding it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .codec import record_class
from .model import file
from .model.ids import derived_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from msgspec import Struct

__all__ = ["roles_of_users"]

_ROLES = file("roles")


def roles_of_users(users: Iterable[Struct]) -> list[Struct]:
    """`roles` of users as 1.1 knows them: one for each org, primary there (mapping.md, 3.3).

    The source's word passes unchanged, `administrator` too: what it means is the reader's to say.
    """
    make = record_class(_ROLES)
    return [
        make(
            sourcedId=derived_id(_ROLES, (user.sourcedId, org, user.role)),  # type: ignore[attr-defined]
            userSourcedId=user.sourcedId,  # type: ignore[attr-defined]
            roleType="primary",
            role=user.role,  # type: ignore[attr-defined]
            orgSourcedId=org,
            status=user.status,  # type: ignore[attr-defined]
            dateLastModified=user.dateLastModified,  # type: ignore[attr-defined]
        )
        for user in users
        for org in _orgs(user)
    ]


def _orgs(user: Any) -> Sequence[str]:
    """Orgs of a user, each once: a source that repeats one means the same role."""
    return list(dict.fromkeys(user.orgSourcedIds or ()))
