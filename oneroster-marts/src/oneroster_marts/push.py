"""Lists on which others act, as messages of Singer on stdout: any target carries them to where the work is done.

Each list is a stream with a schema and keys. There are ids and never names; what is about single persons is written only where
it is asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TextIO

from .errors import Wrong
from .reader import Reader, open_reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from .settings import Settings

TEXT: dict[str, Any] = {"type": ["string", "null"]}
WHOLE: dict[str, Any] = {"type": ["integer", "null"]}
NUMBER: dict[str, Any] = {"type": ["number", "null"]}
DAY: dict[str, Any] = {"type": ["string", "null"], "format": "date"}
YES_NO: dict[str, Any] = {"type": ["boolean", "null"]}


@dataclass(frozen=True)
class Stream:
    """A list: what it is for, its keys, its columns, and the query of its rows as of today and since a day before."""

    name: str
    description: str
    keys: tuple[str, ...]
    columns: dict[str, dict[str, Any]]
    query: Callable[[Reader, date, date], str] = field(repr=False)
    restricted: bool = True

    @property
    def schema(self) -> dict[str, Any]:
        """The schema as JSON Schema has it; a key is never null."""
        properties = {name: dict(kind) for name, kind in ({"as_of": DAY} | self.columns).items()}
        for name in self.keys:
            properties[name]["type"] = [kind for kind in properties[name]["type"] if kind != "null"]
        return {
            "type": "object",
            "description": self.description,
            "properties": properties,
            "required": list(self.keys),
        }


def _licence_gaps(reader: Reader, _: date, __: date) -> str:
    return (
        "select contract_id, coalesce(school_id, 'all') as school_id, vendor, product, seats, entitled, matched, active_30,"
        f" unused_seats, over_use, match_rate, cost_unused, suppressed from {reader.table('shared.licence_gap')}"
    )


def _pairs(reader: Reader, day: date, *, present: bool) -> str:
    """Return who is in which class on a day; of the past, also who is gone by now."""
    members = reader.table("restricted.fct_enrollment", "user_id", "class_id", "begin_date", "end_date", "is_present")
    return (
        f"select user_id, class_id, max(role) as role, max(school_id) as school_id, max(course_id) as course_id, min(begin_date) as begin_date,"
        f" max(end_date) as end_date from {members} where begin_date <= date '{day}' and (end_date is null or end_date > date '{day}')"
        f" and role in ('student', 'teacher', 'aide'){' and is_present' if present else ''} group by user_id, class_id"
    )


def _to_provision(reader: Reader, today: date, since: date) -> str:
    now, before = _pairs(reader, today, present=True), _pairs(reader, since, present=False)
    return _only(now, before, "now.begin_date")


def _to_take_back(reader: Reader, today: date, since: date) -> str:
    now, before = _pairs(reader, today, present=True), _pairs(reader, since, present=False)
    return _only(before, now, "now.end_date")


def _only(these: str, those: str, day: str) -> str:
    """Return the members of one roster who are not in the other."""
    return (
        f"select now.user_id, now.class_id, now.role, now.school_id, now.course_id, {day} as changed_on from ({these}) as now"
        f" left join ({those}) as its on now.user_id = its.user_id and now.class_id = its.class_id"
        " where its.user_id is null"
    )


def _movers(reader: Reader, today: date, since: date) -> str:
    moves = reader.table("restricted.transfer", "student_id", "kind", "first_day", "last_day")
    day = "coalesce(first_day, last_day)"
    return (
        f"select student_id, kind, {day} as moved_on, from_school_id, to_school_id, last_day, first_day, days_between"
        f" from {moves} where {day} > date '{since}' and {day} <= date '{today}'"
    )


def _worklist(reader: Reader, _: date, __: date) -> str:
    listed = reader.table("restricted.worklist", "student_id", "school_id", "status", "tier", "flags", "reasons")
    return f"select student_id, school_id, status, tier, flags, reasons from {listed}"


_MEMBER = {"user_id": TEXT, "class_id": TEXT, "role": TEXT, "school_id": TEXT, "course_id": TEXT, "changed_on": DAY}
STREAMS = (
    Stream(
        "licence_gaps",
        "Seats of contracts, who is entitled, has an account and uses it, for finance. Holds no person; small numbers are empty.",
        ("contract_id", "school_id"),
        {
            "contract_id": TEXT, "school_id": TEXT, "vendor": TEXT, "product": TEXT, "seats": WHOLE, "entitled": WHOLE, "matched": WHOLE,
            "active_30": WHOLE, "unused_seats": WHOLE, "over_use": WHOLE, "match_rate": NUMBER, "cost_unused": NUMBER, "suppressed": YES_NO,
        },
        _licence_gaps,
        restricted=False,
    ),
    Stream(
        "seats_to_provision",
        "Members of classes who were not in the class on the day since when it is asked: give them a seat.",
        ("user_id", "class_id"),
        _MEMBER,
        _to_provision,
    ),
    Stream(
        "seats_to_take_back",
        "Members of classes who were in the class then and are not any more: take the seat back.",
        ("user_id", "class_id"),
        _MEMBER,
        _to_take_back,
    ),
    Stream(
        "movers",
        "Students who moved between schools, left the district or came into it, for outreach.",
        ("student_id", "kind", "moved_on"),
        {
            "student_id": TEXT, "kind": TEXT, "moved_on": DAY, "from_school_id": TEXT, "to_school_id": TEXT, "last_day": DAY,
            "first_day": DAY, "days_between": WHOLE,
        },
        _movers,
    ),
    Stream(
        "worklist",
        "Students who need a next step, by rules with reasons: new, still, resolved, cannot say; for the counsellors' tool.",
        ("student_id", "school_id"),
        {"student_id": TEXT, "school_id": TEXT, "status": TEXT, "tier": WHOLE, "flags": TEXT, "reasons": TEXT},
        _worklist,
    ),
)  # fmt: skip


def push(settings: Settings, out: TextIO, *, since: str = "", restricted: bool = False) -> dict[str, int]:
    """Write the lists as messages SCHEMA, RECORD and STATE, and return the number of records of each stream.

    `since` is the day with which today is compared, by default the day before. The state names today: the `since` of the next run.

    Raises:
        Wrong: `since` is no date, or not before today.
        Failed: A mart is not built, or the warehouse is busy.
    """
    counts: dict[str, int] = {}

    def write(message: dict[str, Any]) -> None:
        out.write(json.dumps(message, ensure_ascii=False) + "\n")

    with open_reader(settings, restricted=restricted) as reader:
        today = reader.today()
        before = _since(since, today)
        for stream in STREAMS:
            if stream.restricted and not restricted:
                continue
            write(
                {"type": "SCHEMA", "stream": stream.name, "schema": stream.schema, "key_properties": list(stream.keys)}
            )
            counts[stream.name] = 0
            order = ", ".join(reader.in_order(key) if stream.columns[key] is not DAY else key for key in stream.keys)
            for row in reader.rows(f"select * from ({stream.query(reader, today, before)}) as its order by {order}"):
                record = {"as_of": today.isoformat()} | {
                    name: _plain(row[name], kind) for name, kind in stream.columns.items()
                }
                write({"type": "RECORD", "stream": stream.name, "record": record})
                counts[stream.name] += 1
        write({"type": "STATE", "value": {"since": today.isoformat()}})
    return counts


def _since(text: str, today: date) -> date:
    if not text:
        return today - timedelta(1)
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Wrong("--since: must be a date such as 2026-10-05") from None
    if found >= today:
        raise Wrong(f"--since: must be before {today.isoformat()}, the day that was built")
    return found


def _plain(value: Any, kind: dict[str, Any]) -> Any:
    if isinstance(value, date):
        return value.isoformat()[:10]
    return int(value) if kind is WHOLE and value is not None else value
