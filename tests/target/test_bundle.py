"""What a bundle looks like, to the byte, in both versions and modes, and from one version to the other."""

from __future__ import annotations

import random
import zipfile
from typing import TYPE_CHECKING

import oneroster_core.model as model
import pytest
from target_oneroster.errors import TargetError

from .mini import encode, lines, row, rows, schema_line

if TYPE_CHECKING:
    from .conftest import Place

ENROLLMENTS = (
    b"sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\r\n"
    b"e1,,,k1,s1,u1,student,,2025-08-15,\r\n"
    b"e2,,,k1,s1,u2,teacher,true,2025-08-15,2026-01-31\r\n"
)
USERS_1_1 = (
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,"
    "identifier,email,sms,phone,agentSourcedIds,grades,password\r\n"
    "u1,,,true,s1,student,ann,{LDAP:ann},Ann,Árni,,,,,,u3,01,\r\n"
    'u2,,,true,s1,teacher,tom,,Tom,"Ode, Jr.",,,,,,,,\r\n'
    "u3,,,false,s1,parent,mum,,Mia,Árni,,,,,,u1,,\r\n"
).encode()
MANIFEST_1_1 = (
    b"propertyName,value\r\nmanifest.version,1.0\r\noneroster.version,1.1\r\nfile.academicSessions,bulk\r\n"
    b"file.categories,bulk\r\nfile.classes,bulk\r\nfile.classResources,bulk\r\nfile.courses,bulk\r\n"
    b"file.courseResources,absent\r\nfile.demographics,bulk\r\nfile.enrollments,bulk\r\nfile.lineItems,bulk\r\n"
    b'file.orgs,bulk\r\nfile.resources,bulk\r\nfile.results,bulk\r\nfile.users,bulk\r\nsource.systemName,"A ""B"", C"\r\n'
)


def test_a_golden_bundle(any_place: Place) -> None:
    """Header order, empty cells, quotes, CRLF, the manifest: byte for byte, in a folder and in a zip."""
    district = rows("1.1")
    del district["courseResources"]
    any_place.run(lines(district), oneroster_version="1.1", source_system_name='A "B", C')
    files = any_place.files()
    assert files["enrollments.csv"] == ENROLLMENTS
    assert files["users.csv"] == USERS_1_1
    assert files["manifest.csv"] == MANIFEST_1_1
    assert b's1,,,"School ""One"", north",school,,d1\r\n' in files["orgs.csv"]
    assert b',"1,3"\r\n' in files["classes.csv"]
    assert set(files) == {"manifest.csv", *(f"{name}.csv" for name in district)}
    assert any_place.strays() == []


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_every_header_is_the_models(place: Place, version: str) -> None:
    """All columns of the version, in order, whatever came."""
    place.run(lines(rows(version)), oneroster_version=version)
    for file in model.csv_files(model.Version(version)):
        header = place.files()[f"{file.name}.csv"].split(b"\r\n")[0].decode()
        assert header == ",".join(file.header(model.Version(version)))


def test_the_same_data_gives_the_same_bytes(any_place: Place) -> None:
    """Order of arrival and repetition change nothing, in a zip neither."""
    any_place.run(lines(rows()))
    first = any_place.output.read_bytes() if any_place.output.is_file() else any_place.files()
    shuffled = rows()
    for records in shuffled.values():
        records += [dict(records[0])]
        random.Random(3).shuffle(records)
    any_place.run(lines(dict(reversed(shuffled.items()))))
    assert (any_place.output.read_bytes() if any_place.output.is_file() else any_place.files()) == first


