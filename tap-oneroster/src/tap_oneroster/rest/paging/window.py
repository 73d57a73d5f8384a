"""Pages requested ahead by a few threads, and delivered in order."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")

_Job = tuple["Future[T]", Callable[[int], T], int]


class Workers(Generic[T]):
    """A few daemon threads, so that the end of a run does not wait for a service that does not answer."""

    def __init__(self, count: int) -> None:
        self._jobs: queue.SimpleQueue[_Job[T] | None] = queue.SimpleQueue()
        self._count = count
        self._threads: list[threading.Thread] = []

    def submit(self, work: Callable[[int], T], argument: int) -> Future[T]:
        """Run `work` in a thread."""
        future: Future[T] = Future()
        self._jobs.put((future, work, argument))
        if len(self._threads) < self._count:
            thread = threading.Thread(target=self._run, name="oneroster-page", daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def _run(self) -> None:
        while job := self._jobs.get():
            future, work, argument = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work(argument))
            except BaseException as error:  # passed to the caller that takes the result
                future.set_exception(error)
            # Release the page before the thread waits for work.
            del job, future

    def close(self) -> None:
        """Let the threads end when they are idle."""
        for _ in self._threads:
            self._jobs.put(None)


class Window(Generic[T]):
    """Answers by offset: the one that is needed now, and those that are likely to be needed next."""

    def __init__(self, workers: Workers[T], ask: Callable[[int], T]) -> None:
        self._workers = workers
        self._ask = ask
        self._pending: dict[int, Future[T]] = {}

    def get(self, offset: int, ahead: Iterable[int] = ()) -> T:
        """Return the answer at an offset; request those `ahead` meanwhile, and cancel others."""
        wanted = [offset, *ahead]
        self._keep(wanted)
        if len(wanted) == 1 and not self._pending:
            return self._ask(offset)  # a thread would only be waited for
        for one in wanted:
            if one not in self._pending:
                self._pending[one] = self._workers.submit(self._ask, one)
        return self._pending.pop(offset).result()

    def _keep(self, offsets: Iterable[int]) -> None:
        for offset in self._pending.keys() - set(offsets):
            self._pending.pop(offset).cancel()

    def close(self) -> None:
        """Cancel all requests that were made ahead."""
        self._keep(())
