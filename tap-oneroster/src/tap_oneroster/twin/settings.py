"""The settings of a twin, and what is wrong with them. Where there is no twin, none of its other modules is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.settings import TEXT, setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk import typing as th

    from .._core.twin.policy import Policy

TWIN_SETTINGS: tuple[th.Property[Any], ...] = (
    setting(
        "twin",
        TEXT,
        "Policy file of one consumer. Only what it names leaves, with pseudonyms in the place of ids, for the people and "
        "classes in its scope.",
    ),
    setting(
        "twin_key",
        TEXT,
        "Master key of the pseudonyms: at least 32 bytes in base64, which oneroster-twin key makes.",
        secret=True,
    ),
)


def policy_of(config: Mapping[str, Any]) -> Policy | None:
    """Return the policy that the settings name; None without a twin."""
    if not (path := config.get("twin")):
        return None
    from .policy_file import policy_at, today

    return policy_at(Path(path), today(config))


def policy_errors(config: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the policy alone, which decides on the streams; the key may be missing."""
    if not config.get("twin"):
        return []
    from .._core.twin.lined import PolicyError

    try:
        policy_of(config)
    except PolicyError as error:
        return error.faults
    return []


def twin_errors(config: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a twin: with its policy, its key, and settings that contradict it."""
    if not config.get("twin"):
        return ["twin_key: means something only where twin is set"] if config.get("twin_key") else []
    from .._core.twin.lined import PolicyError
    from .policy_file import check_ids

    try:
        policy = policy_of(config)
        assert policy  # noqa: S101
        check_ids(policy, config)
    except PolicyError as error:
        return error.faults
    errors = []
    if config.get("include_passwords"):
        errors.append("include_passwords: a twin has no passwords; set one of both")
    if config.get("include_views"):
        errors.append("include_views: a twin has no views; leave it out")
    if policy.scope and config.get("status_filter"):
        errors.append("status_filter: a twin with a scope reads everything; leave it out")
    return errors
