"""What other systems know of a district: attendance, licences, activity, LMS memberships and final grades, as CSV.

Each file has gaps on purpose, and the truth says which: seats that nobody uses, accounts that match nobody, members whom
only the LMS has, students who stay away.
"""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ._core.model import Version
from .belonging import home_of
from .changes import arrived_on
from .dice import mix, salt
from .subjects import GRADES, SUBJECTS
from .truth import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .district import District
    from .rows import Row

FILES = {
    "attendance": ("school_id", "student_id", "day", "present", "excused"),
    "licences": (
        "contract_id",
        "vendor",
        "product",
        "school_id",
        "seats",
        "starts_on",
        "ends_on",
        "price_per_seat",
        "who",
        "grades",
        "course_codes",
    ),
    "vendor_activity": (
        "vendor",
        "product",
        "key_kind",
        "key",
        "first_active_on",
        "last_active_on",
        "active_days_30",
    ),
    "lms_memberships": (
        "lms",
        "class_key_kind",
        "class_key",
        "user_key_kind",
        "user_key",
        "role",
        "state",
        "read_at",
    ),
    "final_grades": (
        "student_id",
        "class_id",
        "session_id",
        "percent",
        "mark",
        "credits_attempted",
        "credits_earned",
    ),
}
"""Files and their columns."""
_DAYS, _ACCOUNT, _MEMBER, _GRADE = salt("attendance"), salt("account"), salt("member"), salt("final grade")
CHRONIC_EVERY, DRIFT_EVERY = 37, 41
"""One student in so many is absent on every seventh day, or on every third of the last twenty."""
LATEST = 20
"""School days in which students drift."""
_LMS = "Birchboard"
_MATH = tuple(f"{SUBJECTS[1].code}{grade}" for grade in GRADES)
_MARKS = ((90, "A"), (80, "B"), (70, "C"), (60, "D"), (0, "F"))
_MIDDLE = ("06", "07", "08")


class _Contract(NamedTuple):
    id: str
    vendor: str
    product: str
    school: str
    who: str
    key_kind: str
    share: float
    """Seats as a share of the persons who are entitled."""
    grades: tuple[str, ...] = ()
    course_codes: tuple[str, ...] = ()
    ended: bool = False


class _Member(NamedTuple):
    """A person who may use something: id, role, schools, grade and course codes of the current classes."""

    id: str
    role: str
    schools: set[str]
    courses: set[str]


