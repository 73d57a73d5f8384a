"""A source behind a policy: whatever the source is, only what the policy allows comes out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from .._core.model import TWIN_FILTER, file
from .._core.twin.policy import Treatment
from ..source import Records
from .prepare import DELTA, TwinRefused, prepare
from .spool import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from .._core.model import File
    from .._core.twin.plan import FileTwin, Twin
    from ..source import Facts, Pass, Request, Source
    from .memory import TwinMemory


class TwinSource:
    """A source whose records are a twin's."""

    def __init__(self, source: Source, twin: Twin, memory: TwinMemory, today: date, say: Callable[[str], None]) -> None:
        self.stands_still = source.stands_still
        self._source = source
        self._twin = twin
        self._memory = memory
        self._to_prepare = (today, say)
        self._is_ready = False

    @property
    def problems(self) -> Sequence[str]:
        """Errors that fail the run although each collection is complete, one line each."""
        return self._source.problems

    def passes(self, request: Request) -> Iterator[Pass]:
        """Return the passes over a collection, of which only what the policy allows comes out."""
        if not self._is_ready:
            prepare(self._twin, self._source, *self._to_prepare)
            self._is_ready = True
        streams = tuple(file(stream.name) for stream in request.streams)
        state = {name: {} if self._memory.must_read_all(of) else of for name, of in request.state.items()}
        of = file(request.file.name)
        if of.derived and not self.stands_still:  # a service shows such rows inside of their parents only
            of = file(of.derived.parent)
        clear = replace(request, file=of, streams=streams, state=state, twin=self._twin)
        for one_pass in self._source.passes(clear):
            yield _TwinPass(one_pass, self._twin)

    def close(self) -> None:
        """Close the source, and the file of a crosswalk."""
        self._source.close()
        self._twin.world.ids.close()


class _TwinPass:
    """One pass, as a twin. The facts say what was sent, and name the consumer in the place of the source."""

    def __init__(self, of: Pass, twin: Twin) -> None:
        self._of = of
        self._twin = twin
        self._tell()

    @property
    def facts(self) -> Mapping[str, Facts]:
        """Facts by stream name; final after the part has been iterated to its end."""
        return self._of.facts

    @property
    def bookmark(self) -> dict[str, object] | None:
        """State to store after this part is delivered."""
        return self._of.bookmark

    def __iter__(self) -> Iterator[Records]:
        is_scoped = self._twin.policy.scope is not None
        for name in self.facts:
            self._twin.world.ids.begin(name)
        try:
            yield from in_order(self._batches()) if self._twin.policy.sort else self._batches()
            if is_scoped and any(facts.mode == "delta" for facts in self.facts.values()):
                raise TwinRefused(f"{', '.join(self.facts)}: {DELTA}")
        finally:
            self._tell()

    def _batches(self) -> Iterator[Records]:
        for batch in self._of:
            twin = self._twin.of(batch.file.name)
            if made := batch if batch.file is twin.file else self._by_record(twin, batch):
                yield made

    def _by_record(self, twin: FileTwin, batch: Records) -> Records:
        odd: Counter[str] = Counter()
        records = twin.of_records(batch.records, odd)
        self.facts[batch.file.name].deviations.update(odd)
        return Records(twin.file, records)

    def _tell(self) -> None:
        policy = self._twin.policy
        for name, facts in self.facts.items():
            of = self._twin.of(name).file
            facts.source = policy.consumer
            facts.revision = None
            keys = policy.elements[name].get("metadata", Treatment("drop")).keys
            facts.columns = [column for column in facts.columns if _leaves(of, keys, column)]
            for rule in [rule for rule in facts.deviations if _is_about_other_fields(of, rule)]:
                del facts.deviations[rule]
            for rule in [rule for rule in facts.deviations if ", held: " in rule]:  # names schools
                facts.deviations[rule.partition(", held: ")[0]] += facts.deviations.pop(rule)
            if policy.scope:
                facts.filter = TWIN_FILTER + policy.digest
                facts.expected = None


def _leaves(of: File, keys: tuple[str, ...], column: str) -> bool:
    """True if a column of the source, or a key, holds a field that leaves."""
    if column.lower().startswith("metadata."):
        return column.partition(".")[2] in keys
    names = {word.lower() for field in of.fields for word in (field.name, field.was, *field.rest_names) if word}
    return column.strip().lower() in names


def _is_about_other_fields(of: File, rule: str) -> bool:
    """True if a rule speaks of a field that does not leave."""
    name = rule.partition(":")[0]
    clear = {field.name for field in file(of.name).fields}
    return name in clear - {field.name for field in of.fields}
