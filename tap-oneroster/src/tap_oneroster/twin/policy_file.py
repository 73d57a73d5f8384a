"""The policy file of a twin, the day of the run, and what both make of the settings: ids and twins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .._core.twin.keys import ClearIds, Ids, KeyedIds, consumer_key, decode_key, key_check
from .._core.twin.lined import PolicyError
from .._core.twin.plan import Twin
from .._core.twin.policy import Policy, read_policy
from .._core.twin.rows import World

_TODAY = "ONEROSTER_TODAY"


def today(config: Mapping[str, Any] | None = None) -> date:
    """Return the day of the run in the source's zone; the variable ONEROSTER_TODAY sets it for tests.

    Raise PolicyError if the variable holds no day. What is wrong with the zone is said where the settings are checked.
    """
    if text := os.environ.get(_TODAY):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise PolicyError([f"{_TODAY}: must be a day, as in 2029-06-30"]) from None
    try:
        zone = ZoneInfo((config or {}).get("source_time_zone") or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    return datetime.now(zone).date()


def policy_text(path: Path) -> str:
    """Return the text of a policy file; raise PolicyError if there is none."""
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
    policy = read_policy(policy_text(path), path.name, day)
    if policy.crosswalk and "://" not in policy.crosswalk:
        policy = replace(policy, crosswalk=str(path.parent / policy.crosswalk))
    return policy


def ids_of(policy: Policy, config: Mapping[str, Any]) -> Ids:
    """Return where the ids of a twin come from; raise PolicyError if the key is not the policy's."""
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


def twin_of(policy: Policy, config: Mapping[str, Any]) -> Twin:
    """Return the twins of all streams of a policy; raise PolicyError if the key is not the policy's."""
    return Twin(policy, World(ids_of(policy, config), policy.names, policy.email_domain))


def check_ids(policy: Policy, config: Mapping[str, Any]) -> None:
    """Raise PolicyError if `ids_of` would; a crosswalk is not opened for writing."""
    if policy.mode != "crosswalk":
        ids_of(policy, config)
        return
    from .crosswalk import crosswalk_error

    if problem := crosswalk_error(policy):
        raise policy.fault("crosswalk", problem)
