"""One run of the tap: what its collections share, and what became of them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import uuid4

from .._core.errors import FatalSourceError, SourceError
from .._core.log import Progress
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


class Run(Generic[W]):
    """Source, writer and files of batches of a run, its receipts and its failures."""

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        started_at: int,
        user_agent: str,
        writer: W,
        logger: logging.Logger,
        selected: Callable[[], frozenset[str]],
    ) -> None:
        self.id = str(uuid4())
        self.config = config
        self.started_at = started_at
        """Milliseconds; versions of streams count from here."""
        self.writer = writer
        self.logger = logger
        self.progress = Progress(logger.info)
        self.receipts: list[tuple[Tally, dict[str, Any]]] = []
        self.failures: list[str] = []
        self.stopped = False
        """True once nothing more can be read: the streams that are left say nothing."""
        self._codes: list[int] = []
        self._user_agent = user_agent
        self._selected = selected

    @cached_property
    def source(self) -> Source:
        """The service or the bundles, opened when the first stream is read."""
        from ..open_source import make_source

        return make_source(self.config, streams=self._selected(), user_agent=self._user_agent, say=self.logger.info)

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
