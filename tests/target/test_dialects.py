"""Dialects of consumers: the same data in their files, read back by readers that are not ours; what a dialect cannot do is refused."""

from __future__ import annotations

import csv
import io
import uuid
from typing import TYPE_CHECKING, Any

import duckdb
import fsspec
import pyarrow as pa
import pytest
from oneroster_audit.consumers.judge import judge_profiles
from oneroster_audit.consumers.profiles import built_in
from oneroster_audit.warehouse import Warehouse
from pyarrow import csv as arrow_csv
from target_oneroster._core.model import Version, file
from target_oneroster.bundle.dialects import DIALECTS
from target_oneroster.errors import Held, Misconfigured, TargetError

from tests.audit.nights import House

from .mini import Rows, lines, row, rows

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Place

FILES = {
    "apple": ["classes", "courses", "enrollments", "orgs", "users"],
    "hmh": ["academicSessions", "classes", "courses", "demographics", "enrollments", "manifest", "orgs", "users"],
    "sds_v2_1": [
        "academicSessions", "classes", "courses", "demographics", "enrollments", "orgs", "relationships", "roles", "users",
    ],
}  # fmt: skip


def eventful(version: str = "1.2") -> Rows:
    """A district with what needs quotes or an escape."""
    district = rows(version)
    row(district, "classes", "k1")["title"] = 'Art,"modern"'
    row(district, "classes", "k2")["title"] = 'A"B\\C'
    row(district, "users", "u1")["email"] = "Ann@Example.ORG"
    row(district, "users", "u2")["password"] = "secret"
    return district


def reader(consumer: str) -> dict[str, Any]:
    """What Python's csv needs to know of a dialect."""
    return {"escapechar": "\\", "doublequote": False} if consumer == "apple" else {}


def read(place: Place, consumer: str, name: str) -> list[dict[str, str]]:
    """Rows of a file, by Python's csv."""
    text = place.files()[f"{name}.csv"].decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True, **reader(consumer)))


@pytest.mark.parametrize("consumer", DIALECTS)
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_dialect_is_read_back_by_three_readers(place: Place, consumer: str, version: str) -> None:
    """Python's csv and pyarrow read the same values; DuckDB does, where it knows the escape. A second run gives the same bytes."""
    place.run(lines(eventful(version)), consumer=consumer)
    files = place.files()
    assert sorted(files) == [f"{name}.csv" for name in FILES[consumer]]
    for name in FILES[consumer]:
        found = read(place, consumer, name)
        apple = consumer == "apple"
        parse = arrow_csv.ParseOptions(escape_char="\\" if apple else False, double_quote=not apple)
        header = next(csv.reader([files[f"{name}.csv"].decode().splitlines()[0]]))
        options = arrow_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()))
        table = arrow_csv.read_csv(io.BytesIO(files[f"{name}.csv"]), parse_options=parse, convert_options=options)
        assert table.to_pylist() == found
        if not apple:
            path = place.report.with_name("one.csv")
            path.write_bytes(files[f"{name}.csv"])
            read_by_duckdb = duckdb.sql(
                f"FROM read_csv('{path}', all_varchar = true, header = true, nullstr = '\x01', delim = ',', quote = '\"')"
            )
            assert read_by_duckdb.fetchall() == [tuple(line.values()) for line in found]
    titles = {line["sourcedId"]: line["title"] for line in read(place, consumer, "classes")}
    assert titles == {"k1": 'Art,"modern"', "k2": 'A"B\\C'}
    assert [line["name"] for line in read(place, consumer, "orgs")] == ["District", 'School "One", north']
    place.run(lines(eventful(version)), consumer=consumer)
    assert place.files() == files


