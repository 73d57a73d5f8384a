"""Records of REST in the warehouse shape: typed at once or mended, the result is the same."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oneroster_sample._core.model import file as sample_file
from oneroster_sample.store import Store
from tap_oneroster._core.codec import content_digest, encode_rows, record_class
from tap_oneroster._core.model import FILES, Kind, Version, derived_from, file
from tap_oneroster._core.model.ids import derived_id
from tap_oneroster.policy import Policy
from tap_oneroster.rest.records.decode import NoJson, Page, PageDecoder
from tap_oneroster.rest.records.derived_rows import DerivedRows
from tap_oneroster.rest.records.forms import forms_of
from tap_oneroster.rest.records.keys import SeenKeys
from tap_oneroster.rest.records.rows import RowMaker
from tap_oneroster.source import SourceError

from .conftest import DISTRICT

COLLECTIONS = [f.name for f in FILES if f.collection]
PLAIN = Policy()


class Made:
    """Rows of a page's streams, and what deviated."""

    def __init__(
        self, name: str, body: bytes, *, slowly: bool = False, policy: Policy = PLAIN, version: Version = Version.V1_2
    ) -> None:
        its = file(name)
        self.deviations: Counter[str] = Counter()
        streams = derived_from(name)
        decoder = PageDecoder(its, forms_of(its, secrets=policy.secrets, derived=streams))
        page = decoder.decode(body, self.deviations)
        if slowly:
            page = Page(decoder, *decoder._any_records(body, Counter()), fits=False)
        self.fits = page.fits
        seen = SeenKeys()
        came = page.take([row for row, one in enumerate(page.ids) if one], self.deviations, seen)
        self.made = RowMaker(its, version, policy).make(came, self.deviations, seen=seen if page.fits else None)
        self.records = self.made.records
        self.keys = seen.names
        self.derived = {s.name: DerivedRows(s, version, policy).rows(came, self.made, self.deviations) for s in streams}

    @property
    def lines(self) -> bytes:
        """Everything, encoded."""
        return msgspec.json.encode([self.records, self.derived])


def page_of(name: str, *records: Any) -> bytes:
    return msgspec.json.encode({file(name).collection.wrapper: records})


def one(name: str, **values: Any) -> Any:
    """The record that comes of one with these values."""
    return Made(name, page_of(name, {"sourcedId": "x", **values})).records[0]


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize("name", COLLECTIONS)
def test_pages_that_fit_give_the_same_records_as_mended_ones(name: str, version: Version) -> None:
    if not file(name).exists_in(version):
        pytest.skip("1.2 only")
    store = Store(DISTRICT, type(sample_file("orgs").since)(version.value), "https://x.example")
    bodies = store.records(sample_file(name)).bodies
    body = b'{"%b":[%b]}' % (file(name).collection.wrapper.encode(), b",".join(bodies))
    fast, slow = Made(name, body, version=version), Made(name, body, slowly=True, version=version)
    assert fast.fits
    assert not slow.fits
    assert fast.lines == slow.lines
    assert fast.deviations == slow.deviations
    sent = {key for body in bodies for key, value in json.loads(body).items() if value is not None}
    assert fast.keys == slow.keys == sent - {"password"}


def test_keys_are_those_that_had_a_value_as_they_are_written() -> None:
    """Also keys that the standard does not have; not those that are skipped, such as rows of other streams."""
    user: dict[str, Any] = {
        "sourcedId": "x",
        "GivenName": "A",
        "middleName": None,
        "bus": 7,
        "roles": [],
        "resources": None,
    }
    assert Made("users", page_of("users", user)).keys == {"sourcedId", "GivenName", "bus", "roles"}
    decoder = PageDecoder(file("users"), forms_of(file("users"), secrets=False, derived=[]))
    maker, seen = RowMaker(file("users"), Version.V1_2, PLAIN), SeenKeys()
    for key in ("bus", "email", "bus", "roles", "password", "metadata"):
        page = decoder.decode(page_of("users", {"sourcedId": "x", key: {} if key == "metadata" else []}), Counter())
        maker.make(page.take([0], Counter(), seen), Counter(), seen=seen if page.fits else None)
    assert seen.names == {"sourcedId", "bus", "email", "metadata"}


