"""One run of the tap: what its collections share, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import uuid4

from .._core.errors import FatalSourceError, SourceError
from .._core.shell import INCOMPLETE, REFUSED, exit_code
from ..batch_files.batch_files import BatchFiles
from .writer import BlockWriter

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from ..receipts.tally import Tally
    from ..source import Source

__all__ = ["Run"]

W = TypeVar("W", bound=BlockWriter)


@dataclass(eq=False, kw_only=True, repr=False)
class Run(Generic[W]):
    """Source, writer and files of batches of a run, its receipts and its failures."""

    config: Mapping[str, Any]
    started_at: int
    """Milliseconds; versions of streams count from here."""
    user_agent: str
    writer: W
    logger: logging.Logger
    selected: Callable[[], frozenset[str]]
    id: str = field(default_factory=lambda: str(uuid4()))
    receipts: list[tuple[Tally, dict[str, Any]]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    stopped: bool = False
    """True once nothing more can be read: the streams that are left say nothing."""
    _codes: list[int] = field(default_factory=list)

    @cached_property
    def source(self) -> Source:
        """The service or the bundles, opened when the first stream is read."""
        from ..open_source import make_source

        return make_source(self.config, streams=self.selected(), user_agent=self.user_agent, say=self.logger.info)

    @property
    def source_name(self) -> str:
        """Name of the source in receipts, where it could not be opened."""
        from ..open_source import source_name

        return source_name(self.config)

    @cached_property
    def batches(self) -> BatchFiles | None:
        """The writer of files, if records leave as files."""
        config = self.config.get("batch_config")
        return BatchFiles(config, self.id) if config else None

    def remove_leftovers(self) -> None:
        """Remove files of batches that an earlier run left, so that pupils' data does not pile up."""
        try:
            if self.batches and (gone := self.batches.remove_leftovers()):
                self.logger.warning(
                    "batches of earlier runs, older than a day and never taken: removed %s", ", ".join(gone)
                )
        except Exception as error:  # whatever the store calls it: a run does not fail because of an earlier one
            self.logger.warning("batches of earlier runs cannot be listed (%s)", type(error).__name__)

    @property
    def exit_code(self) -> int:
        """What the run ends with, as far as it has come."""
        return exit_code(self._codes)

    def fail(self, problem: str | Exception, stream: str | None = None) -> None:
        """Note that the run cannot end well, and because of which collection. A text is about the settings."""
        del stream  # for those who report it apart from the line
        self.logger.error("%s", problem)
        self.failures.append(str(problem))
        self._codes.append(REFUSED if isinstance(problem, str) else getattr(problem, "exit_code", INCOMPLETE))
        self.stopped = self.stopped or isinstance(problem, FatalSourceError)

    def announce_batches(self, *, all_of_them: bool = True) -> None:
        """Name files of the last attempt that are whole; those of earlier ones are gone."""
        if self.batches:
            for message in self.batches.end() if all_of_them else self.batches.whole():
                self.writer.write_message(message)

    def discard_batches(self) -> None:
        """Remove the files that were written and not announced."""
        if self.batches:
            self._drop(self.batches, self.batches.discard)

    def abandon_batches(self) -> None:
        """As `discard_batches`, from inside of a signal's handler."""
        if self.batches:
            self._drop(self.batches, self.batches.abandon)

    def _drop(self, batches: BatchFiles, remove: Callable[[], list[str]]) -> None:
        """Remove files, and name those that are still there."""
        if in_hand := batches.in_hand():
            self.logger.warning("perhaps announced, left in place: %s", ", ".join(in_hand))
        if left := remove():
            self.logger.warning("not announced, to be removed by hand: %s", ", ".join(left))

    def close(self) -> None:
        """Let go of the source, and of files of a collection that was cut off in the middle."""
        if "source" in self.__dict__:
            for problem in self.source.problems:
                self.fail(SourceError(problem))
            self.source.close()
        self.discard_batches()
