"""How the input is read."""

from __future__ import annotations

import os
import sys
from collections import Counter

import pytest
from target_oneroster.singer.reader import BlockReader

_LINE = b'{"type":"STATE","value":{}}\n'


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a pipe grow")
def test_a_pipe_holds_as_much_as_is_read_at_a_time() -> None:
    """A tap that waits for the target at every 64 KB makes the two take turns."""
    import fcntl

    out, into = os.pipe()
    sizes: list[int] = []
    with os.fdopen(out, "rb") as source, os.fdopen(into, "wb") as tap:
        tap.write(_LINE)
        tap.close()
        counts = BlockReader().process_lines(
            source, {"STATE": lambda _: sizes.append(fcntl.fcntl(source, fcntl.F_GETPIPE_SZ))}
        )
    assert counts == Counter(STATE=1)
    assert sizes == [1 << 20]


def test_a_file_is_read_as_it_is(tmp_path) -> None:
    """What cannot grow is no fault."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(_LINE * 3)
    with path.open("rb") as source:
        assert BlockReader().process_lines(source, {"STATE": lambda _: None}) == Counter(STATE=3)
