"""What cells hold: read where it is certain, else null and counted; never guessed."""

from __future__ import annotations

import pytest

from tests.csv.bundles import csv_text, read, write

ENROLLMENTS = "sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate"
RESULTS = "sourcedId,lineItemSourcedId,studentSourcedId,scoreStatus,score,scoreDate,comment"
OPTIONAL = ("status: column missing", "dateLastModified: column missing")


def one(tmp_path, stream, header, row, **settings):
    """The only record, and what was odd about it."""
    found = read(write(tmp_path / "b", {f"{stream}.csv": csv_text(header, row)}, version="1.2"), stream, **settings)
    odd = {rule for rule in found.odd if not rule.endswith("column missing")}
    return found.rows[0], odd


@pytest.mark.parametrize(
    ("text", "value", "rule"),
    [
        ("true", True, None),
        ("false", False, None),
        ("TRUE", True, "true or false in other words"),
        ("1", True, "true or false in other words"),
        ("Yes", True, "true or false in other words"),
        ("n", False, "true or false in other words"),
        ("", None, None),
        ("NULL", None, "the text NULL"),
        ("perhaps", None, "unreadable true or false"),
        ("2", None, "unreadable true or false"),
    ],
    ids=str,
)
def test_true_and_false(tmp_path, text, value, rule):
    record, odd = one(tmp_path, "enrollments", ENROLLMENTS, f"e,c,s,u,teacher,{text},,")
    assert record["primary"] is value
    assert odd == ({f"primary: {rule}"} if rule else set())


@pytest.mark.parametrize(
    ("text", "value", "rule"),
    [
        ("2026-08-17", "2026-08-17", None),
        ("20260817", "2026-08-17", "date in another notation"),
        ("2026/8/17", "2026-08-17", "date in another notation"),
        ("8/17/2026", "2026-08-17", "date in another notation"),
        ("17.8.2026", "2026-08-17", "date in another notation"),
        ("5/5/2026", "2026-05-05", "date in another notation"),
        ("2026-08-17T00:00:00.000Z", "2026-08-17", "date in another notation"),
        ("2026-08-17 23:30:00", "2026-08-17", "date in another notation"),
        ("1/2/2026", None, "date whose day and month cannot be told apart"),
        ("2026-02-30", None, "unreadable date"),
        ("0000-00-00", None, "unreadable date"),
        ("8/17/26", None, "unreadable date"),
        ("46251", None, "unreadable date"),
        ("soon", None, "unreadable date"),
        ("  ", None, "blanks for nothing"),
        ("", None, None),
    ],
    ids=str,
)
def test_dates_in_other_notations(tmp_path, text, value, rule):
    record, odd = one(tmp_path, "enrollments", ENROLLMENTS, f"e,c,s,u,student,,{text},")
    assert record["beginDate"] == value
    assert odd == ({f"beginDate: {rule}"} if rule else set())


@pytest.mark.parametrize(
    ("text", "value", "rule"),
    [
        ("95.5", 95.5, None),
        ("0", 0, None),
        ('"95,5"', 95.5, "decimal comma"),
        ('"1,234"', None, "unreadable number"),
        ("1e400", None, "unreadable number"),
        ("NaN", None, "unreadable number"),
        ("A+", None, "unreadable number"),
        ("95%", None, "unreadable number"),
    ],
    ids=str,
)
def test_numbers(tmp_path, text, value, rule):
    record, odd = one(tmp_path, "results", RESULTS, f"r,l,u,fully graded,{text},2026-09-01,")
    assert record["score"] == value
    assert odd == ({f"score: {rule}"} if rule else set())


@pytest.mark.parametrize("key", ["007", "aB", "a b", "1e5", "0x1F", "1.0", "TRUE", "ü", "{x}", "null"])
def test_ids_are_text_and_keep_zeros_case_and_blanks_inside(tmp_path, key):
    record, _ = one(tmp_path, "enrollments", ENROLLMENTS, f"{key},{key},{key},{key},student,,,")
    assert {record[name] for name in ("sourcedId", "classSourcedId", "schoolSourcedId", "userSourcedId")} == {key}


@pytest.mark.parametrize("pad", ["{}    ", " {}", "\u00a0{}", "{}\t", "\u2003{} "])
def test_blanks_around_ids_and_references_go_and_are_counted(tmp_path, pad):
    """CHAR columns pad with blanks, and `'s1   '` joins nothing."""
    key, names = pad.format("é 1"), ("sourcedId", "classSourcedId", "schoolSourcedId", "userSourcedId")
    record, odd = one(tmp_path, "enrollments", ENROLLMENTS, f"{key},{key},{key},{key},student,,,")
    assert {record[name] for name in names} == {"é 1"}
    assert odd == {f"{name}: blanks around an id" for name in names}


