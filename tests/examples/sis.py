"""What a bundle of the example's SIS has to say, worked out from its tables in Python: the views are not asked."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.loaders.postgres import Database

Row = dict[str, str]
TODAY = "2026-10-05"
JOBS = {"T": "teacher", "P": "principal", "C": "counselor", "A": "aide", "D": "districtAdministrator"}
KINSHIP = {"M": "parent", "F": "parent", "G": "guardian", "R": "relative"}
TERMS = {"S": "semester", "Q": "gradingPeriod"}
GRADES = ["PK", "K", *map(str, range(1, 13))]
ADMINISTRATORS = {"principal", "districtAdministrator"}


def after(day: str | None) -> str:
    """The day after an inclusive end."""
    return str(date.fromisoformat(day) + timedelta(days=1)) if day else ""


def in_force(row: dict[str, Any], begin: str) -> bool:
    last = row.get("exit_date") or row.get("end_date")
    return row[begin] <= TODAY and (last is None or last >= TODAY)


def word(grade: str) -> str:
    return {"PK": "PK", "K": "KG"}.get(grade.strip(), grade.strip().zfill(2))


def span(low: str, high: str) -> str:
    return ",".join(map(word, GRADES[GRADES.index(low) : GRADES.index(high) + 1]))


def expected(database: Database) -> dict[str, list[Row]]:
    """Rows of each file of a bundle of 1.2, without columns that no view fills."""
    t = {name: database.rows(f"sis.{name}") for name in TABLES}
    at = [r for r in t["student_school"] if r["year_id"] == 2 and in_force(r, "entry_date")]
    jobs = [r for r in t["staff_job"] if in_force(r, "start_date")]
    kin = [(g, r["school_no"]) for g in t["student_guardian"] for r in at if g["student_no"] == r["student_no"]]
    sections = {s["section_no"]: s for s in t["section"] if s["year_id"] == 2}
    courses = {
        c["course_no"]: c for c in t["course"] if any(s["course_no"] == c["course_no"] for s in sections.values())
    }
    return {
        "orgs": _orgs(t),
        "academicSessions": _sessions(t),
        "courses": [_course(c, t) for c in courses.values()],
        "classes": [_class(s, courses[s["course_no"]], t) for s in sections.values()],
        "users": [*_students(t, at), *_staff(t, jobs), *_guardians(t, {g["guardian_no"] for g, _ in kin})],
        "roles": [*_student_roles(at), *_staff_roles(jobs), *_guardian_roles(kin)],
        "enrollments": [*_seats(t, sections, courses, at), *_teachers(t, sections, courses, jobs)],
    }


TABLES = (
    "district", "school", "school_year", "term", "student", "student_school", "staff", "staff_job", "guardian",
    "student_guardian", "subject", "course", "course_subject", "section", "section_term", "section_period",
    "section_staff", "section_student",
)  # fmt: skip


def _orgs(t: Any) -> list[Row]:
    top = [{"sourcedId": f"dis-{d['district_no']}", "name": d["name"], "type": "district"} for d in t["district"]]
    return top + [
        {
            "sourcedId": f"sch-{s['school_no']}",
            "name": s["name"],
            "type": "school",
            "identifier": s["state_id"],
            "parentSourcedId": f"dis-{s['district_no']}",
        }
        for s in t["school"]
    ]


def _sessions(t: Any) -> list[Row]:
    def session(source_id: str, title: str, kind: str, row: Any, parent: str) -> Row:
        return {
            "sourcedId": source_id,
            "title": title,
            "type": kind,
            "startDate": row["first_day"],
            "endDate": after(row["last_day"]),
            "parentSourcedId": parent,
            "schoolYear": "2027",
        }

    years = [session("year-2", y["label"], "schoolYear", y, "") for y in t["school_year"] if y["year_id"] == 2]
    return years + [
        session(
            f"term-{x['term_id']}", x["name"], TERMS[x["kind"]], x, f"term-{x['within']}" if x["within"] else "year-2"
        )
        for x in t["term"]
        if x["year_id"] == 2
    ]


def _subjects(course: Any, t: Any) -> Row:
    mine = {r["subject_no"] for r in t["course_subject"] if r["course_no"] == course["course_no"]}
    found = [s for s in t["subject"] if s["subject_no"] in mine]
    return {
        "subjects": ",".join(s["name"].replace(",", "") for s in found),
        "subjectCodes": ",".join(s["sced_code"] for s in found),
    }


def _course(course: Any, t: Any) -> Row:
    return {
        "sourcedId": f"crs-{course['course_no']}",
        "schoolYearSourcedId": "year-2",
        "title": course["title"],
        "courseCode": course["code"],
        "grades": span(course["low_grade"], course["high_grade"]),
        "orgSourcedId": f"sch-{course['school_no']}",
    } | _subjects(course, t)


def _class(section: Any, course: Any, t: Any) -> Row:
    number = section["section_no"]
    terms = sorted(r["term_id"] for r in t["section_term"] if r["section_no"] == number)
    periods = sorted(r["period"] for r in t["section_period"] if r["section_no"] == number)
    return {
        "sourcedId": f"sec-{number}",
        "title": f"{course['title']} {section['letter']}",
        "grades": span(course["low_grade"], course["high_grade"]),
        "courseSourcedId": f"crs-{course['course_no']}",
        "classCode": f"{course['code']}-{section['letter']}",
        "classType": "homeroom" if section["is_homeroom"] else "scheduled",
        "location": section["room"],
        "schoolSourcedId": f"sch-{course['school_no']}",
        "termSourcedIds": ",".join(f"term-{n}" for n in terms),
        "periods": ",".join(map(str, periods)),
    } | _subjects(course, t)


def _person(source_id: str, row: Any, **more: str | None) -> Row:
    person = {"sourcedId": source_id, "givenName": row["first_name"], "familyName": row["last_name"]}
    return person | {"enabledUser": "true", "email": row["email"] or ""} | {k: v or "" for k, v in more.items()}


def _students(t: Any, at: Any) -> list[Row]:
    home = {r["student_no"]: r for r in at if r["is_home"]}
    present = {r["student_no"] for r in at}
    kin = {n: sorted(g["guardian_no"] for g in t["student_guardian"] if g["student_no"] == n) for n in present}
    return [
        _person(
            f"stu-{s['student_no']}",
            s,
            username=s["email"] or f"student{s['student_no']}",
            userIds=f"{{stateId:{s['state_id']}}}",
            identifier=s["state_id"],
            middleName=s["middle_name"],
            preferredGivenName=s["preferred_name"],
            agentSourcedIds=",".join(f"gua-{n}" for n in kin[s["student_no"]]),
            grades=word(home[s["student_no"]]["grade"]),
            primaryOrgSourcedId=f"sch-{home[s['student_no']]['school_no']}",
        )
        for s in t["student"]
        if s["student_no"] in present
    ]


def _org(job: Any) -> str:
    return f"sch-{job['school_no']}" if job["school_no"] else "dis-1"


def _staff(t: Any, jobs: Any) -> list[Row]:
    main = {j["staff_no"]: _org(j) for j in jobs if j["is_main"]}
    return [
        _person(
            f"stf-{s['staff_no']}",
            s,
            username=s["login"],
            identifier=str(s["staff_no"]),
            primaryOrgSourcedId=main[s["staff_no"]],
        )
        | {"enabledUser": str(s["can_login"] == "Y").lower()}
        for s in t["staff"]
        if s["staff_no"] in main
    ]


def _guardians(t: Any, present: set[int]) -> list[Row]:
    return [
        _person(f"gua-{n}", g, username=g["email"] or f"guardian{n}", phone=g["phone"])
        for g in t["guardian"]
        if (n := g["guardian_no"]) in present
    ]


def _role(user: str, org: str, role: str, kind: str, begin: str | None = None, last: str | None = None) -> Row:
    return {
        "userSourcedId": user,
        "orgSourcedId": org,
        "role": role,
        "roleType": kind,
        "beginDate": begin or "",
        "endDate": after(last),
    }


def _student_roles(at: Any) -> list[Row]:
    return [
        _role(f"stu-{r['student_no']}", f"sch-{r['school_no']}", "student", "primary", r["entry_date"], r["exit_date"])
        for r in at
    ]


def _staff_roles(jobs: Any) -> list[Row]:
    found = []
    for j in jobs:
        others = [o for o in jobs if o is not j and o["staff_no"] == j["staff_no"] and _org(o) == _org(j)]
        kind = "secondary" if others and not j["is_main"] else "primary"
        found.append(_role(f"stf-{j['staff_no']}", _org(j), JOBS[j["job"]], kind, j["start_date"], j["end_date"]))
    return found


def _guardian_roles(kin: Any) -> list[Row]:
    strongest: dict[tuple[int, int], list[str]] = {}
    for guardian, school in kin:
        words = strongest.setdefault((guardian["guardian_no"], school), [])
        if KINSHIP[guardian["relationship"]] not in words:
            words.append(KINSHIP[guardian["relationship"]])
    order = ["parent", "guardian", "relative"]
    return [
        _role(f"gua-{guardian}", f"sch-{school}", role, "secondary" if rank else "primary")
        for (guardian, school), words in strongest.items()
        for rank, role in enumerate(sorted(words, key=order.index))
    ]


def _enrollment(section: Any, school: int, user: str, role: str, row: Any, primary: str) -> Row:
    return {
        "classSourcedId": f"sec-{section}",
        "schoolSourcedId": f"sch-{school}",
        "userSourcedId": user,
        "role": role,
        "primary": primary,
        "beginDate": row["start_date"],
        "endDate": after(row["end_date"]),
    }


def _seats(t: Any, sections: Any, courses: Any, at: Any) -> list[Row]:
    present = {(r["student_no"], r["school_no"]) for r in at}
    found = []
    for r in t["section_student"]:
        if (section := sections.get(r["section_no"])) and r["status"] == "A":
            school = courses[section["course_no"]]["school_no"]
            if (r["student_no"], school) in present and (r["end_date"] is None or r["end_date"] >= TODAY):
                user = f"stu-{r['student_no']}"
                found.append(_enrollment(r["section_no"], school, user, "student", r, ""))
    return found


def _teachers(t: Any, sections: Any, courses: Any, jobs: Any) -> list[Row]:
    teaching = {(j["staff_no"], j["school_no"]) for j in jobs if j["job"] == "T"}
    found = []
    for r in t["section_staff"]:
        if (section := sections.get(r["section_no"])) and (r["end_date"] is None or r["end_date"] >= TODAY):
            school = courses[section["course_no"]]["school_no"]
            if (r["staff_no"], school) in teaching:
                primary = "true" if r["part"] == "P" else "false"
                found.append(_enrollment(r["section_no"], school, f"stf-{r['staff_no']}", "teacher", r, primary))
    return found
