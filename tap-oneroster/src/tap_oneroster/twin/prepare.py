"""Read what must be known before any row leaves: who is in scope, and which titles hold the name of a teacher."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .._core.errors import CollectionMoved, FatalSourceError, SourceError
from .._core.model import file
from .._core.shell import REFUSED
from .._core.twin.rows import Rows
from .._core.twin.scope import OutOfScope, ScopeBuilder, streams_needed
from .._core.twin.titles import NameTitles
from ..receipts.distinct import Hashes
from ..source import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from .._core.twin.plan import Twin
    from ..source import Source

_ATTEMPTS = 3
DELTA = (
    "a scope needs bulk files, and this one is a delta; merge it into a bundle of the district first (target-oneroster-csv"
    " with load_method upsert), and make the twin of that"
)


class TwinRefused(FatalSourceError):
    """The source does not fit the policy; another run would end the same."""

    exit_code = REFUSED


def _scope_streams(twin: Twin) -> tuple[str, ...]:
    scope = twin.policy.scope
    return streams_needed(scope, tuple(twin.policy.elements)) if scope else ()


def _has_patterns(twin: Twin) -> bool:
    return any(treatment.word == "pattern" for fields in twin.policy.elements.values() for treatment in fields.values())


def needed(twin: Twin) -> frozenset[str]:
    """Return the streams that are read before any row leaves, so that a service is asked for their scopes."""
    titles = {"users", "roles", "courses"} if _has_patterns(twin) else set()
    return frozenset({*_scope_streams(twin), *titles})


def prepare(twin: Twin, source: Source, today: date, say: Callable[[str], None]) -> None:
    """Give the twin its scope and its titles. Raise FatalSourceError if they cannot be known: then no row may leave."""
    for attempt in range(_ATTEMPTS):
        try:
            _prepare(twin, source, today, say)
        except OutOfScope as error:
            fault = twin.policy.fault(error.key, str(error))
            raise TwinRefused(f"{fault}; nothing of people has left") from None
        except FatalSourceError:
            raise
        except SourceError as error:
            if not isinstance(error, CollectionMoved) or attempt + 1 == _ATTEMPTS:
                raise _unprepared(error) from None
        else:
            return


def _unprepared(error: SourceError) -> FatalSourceError:
    """Return the error that ends the run: each of the other collections would read the same once more, and fail."""
    found = FatalSourceError(str(error))
    found.exit_code = error.exit_code
    return found


def _prepare(twin: Twin, source: Source, today: date, say: Callable[[str], None]) -> None:
    scope = ScopeBuilder(twin.policy.scope, today, Hashes) if twin.policy.scope else None
    streams = list(_scope_streams(twin))
    titles = NameTitles(roles_come_first=source.stands_still) if _has_patterns(twin) else None
    twin.world.inside = scope.sets if scope else None
    reader = _Reader(twin, source, scoped=scope is not None)
    for stream in dict.fromkeys([*streams, *(("courses", "users") if titles else ())]):
        say(f"twin: reading {stream} to find what may leave")
        for name, rows in reader.rows(stream):
            if scope and stream in streams:
                scope.take(name, rows)
            if titles:
                _take(titles, name, rows)
        if scope and stream in streams:
            scope.done(stream)
    if titles:
        titles.forget_waiting()
        twin.world.titles = titles


def _take(titles: NameTitles, name: str, rows: Rows) -> None:
    match name:
        case "users":
            titles.take_users(rows)
        case "roles":
            titles.take_roles(rows)
        case "courses":
            titles.take_courses(rows)


class _Reader:
    """Reads collections of a source as rows, whatever was read before."""

    def __init__(self, twin: Twin, source: Source, *, scoped: bool) -> None:
        self._world = replace(twin.world, inside=twin.world.inside)
        self._source = source
        self._scoped = scoped

    def rows(self, stream: str) -> Iterator[tuple[str, Rows]]:
        """Yield the rows of a stream; of users with their roles, page by page or, where nothing moves, all roles first."""
        of, roles = file(stream), file("roles")
        if stream == "users" and self._source.stands_still:
            yield from self._rows(stream, Request(roles, (roles,)))
        is_paged = stream == "users" and not self._source.stands_still
        yield from self._rows(stream, Request(of, (roles, of) if is_paged else (of,)))

    def _rows(self, stream: str, request: Request) -> Iterator[tuple[str, Rows]]:
        for one_pass in self._source.passes(request):
            for batch in one_pass:
                yield batch.file.name, Rows(file(batch.file.name), self._world, batch.values)
            if self._scoped and any(facts.mode == "delta" for facts in one_pass.facts.values()):
                raise TwinRefused(f"{stream}: {DELTA}")
