"""The pages: what a principal sees, in which order; nothing of persons in what anybody may read; one file that needs nothing else."""

from __future__ import annotations

import re
from datetime import date
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from oneroster_marts import project
from oneroster_marts.pages.contents import Contents, School, read, schools
from oneroster_marts.pages.counsellor import Counsel
from oneroster_marts.pages.licences import _advice
from oneroster_marts.pages.membership import Membership
from oneroster_marts.pages.parts import big_numbers
from oneroster_marts.pages.rosters import grades
from oneroster_marts.pages.words import file_of
from oneroster_marts.reader import open_reader
from oneroster_marts.settings import read_settings

from tests.support.outline import Outline, assert_in_order, assert_static

from .town import MARKUP
from .warehouses import TODAY, duckdb_desk

if TYPE_CHECKING:
    from .warehouses import Desk

NUMBERS = ("enrolled", "attendance", "mean-percent", "missing-rate", "on-worklist")
PAGES = ("index.html", "licences.html", "teachers.html", "school/00001.html", "school/00002.html", "school/00003.html")
OWN = ("school", "counsellor", "class-membership")


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def words_of(path: Path) -> str:
    """The words that are read, without markup."""
    return " ".join("".join(Outline(text_of(path)).text).split())


def numbers(path: Path) -> dict[str, tuple[str, str]]:
    """The five numbers by their id: the value, and what is read."""
    found = re.findall(r'<data id="([^"]+)" value="([^"]*)">([^<]*)</data>', text_of(path))
    return {name: (value, said) for name, value, said in found}


def canaries(desk: Desk, *columns: str) -> set[str]:
    with duckdb.connect(desk.settings["filepath"], read_only=True) as connection:
        rows = [
            text
            for column in columns
            for (text,) in connection.execute(f'select distinct "{column}" from oneroster.users').fetchall()
        ]
    return {text for text in rows if text and len(text) > 6}


def test_there_is_a_page_for_the_district_each_school_licences_and_teachers(site: Path) -> None:
    assert sorted(str(path.relative_to(site)) for path in site.rglob("*.*")) == sorted(PAGES)
    assert {path.stat().st_mode & 0o777 for path in site.rglob("*.html")} == {0o644}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_static_small_and_in_order_for_a_screen_reader(site: Path, name: str) -> None:
    text = text_of(site / name)
    page = assert_static(text)
    assert_in_order(page)
    assert len(text.encode()) <= 500_000
    for attrs in page.all("a"):  # links lead to other pages of the site, or to a place on the page
        target = attrs["href"]
        assert (
            f'id="{target[1:]}"' in text if target.startswith("#") else (site / name).parent.joinpath(target).exists()
        )


def test_a_principal_sees_five_numbers_then_what_moved_then_what_was_not_given(site: Path, town: Desk) -> None:
    path = site / "school" / "00003.html"
    heads = re.findall(r"<h2[^>]*>([^<]*)</h2>", text_of(path))
    assert heads[:4] == [
        "This week in five numbers",
        "What moved",
        "What was not given",
        "Students and class sizes by grade",
    ]
    found = numbers(path)
    assert tuple(found) == NUMBERS
    (row,) = town.rows("shared.school_cockpit", where="school_id = '00003' and grade = 'all' and week = '2026-11-16'")
    columns = ("enrolled", "attendance_rate", "mean_percent", "missing_rate", "on_worklist")
    assert [float(found[name][0]) for name in NUMBERS] == pytest.approx([row[column] for column in columns], abs=1e-4)
    assert "since last week" in words_of(path)