def test_keys_without_end_are_not_all_kept() -> None:
    records = [{"sourcedId": "x", "email": 1, f"id-{n}": n} for n in range(600)]
    assert len(Made("users", page_of("users", *records)).keys) <= 501


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_whatever_a_service_writes_becomes_a_record_or_is_left_out(data: st.DataObject) -> None:
    """No value of any type under any key stops the read, and the types of the result are the model's."""
    name = data.draw(st.sampled_from(COLLECTIONS))
    keys = [*forms_of(file(name), secrets=False, derived=derived_from(name)), "unheardOf", "SOURCEDID"]
    record = data.draw(st.dictionaries(st.sampled_from(keys), anything, max_size=6))
    record.setdefault("sourcedId", "x")
    made = Made(name, page_of(name, record, {"sourcedId": "y"}))
    slow = encode_rows(made.records)
    assert (made.made.rows.content, made.made.rows.lines) == (slow.content, slow.lines)
    for stream, rows in {name: made.records, **made.derived}.items():
        typed = msgspec.json.Decoder(list[record_class(file(stream))])  # type: ignore[misc]
        text = msgspec.json.encode(rows)
        assert msgspec.json.encode(typed.decode(text)) == text


words = st.text(max_size=5) | st.sampled_from(
    ["", " ", "NULL", '"', "\\", "a b ", "\u2028", "é", "active", "2026-08-17"]
)
moments = st.sampled_from(
    ["2026-02-30T00:00:00.000Z", "2026-02-28T24:00:00.000Z", "2026-10-10T14:08:04.512Z", "2026-10-10"]
)
references = st.fixed_dictionaries({"sourcedId": words}, optional={"href": words, "type": words})
fitting: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TRUE_FALSE: st.booleans() | st.sampled_from(["true", "FALSE", "perhaps"]),
    Kind.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Kind.NUMBER: st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**64) | words,
    Kind.REF: references,
    Kind.REFS: st.lists(references, max_size=3),
    Kind.STRINGS: st.lists(words, max_size=3) | words,
    Kind.WORDS: st.lists(words, max_size=3) | words,
    Kind.OBJECT: st.dictionaries(words, anything, max_size=3),
    Kind.DATETIME: moments | words,
    Kind.DATE: moments | words,
}


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_record_that_fits_gives_the_same_line_as_the_same_record_mended(data: st.DataObject) -> None:
    """Values of the form, in any notation, with escapes, with text in ASCII or not: the bytes are the same."""
    name = data.draw(st.sampled_from(COLLECTIONS))
    forms = {
        key: form for key, form in forms_of(file(name), secrets=False, derived=()).items() if isinstance(form, Kind)
    }
    record = st.fixed_dictionaries(
        {"sourcedId": st.sampled_from(["x", "y", "é", 'a"b'])},
        optional={key: st.none() | fitting.get(form, words) for key, form in forms.items() if key != "sourcedId"},
    )
    records = data.draw(st.lists(record, min_size=1, max_size=4))
    body = json.dumps({file(name).collection.wrapper: records}, ensure_ascii=data.draw(st.booleans())).encode()
    assume(b"\\u0000" not in body)
    version = data.draw(st.sampled_from(list(Version)))
    fast, slow = Made(name, body, version=version), Made(name, body, slowly=True, version=version)
    rows = encode_rows(slow.records) if slow.records else None
    assert len(fast.records) == len(slow.records)
    if rows and fast.fits:
        assert fast.made.rows.lines == rows.lines
        assert content_digest(fast.made.rows.content) == content_digest(rows.content)


def test_a_part_and_a_pick_of_a_page_are_the_same_records_of_it() -> None:
    """What a test run, a batch file and a filter of the tap take of a page."""
    made = Made("orgs", page_of("orgs", *({"sourcedId": one, "name": 'A "B"'} for one in "abc"))).made
    assert made.part(1, 3).records == made.records[1:3]
    assert made.pick([True, False, True]).records == [made.records[0], made.records[2]]
    assert made.part(1, 3).rows.content == made.rows.content[1:3]
    assert len(made.pick([False, True, False])) == 1


def test_references_become_ids_and_lists_of_ids() -> None:
    made = one(
        "classes",
        course={"href": "~/x", "sourcedId": "c1", "type": "course"},
        school={"sourcedId": "s1"},
        terms=[{"sourcedId": "t1"}, {"sourcedId": "t2"}],
    )
    assert (made.courseSourcedId, made.schoolSourcedId, made.termSourcedIds) == ("c1", "s1", ["t1", "t2"])