def test_blanks_around_references_in_lists_go_and_are_counted(tmp_path):
    """A comma and one blank is how people write lists; other blanks are padding."""
    header = "sourcedId,enabledUser,username,givenName,familyName,agentSourcedIds"
    for cell, counted in (("g1, g2", False), ("g1   ,g2", True), (" g1,g2", True), ("g1,  g2", True)):
        record, odd = one(tmp_path, "users", header, f'u1,true,ann,Ann,Lee,"{cell}"')
        assert record["agentSourcedIds"] == ["g1", "g2"]
        assert odd == ({"agentSourcedIds: blanks around an id"} if counted else set())


@pytest.mark.parametrize("key", ["NULL", " NULL", "NULL  ", "\u00a0NULL"])
@pytest.mark.parametrize("beside", ["x", "a\tb"], ids=["plain block", "parsed block"])
def test_null_as_an_id_is_no_id_in_any_block(tmp_path, key, beside):
    """The row is left out and counted, however the block is read."""
    rows = [f"{key},c,s,u,student,,,", f"e1,{beside},s,u,student,,,"]
    path = write(tmp_path / "b", {"enrollments.csv": csv_text(ENROLLMENTS, *rows)}, version="1.2")
    for columnar in (False, True):
        found = read(path, "enrollments", columnar=columnar)
        assert found.ids == ["e1"]
        assert (found.last.rejected, found.odd["sourcedId: blank"]) == (1, 1)


def test_null_is_nobodys_reference_but_may_be_a_name(tmp_path):
    """Systems that shout write the family name Null as NULL."""
    header = "sourcedId,enabledUser,username,givenName,familyName,email,agentSourcedIds"
    record, odd = one(tmp_path, "users", header, 'u1,true,ann,Ann,NULL,NULL,"NULL"')
    assert (record["familyName"], record["email"], record["agentSourcedIds"]) == ("NULL", None, None)
    assert odd == {"email: the text NULL", "agentSourcedIds: the text NULL"}


def test_lists_and_pairs_are_split(tmp_path):
    header = "sourcedId,enabledUser,username,userIds,givenName,familyName,agentSourcedIds,grades"
    record, odd = one(tmp_path, "users", header, 'u1,true,ann,"{Fed:1},{Ldap:a b}",Ann,Lee,"g1, g2,",09')
    assert record["userIds"] == [{"type": "Fed", "identifier": "1"}, {"type": "Ldap", "identifier": "a b"}]
    assert (record["agentSourcedIds"], record["grades"]) == (["g1", "g2"], ["09"])
    assert not odd


def test_a_pair_that_is_none_is_left_out_and_counted(tmp_path):
    header = "sourcedId,enabledUser,username,userIds,givenName,familyName"
    record, odd = one(tmp_path, "users", header, 'u1,true,ann,"{Fed:1},oops",Ann,Lee')
    assert record["userIds"] == [{"type": "Fed", "identifier": "1"}]
    assert odd == {"userIds: element that is not {a:b}"}


def test_words_that_the_standard_does_not_have_pass_and_are_counted(tmp_path):
    record, odd = one(tmp_path, "enrollments", ENROLLMENTS, "e,c,s,u,aide,,,")
    assert record["role"] == "aide"
    assert odd == {"role: unknown word"}
    record, odd = one(tmp_path, "enrollments", ENROLLMENTS, "e,c,s,u,ext:mentor,,,")
    assert (record["role"], odd) == ("ext:mentor", set())


def test_a_required_value_that_is_missing_is_counted_not_refused(tmp_path):
    record, odd = one(tmp_path, "enrollments", ENROLLMENTS, "e,c,,u,student,,,")
    assert record["schoolSourcedId"] is None
    assert odd == {"schoolSourcedId: required, but blank"}


def test_passwords_stay_where_they_are_unless_asked_for(tmp_path):
    from tap_oneroster.policy import Policy

    header = "sourcedId,enabledUser,username,givenName,familyName,password"
    row = "u1,true,ann,Ann,Lee,secret"
    assert "password" not in one(tmp_path, "users", header, row)[0]
    assert one(tmp_path, "users", header, row, policy=Policy(secrets=True))[0]["password"] == "secret"


def test_times_of_a_delta_are_brought_to_utc(tmp_path):
    from zoneinfo import ZoneInfo

    from tap_oneroster.policy import Policy

    text = csv_text(
        "sourcedId,status,dateLastModified,title",
        "a,active,2026-09-01T12:00:00.000Z,A",
        "b,active,2026-09-01T12:00:00+02:00,B",
        "c,active,2026-09-01 12:00:00,C",
    )
    path = write(tmp_path / "b", {"categories.csv": text}, "delta")
    found = read(path, "categories", accept_orphan_delta=True, policy=Policy(zone=ZoneInfo("America/Chicago")))
    times = [row["dateLastModified"][11:16] for row in found.rows]
    assert times == ["12:00", "10:00", "17:00"]
    assert found.odd == {
        "dateLastModified: date and time in another notation": 1,
        "dateLastModified: date and time without a zone": 1,
    }


