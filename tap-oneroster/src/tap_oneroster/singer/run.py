"""One run of the tap: objects that its collections share, and their outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import uuid4

from .._core.errors import FatalSourceError, SourceError
from .._core.log import Progress
from .._core.shell import INCOMPLETE, REFUSED, exit_code
from ..open_source import make_source, source_name
from ..twin.memory import TwinMemory
from ..twin.settings import policy_of
from .writer import BlockWriter

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from .._core.twin.policy import Policy
    from ..batch_files.batch_files import BatchFiles
    from ..receipts.tally import Tally
    from ..source import Source

W = TypeVar("W", bound=BlockWriter)


@dataclass(eq=False, kw_only=True, repr=False)
class Run(Generic[W]):
    """The source, writer, batch files, receipts and failures of a run."""

    config: Mapping[str, Any]
    started_at: int
    """Milliseconds; the versions of streams start from here."""
    user_agent: str
    writer: W
    logger: logging.Logger
    selected: Callable[[], frozenset[str]]
    id: str = field(default_factory=lambda: str(uuid4()))
    receipts: list[tuple[Tally, dict[str, Any]]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    stopped: bool = False
    """True if nothing more can be read; the remaining streams write nothing."""
    progress: Progress = field(init=False)
    _codes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Let progress go to the log."""
        self.progress = Progress(self.logger.info)

    @cached_property
    def source(self) -> Source:
        """The service or the bundles, opened when the first stream is read."""
        return make_source(
            self.config, streams=self.selected(), user_agent=self.user_agent, say=self.logger.info, twin=self.policy
        )

    @cached_property
    def policy(self) -> Policy | None:
        """The policy of a twin; None without one."""
        return policy_of(self.config)

    @property
    def memory(self) -> TwinMemory:
        """What the twin remembers between runs."""
        return TwinMemory(self.policy)

    @property
    def source_name(self) -> str:
        """Name of the source for receipts, even if it could not be opened."""
        return source_name(self.config, self.policy)

    @cached_property
    def batches(self) -> BatchFiles | None:
        """The batch files, if records are written to files; None otherwise."""
        config = self.config.get("batch_config")
        if not config:
            return None
        from ..batch_files.batch_files import BatchFiles  # a run that writes no files need not wait for it

        return BatchFiles(config, self.id)

    def remove_leftovers(self) -> None:
        """Remove batch files of earlier runs, so that pupils' data does not accumulate."""
        try:
            if self.batches and (gone := self.batches.remove_leftovers()):
                self.logger.warning(
                    "batches of earlier runs, older than a day and never taken: removed %s", ", ".join(gone)
                )
        except Exception as error:  # exception types depend on the store; a run never fails because of an earlier one
            self.logger.warning("batches of earlier runs cannot be listed (%s)", type(error).__name__)

    @property
    def exit_code(self) -> int:
        """The exit code of the run so far."""
        return exit_code(self._codes)

    def fail(self, problem: str | Exception, stream: str | None = None) -> None:
        """Record a failure of the run, and its collection. A text describes an error in the settings."""
        del stream  # for subclasses that report it separately
        self.logger.error("%s", problem)
        self.failures.append(str(problem))
        self._codes.append(REFUSED if isinstance(problem, str) else getattr(problem, "exit_code", INCOMPLETE))
        self.stopped = self.stopped or isinstance(problem, FatalSourceError)

    def announce_batches(self, *, all_of_them: bool = True) -> None:
        """Announce complete files of the last attempt; those of earlier attempts were removed."""
        if self.batches:
            for message in self.batches.end() if all_of_them else self.batches.whole():
                self.writer.write_message(message)

    def discard_batches(self) -> None:
        """Remove files that were written but not announced."""
        if self.batches:
            self._drop(self.batches, self.batches.discard)

    def abandon_batches(self) -> None:
        """Like `discard_batches`, for use in a signal handler."""
        if self.batches:
            self._drop(self.batches, self.batches.abandon)

    def _drop(self, batches: BatchFiles, remove: Callable[[], list[str]]) -> None:
        """Remove files, and log the names of those that remain."""
        if in_hand := batches.in_hand():
            self.logger.warning("perhaps announced, left in place: %s", ", ".join(in_hand))
        if left := remove():
            self.logger.warning("not announced, to be removed by hand: %s", ", ".join(left))

    def close(self) -> None:
        """Close the source, and remove files of a collection that was interrupted."""
        if "source" in self.__dict__:
            for problem in self.source.problems:
                self.fail(SourceError(problem))
            self.source.close()
        self.discard_batches()
