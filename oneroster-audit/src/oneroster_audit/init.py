"""`init`: a policy with comments, from what the warehouse holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .errors import Wrong
from .warehouse import Warehouse

if TYPE_CHECKING:
    from pathlib import Path

_TEXT = """\
# The policy of oneroster-audit. Paths are relative to this file.
warehouse: {warehouse}
schema: {schema}
store: audit.duckdb
time_zone: UTC                # days of the calendar and of the page, such as America/Chicago
{tenant}
limits:
  lost_percent: 20            # of a file, and of each school, role and term with more than 20 rows
  # schools:                  # an exception needs a reason and an end
  #   {school}: {{lost_percent: 60, reason: "alternative school", until: {until}}}

# Days are inclusive. The narrower rule wins, a school's before the district's; of two as wide, the stricter.
calendar: []
{terms}
# Rules: blackout (nothing is released), additions_only (removals and changes wait), rollover (a term may empty), normal.
# - {{from: {until}, to: {until}, rule: blackout}}
# - {{from: {until}, to: {until}, rule: rollover, lost_percent: 100, terms: [{term}]}}

# The {count} schools of the newest load:
{schools}

# consumers: [sds_v2_1, clever]   # for whom the load is judged, too
report: {{path: site/roster.html, json: site/roster.json}}
# alert:                      # a url may name a variable of the environment
# - {{kind: slack, url: "$SLACK_WEBHOOK", when: [held, unknown]}}
"""
SHOWN = 40


def write_policy(path: Path, warehouse: str, schema: str, tenant: str) -> None:
    """Write a policy; raise Wrong if there is one."""
    if path.exists():
        raise Wrong(f"{path.name} is there already, and is left as it is")
    with Warehouse(path.parent / warehouse, schema, tenant) as house:
        loads = house.loads()
        load = max(loads, default=0)
        schools = house.run(
            """SELECT "sourcedId", coalesce("name", '') FROM "orgs_at"($load) WHERE "type" = 'school' ORDER BY 1""",
            load=load,
        )
        terms = house.run(
            'SELECT "sourcedId", "type", CAST("startDate" AS VARCHAR), CAST("endDate" AS VARCHAR) '
            """FROM "academicSessions_at"($load) WHERE "type" IN ('term', 'semester', 'schoolYear') ORDER BY 3, 1""",
            load=load,
        )
    until = max((end for *_, end in terms if end), default="2027-06-30")
    lines = [
        f"# {kind} {json.dumps(name, ensure_ascii=False)}: {begin} to {end}" for name, kind, begin, end in terms[:SHOWN]
    ]
    named = [
        f"# {json.dumps(school, ensure_ascii=False)} {json.dumps(name, ensure_ascii=False)}"
        for school, name in schools[:SHOWN]
    ]
    more = [f"# and {len(schools) - SHOWN} more"] if len(schools) > SHOWN else []
    text = _TEXT.format(
        warehouse=json.dumps(warehouse),
        schema=json.dumps(schema),
        tenant=f"tenant: {json.dumps(tenant)}" if tenant else "",
        school=json.dumps(schools[0][0] if schools else "00001"),
        until=until,
        terms="\n".join(lines),
        term=json.dumps(terms[0][0] if terms else "t1"),
        count=len(schools),
        schools="\n".join([*named, *more]),
    )
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
