"""The roles of grants/postgres.sql on a real server: who reads what is shared, and who reads the rows of one school."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from oneroster_marts import project

from .warehouses import Desk, socket_of

if TYPE_CHECKING:
    from .warehouses import Server

FILES = {
    name: (project.folder() / "grants" / f"{name}.sql").read_text(encoding="utf-8")
    for name in ("postgres", "snowflake")
}
SCHOOL = "00001"


@pytest.fixture(scope="module")
def desk(postgres_desk: Desk, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A copy of the marts in a database of its own, whose owner ran the file twice; an analyst and a counsellor came later."""
    database = server.database(template=postgres_desk.settings["database"])
    folder = tmp_path_factory.mktemp("grants")
    settings = {"database": socket_of(database)[1], "target_path": str(folder / "target")}
    for _ in range(2):
        database.execute(FILES["postgres"])
    database.execute(
        f'create role analyst in role marts_shared; create role counsellor in role "marts_restricted_{SCHOOL}"'
    )
    return Desk(folder, postgres_desk.settings | settings, database)


def read(desk: Desk, who: str, query: str) -> list[str]:
    """The lines of an answer as somebody sees it."""
    assert desk.database
    return desk.database.execute(f"set session authorization {who}; {query}")


def is_refused(desk: Desk, who: str, query: str) -> bool:
    """True if the server denies it, and not for another reason."""
    with pytest.raises(subprocess.CalledProcessError) as refused:
        read(desk, who, query)
    return b"permission denied" in refused.value.stderr


def test_a_member_of_marts_shared_reads_shared_and_is_refused_restricted(desk: Desk) -> None:
    assert int(read(desk, "analyst", "select count(distinct school_id) from shared.class_load")[0]) == 3
    for query in (
        "select * from restricted.teacher_load",
        "select * from oneroster.users",
        "delete from shared.class_load",
        f'set role "marts_restricted_{SCHOOL}"',
    ):
        assert is_refused(desk, "analyst", query), query


def test_a_member_of_a_schools_role_sees_the_rows_of_that_school_only(desk: Desk) -> None:
    """Of each mart that has a school; a move is seen by both of its schools. Models of core are closed."""
    assert desk.database
    names = {path.stem for path in (project.folder() / "models" / "marts").glob("*.sql")}
    seen = 0
    for mart in sorted(names):
        columns = [name for name in desk.columns(f"restricted.{mart}") if name.endswith("school_id")]
        if not columns:
            assert is_refused(desk, "counsellor", f"select * from restricted.{mart}"), mart
            continue
        is_own = " or ".join(f"{name} = '{SCHOOL}'" for name in columns)
        everything = desk.rows(f"restricted.{mart}")
        own = [row for row in everything if any(row[name] == SCHOOL for name in columns)]
        (line,) = read(desk, "counsellor", f"select count(*), count(*) filter (where {is_own}) from restricted.{mart}")
        assert line == f"{len(own)}|{len(own)}", mart
        seen += 0 < len(own) < len(everything)
    assert seen > 7
    assert int(read(desk, "counsellor", "select count(*) from shared.feed_health")[0]) > 5
    assert is_refused(desk, "counsellor", "select * from restricted.fct_enrollment")
    assert read(desk, "marts_restricted", "select count(*) from restricted.teacher_load") == ["0"]


def test_after_a_build_shared_is_open_and_restricted_closed_until_the_file_is_run(desk: Desk) -> None:
    """A new table without row security would show the rows of all schools."""
    assert desk.database
    query = "select distinct school_id from restricted.class_load"
    assert desk("build", "--select", "class_load+") == 0, desk.err
    assert read(desk, "analyst", "select count(*) > 100 from shared.class_load") == ["t"]
    assert is_refused(desk, "counsellor", query)
    desk.database.execute(FILES["postgres"])
    assert read(desk, "counsellor", query) == [SCHOOL]


def test_both_files_name_the_marts_that_are_in_restricted_only() -> None:
    """Those that have no twin in shared; `worklist` may be among them."""
    folder = project.folder() / "models"
    twins = {path.stem.removeprefix("shared_") for path in (folder / "shared").glob("*.sql")}
    alone = {path.stem for path in (folder / "marts").glob("*.sql")} - twins
    for text in FILES.values():
        (listed,) = re.findall(r"table_name in \(('.+?)\)", text)
        assert alone <= set(re.findall(r"\w+", listed.lower())) <= alone | {"worklist"}
