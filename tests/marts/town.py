"""A district large enough that most of its numbers are shown, with names that would break a page that does not escape them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
from oneroster_sample.district import District

from .warehouses import TODAY, Desk, duckdb_desk, load_sample, write_inputs

if TYPE_CHECKING:
    from pathlib import Path

TOWN = District(seed=7, schools=3, students_per_school=260, weekly=True)
MARKUP = '<script>alert("school")</script> & <b>Sons</b>'
"""The name of the first school, and a part of the names of persons and courses."""


def make_town(folder: Path, *, is_plain: bool = False) -> Desk:
    """The marts of the town, built: two nights with the same roster, of which the first is six days older; `is_plain` without markup."""
    warehouse = load_sample(folder, TOWN)
    if not is_plain:
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute("update oneroster.orgs set name = ? where \"sourcedId\" = '00001'", [MARKUP])
            connection.execute("update oneroster.users set \"givenName\" = '<i>' || \"givenName\" || '</i>'")
            connection.execute("update oneroster.courses set title = '<u>' || title || '</u>'")
    desk = duckdb_desk(folder, warehouse, today="2026-11-10", inputs=write_inputs(folder, TOWN))
    assert desk("build", "--select", "+enrollment_count") == 0, desk.err
    desk.settings["today"] = TODAY
    assert desk("build") == 0, desk.err
    return desk