def test_the_class_size_of_a_grade_stands_beside_its_name(site: Path, town: Desk) -> None:
    """The list of contents leads there first, the section says so in its title, and the number is the first of the row."""
    text = text_of(site / "school" / "00001.html")
    first = re.search(r'<nav aria-label="On this page"><ul class="jump"><li><a href="(#[^"]+)">([^<]+)</a>', text)
    assert first
    assert first.groups() == ("#grades", "Class sizes by grade")
    where = f"school_id = '00001' and grade = '07' and class_type = 'all' and day = '{TODAY}'"
    (row,) = town.rows("shared.enrollment_count", where=where)
    assert f'<th scope="row">Grade 7</th><td class="n"><strong>{row["mean_class_size"]:.1f}</strong></td>' in text


@pytest.mark.parametrize("days", [1, 2])
def test_the_line_of_students_by_day_stands_where_there_are_two_days(days: int) -> None:
    """After the first load the column would be empty."""
    counts = {
        "school_id": "1",
        "grade": "07",
        "students": 50,
        "classes": 2,
        "mean_class_size": 25.0,
        "p90_class_size": 26.0,
    }
    rows = [counts | {"day": date(2026, 11, 16 - n)} for n in range(days)]
    its = School("1", "One", Contents(date(2026, 11, 16), 10, is_restricted=False), {"enrollment": rows})
    assert ("Students by day" in grades(its)) is (days == 2)


def test_restricted_pages_are_reached_from_the_district_by_links(restricted_site: Path) -> None:
    """The school's page leads to the counsellor's list and to the memberships, and both lead back."""
    found, left = set(), [restricted_site / "index.html"]
    while left:
        path = left.pop()
        if path in found:
            continue
        found.add(path)
        targets = [str(attrs["href"]) for attrs in Outline(text_of(path)).all("a")]
        left += [(path.parent / target).resolve() for target in targets if not target.startswith("#")]
    assert found == {path.resolve() for path in restricted_site.rglob("*.html")}


def test_a_contract_that_has_ended_is_no_seat_that_is_paid_for(site: Path, town: Desk) -> None:
    """It stands last, and neither the sum nor the sentence of the most unused seats counts it."""
    ended = town.rows("shared.label", "id", f"dimension = 'contract' and end_date < date '{TODAY}'")
    gaps = town.rows("shared.licence_gap")
    going = [row for row in gaps if row["contract_id"] not in {row["id"] for row in ended}]
    assert 0 < len(going) < len(gaps)
    unused, seats = (sum(row[name] or 0 for row in going) for name in ("unused_seats", "seats"))
    said = words_of(site / "licences.html")
    assert f"{unused:,} of {seats:,} seats are not used." in said
    assert f"{len(gaps) - len(going)} contract that has ended is not counted." in said
    (contracts,) = re.findall(
        r'<section aria-labelledby="contracts">.*?</section>', text_of(site / "licences.html"), re.DOTALL
    )
    assert "The contract has ended." in contracts.rsplit("<tr>", 1)[1]


def test_a_rate_below_the_limit_is_not_rounded_up_to_it() -> None:
    """94.99 % is not 95 %, of which the page says that it matches."""
    row = {"suppressed": False, "entitled": 10, "matched": 9, "match_rate": 94.99, "over_use": 0, "unused_seats": 1}
    assert _advice(row, is_near=False, is_over=False) == "Mend the keys first: 94.9 % of the accounts match."


def test_every_figure_has_a_sentence_and_its_table(site: Path) -> None:
    for name in PAGES:
        text = text_of(site / name)
        figures = re.findall(r"<figure>.*?</figure>(.{0,60})", text, re.DOTALL)
        assert all("<details><summary>The numbers of this figure</summary>" in after for after in figures)
        drawn = text.count("<svg") - sum(
            its.count("<svg") for its in re.findall(r"<figure>.*?</figure>", text, re.DOTALL)
        )
        in_cells = sum(its.count("<svg") for its in re.findall(r"<td[^>]*>.*?</td>", text, re.DOTALL))
        assert drawn == in_cells, "a drawing stands in a row of its table, or in a figure"


