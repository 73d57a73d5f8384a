"""Distinct ids are counted the same in memory and on disk, with Arrow and without."""

from __future__ import annotations

from collections import Counter
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tap_oneroster.arrow import ArrowDistinct
from tap_oneroster.receipts.distinct import Distinct

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = st.lists(st.lists(st.integers(0, 300).map(str) | st.just(""), max_size=200), max_size=12)


@pytest.mark.parametrize("kind", [Distinct, ArrowDistinct])
@pytest.mark.parametrize("limit", [0, 300, 10**6], ids=["all on disk", "some on disk", "none on disk"])
def test_it_counts_what_a_set_counts(kind: type[Distinct], limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tap_oneroster.arrow._WAITING", 50)

    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(BLOCKS)
    def holds(blocks: list[list[str]]) -> None:
        counted = kind()
        counted.limit = limit
        for block in blocks:
            counted.add(block)
        times = Counter(value for block in blocks for value in block)
        assert counted.count() == len(times)
        repeated = counted.repeated()
        assert {value for value in times if value in repeated} == {v for v, n in times.items() if n > 1 and v}
        assert counted.count() == len(times), "counting takes nothing away"

    holds()


@pytest.mark.parametrize("kind", [Distinct, ArrowDistinct])
def test_beyond_the_limit_ids_go_to_a_file_that_goes_with_the_process(
    kind: type[Distinct], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[IO[bytes]] = []

    def temporary() -> IO[bytes]:
        made.append(TemporaryFile(dir=tmp_path))  # noqa: SIM115 # the count closes it
        return made[-1]

    monkeypatch.setattr("tap_oneroster.receipts.distinct.TemporaryFile", temporary)
    counted = kind()
    counted.limit = 100_000
    for start in range(0, 1_000_000, 100_000):
        counted.add([f"id-{number}" for number in range(start, start + 100_000)])
    assert counted.count() == 1_000_000
    (file,) = made
    assert file.seek(0, 2) >= 8 * 800_000
    assert not list(tmp_path.iterdir())