def test_apple_to_the_byte(place: Place) -> None:
    """Quotes only around a space or a comma, a backslash before a quotation mark, students and teachers only."""
    place.run(lines(eventful()), consumer="apple")
    assert place.files()["orgs.csv"].decode().split("\n")[1:] == [
        "d1,,,District,district,,",
        's1,,,"School \\"One\\", north",school,,d1',
        "",
    ]
    assert 'k2,,,A\\"B\\\\C,,c1,' in place.files()["classes.csv"].decode()
    users = read(place, "apple", "users")
    assert [(u["sourcedId"], u["role"], u["agentSourcedIds"], u["password"]) for u in users] == [
        ("u1", "student", "", ""),
        ("u2", "teacher", "", ""),
    ]


def test_staff_are_teachers_for_apple_and_an_aide_of_a_class_is_left_out(place: Place) -> None:
    """A principal and a counselor keep their accounts; what is no student or teacher of a class has no row there."""
    district = rows("1.1")
    for n, role in enumerate(("administrator", "aide", "proctor", "guardian", "relative")):
        district["users"].append(district["users"][1] | {"sourcedId": f"x{n}", "username": f"x{n}", "role": role})
    for n, (user, role) in enumerate((("x1", "aide"), ("x0", "teacher"), ("x3", "student"))):
        district["enrollments"].append(
            district["enrollments"][1] | {"sourcedId": f"y{n}", "userSourcedId": user, "role": role, "primary": None}
        )
    place.run(lines(district), consumer="apple", on_invalid="quarantine")
    assert {u["sourcedId"]: u["role"] for u in place.rows("users")} == {
        "u1": "student", "u2": "teacher", "x0": "teacher", "x1": "teacher", "x2": "teacher",
    }  # fmt: skip
    assert {e["userSourcedId"]: e["role"] for e in place.rows("enrollments")} == {
        "u1": "student",
        "u2": "teacher",
        "x0": "teacher",
    }


def test_hmh_to_the_byte(place: Place) -> None:
    """Every value is quoted, headers stand as in the template, and three files hold a header only."""
    place.run(lines(eventful()), consumer="hmh", source_system_name='A "B"')
    files = {name: data.decode().split("\r\n") for name, data in place.files().items()}
    assert files["orgs.csv"] == [
        ",".join(file("orgs").header(Version.V1_1)),
        '"d1","","","District","district","",""',
        '"s1","","","School ""One"", north","school","","d1"',
        "",
    ]
    for name in ("academicSessions", "courses", "demographics"):
        assert files[f"{name}.csv"] == [",".join(file(name).header(Version.V1_1)), ""]
    manifest = dict(csv.reader(files["manifest.csv"][:-1]))
    assert manifest["oneroster.version"] == "1.1"
    assert {n for n, mode in manifest.items() if mode == "bulk"} == {
        f"file.{n}" for n in FILES["hmh"] if n != "manifest"
    }
    assert '"source.systemName","A ""B"""' in files["manifest.csv"]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_sds_to_the_byte(place: Place, version: str) -> None:
    """Its own files and headers, no manifest, e-mails in lower case, relatives as relationships, passwords on request."""
    place.run(lines(eventful(version)), consumer="sds_v2_1", include_passwords=True)
    files = {name: data.decode().split("\r\n")[:-1] for name, data in place.files().items()}
    assert files["users.csv"] == [
        "sourcedId,username,givenName,familyName,password,activeDirectoryMatchId,email,phone,sms",
        "u1,ann,Ann,Árni,,,ann@example.org,,",
        'u2,tom,Tom,"Ode, Jr.",secret,,,,',
        "u3,mum,Mia,Árni,,,,,",
    ]
    assert files["roles.csv"] == [
        "userSourcedId,orgSourcedId,role,sessionSourcedId,grade,isPrimary,roleStartDate,roleEndDate",
        "u1,s1,student,,01,true,,",
        "u2,s1,teacher,,,true,,",
    ]
    assert files["classes.csv"][:2] == [
        "sourcedId,orgSourcedId,title,sessionSourcedIds,courseSourcedId",
        'k1,s1,"Art,""modern""",t1,c1',
    ]
    assert files["enrollments.csv"] == ["classSourcedId,userSourcedId,role", "k1,u1,student", "k1,u2,teacher"]
    assert files["orgs.csv"] == [
        "sourcedId,name,type,parentSourcedId",
        "d1,District,district,",
        's1,"School ""One"", north",school,d1',
    ]
    assert files["academicSessions.csv"][1] == "g1,Period,gradingPeriod,2026,2025-08-01,2025-10-31"
    assert files["courses.csv"] == [
        "sourcedId,orgSourcedId,title,code,schoolYearSourcedId,subject,grade",
        "c1,s1,Art,,y,,01",
    ]
    assert files["demographics.csv"][1] == "u1,female,2018-02-03,,,,,asian"
    assert files["relationships.csv"] == ["userSourcedId,relationshipUserSourcedId,relationshipRole", "u1,u3,parent"]
    place.run(lines(eventful(version)), consumer="sds_v2_1")
    assert "secret" not in place.files()["users.csv"].decode()