# --- rows that cannot be read ------------------------------------------------------------------------------------

BAD = csv_text(
    ENROLLMENTS,
    "e1,c,s,u,student,,2026-08-17,",
    "e2,c,s,u,student,,2026-08-17",
    ",c,s,u,student,,2026-08-17,",
    "",
    "NULL,c,s,u,student,,2026-08-17,",
    "e\0,c,s,u,student,,2026-08-17,",
    "e5,c,s,u,student,,never,",
)


def test_report_leaves_rows_out_names_them_delivers_the_rest_and_is_not_complete(tmp_path):
    found = read(write(tmp_path / "b.zip", {"enrollments.csv": BAD}), "enrollments")
    assert found.ids == ["e1", "e5"]
    assert found.last.rejected == 4
    assert found.last.expected == 6
    assert not found.last.complete
    assert not found.last.snapshot
    assert "4 of 6 rows were left out" in found.error
    assert {rule: n for rule, n in found.odd.items() if not rule.endswith("missing")} == {
        "row with more or fewer cells than the header": 1,
        "sourcedId: blank": 2,
        "row with a NUL character": 1,
        "blank line": 1,
        "beginDate: unreadable date": 1,
    }
    place = "enrollments.csv in b.zip, row"
    assert found.said == [
        f"{place} 3: row with more or fewer cells than the header: left out",
        f"{place} 4: sourcedId: blank: left out",
        f"{place} 6: sourcedId: blank: left out",
        f"{place} 7: row with a NUL character: left out",
        f"{place} 8: beginDate: unreadable date: null instead",
    ]


def test_accept_is_report_by_someone_who_has_looked(tmp_path):
    """It ends well, but it is no snapshot: who was left out must not be deleted."""
    found = read(write(tmp_path / "b", {"enrollments.csv": BAD}), "enrollments", on_invalid="accept")
    assert (found.error, found.last.complete, found.last.snapshot) == (None, True, False)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("e2,c,s,u", "row 3: row with more or fewer cells than the header"),
        (" ,c,s,u,student,,,", "row 3: sourcedId: blank"),
        ("e2,c,s,u,student,,31/12/31,", "row 3: beginDate: unreadable date"),
        ("e2,c,s,u,student,maybe,,", "row 3: primary: unreadable true or false"),
    ],
    ids=["ragged", "id", "date", "boolean"],
)
def test_fail_stops_at_the_first_and_names_row_and_rule(tmp_path, row, problem):
    text = csv_text(ENROLLMENTS, "e1,c,s,u,student,,2026-08-17,", row, "e3,c,s,u,student,,2026-08-17,")
    found = read(write(tmp_path / "b", {"enrollments.csv": text}), "enrollments", on_invalid="fail")
    assert found.error == f"enrollments.csv in b, {problem}"
    assert not found.last.complete


def test_row_numbers_count_what_was_left_out_before(tmp_path):
    """In a later block, after blank lines, quoted line breaks and ragged rows."""
    rows = [f'e{n},"c\n",s,u,student,,2026-08-17,' if n % 7 == 0 else "" for n in range(9000)]
    found = read(write(tmp_path / "b", {"enrollments.csv": csv_text(ENROLLMENTS, *rows, "x,y")}), "enrollments")
    assert found.said[-1].startswith("enrollments.csv in b, row 9,002: row with more or fewer cells")


def test_only_the_first_rows_are_named_and_all_are_counted(tmp_path):
    found = read(write(tmp_path / "b", {"enrollments.csv": csv_text(ENROLLMENTS, *["x,y"] * 500)}), "enrollments")
    assert found.last.rejected == 500
    assert len(found.said) == 11
    assert "no more rows are named" in found.said[-1]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (['e1,"c"x,s,u,student,,,'], "row 2 or after it: ',' expected after"),
        (["e1,c,s,u,student,,,", 'e2,"c,s,u,student,,,'], "row 3 or after it: unexpected end of data"),
        (['e1,"' + "c" * 200_000 + '",s,u,student,,,'], "row 2 or after it: field larger than field limit"),
        (["e1," + "c" * 200_000 + ",s,u,student,,,"], "row 2 or after it: field larger than field limit"),
        (["e1," + "c" * 5_000_000 + ",s,u,student,,,"], "a line longer than"),
        (["e1,c,s,u,student,,,", 'e2,"' + "c\n" * 3_000_000], "field larger than field limit"),
    ],
    ids=["quote", "open", "big-quoted", "big-plain", "huge", "open-and-endless"],
)
def test_a_file_that_is_no_csv_from_somewhere_on_stops_there(tmp_path, rows, problem):
    """Quotes that do not close and cells beyond any roster: bounded, named, never read on past."""
    found = read(write(tmp_path / "b.zip", {"enrollments.csv": csv_text(ENROLLMENTS, *rows)}), "enrollments")
    assert problem in found.error
    assert "the file cannot be read on from here" in found.error
    assert not found.last.complete
