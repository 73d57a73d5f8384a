"""Airbyte states as the tap's bookmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .catalog import Chosen

_KEPT_BY_FULL_REFRESH = "counts"
"""The counts of the last snapshot: the shrink guard also protects a stream that is read from the start."""


class _Descriptor(msgspec.Struct):
    name: str


class _StreamState(msgspec.Struct):
    stream_descriptor: _Descriptor
    stream_state: dict[str, Any] | None = None


class _Shared(msgspec.Struct):
    stream_states: list[_StreamState] = []


class _State(msgspec.Struct):
    stream: _StreamState | None = None
    whole: _Shared | None = msgspec.field(default=None, name="global")
    global_: _Shared | None = None  # the spelling of PyAirbyte
    data: dict[str, Any] | None = None


def bookmarks(given: Any, chosen: Iterable[Chosen]) -> dict[str, Any]:
    """Return the tap's state from a list of states or one object (old protocol); raise ValueError for other input.

    A stream with the mode full_refresh starts without a state.
    """
    found = dict(_states(given))
    kept = {}
    for one in chosen:
        state = found.get(one.name, {})
        if not one.is_incremental:
            state = {key: value for key, value in state.items() if key == _KEPT_BY_FULL_REFRESH}
        if state:
            kept[one.name] = state
    return {"bookmarks": kept}


def _states(given: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if given is None:
        return
    if isinstance(given, dict):  # the old protocol had one object instead of a list of states
        yield from _legacy(given)
        return
    for state in msgspec.convert(given, list[_State]):
        whole = state.whole or state.global_ or _Shared()
        for stream in [*whole.stream_states, *([state.stream] if state.stream else [])]:
            yield stream.stream_descriptor.name, stream.stream_state or {}
        if state.data:
            yield from _legacy(state.data)


def _legacy(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield bookmarks by stream, with or without the envelope of a Singer state."""
    data = data.get("bookmarks", data)
    yield from msgspec.convert(data, dict[str, dict[str, Any]]).items()