@pytest.mark.parametrize("odd", [{}, {"unheardOf": 1, "SOURCEDID": "y"}], ids=["typed", "mended"])
@pytest.mark.parametrize("value", ["a\0b", {"sourcedId": "a\0"}, {"deep": ["\0"]}], ids=["text", "id", "metadata"])
def test_a_record_with_a_nul_character_is_refused_as_in_a_bundle(value: Any, odd: dict[str, Any]) -> None:
    """No database takes it; a backslash that only looks like one is text."""
    key = "parent" if "sourcedId" in value else "metadata" if isinstance(value, dict) else "name"
    records = [{"sourcedId": "x", key: value, **odd}, {"sourcedId": "y", "name": "\\u0000"}]
    decoder = PageDecoder(file("orgs"), forms_of(file("orgs"), secrets=False, derived=()))
    page = decoder.decode(page_of("orgs", *records), Counter())
    assert page.ids == [None, "y"]
    assert page.faults == {0: "row with a NUL character"}


@pytest.mark.parametrize("key", ["NULL", " NULL", "\u00a0", " "])
def test_an_id_that_is_none_is_no_id(key: str) -> None:
    """As in a bundle; the others of the page lose the blanks around them."""
    decoder = PageDecoder(file("orgs"), forms_of(file("orgs"), secrets=False, derived=()))
    assert decoder.decode(page_of("orgs", {"sourcedId": key}, {"sourcedId": "y "}), Counter()).ids == [None, "y"]


def test_ids_words_and_null_are_read_as_in_a_bundle() -> None:
    """Blanks around ids go, words are folded, NULL is nothing, also inside of lists; all of it is counted."""
    made = Made(
        "users",
        page_of(
            "users",
            {
                "sourcedId": "u1  ",
                "status": "null",
                "email": "NULL",
                "familyName": "NULL",
                "agents": [{"sourcedId": " u2"}, {"sourcedId": "NULL"}],
                "roles": [{"role": "Student", "roleType": "PRIMARY", "org": {"sourcedId": "s1 "}}],
            },
        ),
    )
    (user,) = made.records
    assert (user.sourcedId, user.status, user.email, user.familyName) == ("u1", "active", None, "NULL")  # type: ignore[attr-defined]
    assert user.agentSourcedIds == ["u2"]  # type: ignore[attr-defined]
    (role,) = made.derived["roles"]
    assert (role.userSourcedId, role.role, role.roleType, role.orgSourcedId) == ("u1", "student", "primary", "s1")  # type: ignore[attr-defined]
    assert {rule: n for rule, n in made.deviations.items() if "required" not in rule} == {
        "sourcedId: blanks around an id": 1,
        "status: active in another word, or blank": 1,
        "dateLastModified: missing": 1,
        "email: the text NULL": 1,
        "agentSourcedIds: the text NULL": 1,
        "role: word in another case": 1,
        "roleType: word in another case": 1,
        "orgSourcedId: blanks around an id": 1,
    }


def test_odd_values_are_read_and_counted() -> None:
    made = Made(
        "results",
        page_of(
            "results",
            {
                "sourcedId": 17,
                "status": "inactive",
                "dateLastModified": "2025-09-01T10:00:00-05:00",
                "lineItem": "l1",
                "student": [{"sourcedId": "u1"}],
                "score": "85.5",
                "scoreDate": "2025-09-01T10:00:00Z",
                "comment": "",
                "late": "True",
                "missing": "false",
                "class": {"sourcedId": ""},
            },
        ),
    )
    record = made.records[0]
    assert record.sourcedId == "17"  # type: ignore[attr-defined]
    assert record.status == "tobedeleted"  # type: ignore[attr-defined]
    assert record.dateLastModified == "2025-09-01T15:00:00.000Z"  # type: ignore[attr-defined]
    assert record.lineItemSourcedId == "l1"  # type: ignore[attr-defined]
    assert record.studentSourcedId == "u1"  # type: ignore[attr-defined]
    assert record.score == 85.5  # type: ignore[attr-defined]
    assert record.scoreDate == "2025-09-01"  # type: ignore[attr-defined]
    assert record.comment is None  # type: ignore[attr-defined]
    assert (record.late, record.missing) == (True, False)  # type: ignore[attr-defined]
    assert record.classSourcedId is None  # type: ignore[attr-defined]
    assert made.deviations == {
        "sourcedId: number where text belongs": 1,
        "status: tobedeleted in another word": 1,
        "dateLastModified: date and time in another notation": 1,
        "lineItem: reference written as text": 1,
        "student: list where one value belongs": 1,
        "score: number as text": 1,
        "scoreDate: date in another notation": 1,
        "comment: empty text": 1,
        "late: true or false in other words": 1,
        "classSourcedId: reference without sourcedId": 1,
        "scoreStatus: required, but blank": 1,
    }