def test_markup_in_names_is_text(site: Path, restricted_site: Path) -> None:
    for path in (*site.rglob("*.html"), *restricted_site.rglob("*.html")):
        assert not {"script", "b", "i", "u"} & {tag for tag, _ in Outline(text_of(path)).tags}
    assert escape(MARKUP) in text_of(site / "index.html")
    assert MARKUP in words_of(site / "school" / "00001.html")
    assert "<u>" in words_of(site / "school" / "00001.html")
    assert "<i>" in words_of(restricted_site / "counsellor" / "00001.html")


def test_nothing_of_persons_is_in_what_anybody_may_read(site: Path, town: Desk) -> None:
    known = canaries(town, "sourcedId", "username", "identifier", "email", "familyName", "givenName")
    assert len(known) > 1000
    text = "\n".join(map(text_of, site.rglob("*.html")))
    assert [its for its in known if its in text or escape(its) in text] == []


def test_small_numbers_are_hidden_in_words(sample: Path, tmp_path: Path) -> None:
    """Of schools with 60 students each grade is small: the pages say so, in place of a number or of 0."""
    desk = duckdb_desk(tmp_path, sample, today=TODAY, small_cell=20)
    assert desk("build") == 0, desk.err
    assert desk("pages", "--out", str(tmp_path / "site")) == 0, desk.err
    for path in (tmp_path / "site" / "school").iterdir():
        found = numbers(path)
        assert found["on-worklist"] == ("", "fewer than 20")
        assert found["attendance"] == ("", "not given")
        assert "No attendance was given" in words_of(path)
        assert "No memberships of a learning platform were given" in words_of(path)
    assert "No licences were given" in words_of(tmp_path / "site" / "licences.html")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"enrolled": 60, "mean_percent": 80.04}, ["60", "not given", "80.0 %", "not known", "fewer than 10"]),
        ({"enrolled": 60, "is_hidden": True}, ["60", "not given", *["fewer than 10"] * 3]),
        ({"enrolled": 60}, ["60", "not given", *["not known"] * 3]),
        ({}, ["not known", "not given", *["not known"] * 3]),
    ],
    ids=["results", "hidden", "no results", "nothing"],
)
def test_hidden_not_given_and_not_known_are_three_things(row: dict[str, Any], said: list[str]) -> None:
    of = Contents(date(2026, 11, 16), 10, is_restricted=False, not_given=["attendance"])
    text = big_numbers(of, row, {})
    assert re.findall(r"<data[^>]*>([^<]*)</data>", text) == said


def test_what_is_about_single_students_is_for_its_owner_only(restricted_site: Path, town: Desk) -> None:
    for folder in OWN:
        files = list((restricted_site / folder).iterdir())
        assert len(files) == 3
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        assert all("Restricted:" in words_of(path) for path in files)
    assert "contains pupils' names; delete after use" in words_of(restricted_site / "counsellor" / "00001.html")
    known = canaries(town, "familyName")
    open_pages = "\n".join(text_of(restricted_site / name) for name in PAGES[:3])
    assert [its for its in known if its in open_pages] == []


def test_the_restricted_page_of_a_principal_hides_none_of_the_five_numbers(restricted_site: Path, town: Desk) -> None:
    for row in town.rows("restricted.school_cockpit", where="grade = 'all' and week = '2026-11-16'"):
        found = numbers(restricted_site / "school" / f"{row['school_id']}.html")
        assert float(found["on-worklist"][0]) == row["on_worklist"]
        assert all(value for value, _ in found.values())