def test_large_files_are_sorted_in_parts(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a file, sorted one after the other, give the same bytes as all at once."""
    district = rows()
    district["categories"] += [{"sourcedId": f"c{number * 7919 % 5000:04}", "title": "x"} for number in range(5000)]
    place.run(lines(district))
    whole = place.files()
    monkeypatch.setattr("target_oneroster.bundle.tables._SORTED_AT_ONCE", 1000)
    place.run(lines(district))
    assert place.files() == whole
    assert place.ids("categories") == sorted(place.ids("categories"))


def test_the_newest_record_of_an_id_counts(place: Place) -> None:
    """Singer is at least once: an id that comes again with a newer dateLastModified replaces what came before."""
    district = rows()
    newer = {"title": "Newer", "dateLastModified": "2026-01-03T00:00:00.000Z"}
    district["courses"].append(row(district, "courses", "c1") | newer)
    place.run(lines(district))
    assert [r["title"] for r in place.rows("courses")] == ["Newer"]


def test_a_raised_version_begins_anew(place: Place) -> None:
    """A tap that starts a collection over raises the version: what the first attempt sent does not count."""
    district = rows()
    first = list(lines({"courses": [row(district, "courses", "c1") | {"sourcedId": "old"}]}, version=1))
    place.run(first + lines(district, version=2))
    assert place.ids("courses") == ["c1"]


def test_zip_is_flat_and_deterministic(any_place: Place) -> None:
    """Fixed times and permissions, manifest first, no folders."""
    any_place.run(lines(rows()))
    if any_place.output.is_dir():
        pytest.skip("a folder")
    with zipfile.ZipFile(any_place.output) as archive:
        infos = archive.infolist()
    assert infos[0].filename == "manifest.csv"
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.compress_type for info in infos} == {zipfile.ZIP_DEFLATED}
    assert not any("/" in info.filename for info in infos)


def test_tombstones_leave_a_bulk_bundle_with_what_points_at_them(place: Place) -> None:
    """A deleted user takes its role, seat and results along; nobody has to mend anything."""
    district = rows()
    row(district, "users", "u1")["status"] = "tobedeleted"
    place.run(lines(district))
    assert place.ids("users") == ["u2", "u3"]
    assert place.ids("enrollments") == ["e2"]
    assert place.ids("roles") == ["r2", "r3"]
    assert {severity for severity, _, _ in place.findings()} == {"value"}  # u3 named u1 as agent


def test_delta_files_carry_status_and_time(place: Place) -> None:
    """A delta lists what is to be deleted, and may point at rows its receiver has."""
    district = rows()
    row(district, "enrollments", "e2")["status"] = "tobedeleted"
    place.run(lines({"enrollments": district["enrollments"]}), file_mode="delta")
    assert b"e2,tobedeleted,2026-01-02T03:04:05.678Z,k1,s1,u2" in place.files()["enrollments.csv"]
    assert b"file.enrollments,delta\r\n" in place.files()["manifest.csv"]


def test_metadata_and_passwords_only_on_request(place: Place) -> None:
    """metadata.* columns come last, sorted, and only when kept; passwords only when asked for."""
    district = rows()
    row(district, "users", "u1") | {}
    row(district, "users", "u1").update({"password": "geheim", "metadata": {"b": {"x": "1"}, "a": 'q"'}})
    place.run(lines(district))
    assert b"geheim" not in place.files()["users.csv"]
    assert b"metadata" not in place.files()["users.csv"]
    place.run(lines(district), metadata="keep", include_passwords=True)
    header, first, second = place.files()["users.csv"].split(b"\r\n")[:3]
    assert header.endswith(b",pronouns,metadata.a,metadata.b.x")
    assert b",geheim," in first
    assert first.endswith(b',"q""",1')
    assert second.endswith(b",,")


def test_line_breaks_become_spaces(place: Place) -> None:
    """A cell may not hold a line break, nor what we separate cells with."""
    district = rows()
    row(district, "courses", "c1")["title"] = "two\r\nlines\x1f\t."
    place.run(lines(district))
    assert place.rows("courses")[0]["title"] == "two  lines  ."


def test_1_1_to_1_2(place: Place) -> None:
    """Roles come from users.role and orgs; what 1.2 wants and the class knows is filled in."""
    district = rows("1.1")
    row(district, "users", "u2")["role"] = "administrator"
    row(district, "users", "u2")["orgSourcedIds"] = ["s1", "d1"]
    row(district, "enrollments", "e2").update(role="administrator", primary=None)
    place.run(lines(district))
    roles = {(r["userSourcedId"], r["orgSourcedId"]): (r["role"], r["roleType"]) for r in place.rows("roles")}
    assert roles == {
        ("u1", "s1"): ("student", "primary"),
        ("u2", "d1"): ("districtAdministrator", "primary"),
        ("u2", "s1"): ("siteAdministrator", "primary"),
        ("u3", "s1"): ("parent", "primary"),
    }
    assert place.rows("lineItems")[0]["schoolSourcedId"] == "s1"
    assert place.rows("lineItems")[0]["academicSessionSourcedId"] == "g1"
    place.run(lines(district), administrator_role="principal")
    assert {r["role"] for r in place.rows("roles") if r["userSourcedId"] == "u2"} == {"principal"}


def test_1_2_to_1_1(place: Place) -> None:
    """users.role and orgSourcedIds come from roles; what 1.1 cannot hold is counted."""
    district = rows()
    row(district, "roles", "r2")["role"] = "principal"
    row(district, "demographics", "u1")["sex"] = "other"
    place.run(lines(district), oneroster_version="1.1")
    assert [(r["role"], r["orgSourcedIds"]) for r in place.rows("users")] == [
        ("student", "s1"),
        ("administrator", "s1"),
        ("parent", "s1"),
    ]
    assert place.rows("lineItems")[0]["gradingPeriodSourcedId"] == "g1"
    assert place.rows("demographics")[0]["sex"] == ""
    counts = place.report.read_text()
    assert "scoreScales: rows that 1.1 has no file for" in counts
    assert "categories.weight: cells that 1.1 has no column for" in counts
    assert "demographics.sex: word of 1.2 left out" in counts


def test_the_primary_org_comes_first(place: Place) -> None:
    """Order has no meaning in orgSourcedIds; ours is the primary org, orgs of primary roles, then ids, whatever came first."""
    district = rows()
    district["orgs"] += [row(district, "orgs", "s1") | {"sourcedId": name} for name in ("s0", "s2", "s3")]
    row(district, "users", "u2")["primaryOrgSourcedId"] = "s2"
    role = row(district, "roles", "r2") | {"userProfileSourcedId": None}
    district["roles"] += [
        role | {"sourcedId": "a", "orgSourcedId": "s0", "roleType": "secondary", "role": "aide"},
        role | {"sourcedId": "b", "orgSourcedId": "s3"},
        role | {"sourcedId": "c", "orgSourcedId": "s2", "roleType": "secondary"},
    ]
    for _ in range(2):
        place.run(lines(district), oneroster_version="1.1")
        assert [(r["role"], r["orgSourcedIds"]) for r in place.rows("users")][1] == ("teacher", "s2,s1,s3,s0")
        district["roles"].reverse()
    assert '"users.role: several roles, one kept": 1' in place.report.read_text()


def test_counselor_is_a_choice(place: Place) -> None:
    """1.1 has no counselor: the setting says what is written."""
    district = rows()
    row(district, "roles", "r3")["role"] = "counselor"
    place.run(lines(district), oneroster_version="1.1", counselor_role="administrator")
    assert place.rows("users")[2]["role"] == "administrator"


def test_default_class_type_only_by_setting(place: Place) -> None:
    """REST classes may lack a type; nothing is invented unless a setting says so."""
    district = rows()
    row(district, "classes", "k2")["classType"] = None
    with pytest.raises(TargetError, match="rows would have to go"):
        place.run(lines(district))
    place.run(lines(district), default_class_type="scheduled")
    assert [r["classType"] for r in place.rows("classes")] == ["scheduled", "scheduled"]


def test_a_school_year_range_is_its_last_year(place: Place) -> None:
    """`2025-2026` is no year of the standard; the year it ends in is meant."""
    district = rows()
    row(district, "academicSessions", "y")["schoolYear"] = "2025-2026"
    place.run(lines(district))
    assert {r["schoolYear"] for r in place.rows("academicSessions")} == {"2026"}


def test_unknown_streams_are_left_out(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Named once, and not written."""
    place.run(
        [
            {"type": "SCHEMA", "stream": "buses", "schema": {"properties": {"id": {}}}, "key_properties": []},
            *lines(rows()),
        ]
    )
    assert "Stream buses is not part of a bundle" in caplog.text
    assert "buses.csv" not in place.files()


def test_a_stream_without_records_is_absent(place: Place) -> None:
    """A header without rows is illegal."""
    district = rows()
    district["userResources"] = []
    place.run(lines(district))
    assert "userResources.csv" not in place.files()
    assert b"file.userResources,absent\r\n" in place.files()["manifest.csv"]


def test_both_ways_in_give_the_same_bytes(place: Place) -> None:
    """Blocks into typed records, and the SDK's way record by record, write the same bundle."""
    district = rows()
    row(district, "users", "u1").update(
        metadata={"n": {"k": 1, "l": [1, "b"]}, "e": None, "t": True}, email='a"b\\c\u00e9\nd'
    )
    place.run(lines(district), metadata="keep")
    fast = place.files()
    place.run(lines(district), metadata="keep", stream_maps={name: {} for name in district})
    assert place.files() == fast
    scrambled = [dict(reversed(m.items())) if m["type"] == "RECORD" else m for m in lines(district)]
    place.run(encode(scrambled), metadata="keep")
    assert place.files() == fast


def test_stream_maps_rename(place: Place) -> None:
    """The SDK's stream maps shape what is not in the standard's words."""
    district = rows()
    district_lines = [m | {"stream": "kurse"} if m.get("stream") == "courses" else m for m in lines(district)]
    place.run(district_lines, stream_maps={"kurse": {"__alias__": "courses", "title": "title + '!'"}})
    assert [r["title"] for r in place.rows("courses")] == ["Art!"]


def test_schema_may_change_in_mid_run(place: Place) -> None:
    """A second SCHEMA of a stream is as good as the first, with other properties, names and types too."""
    district = rows()
    messages = lines(district)
    again = [m for m in messages if m.get("stream") == "orgs" and m["type"] == "RECORD"]
    place.run([*messages, schema_line("orgs"), *again])
    assert place.ids("orgs") == ["d1", "s1"]
    other = {
        "type": "SCHEMA",
        "stream": "orgs",
        "schema": {
            "properties": {"sourced_id": {"type": "string"}, "name": {}, "type": {}, "size": {"type": "integer"}}
        },
        "key_properties": ["sourced_id"],
    }
    record = {"sourced_id": "s2", "name": "School Two", "type": "school", "size": 9}
    place.run([*messages, other, {"type": "RECORD", "stream": "orgs", "record": record}, schema_line("orgs"), *again])
    assert place.ids("orgs") == ["d1", "s1", "s2"]
    assert {r["name"] for r in place.rows("orgs")} == {"District", 'School "One", north', "School Two"}


def test_a_record_that_its_schema_does_not_hold(place: Place) -> None:
    """A cell of a shape that no text can be made of stops the run, by stream and property, without the value."""
    district = rows()
    row(district, "orgs", "s1")["name"] = {"de": "Zweistein"}
    with pytest.raises(TargetError, match="Stream orgs, property name: text was expected") as told:
        place.run(lines(district))
    assert "Zweistein" not in told.value.message
    assert place.files() == {}