@pytest.mark.parametrize("slowly", [False, True], ids=["as it fits", "mended"])
def test_a_reference_without_an_id_does_not_hide_the_other_name_of_the_property(slowly: bool) -> None:
    line = {"sourcedId": "x", "academicSession": {"sourcedId": ""}, "gradingPeriod": {"sourcedId": "g"}}
    made = Made("lineItems", page_of("lineItems", line), slowly=slowly)
    assert "g" in msgspec.to_builtins(made.records[0]).values()


@pytest.mark.parametrize("slowly", [False, True], ids=["as it fits", "mended"])
def test_references_without_an_id_are_left_out_and_counted_by_one_rule(slowly: bool) -> None:
    """In a property, in a list, and as a row of another stream."""
    school_class = {
        "sourcedId": "x",
        "course": {"sourcedId": ""},
        "terms": [{"sourcedId": "t"}, {"sourcedId": ""}, {"sourcedId": ""}],
        "resources": [{"sourcedId": ""}, {"sourcedId": "r"}],
    }
    made = Made("classes", page_of("classes", school_class), slowly=slowly)
    record, links = msgspec.to_builtins([made.records[0], made.derived["classResources"]])
    assert (record["courseSourcedId"], record["termSourcedIds"]) == (None, ["t"])
    assert [link["resourceSourcedId"] for link in links] == ["r"]
    assert {rule: times for rule, times in made.deviations.items() if "required" not in rule} == {
        "courseSourcedId: reference without sourcedId": 1,
        "termSourcedIds: reference without sourcedId": 2,
        "resourceSourcedId: reference without sourcedId": 1,
        "status: active in another word, or blank": 1,
        "dateLastModified: missing": 1,
    }


def test_a_score_of_zero_and_a_false_are_values() -> None:
    assert one("results", score=0).score == 0.0
    assert one("results", late=False).late is False


def test_known_misspellings_and_other_letter_case_are_understood() -> None:
    assert one("demographics", americanIndianOrAlsakaNative="true").americanIndianOrAlaskaNative is True
    made = Made("users", page_of("users", {"SourcedId": "x", "GivenName": "Ann"}))
    assert made.records[0].givenName == "Ann"  # type: ignore[attr-defined]
    assert made.deviations["givenName: key in another spelling"] == 1


def test_unknown_keys_go_to_metadata_also_once_they_are_learned() -> None:
    its = file("orgs")
    decoder = PageDecoder(its, forms_of(its, secrets=False, derived=()))
    maker = RowMaker(its, Version.V1_2, PLAIN)
    body = page_of("orgs", {"sourcedId": "x", "metadata": {"a": {"b": 1}, "c": ""}, "tier": {"level": 2}, "none": None})
    made = []
    for _ in range(2):
        deviations: Counter[str] = Counter()
        page = decoder.decode(body, deviations)
        made.append((maker.make(page.take([0], deviations), deviations).records, deviations))
    assert page.fits
    assert made[0] == made[1]
    assert made[0][0][0].metadata == {"a.b": 1, "tier.level": 2}  # type: ignore[attr-defined]
    assert made[0][1]["key that the standard does not have"] == 1


def test_metadata_passes_by_its_allow_list_and_never_with_passwords() -> None:
    policy = Policy(metadata_keys=("lunch.*", "*word*"))
    record = {"sourcedId": "x", "metadata": {"lunch": {"free": "no"}, "religion": "x", "passWord": "s"}, "Passwd": "s"}
    made = Made("users", page_of("users", record), policy=policy)
    assert made.records[0].metadata == {"lunch.free": "no"}  # type: ignore[attr-defined]
    assert made.deviations["metadata key that metadata_keys does not name"] == 1


def test_passwords_leave_only_where_the_settings_say_so() -> None:
    record = {
        "sourcedId": "u",
        "password": "s3cret",
        "userProfiles": [{"profileId": "p", "credentials": [{"type": "t", "username": "n", "password": "s3cret"}]}],
    }
    assert b"s3cret" not in Made("users", page_of("users", record)).lines
    assert b"s3cret" not in Made("users", page_of("users", record), slowly=True).lines
    made = Made("users", page_of("users", record), policy=Policy(secrets=True))
    assert made.records[0].password == "s3cret"  # type: ignore[attr-defined]
    assert made.derived["userProfiles"][0].password == "s3cret"  # type: ignore[attr-defined]


