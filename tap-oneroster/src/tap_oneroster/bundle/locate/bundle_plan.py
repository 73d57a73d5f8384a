"""Decide from which bundles a stream is read, in which order, and what the state remembers of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..._core.model import file
from ...source import SourceError
from ..read.derived_rows import needs, parent_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..._core.model import File
    from .archive import Bundle
    from .drop_folder import Drop, Found

Entry = dict[str, Any]
"""State of a bundle: name, size, time, digest, mode."""


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One bundle that contains a stream: the file that holds its rows, and whether to read it."""

    home: File
    mode: str
    read: bool
    by_roles: bool = False
    """True if the rows are the users that roles.csv names."""
    problem: str = ""
    """Why the file cannot be read, in one line; empty if it can."""


@dataclass(frozen=True, slots=True)
class BundlePlan:
    """Steps by bundle key, and the state's entries so far."""

    steps: Mapping[str, PlanStep]
    entries: tuple[Entry, ...]


def make_plan(
    stream: File, drop: Drop, state: Mapping[str, Any], *, accept_orphan: bool, accept_missing: bool
) -> BundlePlan:
    """Return a plan that starts at the newest bulk and continues with every later delta in order of time.

    Bundles that the state lists as read are skipped; but after the first new bundle all later ones are read, if
    necessary again, because their rows build on it. A bundle that should have the file but cannot provide it gets a
    step of the mode `missing`; with `accept_missing` the manifest's declaration is ignored.
    """
    known: Sequence[Entry] = state.get("bundles") or []
    held = [(found, step) for found in drop.found if (step := _step(stream, found, known, accept_missing))]
    bulks = [number for number, (_, step) in enumerate(held) if step.mode == "bulk"]
    chain = held[bulks[-1] :] if bulks else held
    base = next((entry for entry in reversed(known) if entry["mode"] == "bulk"), None)
    if drop.several:
        chain = _not_outdated(stream, chain, known, base, {found.bundle.digest for found, _ in held})
    modes = {step.mode for _, step in chain}
    if "delta" in modes and not modes & {"bulk", "missing"} and not base and not accept_orphan:
        raise SourceError(
            f"{stream.name}.csv: only a delta is there, and no bulk was read before it; load the bulk"
            " first, or set accept_orphan_delta"
        )
    steps: dict[str, PlanStep] = {}
    new = False
    for found, step in chain:
        new = new or step.read
        steps[found.bundle.key] = replace(step, read=new)
    listed = {found.bundle.digest for found in drop.found}
    # Keep the newest bulk even if its bundle is gone, because later deltas build on it.
    return BundlePlan(steps, tuple(entry for entry in known if entry["digest"] in listed or entry is base))


def _step(stream: File, found: Found, known: Sequence[Entry], accept_missing: bool) -> PlanStep | None:
    """Return the step for a stream in a bundle; None if the bundle does not contain the stream."""
    bundle = found.bundle
    if fault := _fault(stream, found, accept_missing):
        return fault
    if stream.name in bundle.members:
        home, by_roles = stream, False
    else:
        parent = parent_of(stream.name)
        if parent not in bundle.members or parent is None:
            return None
        home = file(parent)
        by_roles = not needs(stream.name) <= bundle.peek(parent).header
        if by_roles and not (stream.name in {"students", "teachers"} and "roles" in bundle.members):
            return None
    if entry := _met_before(bundle, known):
        return PlanStep(home, entry["mode"], read=False, by_roles=by_roles)
    mode = mode_of(found, home.name)
    if by_roles and "delta" in (mode, mode_of(found, "roles")):
        raise SourceError(
            f"{stream.name}: in a delta of {bundle.name} users and roles lie apart, so nobody's role is"
            " certain; deselect the stream, and join users with roles instead"
        )
    return PlanStep(home, mode, read=True, by_roles=by_roles)


def _met_before(bundle: Bundle, known: Sequence[Entry]) -> Entry | None:
    """Return the state's entry for a bundle, if it was read before.

    A bundle with known content but a new time counts as read only if no other bundle was read after it; otherwise it
    restores older content.
    """
    for entry in known:
        same_time = entry["modified"] == bundle.modified.isoformat()
        if entry["digest"] == bundle.digest and (same_time or entry is known[-1]):
            return entry
    return None


def _fault(stream: File, found: Found, accept_missing: bool) -> PlanStep | None:
    """Return the step for a file that cannot be read: its entry is not a file, or it is declared but missing."""
    bundle, manifest = found
    alone = stream.name in bundle.members or stream.name in manifest.modes
    for name in filter(None, (stream.name, None if alone else parent_of(stream.name))):
        if member := bundle.members.get(name):
            problem = bundle.problem_of(name) if member.problem else ""
        elif manifest.disagrees(name, held=False) and not accept_missing:
            problem = (
                f"{bundle.name}: {name}.csv is declared by the manifest and missing; ask for the whole bundle, or set"
                " missing_collections to accept"
            )
        else:
            continue
        return PlanStep(file(name), "missing", read=True, problem=problem) if problem else None
    return None


def mode_of(found: Found, name: str) -> str:
    """Return the role of a file: `bulk` starts a chain, `delta` adds to it, `empty` is skipped.

    The manifest decides first, then the setting; otherwise a file whose rows have a status is a delta.
    """
    seen = found.bundle.peek(name)
    if not seen.has_rows:
        return "empty"
    return found.manifest.mode(name) or ("delta" if seen.stamped else "bulk")


def _when(entry: Mapping[str, Any]) -> tuple[str, str]:
    return entry["modified"], entry["name"]


def _not_outdated(
    stream: File, chain: Sequence[tuple[Found, PlanStep]], known: Sequence[Entry], base: Entry | None, listed: set[str]
) -> list[tuple[Found, PlanStep]]:
    """Return the chain without bundles older than a bulk that was read and has since been removed.

    Raise SourceError for a new bundle older than a delta that was read and removed: it can no longer be applied in
    order.
    """
    kept = []
    gone = [entry for entry in known if entry["digest"] not in listed]
    for found, step in chain:
        when = (found.bundle.modified.isoformat(), found.bundle.name)
        if base and base in gone and when < _when(base):
            continue
        if step.read and any(when < _when(entry) for entry in gone if entry is not base):
            raise SourceError(
                f"{stream.name}.csv: {found.bundle.name} is older than a bundle that was read before and is"
                " no longer there; load everything again, with --full-refresh"
            )
        kept.append((found, step))
    return kept