def write_usage(district: District, folder: Path | str, version: Version | str = Version.V1_2) -> dict[str, int]:
    """Write the files into a folder, and what is known of their gaps under `usage` in its `truth.json`.

    Returns:
        Number of rows by file.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    usage = _Usage(district, Version(version))
    rows = {
        "attendance": usage.attendance,
        "licences": usage.licences,
        "vendor_activity": usage.activity,
        "lms_memberships": usage.memberships,
        "final_grades": usage.grades,
    }
    counts = {name: _write(folder / f"{name}.csv", FILES[name], rows[name]()) for name in FILES}
    path = folder / "truth.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    write_private(path, known | {"usage": usage.truth})
    return counts


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


class _Usage:
    def __init__(self, district: District, version: Version) -> None:
        self._district, self._version = district, version
        self._night = district.night
        self._today = date.fromisoformat(district.year.date(district.day))
        self.truth: dict[str, Any] = {"today": self._today.isoformat()}

    def _active(self, name: str) -> Iterator[tuple[str, Row]]:
        for item in self._district.items(name, self._version):
            if item.row and item.row["status"] == "active":
                yield item.origin, item.row

    @cached_property
    def _school_days(self) -> list[str]:
        """Weekdays from the first day of the year to today."""
        first = date.fromisoformat(self._district.year.start)
        days = (first + timedelta(n) for n in range((self._today - first).days + 1))
        return [day.isoformat() for day in days if day.weekday() < 5]

    def attendance(self) -> Iterator[tuple[Any, ...]]:
        """Yield one row for each student and school day at the school."""
        days = self._school_days
        chronic, drifting = [], []
        absences: Counter[str] = Counter()
        for origin, row in self._active("users"):
            if not origin[0].isdigit():
                continue
            draw = mix(self._district.seed, _DAYS, int(origin))
            first = self._first_day(origin)
            mine = [day for day in days if day >= first]
            absent = [_is_away(draw, n, len(mine)) for n in range(len(mine))]
            if len(mine) >= LATEST and sum(absent) * 10 > len(mine):
                chronic.append(row["sourcedId"])
            before, latest = absent[:-LATEST], absent[-LATEST:]
            if len(before) >= LATEST and sum(latest) / LATEST - sum(before) / len(before) >= 0.1:
                drifting.append(row["sourcedId"])
            for n, (day, away) in enumerate(zip(mine, absent, strict=True)):
                school = self._school_on(origin, day)
                absences[school] += away
                yield school, row["sourcedId"], day, int(not away), str(away and n % 2 == 0).lower()
        self.truth["attendance"] = {
            "school_days": len(days),
            "chronic": chronic,
            "drifting": drifting,
            "absences": dict(sorted(absences.items())),
        }

    def _first_day(self, student: str) -> str:
        plan = self._district
        school = plan.school(int(home_of(student)) - 1)
        place = school.place((int(student) - 1) % 100_000)
        arrived = arrived_on(school, place) if place is not None else 0
        return plan.year.date(arrived) if arrived else plan.year.start

    def _school_on(self, student: str, day: str) -> str:
        move = self._night.pupils.get(student)
        if move and move.kind == "transfer" and day >= self._district.year.date(move.day):
            return move.other.id
        return home_of(student)

    def _contracts(self) -> list[_Contract]:
        schools = [school.id for school in self._district.all_schools()][:2]
        return [
            _Contract("lic-math", "Numeria", "Math Path", "", "student", "email", 1.1, course_codes=_MATH),
            *(
                _Contract(f"lic-read-{school}", "Lesewelt", "Reader", school, "student", "sourcedId", 1.25)
                for school in schools
            ),
            _Contract("lic-plan", "Planbuch", "Planner", "", "teacher", "username", 1.5),
            _Contract("lic-lab", "Labora", "Virtual Lab", "", "student", "identifier", 0.5, grades=_MIDDLE),
            _Contract("lic-old", "Altmann", "Atlas", "", "all", "username", 1.0, ended=True),
        ]

    @cached_property
    def _members(self) -> dict[str, _Member]:
        """Students and teachers with current enrollments, by origin."""
        today = self._today.isoformat()
        courses = {row["sourcedId"]: row["courseCode"] for _, row in self._active("courses")}
        codes = {row["sourcedId"]: courses.get(row["courseSourcedId"], "") for _, row in self._active("classes")}
        members: dict[str, _Member] = {}
        for _, row in self._active("enrollments"):
            if row["role"] in ("student", "teacher") and _is_current(row, today):
                user = row["userSourcedId"]
                member = members.setdefault(user, _Member(user, row["role"], set(), set()))
                member.schools.add(row["schoolSourcedId"])
                member.courses.add(codes.get(row["classSourcedId"], ""))
        return members

    def _entitled(self, contract: _Contract, row: Row) -> bool:
        member = self._members.get(row["sourcedId"])
        return (
            member is not None
            and contract.who in ("all", member.role)
            and (not contract.school or contract.school in member.schools)
            and (not contract.grades or bool(set(contract.grades) & set(row["grades"] or ())))
            and (not contract.course_codes or bool(set(contract.course_codes) & member.courses))
        )

    @cached_property
    def _counts(self) -> dict[str, Counter[str]]:
        """Entitled persons, and those with a matching account and an active one, by contract."""
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        contracts = self._contracts()
        for origin, row in self._active("users"):
            for contract in contracts:
                if self._entitled(contract, row):
                    account = self._account(contract.product, contract.key_kind, origin, row)
                    counts[contract.id]["entitled"] += 1
                    counts[contract.id]["matched"] += account is not None
                    counts[contract.id]["active_30"] += bool(account and account[1] < 30)
        return counts

    def licences(self) -> Iterator[tuple[Any, ...]]:
        """Yield one row for each contract: too many seats, too few, or ended last year."""
        year = self._district.year
        told = {}
        for n, contract in enumerate(self._contracts()):
            counts = self._counts[contract.id]
            seats = round(counts["entitled"] * contract.share)
            told[contract.id] = {name: counts[name] for name in ("entitled", "matched", "active_30")} | {
                "seats": seats,
                "unused_seats": max(seats - counts["active_30"], 0),
                "over_use": max(counts["active_30"] - seats, 0),
            }
            starts = date.fromisoformat(year.start) - timedelta(365 if contract.ended else 0)
            yield (
                contract.id,
                contract.vendor,
                contract.product,
                contract.school,
                seats,
                starts.isoformat(),
                (starts + timedelta(300 if contract.ended else 365)).isoformat(),
                f"{3 + n * 2}.50",
                contract.who,
                ",".join(contract.grades),
                ",".join(contract.course_codes),
            )
        self.truth["licences"] = told

    def _account(self, product: str, key_kind: str, origin: str, row: Row) -> tuple[str, int, int] | None:
        """Return a person's account with a vendor: key, days since the last use, days of use; None if there is none."""
        draw = mix(self._district.seed, _ACCOUNT, salt(product), salt(origin))
        key = row[key_kind]
        if draw % 8 == 0 or not key:
            return None
        since = draw >> 8 & 15 if draw % 8 < 6 else 40 + (draw >> 8) % 50
        if key_kind in ("email", "username") and draw >> 20 & 3 == 0:
            key = key.upper()
        return key, since, (draw >> 12) % 20 + 1 if since < 30 else 0

    def activity(self) -> Iterator[tuple[Any, ...]]:
        """Yield one row for each account: of entitled persons, of pupils who left, and for tests."""
        products = {(its.vendor, its.product, its.key_kind): its for its in self._contracts()}
        told = {}
        for (vendor, product, kind), contract in products.items():
            counts: Counter[str] = Counter()
            for origin, row in self._active("users"):
                anywhere = contract._replace(school="")
                account = self._account(product, kind, origin, row) if self._entitled(anywhere, row) else None
                if account:
                    counts["matched"] += 1
                    counts["active_30"] += account[1] < 30
                    yield self._used(vendor, product, kind, *account)
            unmatched = [f"demo-{n + 1}@{vendor.lower()}.example" for n in range(2 + counts["matched"] // 20)]
            for key in unmatched:
                yield self._used(vendor, product, kind, key, 3, 5)
            told[product] = {"accounts": counts["matched"] + len(unmatched), "unmatched": unmatched, **counts}
        self.truth["vendor_activity"] = told

    def _used(self, vendor: str, product: str, kind: str, key: str, since: int, days: int) -> tuple[Any, ...]:
        last = self._today - timedelta(since)
        return vendor, product, kind, key, (last - timedelta(60)).isoformat(), last.isoformat(), days

    def memberships(self) -> Iterator[tuple[Any, ...]]:
        """Yield the members of the LMS: the current enrollments but for some, and others besides."""
        today = self._today.isoformat()
        kinds: Counter[str] = Counter()
        gaps: defaultdict[str, list[list[str]]] = defaultdict(list)
        for origin, row in self._active("enrollments"):
            if row["role"] not in ("student", "teacher") or not _is_current(row, today):
                continue
            class_id, user, role = row["classSourcedId"], row["userSourcedId"], row["role"]
            draw = mix(self._district.seed, _MEMBER, salt(origin))
            state, kind = "active", "in_both"
            match draw % 64:
                case 0:
                    kind = "only_roster"
                case 1:
                    kind, state = "only_roster", "inactive"
                case 2:
                    kind, role = "role_differs", "teacher" if role == "student" else "student"
            kinds[kind] += 1
            if kind != "in_both":
                gaps[kind].append([class_id, user])
            if draw % 64:
                yield self._member(class_id, user, role, state)
            if draw % 64 == 3:  # somebody who helps out, or whom the roster does not know any more
                aide = origin.endswith("/t1")
                other = self._night.user_id(f"aide@{row['schoolSourcedId']}") if aide else f"left-{draw >> 40:06x}"
                kinds["only_lms"] += 1
                gaps["only_lms"].append([class_id, other])
                yield self._member(class_id, other, "teacher" if aide else "student", "active")
            if draw % 512 == 4:
                sandbox = f"sandbox-{draw >> 40:06x}"
                kinds["class_not_found"] += 1
                gaps["class_not_found"].append([sandbox, user])
                yield self._member(sandbox, user, row["role"], "active")
        self.truth["lms_memberships"] = {"kinds": dict(sorted(kinds.items())), "gaps": dict(gaps)}

    def _member(self, class_id: str, user: str, role: str, state: str) -> tuple[str, ...]:
        return _LMS, "sourcedId", class_id, "sourcedId", user, role, state, f"{self._today.isoformat()}T05:00:00Z"

    def grades(self) -> Iterator[tuple[Any, ...]]:
        """Yield the grades of the first term, in classes of the whole year but homerooms; some are missing."""
        year = self._district.year
        codes = {
            row["sourcedId"]: row["courseSourcedId"]
            for _, row in self._active("classes")
            if row["classType"] != "homeroom"
        }
        counts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for origin, row in self._active("enrollments"):
            class_id = row["classSourcedId"]
            if row["role"] != "student" or row["beginDate"] > year.start or row["endDate"] or class_id not in codes:
                continue
            draw = mix(self._district.seed, _GRADE, salt(origin))
            count = counts[row["schoolSourcedId"], codes[class_id]]
            count["started"] += 1
            if draw % 50 == 0:
                continue
            percent = 50 + draw % 101 / 2
            mark = next(mark for least, mark in _MARKS if percent >= least)
            count["graded"] += 1
            count["passed"] += mark != "F"
            yield row["userSourcedId"], class_id, year.terms[0], percent, mark, 0.5, 0.5 if mark != "F" else 0
        self.truth["final_grades"] = [
            {"school": school, "course": course, **{name: count[name] for name in ("started", "graded", "passed")}}
            for (school, course), count in sorted(counts.items())
        ]


def _is_away(draw: int, n: int, days: int) -> bool:
    """Return whether a student is absent on school day `n` of `days`."""
    phase = n + draw % 97
    if draw % CHRONIC_EVERY == 0:
        return phase % 7 == 0
    if draw % DRIFT_EVERY == 0 and n >= days - LATEST:
        return phase % 3 == 0
    return phase % 29 == 0


def _is_current(row: Row, today: str) -> bool:
    return (row["beginDate"] or "") <= today < (row["endDate"] or "9999")
