"""Bundles as a source: their files are the parts of a collection, in order of time."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..source import Facts, Pass, Request, SilentPass, SourceError
from .file_pass import FilePass
from .locate.bundle_plan import BundlePlan, PlanStep, make_plan
from .locate.drop_folder import Drop, Found
from .read.derived_rows import Holders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .._core.model import File
    from .._core.twin.plan import Twin
    from ..policy import Policy
    from .locate.archive import Bundle


class BundleSource:
    """CSV bundles at a path: a folder, a zip, or a pattern that matches several.

    For each file, reading starts at the newest bulk, skips it if it was read before, and continues with every later
    delta in order of time.
    """

    stands_still = True

    def __init__(
        self,
        config: Mapping[str, Any],
        policy: Policy,
        say: Callable[[str], None] = lambda _: None,
        *,
        columnar: bool = False,
    ) -> None:
        """`config` holds checked settings with all defaults; `columnar`: produce records as Arrow columns."""
        self._config = config
        self._policy = policy
        self._say = say
        self._columnar = columnar
        self._told: dict[str, str] = {}

    @cached_property
    def _drop(self) -> Drop:
        return Drop(self._config, self._say)

    def passes(self, request: Request) -> Iterator[Pass]:
        """Yield the parts of a collection, oldest bundle first; raise SourceError at the end if rows were left out."""
        accept = {
            "accept_orphan": self._config["accept_orphan_delta"],
            "accept_missing": self._config["missing_collections"] == "accept",
        }
        plans = {
            stream: make_plan(stream, self._drop, request.state.get(stream.name, {}), **accept)
            for stream in request.streams
        }
        problems: list[str] = []
        for stream, plan in plans.items():
            if not plan.steps:
                yield self._silent(stream, self._drop.found[-1], "skipped" if plan.entries else "absent")
        for found in self._drop.found:
            for step, streams in _together(plans, found.bundle.key):
                if step.problem or not step.read:
                    mode = "absent" if step.problem else "skipped"
                    for stream in streams:
                        yield self._silent(stream, found, mode, complete=not step.problem)
                    problems += filter(None, [step.problem])
                    continue
                one_pass = self._pass(found, step, streams, plans, request.twin)
                yield one_pass
                if one_pass.problem:
                    problems.append(one_pass.problem)
        if problems:
            raise SourceError("; ".join(problems))

    def _pass(
        self,
        found: Found,
        step: PlanStep,
        streams: Sequence[File],
        plans: dict[File, BundlePlan],
        twin: Twin | None = None,
    ) -> FilePass:
        bundle, manifest = found
        bundle.fetch(step.home.name)
        entry = _entry(bundle, step.mode)
        for stream in streams:
            plan = plans[stream]
            others = tuple(e for e in plan.entries if e["digest"] != bundle.digest)
            plans[stream] = BundlePlan(plan.steps, (*others, entry))
        one_pass = FilePass(
            bundle,
            manifest,
            step.home,
            streams,
            self._policy,
            on_invalid=self._config["on_invalid"],
            bookmark={"bundles": list(plans[streams[0]].entries)},
            holders=Holders(bundle, manifest.version, streams[0].name) if step.by_roles else None,
            columnar=self._columnar,
            say=self._say,
            twin=twin,
        )
        self._note_oddities(one_pass.facts, found)
        return one_pass

    def _silent(self, stream: File, found: Found, mode: str, *, complete: bool = True) -> SilentPass:
        version = found.manifest.version.value
        one_pass = SilentPass({stream.name: Facts(found.bundle.name, mode, version, complete=complete)})
        self._note_oddities(one_pass.facts, found)
        return one_pass

    def _note_oddities(self, facts: Mapping[str, Facts], found: Found) -> None:
        """Add a bundle's deviations to the receipts of the files they concern.

        Deviations of the whole bundle are reported once per run, in the first receipt for it.
        """
        bundle, manifest = found
        for name, its in facts.items():
            held = name in bundle.members
            if its.mode != "skipped" and manifest.disagrees(name, held=held):
                its.deviations[_DISAGREES[held]] += 1
            if name in bundle.odd:
                its.deviations[bundle.odd[name]] += 1
        first = next(iter(facts))
        if self._told.setdefault(bundle.key, first) == first:
            facts[first].deviations.update(bundle.deviations + manifest.deviations)
        if self._told.setdefault("", first) == first:
            facts[first].deviations.update(self._drop.left_out)

    @property
    def problems(self) -> Sequence[str]:
        """Errors that fail the run although each collection is complete, one line each."""
        return self._drop.problems if "_drop" in self.__dict__ else ()

    def close(self) -> None:
        """Delete files downloaded from a store."""
        if "_drop" in self.__dict__:
            self._drop.close()


_DISAGREES = {
    True: "manifest: declares the file absent, but it is there",
    False: "manifest: declares the file, but it is not there",
}


def _together(plans: Mapping[File, BundlePlan], key: str) -> list[tuple[PlanStep, list[File]]]:
    """Group streams that one pass over a file can feed: same file, and same bundles read before."""
    groups: dict[tuple[str, bool, bool, tuple[str, ...]], list[File]] = defaultdict(list)
    for stream, plan in plans.items():
        if step := plan.steps.get(key):
            memory = tuple(entry["digest"] for entry in plan.entries)
            groups[step.home.name, step.read, step.by_roles, memory].append(stream)
    return [(plans[streams[0]].steps[key], streams) for streams in groups.values()]


def _entry(bundle: Bundle, mode: str) -> dict[str, Any]:
    return {
        "name": bundle.name,
        "size": bundle.size,
        "modified": bundle.modified.isoformat(),
        "digest": bundle.digest,
        "mode": mode,
    }
