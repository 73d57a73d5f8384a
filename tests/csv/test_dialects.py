"""How files are written in practice: every dialect gives the same records, and is counted."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from tap_oneroster._core.model import file
from tap_oneroster.bundle.read.rows import RowReader
from tap_oneroster.source import SourceError

from tests.csv.bundles import ORGS, ORGS_HEADER, bundles_at, csv_text, read, write

IDS = ["d1", "s1", "s2"]
SEPARATOR = "line that names the separator"
UMLAUT = ORGS.replace("School One", "Schule für alle")
EURO = ORGS.replace("School One", "Schule € 1")


def plain(tmp_path):
    return read(write(tmp_path / "plain", {"orgs.csv": ORGS}), "orgs").rows


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        pytest.param(ORGS.encode("utf-8-sig"), "byte order mark", id="utf8-with-mark"),
        pytest.param(ORGS.encode("utf-16"), "UTF-16", id="utf16-with-mark"),
        pytest.param(b"\xfe\xff" + ORGS.encode("utf-16-be"), "UTF-16", id="utf16-be-with-mark"),
        pytest.param(ORGS.encode("utf-16-le"), "UTF-16 without a byte order mark", id="utf16-le-bare"),
        pytest.param(ORGS.encode("utf-16-be"), "UTF-16 without a byte order mark", id="utf16-be-bare"),
        pytest.param(ORGS.replace("\r\n", "\n").encode(), None, id="lf"),
        pytest.param(ORGS.replace("\r\n", "\r").encode(), None, id="cr"),
        pytest.param(ORGS.rstrip().encode(), None, id="no-line-end-at-the-end"),
        pytest.param(ORGS.replace("\r\n", "\n", 2).encode(), None, id="mixed-line-ends"),
        pytest.param((ORGS + "\r\n\r\n").encode(), "blank line", id="trailing-blank-lines"),
        pytest.param((ORGS + ",,,,,,\r\n").encode(), "blank line", id="row-of-commas"),
        pytest.param((ORGS + ",,,\r\n").encode(), "blank line", id="row-of-too-few-commas"),
        pytest.param((ORGS + '"","",\r\n  \r\n').encode(), "blank line", id="row-of-quotes-and-blanks"),
        pytest.param(("\r\n" + ORGS).encode(), None, id="blank-line-before-the-header"),
        pytest.param(ORGS.replace("s1,", '"s1",').encode(), None, id="quoted-cell"),
        pytest.param(
            "\r\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in ORGS.splitlines()).encode(),
            None,
            id="all-quoted",
        ),
        pytest.param(
            ORGS.replace("sourcedId", "SOURCEDID", 1).encode(), "header in another case", id="miscased-header"
        ),
        pytest.param(ORGS.replace("name", " name ", 1).encode(), None, id="blanks-around-a-header"),
        pytest.param(
            b"\xef\xbb\xbf" + ORGS.encode("utf-8-sig"),
            {"byte order mark", "invisible characters before the header"},
            id="two-marks",
        ),
        pytest.param(
            ("\ufeff" + ORGS).encode("utf-16"),
            {"UTF-16", "invisible characters before the header"},
            id="utf16-two-marks",
        ),
        pytest.param(("\u200b" + ORGS).encode(), "invisible characters before the header", id="zero-width-blank"),
        pytest.param(
            ORGS.replace("status", "\u200bstatus", 1).encode(),
            "invisible character in a header",
            id="zero-width-inside",
        ),
        pytest.param(
            b"\xef\xbb\xbf\xef\xbb\xbf"
            + "\r\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in ORGS.splitlines()).encode(),
            {"byte order mark", "invisible characters before the header"},
            id="two-marks-before-quotes",
        ),
        pytest.param(("sep=,\r\n" + ORGS).encode(), SEPARATOR, id="sep"),
        pytest.param(
            ('"sep=,"\r\n' + ORGS).encode("utf-8-sig"), {SEPARATOR, "byte order mark"}, id="sep-quoted-with-mark"
        ),
        pytest.param(ORGS.replace(",01,", ",NULL,").replace(",NULL,", ",01,").encode(), None, id="control"),
    ],
)
def test_a_dialect_gives_the_same_records_and_is_counted(tmp_path, data, rule):
    found = read(write(tmp_path / "odd", {"orgs.csv": data}), "orgs")
    assert found.rows == plain(tmp_path)
    assert found.error is None
    assert not found.last.rejected
    assert found.last.complete
    assert set(found.odd) == ({rule} if isinstance(rule, str) else rule or set())


@pytest.mark.parametrize(
    ("text", "encoding", "rule"),
    [(UMLAUT, "utf-8", None), (UMLAUT, "cp1252", "Windows-1252"), (EURO, "cp1252", "Windows-1252")],
    ids=["utf8", "latin", "euro"],
)
def test_letters_beyond_ascii_arrive_whatever_the_encoding(tmp_path, text, encoding, rule):
    found = read(write(tmp_path / "b.zip", {"orgs.csv": text.encode(encoding)}), "orgs")
    assert found.rows[1]["name"] in {"Schule für alle", "Schule € 1"}
    assert set(found.odd) == ({rule} if rule else set())


def test_a_file_in_two_encodings_is_not_guessed(tmp_path):
    """Whoever appended cp1252 to UTF-8 has to say which it is."""
    data = UMLAUT.encode() + UMLAUT.split("\r\n", 1)[1].replace("s1", "s9").encode("cp1252")
    found = read(write(tmp_path / "b", {"orgs.csv": data}), "orgs")
    assert "or after it: UTF-8 and another encoding in one file" in found.error
    assert not found.last.complete


@pytest.mark.parametrize("columnar", [False, True], ids=["lines", "columns"])
@pytest.mark.parametrize("apart", [0, 20_000], ids=["one-block", "later-blocks"])
def test_good_utf8_after_a_stray_byte_is_not_garbled(tmp_path, columnar, apart):
    """The first byte beyond ASCII is Windows-1252, then a thousand names are UTF-8: two encodings in one file."""
    stray = csv_text(ORGS_HEADER, "o0,,,Caf\xe9,school,,").encode("cp1252")
    plain = "".join(f"p{n},,,Plain,school,,\r\n" for n in range(apart)).encode()
    good = "".join(f"o{n},,,Zo\xeb {n},school,,\r\n" for n in range(1, 1001)).encode()
    found = read(write(tmp_path / "b", {"orgs.csv": stray + plain + good}), "orgs", columnar=columnar)
    assert "UTF-8 and another encoding in one file" in found.error
    assert not any("\xc3" in row["name"] for row in found.rows)
    assert not found.last.complete


@pytest.mark.parametrize("columnar", [False, True], ids=["lines", "columns"])
@pytest.mark.parametrize(
    "again",
    [
        ORGS_HEADER,
        "\ufeff" + ORGS_HEADER,
        ORGS_HEADER.replace("sourcedId", "SOURCEDID"),
        f'"{ORGS_HEADER.replace(",", chr(34) + "," + chr(34))}"',
        ORGS_HEADER.upper(),
    ],
    ids=["same", "with-mark", "other-case", "quoted", "upper-case"],
)
def test_a_header_row_that_comes_again_is_no_record(tmp_path, columnar, again):
    """Files put one behind the other: it is passed over and counted, and the file stays a snapshot."""
    header, *rows = ORGS.split("\r\n")[:-1]
    many = [f"o{n},,,Name,school,," for n in range(9000)]
    text = csv_text(header, *rows[:1], again, *rows[1:], *many, again, "last,,,Name,school,,")
    found = read(write(tmp_path / "b", {"orgs.csv": text}), "orgs", columnar=columnar)
    assert found.ids == [*IDS, *(f"o{n}" for n in range(9000)), "last"]
    assert (found.error, found.last.snapshot, found.last.expected) == (None, True, 9004)
    assert found.odd == {"header row repeated": 2}


def test_a_file_of_excel_behind_another_is_read_on(tmp_path):
    """With its line that names the separator, and its header."""
    text = ORGS + csv_text("sep=,", ORGS_HEADER, "s9,,,Nine,school,,")
    found = read(write(tmp_path / "b", {"orgs.csv": text}), "orgs")
    assert (found.error, found.ids) == (None, [*IDS, "s9"])
    assert found.odd == {"header row repeated": 1, SEPARATOR: 1}


def test_a_second_header_in_another_order_is_left_out_and_counted(tmp_path):
    """Nothing tells what the rows after it mean."""
    other = ORGS_HEADER.replace("name,type", "type,name")
    found = read(write(tmp_path / "b", {"orgs.csv": csv_text(ORGS_HEADER, "s1,,,One,school,,", other)}), "orgs")
    assert found.ids == ["s1"]
    assert "1 of 2 rows were left out" in found.error
    assert found.odd == {"header row that differs from the first": 1}


def test_a_name_that_looks_like_a_header_is_a_name(tmp_path):
    text = csv_text(ORGS_HEADER, "sourcedId-1,,,sourcedId,school,,", "s2,,,Outsourced,school,,")
    found = read(write(tmp_path / "b", {"orgs.csv": text}), "orgs")
    assert (found.ids, found.odd) == (["sourcedId-1", "s2"], {})


def test_a_line_that_names_semicolons_ends_in_a_line_about_semicolons(tmp_path):
    text = "sep=;\r\n" + ORGS.replace(",", ";")
    assert "separated by semicolons" in read(write(tmp_path / "b", {"orgs.csv": text}), "orgs").error


@pytest.mark.parametrize("place", ["row", "header"])
def test_a_row_of_many_megabytes_is_parsed_a_few_times_only(tmp_path, monkeypatch, place):
    """Not once for every block that follows."""
    parsed = []

    class Counted(io.StringIO):
        def __init__(self, text="", newline="\n"):
            parsed.append(len(text))
            super().__init__(text, newline)

    monkeypatch.setattr(io, "StringIO", Counted)
    cells = ['"' + "a line\n" * 18_000 + '"'] * 30
    header = "".join(f',"m{n}\n{"x" * 100_000 if place == "header" else ""}"' for n in range(30))
    text = csv_text(ORGS_HEADER + header, "s1,,,One,school,,," + ",".join(cells if place == "row" else [""] * 30))
    path = write(tmp_path / "b", {"orgs.csv": text})
    parsed.clear()
    found = read(path, "orgs")
    assert (found.ids, found.error) == (["s1"], None)
    looks = 2  # the look ahead, and the read
    assert sum(parsed) < looks * 4 * len(text)


@pytest.mark.parametrize("place", ["row", "header"])
def test_a_quote_that_is_never_closed_ends_the_read_early(tmp_path, place):
    """Whatever the size of the file."""
    rows = ["s1,,,x,school,,"] * 300_000
    text = '"' + csv_text(ORGS_HEADER, *rows) if place == "header" else csv_text(ORGS_HEADER, 's0,,,"x,school,,', *rows)
    stream = io.BytesIO(text.encode())
    with pytest.raises(SourceError, match="field larger than field limit"):
        list(RowReader(file("orgs"), stream, "orgs.csv", Counter()).chunks())
    assert stream.tell() < 2**20


def test_bytes_that_no_encoding_has_are_not_guessed(tmp_path):
    found = read(write(tmp_path / "b", {"orgs.csv": ORGS.encode() + b"x,,,\x81\x8d,school,,\r\n"}), "orgs")
    assert "neither UTF-8, UTF-16 nor Windows-1252" in found.error


def test_quoted_line_breaks_and_commas_stay_in_their_cell(tmp_path):
    text = ORGS.replace("School One", '"School, ""One""\r\nNorth"')
    found = read(write(tmp_path / "b", {"orgs.csv": text}), "orgs")
    assert [row["name"] for row in found.rows] == ["District", 'School, "One"\r\nNorth', "School Two"]


def test_a_quoted_line_break_at_the_seam_of_two_blocks_is_one_cell(tmp_path):
    """Files are read in blocks of about 100 kB; a cell may begin in one and end in the next."""
    rows = [f'o{n},,,"Name\n{n:05}",school,,' for n in range(9000)]
    found = read(write(tmp_path / "b", {"orgs.csv": csv_text(ORGS_HEADER, *rows)}), "orgs")
    assert found.error is None
    assert [row["name"] for row in found.rows] == [f"Name\n{n:05}" for n in range(9000)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_every_row_of_a_file_of_many_blocks_arrives_in_order(tmp_path, end):
    rows = [f"o{n},,,Näme {n},school,," for n in range(20_000)]
    found = read(write(tmp_path / "b.zip", {"orgs.csv": csv_text(ORGS_HEADER, *rows, end=end)}), "orgs")
    assert found.ids == [f"o{n}" for n in range(20_000)]
    assert found.last.expected == 20_000


def test_rows_that_are_ragged_by_turns_are_not_taken_for_whole_ones(tmp_path):
    """One cell too many and one too few make the right number of cells, and the wrong rows."""
    text = csv_text(ORGS_HEADER, "a,,,A,school,,,x", "b,,,B,school,", "c,,,C,school,,")
    found = read(write(tmp_path / "b", {"orgs.csv": text}), "orgs")
    assert found.ids == ["c"]
    assert found.last.rejected == 2


def test_columns_are_found_by_name_in_any_order_and_missing_ones_are_counted(tmp_path):
    text = csv_text(
        "type,name,sourcedId,extra,metadata.size,metadata.jp.kana", "school,One,s1,x,9,カナ", "school,Two,s2,,,"
    )
    found = read(write(tmp_path / "b", {"orgs.csv": text}), "orgs")
    assert found.rows[0]["metadata"] == {"extra": "x", "size": "9", "jp.kana": "カナ"}
    assert found.rows[1]["metadata"] is None
    assert (found.rows[0]["name"], found.rows[0]["type"], found.rows[0]["status"]) == ("One", "school", "active")
    assert found.odd == {
        "column that the standard does not have": 1,
        "status: column missing": 1,
        "dateLastModified: column missing": 1,
        "identifier: column missing": 1,
        "parentSourcedId: column missing": 1,
    }


def test_metadata_between_the_standards_columns_shifts_nothing(tmp_path):
    text = csv_text(
        "sourcedId,metadata.a,status,dateLastModified,name,type,identifier,parentSourcedId", "s1,7,,,One,school,,"
    )
    found = read(write(tmp_path / "b", {"orgs.csv": text}), "orgs")
    assert (found.rows[0]["metadata"], found.rows[0]["name"]) == ({"a": "7"}, "One")


def test_metadata_keys_are_an_allow_list(tmp_path):
    from tap_oneroster.policy import Policy

    text = csv_text(f"{ORGS_HEADER},metadata.size,metadata.religion", "s1,,,One,school,,,9,x")
    found = read(write(tmp_path / "b", {"orgs.csv": text}), "orgs", policy=Policy(metadata_keys=("si*",)))
    assert found.rows[0]["metadata"] == {"size": "9"}
    assert found.odd == {"metadata key that metadata_keys does not name": 1}


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("status,name", "the header lacks sourcedId"),
        ("sourcedId;status;name", "separated by semicolons"),
        ("sourcedId\tstatus\tname", "separated by tabs"),
        ("sourcedId,name,Name", "column 3 of the header is there twice"),
        ("", "empty, without even a header row"),
    ],
    ids=["no-id", "semicolons", "tabs", "twice", "empty"],
)
def test_a_header_that_cannot_be_matched_stops_the_stream(tmp_path, header, problem):
    found = read(write(tmp_path / "b", {"orgs.csv": csv_text(header, "x,y,z") if header else ""}), "orgs")
    assert found.error.startswith("orgs.csv in b: ")
    assert problem in found.error
    assert not found.rows


@pytest.mark.parametrize("name", ["Orgs.CSV", "ORGS.csv", "export/orgs.csv", "a/b/orgs.csv", "export\\orgs.csv"])
def test_files_are_found_whatever_their_case_and_folder_in_the_zip(tmp_path, name):
    found = read(write(tmp_path / "b.zip", {name: ORGS}, {"orgs": "bulk"}), "orgs")
    assert found.ids == IDS
    assert set(found.odd) <= {"file name in another case"}


def test_names_of_1_0_are_understood(tmp_path):
    """1.0 had no manifest, other headers, and its readers wrote file names in the singular."""
    files = {
        "class.csv": csv_text(
            "sourcedId,status,dateLastModified,title,grade,courseSourcedId,classCode,classType,location,"
            "schoolSourcedId,termSourcedId,subjects",
            "c1,,,Maths,07,m1,,scheduled,,s1,t1,Maths",
        ),
        "demographics.csv": csv_text("userSourcedId,status,dateLastModified,birthdate,sex", "u1,,,2010-01-02,female"),
    }
    path = write(tmp_path / "b.zip", files, None)
    found = read(path, "classes")
    assert (found.rows[0]["grades"], found.rows[0]["termSourcedIds"]) == (["07"], ["t1"])
    assert found.odd["file name in the singular"] == 1
    assert found.odd["header of OneRoster 1.0"] == 2
    assert found.odd["no manifest"] == 1
    found = read(path, "demographics")
    assert (found.rows[0]["sourcedId"], found.rows[0]["birthDate"]) == ("u1", "2010-01-02")


def test_resources_of_users_as_1_2_0_had_them_become_rows_of_their_own(tmp_path):
    users = csv_text(
        "sourcedId,status,dateLastModified,enabledUser,username,givenName,familyName,resourceSourcedIds",
        'u1,,,true,ann,Ann,Lee,"r1,r2, r1"',
        "u2,,,true,bob,Bob,Lee,",
    )
    path = write(tmp_path / "b", {"users.csv": users}, version="1.2")
    found = read(path, "userResources")
    assert [(r["userSourcedId"], r["resourceSourcedId"]) for r in found.rows] == [("u1", "r1"), ("u1", "r2")]
    assert found.last.derived
    again = read(path, "userResources")
    assert again.ids == found.ids
    assert len(set(found.ids)) == 2
    assert all(row["metadata"] is None for row in read(path, "users").rows)


def test_resources_of_users_come_from_their_own_file_where_there_is_one(tmp_path):
    users = csv_text("sourcedId,username,resourceSourcedIds", "u1,ann,r1")
    own = csv_text(
        "sourcedId,status,dateLastModified,userSourcedId,orgSourcedId,classSourcedId,resourceSourcedId", "x,,,u1,,,r9"
    )
    path = write(tmp_path / "b", {"users.csv": users, "userResources.csv": own}, version="1.2")
    assert [row["resourceSourcedId"] for row in read(path, "userResources").rows] == ["r9"]


def test_a_bundle_without_a_manifest_shows_its_version_by_its_files(tmp_path):
    """A file or a column that only 1.2 has makes it 1.2."""
    assert read(write(tmp_path / "a", {"orgs.csv": ORGS}, None), "orgs").last.version == "1.1"
    users = csv_text("sourcedId,username,Pronouns", "u1,ann,")
    assert read(write(tmp_path / "b", {"users.csv": users}, None), "users").last.version == "1.2"
    roles = csv_text("sourcedId,userSourcedId", "r1,u1")
    assert read(write(tmp_path / "c", {"roles.csv": roles}, None), "roles").last.version == "1.2"


@pytest.mark.parametrize(
    ("change", "version", "rule"),
    [
        (("1.1\r\n", "1.2.1\r\n"), "1.2", "manifest: version in other words than 1.1 or 1.2"),
        (("1.1\r\n", "v1.1\r\n"), "1.1", "manifest: version in other words than 1.1 or 1.2"),
        (("1.1\r\n", "\r\n"), "1.1", "manifest: no oneroster.version"),
        (("propertyName,value\r\n", ""), "1.1", "manifest: no header"),
        (("file.orgs,bulk", "file.orgs,Bulk"), "1.1", None),
        (("file.orgs,bulk", "file.orgs,full"), "1.1", "manifest: mode that is neither absent, bulk nor delta"),
        (("file.orgs,bulk", "file.orgs,absent"), "1.1", "manifest: declares the file absent, but it is there"),
        (("file.users,absent", "file.agents,bulk"), "1.1", "manifest: file that the standard does not have"),
    ],
    ids=["1.2.1", "v", "none", "header", "case", "word", "absent", "unknown"],
)
def test_the_content_wins_over_the_manifest_and_the_receipt_says_so(tmp_path, change, version, rule):
    path = write(tmp_path / "b", {"orgs.csv": ORGS})
    file = path / "manifest.csv"
    file.write_bytes(file.read_bytes().replace(change[0].encode(), change[1].encode()))
    found = read(path, "orgs")
    assert found.ids == IDS
    assert found.last.version == version
    assert set(found.odd) == ({rule} if rule else set())


def test_an_unknown_version_is_refused_unless_the_settings_name_one(tmp_path):

    path = write(tmp_path / "b", {"orgs.csv": ORGS}, version="2.0")
    assert "other than 1.1 and 1.2; set oneroster_version" in read(path, "orgs").error
    assert read(path, "orgs", oneroster_version="1.1").ids == IDS


def test_what_is_odd_about_a_bundle_is_told_once_a_run(tmp_path):
    """In the first receipt that speaks of it, not in twenty."""
    from tap_oneroster._core.model import file
    from tap_oneroster.source import Request

    path = write(tmp_path / "b", {"orgs.csv": ORGS, "notes.csv": "x"}, None)
    source = bundles_at(path)
    told = []
    for name in ("users", "orgs", "users"):
        (part,) = source.passes(Request(file(name), (file(name),)))
        told.append(dict(part.facts[name].deviations))
    both = {"no manifest": 1, "file that the standard does not have": 1}
    assert told == [both, {}, both]
