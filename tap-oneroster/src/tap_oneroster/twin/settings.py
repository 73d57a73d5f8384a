"""The settings of a twin, the policy that they name, and what is wrong with both."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .._core.settings import TEXT, setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk import typing as th

    from .._core.twin.keys import Ids
    from .._core.twin.policy import Policy

# What reads policies and makes pseudonyms is imported where it is used: a tap without a policy need not wait for it.

__all__ = ["TWIN_SETTINGS", "ids_of", "policy_at", "policy_errors", "policy_of", "policy_text", "today", "twin_errors"]

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

_TODAY = "ONEROSTER_TODAY"


def today(config: Mapping[str, Any] | None = None) -> date:
    """Return the day of the run in the source's zone; the variable ONEROSTER_TODAY sets it for tests.

    Raise PolicyError if the variable holds no day. What is wrong with the zone is said where the settings are checked.
    """
    if text := os.environ.get(_TODAY):
        try:
            return date.fromisoformat(text)
        except ValueError:
            from .._core.twin.lined import PolicyError

            raise PolicyError([f"{_TODAY}: must be a day, as in 2029-06-30"]) from None
    try:
        zone = ZoneInfo((config or {}).get("source_time_zone") or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    return datetime.now(zone).date()


def policy_text(path: Path) -> str:
    """Return the text of a policy file; raise PolicyError if there is none."""
    from .._core.twin.lined import PolicyError

    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise PolicyError([f"{path.name}: no such policy file"]) from None
    except OSError as error:
        raise PolicyError([f"{path.name}: a policy that cannot be read ({error.strerror})"]) from None
    except UnicodeDecodeError:
        raise PolicyError([f"{path.name}: a policy must be text in UTF-8"]) from None


def policy_at(path: Path, day: date) -> Policy:
    """Return the policy of a file; raise PolicyError with all its faults."""
    from .._core.twin.policy import read_policy

    policy = read_policy(policy_text(path), path.name, day)
    if policy.crosswalk and "://" not in policy.crosswalk:
        policy = replace(policy, crosswalk=str(path.parent / policy.crosswalk))
    return policy


def policy_of(config: Mapping[str, Any]) -> Policy | None:
    """Return the policy that the settings name; None without a twin."""
    path = config.get("twin")
    return policy_at(Path(path), today(config)) if path else None


def ids_of(policy: Policy, config: Mapping[str, Any]) -> Ids:
    """Return where the ids of a twin come from; raise PolicyError if the key is not the policy's."""
    from .._core.twin.keys import ClearIds, KeyedIds, consumer_key, decode_key, key_check
    from .._core.twin.lined import PolicyError

    tenant = config.get("tenant") or ""
    if policy.mode == "clear":
        return ClearIds()
    if policy.mode == "crosswalk":
        from .crosswalk import CrosswalkIds

        return CrosswalkIds.open(policy, tenant)
    if not config.get("twin_key"):
        raise PolicyError(["twin_key: must be set where the policy's mode is keyed"])
    try:
        master = decode_key(config["twin_key"])
    except ValueError as error:
        raise PolicyError([f"twin_key: {error}"]) from None
    key = consumer_key(master, policy.consumer, policy.epoch)
    if key_check(key) != policy.key_check:
        raise policy.fault(
            "key_check",
            "key_check is of another key, consumer or epoch than twin_key, consumer and epoch are: nothing was read",
        )
    return KeyedIds(key, tenant)


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

    try:
        policy = policy_of(config)
        assert policy  # noqa: S101
        if policy.mode == "crosswalk":
            from .crosswalk import crosswalk_error

            if problem := crosswalk_error(policy):
                raise policy.fault("crosswalk", problem)
        else:
            ids_of(policy, config)
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