def test_rows_that_a_consumer_does_not_take_are_not_checked(place: Place) -> None:
    """A result without a score keeps no roster from Apple; what is written is checked as always."""
    district = rows()
    row(district, "results", "x1")["score"] = None
    place.run(lines(district), consumer="apple")
    row(district, "users", "u1")["givenName"] = None
    before = place.files()
    with pytest.raises(TargetError, match=r"users.givenName"):
        place.run(lines(district), consumer="apple")
    assert place.files() == before


def test_ids_that_apple_does_not_take_are_noted(place: Place) -> None:
    """They are written as they are: another id would be another person."""
    district = rows()
    row(district, "orgs", "d1")["sourcedId"] = "d_1"
    row(district, "orgs", "s1")["parentSourcedId"] = "d_1"
    place.run(lines(district), consumer="apple")
    assert ("note", "orgs.sourcedId", "holds other characters than Apple School Manager takes") in place.findings()
    assert place.ids("orgs") == ["d_1", "s1"]


def large(lost: int = 0, school: str = "") -> Rows:
    """A district of two schools with 40 students each, of whom some of one school have no enrollment any more."""
    district = rows("1.1")
    org, class_, user, enrollment = (
        district[n][i] for n, i in (("orgs", 1), ("classes", 0), ("users", 0), ("enrollments", 0))
    )
    district["orgs"].append(org | {"sourcedId": "s2", "name": 'Two "2" \\'})
    district["classes"].append(class_ | {"sourcedId": "z2", "schoolSourcedId": "s2"})
    for place, its_class in (("s1", "k1"), ("s2", "z2")):
        for n in range(40):
            name = f"{place}-{n}"
            district["users"].append(
                user | {"sourcedId": name, "username": name, "orgSourcedIds": [place], "agentSourcedIds": []}
            )
            if place != school or n >= lost:
                district["enrollments"].append(
                    enrollment
                    | {"sourcedId": name, "userSourcedId": name, "classSourcedId": its_class, "schoolSourcedId": place}
                )
    return district


@pytest.mark.parametrize("consumer", DIALECTS)
def test_the_shrink_guard_reads_the_dialect(any_place: Place, consumer: str) -> None:
    """A school that lost more than a fifth of its enrollments is held, as in the standard; accept_shrink lets it pass."""
    place = any_place
    place.run(lines(large()), consumer=consumer)
    before = place.files()
    place.run(lines(large(8, "s2")), consumer=consumer)
    place.run(lines(large()), consumer=consumer)
    with pytest.raises(Held, match=r"enrollments of school s2 \(40 before, 31 now\)"):
        place.run(lines(large(9, "s2")), consumer=consumer)
    assert place.files() == before
    place.run(lines(large(9, "s2")), consumer=consumer, accept_shrink=True)
    assert place.files() != before
    assert place.strays() == []


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"consumer": "schoology"}, "Setting consumer takes one of: apple, hmh, sds_v2_1"),
        ({"consumer": "apple", "file_mode": "delta"}, "Setting consumer: apple takes whole bundles with its own columns. Leave out file_mode delta."),
        ({"consumer": "hmh", "load_method": "upsert"}, "Leave out load_method upsert."),
        ({"consumer": "sds_v2_1", "file_modes": {"users": "delta"}}, "Leave out file_modes."),
        ({"consumer": "sds_v2_1", "metadata": "keep"}, "Leave out metadata keep."),
    ],
)  # fmt: skip
def test_what_a_dialect_cannot_do_is_refused_at_the_start(place: Place, config: dict[str, Any], named: str) -> None:
    """One line that names the setting, exit code 4, and nothing is written."""
    with pytest.raises(Misconfigured) as error:
        place.run(lines(rows()), **config)
    assert named in str(error.value)
    assert error.value.exit_code == 4
    assert place.files() == {}
    assert not place.output.exists()


