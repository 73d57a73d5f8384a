"""The limit of a vendor's machine, kept between processes: a lock for each run that a host may have at a time."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ..errors import Busy, FleetError, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..stores import Store

WAIT_SECONDS = 0.5


@contextmanager
def host_slot(
    store: Store, host: str, slots: int | None, content: Mapping[str, Any], seconds: float, stopped: Callable[[], int]
) -> Iterator[None]:
    """Hold one of the slots of a host; wait for one, at most `seconds`.

    Raises:
        FleetError: None was free in this time.
        Stopped: A signal came meanwhile.
    """
    if not (slots and host):
        yield
        return
    name = f"_host-{sha256(host.encode()).hexdigest()[:16]}"
    until = time.monotonic() + seconds
    with ExitStack() as stack:
        while not _is_taken(stack, store, name, slots, content):
            if stopped():
                raise Stopped(stopped())
            if time.monotonic() > until:
                raise FleetError(f"its host was busy with other districts for {seconds:.0f} s (per_host, timeout)")
            time.sleep(WAIT_SECONDS)
        yield


def _is_taken(stack: ExitStack, store: Store, name: str, slots: int, content: Mapping[str, Any]) -> bool:
    for number in range(slots):
        try:
            stack.enter_context(store.lock(f"{name}-{number}", content))
        except Busy:
            continue
        return True
    return False
