"""What a twin remembers between runs: whose it is, and by which policy its rows left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._core.twin.policy import Policy

_KEY = "twin"


class TwinMemory:
    """Compares the state of an earlier run with the policy of this one; `policy` is None without a twin."""

    def __init__(self, policy: Policy | None) -> None:
        self._policy = policy

    def note(self, state: dict[str, Any]) -> None:
        """Note in a stream's state by which policy its rows left."""
        if policy := self._policy:
            state[_KEY] = {
                "consumer": policy.consumer,
                "epoch": policy.epoch,
                "policy": policy.digest,
                "scope": policy.scope_digest,
            }

    def refusal(self, state: Mapping[str, Mapping[str, Any]]) -> str | None:
        """Return why a state must not be used: it is of another consumer, or of a run with or without a twin."""
        for bookmark in state.values():
            earlier = bookmark.get(_KEY)
            if self._policy is None and earlier:
                return "the state is of a twin, and twin is not set; give each consumer a state of its own"
            if self._policy and earlier and earlier.get("consumer") != self._policy.consumer:
                return (
                    f"{self._policy.name}:{self._policy.lines.get('consumer', 1)}: the state is of another consumer; a consumer"
                    " is never renamed, and each has a state of its own"
                )
        return None

    def must_read_all(self, state: Mapping[str, Any]) -> bool:
        """True if rows must be read that were read before: the policy changed, or it has a scope, which is read whole."""
        if self._policy is None:
            return False
        return self._policy.scope is not None or (state.get(_KEY) or {}).get("policy") != self._policy.digest

    def counts(self, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the counts of the last run; without schools if their pseudonyms were others."""
        counts: Mapping[str, Any] | None = state.get("counts")
        earlier = state.get(_KEY)
        if counts and self._policy and (not earlier or earlier.get("epoch") != self._policy.epoch):
            return {**counts, "schools": {}}
        return counts

    def change(self, state: Mapping[str, Any]) -> str:
        """Return words for a message if the scope changed since the last run."""
        earlier = state.get(_KEY)
        if self._policy and earlier and earlier.get("scope") != self._policy.scope_digest:
            return " (the scope changed)"
        return ""
