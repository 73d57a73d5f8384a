"""Pages requested ahead, and the one that nothing is requested ahead of."""

from __future__ import annotations

import threading

from tap_oneroster.rest.paging.window import Window, Workers


def test_a_page_with_none_ahead_is_asked_for_where_it_is_needed() -> None:
    """Another thread would only be waited for."""
    workers: Workers[str] = Workers(4)
    window = Window(workers, lambda offset: f"{offset} in {threading.current_thread().name}")
    here = threading.current_thread().name
    assert window.get(0) == f"0 in {here}"
    assert window.get(1, [2]) == "1 in oneroster-page"
    # It was asked for ahead, so it is taken from there.
    assert window.get(2) == "2 in oneroster-page"
    assert window.get(3) == f"3 in {here}"
    workers.close()