def test_a_bundle_of_another_kind_is_not_replaced_unseen(any_place: Place) -> None:
    """From the standard to a dialect, from one to another, and back: one line, unless the shrink is accepted."""
    place = any_place
    place.run(lines(rows()))
    for consumer in ("apple", "sds_v2_1", "hmh"):
        before = place.files()
        with pytest.raises(TargetError, match=f"the bundle there was not written for consumer {consumer}"):
            place.run(lines(rows()), consumer=consumer)
        assert place.files() == before
        place.run(lines(rows()), consumer=consumer, accept_shrink=True)
        assert len(place.files()) == len(FILES[consumer])
    with pytest.raises(TargetError, match="the bundle there was not written for consumer apple"):
        place.run(lines(rows()), consumer="apple")


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_a_dialect_in_a_store(place: Place, name: str) -> None:
    """Published, compared and replaced as on disk; what the new bundle does not have is gone."""
    url = f"memory://{uuid.uuid4().hex}/{name}"
    place.run(lines(large()), consumer="sds_v2_1", output_path=url)
    place.run(lines(large()), consumer="sds_v2_1", output_path=url)
    with pytest.raises(Held):
        place.run(lines(large(9, "s2")), consumer="sds_v2_1", output_path=url)
    place.run(lines(rows("1.1")), consumer="hmh", output_path=url, accept_shrink=True)
    store, path = fsspec.core.url_to_fs(url)
    if name == "bundle":
        assert sorted(p.rpartition("/")[2] for p in store.ls(path, detail=False)) == [f"{n}.csv" for n in FILES["hmh"]]
    else:
        assert store.exists(path)


SDS_NAMES = {
    "classes": {"orgSourcedId": "schoolSourcedId", "sessionSourcedIds": "termSourcedIds"},
    "courses": {"code": "courseCode"},
}


def as_loaded(place: Place, consumer: str) -> Any:
    """What the dialect wrote as rows of a warehouse, under the standard's names."""
    found: Any = {}
    for name in set(FILES[consumer]) - {"manifest", "relationships", "demographics"}:
        fields = {f.header(DIALECTS[consumer].version): f for f in file(name).fields}
        found[name] = {}
        for n, line in enumerate(read(place, consumer, name)):
            made: dict[str, Any] = {"sourcedId": f"n{n}"}
            for header, value in line.items():
                field = fields.get(SDS_NAMES.get(name, {}).get(header, header))
                if field is not None and value:
                    made[field.name] = value.split(",") if field.kind.is_list and field.name != "userIds" else value
            made.pop("userIds", None)
            found[name][made["sourcedId"]] = made
    return found


@pytest.mark.parametrize("consumer", DIALECTS)
def test_the_audit_accepts_what_a_dialect_wrote(place: Place, tmp_path: Path, consumer: str) -> None:
    """The profile of the same consumer finds no loss in it, also where the standard's bundle had some."""
    district = eventful()
    row(district, "users", "u1")["phone"] = "+15550100"
    place.run(lines(district), consumer=consumer)
    house = House(tmp_path / "warehouse.duckdb")
    house.load(as_loaded(place, consumer))
    with Warehouse(house.path, "oneroster", "") as warehouse:
        [judged] = judge_profiles(warehouse, 1, [built_in(consumer)], {})
    assert judged.result == "accepted", [b.rule.id for b in judged.broken]
    assert {b.rule.severity for b in judged.broken} <= {"note"}
