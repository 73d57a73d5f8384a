"""Three nights of a district in each store: all of it, what changed, all of it again."""

from __future__ import annotations

from collections import Counter

import pytest
from oneroster_core.model import Kind

from .pipe import ROOT, pipe
from .source import Bundles, Service, comparable
from .stores import STORES

pytestmark = pytest.mark.slow

DELETES = {"target-postgres", "target-snowflake", "target-oneroster-duckdb"}
"""Loaders that act on ACTIVATE_VERSION; in the others, what vanished stays."""

PAGE = (ROOT / "docs" / "loaders.md").read_text(encoding="utf-8")
STILL_THERE = PAGE.partition("```sql\n")[2].partition("```")[0]
"""The query of that page: what was not extracted since the last whole read is gone."""

each_loader = pytest.mark.parametrize("name", STORES)


class Nights:
    """The nights, one load each."""

    def __init__(self, binding, district, folder, *, deletes):
        self.district = district
        self.deletes = deletes
        self.binding = binding
        self.source = Bundles(folder / "drop") if binding == "csv" else Service(district)
        self.folder = folder

    def __iter__(self):
        """Yields the number of the night and the district on it; the reader loads."""
        with self.source:
            for night in range(3 if self.binding == "csv" or self.deletes else 2):
                today = self.district.changed(night) if night else self.district
                self.source.hold(today, night)
                yield night, today

    def load(self, store, night, state):
        """The first night everything, the second what changed, the third everything again; the state after it."""
        if self.binding == "rest" and night == 2:
            state = None  # as --full-refresh does, and full_refresh_days
        return pipe(self.source.config, store.executable, store.settings, self.folder, state=state)

    def streams(self):
        """Streams that arrive: demographics are not selected, assessments only REST has."""
        return [f for f in self.district.files() if f.name != "demographics" and (f.csv or self.binding == "rest")]


def check_receipt(store, receipt, today, binding):
    """What a receipt says of the source arrives like the lists, objects and times of other streams."""
    columns = store.value(Kind.STRINGS, receipt["columns"])
    assert {"sourcedId", "role", "classSourcedId" if binding == "csv" else "class"} <= set(columns)
    counts = store.value(Kind.OBJECT, receipt["counts"])
    assert counts == Counter(row["schoolSourcedId"] for row in today.active("enrollments"))
    assert len(receipt["headerdigest"]) == 16
    assert store.value(Kind.DATETIME, receipt["sourcemodifiedat"]).startswith("20")


@pytest.mark.parametrize("binding", ["csv", "rest"])
@each_loader
def test_what_the_source_holds_is_in_the_store(name, binding, district, make_store, tmp_path):
    """Row by row, after a first load, after changes, and after a snapshot.

    What vanished from the source without a word is still in the store where it cannot be told to
    go: after an incremental read of a service, and in loaders without ACTIVATE_VERSION.
    """
    store, nights = make_store(name), Nights(binding, district, tmp_path, deletes=name in DELETES)
    before: dict[str, set[str]] = {}
    state = None
    for night, today in nights:
        state = nights.load(store, night, state)
        for stream in nights.streams():
            held = comparable(stream, today.active(stream.name), binding)
            found = comparable(stream, store.active(stream.name), binding)
            assert not set(held) - set(found), (night, stream.name)
            assert len(set(found)) == len(found), (night, stream.name)
            left_over = set(found) - set(held)
            assert left_over <= before.get(stream.name, set()), (night, stream.name)
            if night == 0 or (night, binding) == (1, "csv") or (night == 2 and name in DELETES):
                assert not left_over, (night, stream.name)
            elif stream.name == "enrollments":
                assert left_over
            before[stream.name] = set(found)
        receipts = [{key.lower(): value for key, value in row.items()} for row in store.raw("syncReceipts")]
        assert len({row["runid"] for row in receipts}) == night + 1, "no run's receipts are lost"
        assert not any(row.get("_sdc_deleted_at") for row in receipts)
        if night == 0:
            check_receipt(store, next(row for row in receipts if row["collection"] == "enrollments"), today, binding)
        if name == "target-duckdb" and binding == "csv":
            there = {row["sourcedid"] for row in store.query(STILL_THERE)}
            assert there == {row["sourcedId"] for row in today.active("enrollments")}, night
