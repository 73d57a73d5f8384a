"""How long the audit of a large district takes, and how much memory: 740 schools, 500,000 students, 4 M enrollments.

    ./run python -m benchmarks.audit [--schools 740] [--quiet]

The warehouse is made by SQL, as target-oneroster-duckdb keeps it. On the second night one school's calendar is rebuilt,
people of another come under new ids, pupils move, and one row in a hundred changes; with `--quiet` nothing changes. The
baseline is a plain join of two snapshots of enrollments in the same run. The command fails if a night could not be
audited, or took more than 900 MB, or more than 60 s (20 s with `--quiet`) at the size that is the default.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from target_oneroster._core.model import FILES
from target_oneroster.warehouse.schema import Table

MOST_MEMORY, MOST_SECONDS, MOST_SECONDS_QUIET = 900, 60, 20
STUDENTS_PER_SCHOOL, CLASSES_PER_STUDENT, PER_CLASS = 676, 8, 25
_MORE = (
    "NULL::TIMESTAMPTZ AS _sdc_first_seen_at, NULL::TIMESTAMPTZ AS _sdc_ended_at, NULL::TIMESTAMPTZ AS _sdc_deleted_at"
)


def make(path: Path, schools: int, *, is_quiet: bool) -> None:
    """Write a warehouse of two nights."""
    classes = STUDENTS_PER_SCHOOL * CLASSES_PER_STUDENT // PER_CLASS
    with duckdb.connect(
        str(path), config={"memory_limit": "2GB", "threads": 2, "preserve_insertion_order": False}
    ) as db:
        db.execute("CREATE SCHEMA oneroster; USE oneroster")
        for name in ("academicSessions", "orgs", "courses", "classes", "users", "roles", "enrollments"):
            spec = ", ".join(
                f'"{n}" {kind}' for n, kind in Table(next(f for f in FILES if f.name == name)).content.items()
            )
            db.execute(
                f'CREATE TABLE "{name}_history" ({spec}, _sdc_first_seen_at TIMESTAMPTZ, _sdc_ended_at TIMESTAMPTZ, '
                "_sdc_deleted_at TIMESTAMPTZ, _sdc_first_load BIGINT, _sdc_ended_load BIGINT)"
            )

        def add(name: str, select: str) -> None:
            db.execute(f'INSERT INTO "{name}_history" BY NAME {select}')

        school = "lpad(s::VARCHAR, 5, '0')"
        add(
            "academicSessions",
            """SELECT 'year' AS "sourcedId", 'year' AS title, 'schoolYear' AS type, 1 AS _sdc_first_load
            UNION ALL SELECT 't' || t, 't' || t, 'term', 1 FROM range(4) r(t)""",
        )
        add(
            "orgs",
            f"""SELECT {school} AS "sourcedId", 'School ' || s AS name, 'school' AS type, 1 AS _sdc_first_load FROM range({schools}) r(s)""",
        )
        add(
            "courses",
            f"""SELECT {school} || '-' || c AS "sourcedId", 'Course ' || c AS title, {school} AS "orgSourcedId", 1 AS _sdc_first_load
            FROM range({schools}) r(s), range(40) q(c)""",
        )
        add(
            "classes",
            f"""SELECT {school} || '-c' || c AS "sourcedId", 'Class ' || c AS title, {school} || '-' || (c % 40) AS "courseSourcedId",
            'scheduled' AS "classType", {school} AS "schoolSourcedId", ['t' || (c % 2), 't' || (2 + c % 2)] AS "termSourcedIds", ['1'] AS periods,
            1 AS _sdc_first_load FROM range({schools}) r(s), range({classes}) q(c)""",
        )
        people = f"range({schools}) r(s), range({STUDENTS_PER_SCHOOL * 2}) q(p)"
        add(
            "users",
            f"""SELECT {school} || '-p' || p AS "sourcedId", true AS "enabledUser", 'u' || s || '.' || p AS username, 'Given' || p AS "givenName",
            'Family' || p AS "familyName", s || '/' || p AS identifier, 'u' || s || '.' || p || '@example.com' AS email, ['05'] AS grades,
            1 AS _sdc_first_load FROM {people}""",
        )
        role = f"CASE WHEN p < {STUDENTS_PER_SCHOOL} THEN 'student' WHEN p < {STUDENTS_PER_SCHOOL + 60} THEN 'teacher' ELSE 'parent' END"
        add(
            "roles",
            f"""SELECT {school} || '-r' || p AS "sourcedId", {school} || '-p' || p AS "userSourcedId", 'primary' AS "roleType", {role} AS role,
            {school} AS "orgSourcedId", 1 AS _sdc_first_load FROM {people}""",
        )
        add(
            "enrollments",
            f"""SELECT {school} || '-e' || p || '.' || n AS "sourcedId", {school} || '-c' || ((p * {CLASSES_PER_STUDENT} + n) % {classes}) AS "classSourcedId",
            {school} AS "schoolSourcedId", {school} || '-p' || p AS "userSourcedId", {role} AS role, 1 AS _sdc_first_load
            FROM range({schools}) r(s), range({STUDENTS_PER_SCHOOL + 20}) q(p), range({CLASSES_PER_STUDENT}) o(n)""",
        )
        if not is_quiet:
            _change(db)
        db.execute(
            'CREATE TABLE "_loads" ("load" BIGINT, "loadedAt" TIMESTAMPTZ, "finishedAt" TIMESTAMPTZ, "table" VARCHAR, "came" BIGINT, '
            '"new" BIGINT, "changed" BIGINT, "unchanged" BIGINT, "deleted" BIGINT, "total" BIGINT, "whole" BOOLEAN, "outcome" VARCHAR, "note" VARCHAR, "tenant" VARCHAR)'
        )
        for name in ("academicSessions", "orgs", "courses", "classes", "users", "roles", "enrollments"):
            db.execute(f"""INSERT INTO "_loads" SELECT n, '2026-10-01'::TIMESTAMPTZ + to_days(n::INT), now(), '{name}', count(*), 0, 0, count(*), 0, count(*), true, 'loaded', NULL, NULL
                FROM "{name}_history", range(1, 3) r(n)
                WHERE _sdc_first_load <= n AND (_sdc_ended_load IS NULL OR _sdc_ended_load > n) GROUP BY n""")
        db.execute("CHECKPOINT")


def _change(db: duckdb.DuckDBPyConnection) -> None:
    """Make the hard night."""

    def again(name: str, where: str, **new: str) -> None:
        replaced = ", ".join(f'{value} AS "{column}"' for column, value in new.items())
        db.execute(
            f'CREATE TEMP TABLE changed AS SELECT * REPLACE ({replaced}, 2 AS _sdc_first_load) FROM "{name}_history" WHERE _sdc_ended_load IS NULL AND {where}'
        )
        db.execute(f'UPDATE "{name}_history" SET _sdc_ended_load = 2 WHERE _sdc_ended_load IS NULL AND {where}')
        db.execute(f'INSERT INTO "{name}_history" SELECT * FROM changed')
        db.execute("DROP TABLE changed")

    again(
        "enrollments",
        "\"schoolSourcedId\" = '00001'",
        sourcedId="'n' || \"sourcedId\"",
        classSourcedId="'n' || \"classSourcedId\"",
    )
    again("classes", "\"schoolSourcedId\" = '00001'", sourcedId="'n' || \"sourcedId\"")
    again(
        "enrollments",
        "\"schoolSourcedId\" = '00002' AND role = 'student'",
        sourcedId="'n' || \"sourcedId\"",
        userSourcedId="'n' || \"userSourcedId\"",
    )
    again("users", "\"sourcedId\" LIKE '00002-%'", sourcedId="'n' || \"sourcedId\"")
    again(
        "roles",
        "\"orgSourcedId\" = '00002'",
        sourcedId="'n' || \"sourcedId\"",
        userSourcedId="'n' || \"userSourcedId\"",
    )
    again("enrollments", '"schoolSourcedId" > \'00002\' AND hash("sourcedId") % 100 = 0', beginDate="DATE '2026-10-02'")
    again("users", '"sourcedId" > \'00003\' AND hash("sourcedId") % 100 = 0', phone="'1'")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--schools", type=int, default=740)
    parser.add_argument("--quiet", action="store_true", help="two equal nights")
    options = parser.parse_args()
    failed = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        make(folder / "warehouse.duckdb", options.schools, is_quiet=options.quiet)
        (folder / "policy.yml").write_text("max_age_hours: 1000000\nreport: {path: page.html}\n", encoding="utf-8")
        one, two = folder / "one.duckdb", folder / "warehouse.duckdb"
        with duckdb.connect(str(one)) as db:  # the first night alone, so that the second has a baseline
            db.execute(f"ATTACH '{two}' AS w (READ_ONLY)")
            db.execute("CREATE SCHEMA oneroster")
            for (table,) in db.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'w'").fetchall():
                where = '"load" = 1' if table == "_loads" else "_sdc_first_load = 1"
                db.execute(f'CREATE TABLE oneroster."{table}" AS SELECT * FROM w.oneroster."{table}" WHERE {where}')
                if table != "_loads":
                    db.execute(f'UPDATE oneroster."{table}" SET _sdc_ended_load = NULL')
        for label, warehouse in (("first night", one), ("second night", two)):
            environment = os.environ | {"ONEROSTER_AUDIT_WAREHOUSE": str(warehouse)}
            start = time.monotonic()
            process = subprocess.Popen(
                [sys.executable, "-m", "oneroster_audit", "run", "--policy", str(folder / "policy.yml")],
                stdout=subprocess.PIPE, text=True, env=environment,
            )  # fmt: skip
            text = process.stdout.read() if process.stdout else ""
            _, status, usage = os.wait4(process.pid, 0)
            code, seconds, memory = os.waitstatus_to_exitcode(status), time.monotonic() - start, usage.ru_maxrss / 1024
            print(
                f"{label}: exit {code}, {seconds:.1f} s, {usage.ru_utime + usage.ru_stime:.1f} CPU s, {memory:.0f} MB; "
                f"{text.splitlines()[0] if text else ''}"
            )
            wanted = 3 if label == "second night" and not options.quiet else 0
            if (
                code != wanted
                or memory > MOST_MEMORY
                or seconds > (MOST_SECONDS_QUIET if options.quiet else MOST_SECONDS)
            ):
                failed.append(label)
        print(f"page: {(folder / 'page.html').stat().st_size / 1000:.0f} kB")
        with duckdb.connect(str(two), read_only=True, config={"threads": 2}) as db:
            start = time.process_time()
            db.execute("""SELECT count(*) FROM (SELECT * FROM oneroster.enrollments_history WHERE _sdc_first_load <= 1 AND (_sdc_ended_load IS NULL OR _sdc_ended_load > 1)) o
                FULL JOIN (SELECT * FROM oneroster.enrollments_history WHERE _sdc_first_load <= 2 AND (_sdc_ended_load IS NULL OR _sdc_ended_load > 2)) n USING ("sourcedId")
                WHERE o."classSourcedId" IS DISTINCT FROM n."classSourcedId" OR o."beginDate" IS DISTINCT FROM n."beginDate" """).fetchall()
            print(f"a join of two snapshots of enrollments: {time.process_time() - start:.1f} CPU s")
    if failed:
        sys.exit(f"outside of the bounds: {', '.join(failed)}")


if __name__ == "__main__":
    main()
