"""Several districts at a time: never more than `jobs` in all, `concurrent` of a provider, and `per_host` of a host."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..district import District, Provider
    from .district_run import Outcome


class _Slots:
    """What is running, and who may start next: the first in order whose provider and host are free."""

    def __init__(self, districts: Sequence[District], providers: Mapping[str, Provider]) -> None:
        self._waiting = list(districts)
        self._providers = providers
        self._by_provider: Counter[str] = Counter()
        self._by_host: Counter[tuple[str, str]] = Counter()
        self._changed = threading.Condition()

    def take(self) -> District | None:
        """Return the next district as soon as it may start; None if none is left."""
        with self._changed:
            while self._waiting:
                for place, district in enumerate(self._waiting):
                    if self._is_free(district):
                        del self._waiting[place]
                        self._count(district, 1)
                        return district
                self._changed.wait()
            return None

    def give_back(self, district: District) -> None:
        """Say that a district has ended."""
        with self._changed:
            self._count(district, -1)
            self._changed.notify_all()

    def empty(self) -> list[District]:
        """Start nothing more; return what has not begun."""
        with self._changed:
            left, self._waiting = self._waiting, []
            self._changed.notify_all()
            return left

    def _is_free(self, district: District) -> bool:
        its = self._providers.get(district.provider)
        if its is None:
            return True
        at_host = self._by_host[district.provider, district.host]
        return self._by_provider[district.provider] < its.concurrent and not (
            its.per_host and district.host and at_host >= its.per_host
        )

    def _count(self, district: District, by: int) -> None:
        self._by_provider[district.provider] += by
        self._by_host[district.provider, district.host] += by


def run_all(
    districts: Sequence[District],
    providers: Mapping[str, Provider],
    jobs: int,
    run: Callable[[District], Outcome],
    done: Callable[[District, Outcome], None],
    stopped: Callable[[], int],
) -> None:
    """Run districts; `done` is called with each as it ends, in the thread of its run."""
    slots = _Slots(districts, providers)

    def work() -> None:
        while (district := slots.take()) is not None:
            try:
                done(district, run(district))
            finally:
                slots.give_back(district)

    threads = [threading.Thread(target=work) for _ in range(max(1, min(jobs, len(districts))))]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.1)
            if stopped():
                slots.empty()