def test_the_counsellor_has_a_card_for_each_student_of_the_list(restricted_site: Path, town: Desk) -> None:
    """In the order of tiers, new ones first; each with reasons, classes and what is due next."""
    rows = town.rows("restricted.worklist", where="school_id = '00003'")
    path = restricted_site / "counsellor" / "00003.html"
    text = text_of(path)
    cards = re.findall(r"<li>(<p>.*?)</li>", text, re.DOTALL)
    assert len(cards) == sum(row["status"] in ("new", "still") for row in rows) > 10
    for status, title in (
        ("new", "New this week"),
        ("still", "Still on the list"),
        ("resolved", "Resolved since last week"),
    ):
        assert f"{title}: {sum(row['status'] == status for row in rows)}" in words_of(path)
    said = words_of(path)
    assert all(" ".join(row["reasons"].split()) in said.replace("<u>", "<u>") for row in rows if row["status"] == "new")
    tiers = [int(tier) for tier in re.findall(r"tier (\d)</p>", text.split('id="still"')[1])]
    assert tiers == sorted(tiers, reverse=True)
    assert "Next due: " in cards[0]
    assert all(len(re.findall("<p[ >]", card)) <= 4 for card in cards), "a card has four lines"


def test_names_are_read_school_by_school(town: Desk) -> None:
    """So that memory does not grow with the district: a page knows the names of its own school only."""
    town("ask", "students")  # writes the settings
    settings = read_settings(town.folder / "marts.json", project.inputs(), {})
    with open_reader(settings, restricted=True) as reader:
        of = read(reader, settings.small_cell, restricted=True)
        counsel, membership = Counsel(reader, of, names=True), Membership(reader, of, names=True)
        for its in schools(reader, of):
            assert counsel.page(its)
            listed = town.rows("restricted.worklist", "student_id", f"school_id = '{its.id}'")
            assert counsel._names.keys() == {row["student_id"] for row in listed}
            assert membership.page(its)
            assert its.value("enrolled") <= len(membership._names) < 2 * its.value("enrolled")


def test_ids_stand_in_place_of_names_unless_names_are_asked_for(town: Desk, tmp_path: Path) -> None:
    assert town("pages", "--out", str(tmp_path), "--restricted", "--school", "00002") == 0, town.err
    assert [path.name for path in (tmp_path / "counsellor").iterdir()] == ["00002.html"]
    text = "\n".join(map(text_of, tmp_path.rglob("*.html")))
    assert [its for its in canaries(town, "familyName", "givenName") if its in text or escape(its) in text] == []
    (row, *_) = town.rows("restricted.worklist", where="school_id = '00002' and status = 'still'")
    assert row["student_id"] in text
    assert "contains pupils' ids" in text or "contains pupils&#x27; ids" in text


def test_members_out_of_step_are_listed_with_what_to_do(restricted_site: Path, town: Desk) -> None:
    rows = town.rows("restricted.lms_member_kind", where="kind <> 'in_both' and class_id like '00002.%'")
    said = words_of(restricted_site / "class-membership" / "00002.html")
    assert f"{len(rows)} members are out of step" in said
    assert "only in the roster: add to the platform" in said


def test_what_does_not_fit_in_memory_is_for_its_owner_only(town: Desk) -> None:
    """It is written apart from the working folder, and gone at the end."""
    town("ask", "students")  # writes the settings
    settings = read_settings(town.folder / "marts.json", project.inputs(), {})
    with open_reader(settings, restricted=True) as reader:
        (row,) = reader.rows("select current_setting('temp_directory') as place")
        place = Path(row["place"])
        assert place.stat().st_mode & 0o777 == 0o700
        assert Path.cwd() not in place.parents
    assert not place.exists()