def test_dates_of_line_items_are_cut_where_the_source_is() -> None:
    """Midnight in Chicago is another day in UTC."""
    policy = Policy(zone=ZoneInfo("America/Chicago"))
    record = {"sourcedId": "l", "assignDate": "2025-09-02T03:30:00.000Z", "dueDate": "2025-09-05"}
    made: Any = Made("lineItems", page_of("lineItems", record), policy=policy).records[0]
    assert (made.assignDate, made.assignDateTime) == ("2025-09-01", "2025-09-02T03:30:00.000Z")
    assert (made.dueDate, made.dueDateTime) == ("2025-09-05", None)


def test_grading_period_stands_in_for_the_academic_session() -> None:
    assert one("lineItems", gradingPeriod={"sourcedId": "g"}).academicSessionSourcedId == "g"
    both = one("lineItems", gradingPeriod={"sourcedId": "g"}, academicSession={"sourcedId": "a"})
    assert both.academicSessionSourcedId == "a"


ROLE = {"roleType": "primary", "role": "teacher", "org": {"sourcedId": "s1"}}


def test_roles_that_share_what_identifies_them_are_numbered_by_begin_date() -> None:
    roles = [{**ROLE, "beginDate": "2025-08-01"}, {**ROLE, "beginDate": "2024-08-01"}]
    made: list[Any] = Made("users", page_of("users", {"sourcedId": "u", "roles": roles})).derived["roles"]
    key = ("u", "s1", "teacher")
    assert [row.sourcedId for row in made] == [derived_id(file("roles"), key, 1), derived_id(file("roles"), key, 0)]


def test_a_role_names_its_profile_by_the_id_of_the_profiles_first_row() -> None:
    profiles = [{"profileId": "p", "credentials": [{"type": "a", "username": "n"}, {"type": "b", "username": "m"}]}]
    user = {
        "sourcedId": "u",
        "roles": [{**ROLE, "userProfile": "p"}, {**ROLE, "userProfile": "q"}],
        "userProfiles": profiles,
    }
    made = Made("users", page_of("users", user))
    rows: list[Any] = made.derived["userProfiles"]
    assert len(rows) == 2
    links = [row.userProfileSourcedId for row in made.derived["roles"]]  # type: ignore[attr-defined]
    assert links == [rows[0].sourcedId, None]
    assert made.deviations["userProfileSourcedId: a profile that the user does not have"] == 1


def test_users_of_1_1_have_a_role_at_each_org() -> None:
    user = {"sourcedId": "u", "role": "administrator", "orgs": [{"sourcedId": "a"}, {"sourcedId": "b"}]}
    made = Made("users", page_of("users", user), version=Version.V1_1)
    roles: list[Any] = made.derived["roles"]
    assert [(row.orgSourcedId, row.role, row.roleType) for row in roles] == [
        ("a", "administrator", "primary"),
        ("b", "administrator", "primary"),
    ]


def test_learning_objectives_are_flattened_and_named_as_urns_where_they_are_uuids() -> None:
    uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    sets = [
        {"source": "case", "learningObjectiveIds": [uuid, uuid]},
        {"source": "unknown", "learningObjectiveIds": [uuid]},
    ]
    made = Made("lineItems", page_of("lineItems", {"sourcedId": "l", "learningObjectiveSet": sets}))
    rows: list[Any] = made.derived["lineItemLearningObjectiveIds"]
    assert [(row.source, row.learningObjectiveId) for row in rows] == [("case", f"urn:uuid:{uuid}"), ("unknown", uuid)]
    assert made.deviations["the same row twice in one record"] == 1


@pytest.mark.parametrize(
    "body", [b"", b'{"users":[{"sourcedId":"a"', b"\x1f\x8b\x08junk", b'{"users":[{"sourcedId":"\xff"}]}']
)
def test_what_is_no_json_is_told_from_what_is_no_page(body: bytes) -> None:
    decoder = PageDecoder(file("users"), forms_of(file("users"), secrets=False, derived=()))
    with pytest.raises(NoJson):
        decoder.decode(body, Counter())


@pytest.mark.parametrize(
    "answer", [[], {}, {"users": None}, {"users": {}}, {"errors": [{"sourcedId": "a"}]}, "users", 3]
)
def test_an_answer_without_its_list_is_never_taken(answer: Any) -> None:
    decoder = PageDecoder(file("users"), forms_of(file("users"), secrets=False, derived=()))
    with pytest.raises(SourceError, match="no list users"):
        decoder.decode(json.dumps(answer).encode(), Counter())
