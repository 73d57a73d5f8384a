"""Some rows of a bundle before and after a policy, and how small its cells are: for a look, before a consumer has them."""

from __future__ import annotations

from collections import Counter
from itertools import compress, islice
from typing import TYPE_CHECKING, Any

import msgspec

from .._core.errors import SourceError
from .._core.model import file
from .._core.twin.lined import PolicyError
from .._core.twin.rows import Rows
from ..source import Request
from .policy_file import today, twin_of
from .prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .._core.twin.plan import Twin
    from .._core.twin.policy import Policy
    from ..source import Source

_RACES = (
    "americanIndianOrAlaskaNative",
    "asian",
    "blackOrAfricanAmerican",
    "nativeHawaiianOrOtherPacificIslander",
    "white",
    "demographicRaceTwoOrMoreRaces",
    "hispanicOrLatinoEthnicity",
)


def preview(policy: Policy, settings: Mapping[str, Any], streams: Sequence[str], count: int) -> Iterator[str]:
    """Yield lines: for each stream some rows as they are and as they leave, then the report of small cells.

    Raise PolicyError if a stream is not named, or if the bundle cannot be read.
    """
    from ..open_source import make_source
    from ..singer.tap import TapOneRoster
    from .settings import twin_errors

    if unknown := [stream for stream in streams if stream not in policy.elements]:
        raise PolicyError([f"{policy.name}: {len(unknown)} of the streams are not named by the policy"])
    if faults := twin_errors(settings):
        raise PolicyError(faults)
    config = {**TapOneRoster(config={"mode": "csv", **settings}).config, "settle_seconds": 0}
    twin = twin_of(policy, config)
    source = make_source({**config, "twin": None}, streams=frozenset(streams), user_agent="", say=lambda _: None)
    try:
        prepare(twin, source, today(config), lambda _: None)
        for stream in streams:
            yield from _pairs(twin, source, stream, count)
        if policy.min_cell:
            yield from _cells(twin, source, policy.min_cell)
    except SourceError as error:
        raise PolicyError([str(error)]) from None
    finally:
        source.close()
        twin.world.ids.close()


def _batches(twin: Twin, source: Source, stream: str) -> Iterator[Rows]:
    parents = (file(stream),)
    for one_pass in source.passes(Request(parents[0], parents)):
        for batch in one_pass:
            yield Rows(file(stream), twin.world, batch.values)


def _pairs(twin: Twin, source: Source, stream: str, count: int) -> Iterator[str]:
    of, shown = twin.of(stream), 0
    yield f"{stream}:"
    for one_pass in source.passes(Request(file(stream), (file(stream),))):
        for batch in one_pass:
            records = batch.records
            kept = of.keeps(of.rows(batch.values))
            records = list(compress(records, kept)) if kept is not None else records
            records = list(islice(records, count - shown))
            for before, after in zip(records, of.of_records(records, Counter()), strict=True):
                yield f"  before  {_line(before)}"
                yield f"  after   {_line(after)}"
            shown += len(records)
            if shown >= count:
                return


def _line(record: Any) -> str:
    held = {name: value for name, value in msgspec.to_builtins(record).items() if value not in (None, [])}
    return msgspec.json.encode(held).decode()


def _cells(twin: Twin, source: Source, least: int) -> Iterator[str]:
    """Yield how many persons stand in cells of fewer than `least`: by school, grade, sex and race, as far as these leave."""
    leaving = twin.policy.elements
    people = _graded(twin, source)
    columns = [name for name in ("sex", *_RACES) if name in leaving.get("demographics", {})]
    for rows in _batches(twin, source, "demographics") if columns else ():
        for one, *values in zip(rows.raw("sourcedId"), *map(rows.raw, columns), strict=True):
            if one in people:
                people[one] += [str(value) for value in values]
    schools: dict[str, set[str]] = {one: set() for one in people}
    for rows in _batches(twin, source, "enrollments") if "enrollments" in leaving else ():
        for one, school in zip(rows.raw("userSourcedId"), rows.raw("schoolSourcedId"), strict=True):
            if one in people and school:
                schools[one].add(school)
    cells = Counter((*sorted(schools[one]), *values) for one, values in people.items())
    small = [size for size in cells.values() if size < least]
    what = ", ".join(["school", "grade", *columns])
    yield f"cells by {what}: {len(cells):,}, of which {len(small):,} hold fewer than {least} persons"
    if small:
        yield (
            f"persons in such cells: {sum(small):,} of {len(people):,}; alone in a cell: {small.count(1):,}; "
            f"the smallest has {min(small)}"
        )


def _graded(twin: Twin, source: Source) -> dict[str, list[str]]:
    """Return the persons in scope who have a grade, if grades leave; each with the first part of the cell."""
    people: dict[str, list[str]] = {}
    if "grades" not in twin.policy.elements.get("users", {}):
        return people
    for rows in _batches(twin, source, "users"):
        kept = twin.of("users").keeps(rows) or [True] * len(rows.raw("sourcedId"))
        for one, grades, fits in zip(rows.raw("sourcedId"), rows.raw("grades"), kept, strict=True):
            if grades and fits:
                people[one] = [",".join(grades)]
    return people