def test_a_page_is_the_same_each_time(town: Desk, site: Path, tmp_path: Path) -> None:
    """It has no clock but the build's."""
    assert town("pages", "--out", str(tmp_path)) == 0
    assert {name: text_of(tmp_path / name) for name in PAGES} == {name: text_of(site / name) for name in PAGES}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--school", "0001"), 2, "no such school: 0001; the nearest is 00001"),
        (("--names",), 2, "--names: only with --restricted"),
    ],
)
def test_what_cannot_be_is_one_line(
    town: Desk, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    assert town("pages", "--out", str(tmp_path / "site"), *arguments) == code
    assert town.err == f"oneroster-marts: {said}\n"
    assert not (tmp_path / "site").exists()


def test_a_mart_that_is_not_built_is_named(sample: Path, tmp_path: Path) -> None:
    desk = duckdb_desk(tmp_path, sample, today=TODAY)
    assert desk("pages", "--out", str(tmp_path / "site")) == 2
    assert desk.err == "oneroster-marts: marts_path: no such file; run oneroster-marts build first\n"
    assert desk("build", "--select", "+shared_enrollment_count", "--select", "+shared_label") == 0, desk.err
    assert desk("pages", "--out", str(tmp_path / "site")) == 1
    assert "is not built here, or may not be read; run oneroster-marts build first" in desk.err
    assert desk.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [("pages",), ("ask", "students"), ("push",)], ids=lambda its: its[0])
def test_a_warehouse_that_is_busy_is_one_line(
    arguments: tuple[str, ...], town: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oneroster_marts._core.sql.PATIENCE_SECONDS", 0.0)
    import shutil

    copy = shutil.copy(town.settings["marts_path"], tmp_path / "marts.duckdb")
    with duckdb.connect(str(copy)):
        assert town(*arguments, marts_path=str(copy), site_path=str(tmp_path / "site")) == 1
    assert town.err == "oneroster-marts: marts_path: is open in another program; run this again when that has ended\n"
    assert town.out == ""
    assert not (tmp_path / "site").exists()


def test_a_folder_that_cannot_be_written_is_one_line(town: Desk, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file")
    assert town("pages", "--out", str(tmp_path / "site")) == 2
    assert town.err.count("\n") == 1
    assert "site" in town.err


def test_a_file_name_is_made_from_any_id() -> None:
    names = [file_of(school) for school in ("00001", "a/b", "a~2f~b", "..", "é", "A b")]
    assert names[0] == "00001.html"
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[\w~-]+\.html", name) for name in names)


def test_pages_of_postgresql_are_those_of_duckdb(duckdb_desk: Any, postgres_desk: Any, tmp_path: Path) -> None:
    for desk, name in ((duckdb_desk, "duckdb"), (postgres_desk, "postgres")):
        assert desk("pages", "--out", str(tmp_path / name), "--restricted", "--names") == 0, desk.err
    found = {
        name: {path.relative_to(tmp_path / name): text_of(path) for path in (tmp_path / name).rglob("*.html")}
        for name in ("duckdb", "postgres")
    }
    assert len(found["duckdb"]) == 12
    for path, text in found["duckdb"].items():
        assert found["postgres"][path] == text, path


@pytest.mark.slow
def test_the_pages_of_740_schools_are_small(town: Desk, tmp_path: Path) -> None:
    """The rows of three schools, repeated; the district's page is small, too. How long it takes: benchmarks/marts_pages.py."""
    import shutil

    copy = str(shutil.copy(town.settings["marts_path"], tmp_path / "marts.duckdb"))
    tables = (
        "enrollment_count",
        "class_load",
        "school_cockpit",
        "course_completion",
        "teacher_load_distribution",
        "activity_gap",
    )
    with duckdb.connect(copy) as connection:
        for table in tables:
            more = "rows.* replace ('t' || n || '-' || school_id as school_id)"
            connection.execute(
                f"insert into shared.{table} select {more} from shared.{table} as rows, range(246) as its(n)"
            )
        more = "rows.* replace ('t' || n || '-' || id as id, name || ' ' || n as name)"
        query = f"select {more} from shared.label as rows, range(246) as its(n) where dimension = 'school'"
        connection.execute(f"insert into shared.label {query}")
    assert town("pages", "--out", str(tmp_path / "site"), marts_path=copy) == 0, town.err
    files = list((tmp_path / "site").rglob("*.html"))
    assert len(files) == 741 + 3
    assert max(path.stat().st_size for path in files) <= 500_000
