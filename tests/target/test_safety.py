"""What must never be published, and what must never be lost."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest
from target_oneroster.errors import TargetError

from tests.support.foreign import loose, snake

from .mini import lines, receipt, record_line, row, rows, schema_line

if TYPE_CHECKING:
    from .conftest import Place

STATE = {"bookmarks": {"orgs": {"x": 1}}}


def test_state_follows_the_bundle(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bookmark is acknowledged once, after the bundle is in place; the SDK's timed drain says nothing."""
    from target_oneroster.bundle.target import TargetOneRosterCSV

    monkeypatch.setattr(TargetOneRosterCSV, "_MAX_RECORD_AGE_IN_MINUTES", -1)
    place.run(lines(rows(), state=STATE), stream_maps={"orgs": {}})
    assert list(map(json.loads, capsys.readouterr().out.splitlines())) == [STATE]


def test_no_state_where_nothing_may_be_published(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """A refused bundle keeps the old one and the old state."""
    place.run(lines(rows()))
    before = place.files()
    bad = rows()
    row(bad, "users", "u1")["givenName"] = None
    with pytest.raises(TargetError):
        place.run(lines(bad, state=STATE))
    assert capsys.readouterr().out == ""
    assert place.files() == before
    assert place.strays() == []


def test_a_run_without_records_publishes_nothing(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """An incremental night without changes leaves the bundle as it is, and its state counts."""
    place.run(lines(rows()))
    before = place.files()
    empty: Any = {name: [] for name in rows()}
    place.run(lines(empty, receipts=True, state=STATE))
    assert place.files() == before
    assert list(map(json.loads, capsys.readouterr().out.splitlines())) == [STATE]


def test_a_night_of_skipped_bundles_is_no_error(place: Place) -> None:
    """Everything was read before: nothing came, nothing is published, nothing is wrong."""
    place.run(lines(rows()))
    before = place.files()
    skipped = [record_line("syncReceipts", receipt(name, [], mode="skipped")) for name in rows()]
    place.run([schema_line("syncReceipts"), *(schema_line(name) for name in rows()), *skipped])
    assert place.files() == before


def test_whole_receipts_let_it_pass(place: Place) -> None:
    """Every stream has a complete receipt that counts what arrived."""
    place.run(lines(rows(), receipts=True), require_receipts=True)
    assert place.ids("orgs") == ["d1", "s1"]


def with_receipts(changes: dict[str, dict[str, Any] | None]) -> list[dict[str, Any]]:
    """A run whose receipts differ from the truth: other fields, or (None) not there."""
    district = rows()
    messages = [schema_line("syncReceipts"), *lines(district)]
    for stream, records in district.items():
        change = changes.get(stream, {})
        if change is not None:
            messages.append(record_line("syncReceipts", receipt(stream, records, **change)))
    return messages


COUNTED = pytest.mark.parametrize("text", [False, True], ids=["typed", "all text"])


def counted(text: bool, **changes: dict[str, Any]) -> list[dict[str, Any]]:
    """A run of a database tap, one of whose views counts the others: names and types are the database's."""
    district = rows()
    counts = [
        {"collection": snake(name), "mode": "bulk", "distinct": len(records), "rejected": 0, "complete": True}
        | changes.get(name, {})
        for name, records in district.items()
    ]
    if text:
        counts = [{key: "t" if value is True else str(value) for key, value in row.items()} for row in counts]
    messages = loose(lines(district), lambda stream: "oneroster-" + snake(stream), snake, lambda value: value)
    head = {"type": "SCHEMA", "stream": "oneroster-sync_receipts", "schema": {"properties": {}}, "key_properties": []}
    return [head, *(record_line("oneroster-sync_receipts", row) for row in counts), *messages]


@COUNTED
def test_a_database_can_count_for_itself(place: Place, text: bool) -> None:
    """A view that says how many rows the others have is a receipt: what did not all arrive is not published."""
    place.run(counted(text), require_receipts=True)
    assert place.ids("orgs") == ["d1", "s1"]
    before = place.files()
    for change, words in (
        ({"distinct": 4}, "users: fewer or more rows"),
        ({"rejected": 1}, "users: the tap left rows out"),
        ({"complete": "f"}, "users: the receipt says"),
    ):
        with pytest.raises(TargetError, match=words):
            place.run(counted(text, users=change))
    whole = counted(text)
    for cut, words in ((-1, "fewer or more rows"), (-3, "userResources: rows were promised and the stream never came")):
        with pytest.raises(TargetError, match=words):
            place.run(whole[:cut])
    assert place.files() == before


def test_receipts_in_a_warehouse_are_of_other_runs(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """The table of receipts that our tap has filled, read by another tap, neither refuses a bundle nor proves it."""
    old = receipt("users", [], distinct=77)
    head = {"type": "SCHEMA", "stream": "oneroster-syncReceipts", "schema": {"properties": {key: {} for key in old}}}
    messages = [head | {"key_properties": []}, record_line("oneroster-syncReceipts", old), *lines(rows())]
    place.run(messages)
    assert place.ids("users") == ["u1", "u2", "u3"]
    assert "Stream oneroster-syncReceipts is not part of a bundle and is left out" in caplog.text
    with pytest.raises(TargetError, match="require_receipts"):
        place.run(messages, require_receipts=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (None, "no receipt came"),
        ({"complete": False}, "did not reach its end"),
        ({"complete": None}, "did not reach its end"),
        ({"distinct": 3}, "fewer or more rows"),
        ({"distinct": 1}, "fewer or more rows"),
        ({"filter": "dateLastModified>='2026'"}, "filtered or incremental.* with --full-refresh"),
        ({"mode": "delta"}, "a delta came.* only read the same delta again"),
        ({"mode": "skipped"}, "was skipped.* Run with --full-refresh"),
        ({"mode": "absent", "distinct": 0, "received": 0}, "fewer or more rows"),
        ({"rejected": 1}, "left rows out"),
        ({"deviations": {"end of the collection not proven": 1}}, "could not prove that nothing is missing"),
    ],
    ids=["missing", "incomplete", "unsaid", "too few", "too many", "filter", "delta", "skipped", "absent but there", "rejected", "unproven"],
)  # fmt: skip
def test_receipts_refuse(place: Place, change: dict[str, Any] | None, words: str) -> None:
    """A bulk bundle that overwrites needs proof that each read was whole."""
    with pytest.raises(TargetError, match=words):
        place.run(with_receipts({"orgs": change}))
    assert place.files() == {}


def test_a_killed_tap_does_not_look_finished(place: Place) -> None:
    """The receipts' SCHEMA is the first line: without their records nothing is published."""
    with pytest.raises(TargetError, match="no receipt came"):
        place.run([schema_line("syncReceipts"), *lines(rows())][:20])


def test_no_receipts_where_they_are_required(place: Place) -> None:
    """A tap without receipts can be refused by setting."""
    with pytest.raises(TargetError, match="require_receipts"):
        place.run(lines(rows()), require_receipts=True)


def test_mapped_streams_are_counted_as_they_came(place: Place) -> None:
    """A filter in stream_maps is the user's will; records that did not come are not."""
    place.run(lines(rows(), receipts=True), stream_maps={"categories": {"__filter__": "False"}, "lineItems": None, "results": None,
              "lineItemScoreScales": None, "resultScoreScales": None, "lineItemLearningObjectiveIds": None, "resultLearningObjectiveIds": None})  # fmt: skip
    assert "categories.csv" not in place.files()
    with pytest.raises(TargetError, match="fewer or more rows"):
        place.run(with_receipts({"orgs": {"distinct": 3}}), stream_maps={"orgs": {}})


def test_two_tenants_are_refused_and_one_is_dropped(place: Place) -> None:
    """Ids are unique within a tenant only."""

    def tenants(*names: str) -> list[dict[str, Any]]:
        messages = lines(rows())
        for number, m in enumerate(messages):
            if m["type"] == "SCHEMA":
                m["schema"]["properties"]["tenant"] = {"type": "string"}
            else:
                m["record"]["tenant"] = names[number % len(names)]
        return messages

    place.run(tenants("a"))
    assert b"tenant" not in place.files()["orgs.csv"]
    with pytest.raises(TargetError, match="two tenants"):
        place.run(tenants("a", "b"))


def test_two_streams_for_one_file(place: Place) -> None:
    """Which of them is meant cannot be known."""
    other = [m | {"stream": "dbo-orgs"} for m in lines({"orgs": rows()["orgs"]})]
    with pytest.raises(TargetError, match=r"Streams orgs and dbo-orgs both go to orgs\.csv"):
        place.run(lines(rows()) + other)
    assert place.files() == {}


def test_upsert_merges(place: Place) -> None:
    """What came replaces its like, what is marked goes with all that points at it, what did not come stays."""
    place.run(lines(rows()))
    day = rows()
    place.run(
        lines({
            "courses": [row(day, "courses", "c1") | {"title": "Arts"}],
            "users": [row(day, "users", "u3") | {"status": "tobedeleted"}],
            "classes": [row(day, "classes", "k2") | {"sourcedId": "k3"}],
        }),
        load_method="upsert", accept_shrink=True,
    )  # fmt: skip
    assert [r["title"] for r in place.rows("courses")] == ["Arts"]
    assert place.ids("users") == ["u1", "u2"]
    assert place.ids("roles") == ["r1", "r2"]
    assert place.ids("classes") == ["k1", "k2", "k3"]
    assert place.rows("users")[0]["agentSourcedIds"] == ""
    assert place.ids("enrollments") == ["e1", "e2"]


def test_upsert_of_nothing_new_changes_no_byte(any_place: Place) -> None:
    """Merging a bundle's own rows into it gives the same bundle, metadata too."""
    district = rows()
    row(district, "orgs", "s1")["metadata"] = {"b": 'x "y", z', "a": "1"}
    any_place.run(lines(district), metadata="keep")
    before = any_place.files()
    any_place.run(lines({"orgs": district["orgs"][:1]}), metadata="keep", load_method="upsert")
    assert any_place.files() == before


def test_a_parent_brings_all_of_its_derived_rows(place: Place) -> None:
    """Roles made from users (REST): those a user no longer has are gone; a delta's roles.csv is another matter."""
    district = rows()
    district["roles"].append(
        row(district, "roles", "r2") | {"sourcedId": "r2b", "roleType": "secondary", "role": "aide"}
    )
    place.run(lines(district))
    came = {"users": [row(district, "users", "u2")], "roles": [row(district, "roles", "r2")]}
    for digest, left in (("0" * 16, ["r1", "r2", "r2b", "r3"]), (None, ["r1", "r2", "r3"])):
        messages = [schema_line("syncReceipts"), *lines(came)]
        messages += [record_line("syncReceipts", receipt("users", came["users"], mode="rest", filter="x"))]
        messages += [record_line("syncReceipts", receipt("roles", came["roles"], mode="delta", contentDigest=digest))]
        place.run(messages, load_method="upsert", max_shrink_percent=50)
        assert place.ids("roles") == left


def test_a_parent_that_comes_twice_keeps_its_last_derived_rows(place: Place) -> None:
    """The second copy of a user has one role less: so has the bundle."""
    district = rows()
    second = row(district, "roles", "r2") | {"sourcedId": "r2b", "roleType": "secondary", "role": "aide"}
    again = lines({"users": [row(district, "users", "u2")], "roles": [row(district, "roles", "r2")]})
    first = rows()
    first["roles"].append(second)
    records = {**district, "roles": first["roles"]}
    receipts = [
        record_line("syncReceipts", receipt(s, r, contentDigest=None if s == "roles" else "0" * 16))
        for s, r in records.items()
    ]
    place.run([schema_line("syncReceipts"), *lines(first), *again, *receipts])
    assert place.ids("roles") == ["r1", "r2", "r3"]


def many(count: int, school: str = "s1") -> list[dict[str, Any]]:
    return [
        {
            "sourcedId": f"{school}-{n:03}",
            "classSourcedId": "k1",
            "schoolSourcedId": school,
            "userSourcedId": "u1",
            "role": "student",
        }
        for n in range(count)
    ]


def test_the_brake(place: Place) -> None:
    """A bundle that shrinks beyond the limit waits for someone who has looked."""
    district = rows()
    district["orgs"].append(row(district, "orgs", "s1") | {"sourcedId": "s2"})
    place.run(lines(district | {"enrollments": many(100) + many(30, "s2")}))
    before = place.files()
    with pytest.raises(TargetError, match=r"enrollments \(130 before, 100 now\)"):
        place.run(lines(district | {"enrollments": many(100)}))
    with pytest.raises(TargetError, match=r"enrollments of school s2 \(30 before, 20 now\)"):
        place.run(lines(district | {"enrollments": many(100) + many(20, "s2")}))
    assert place.files() == before
    place.run(lines(district | {"enrollments": many(100) + many(25, "s2")}))
    place.run(lines(district | {"enrollments": many(100)}), max_shrink_percent=100)
    place.run(lines(district | {"enrollments": many(10)}), accept_shrink=True)
    assert len(place.ids("enrollments")) == 10


def test_quarantine_sets_rows_aside(any_place: Place) -> None:
    """The bad row and what depends on it lie beside the bundle, for the owner's eyes, with rule and root cause."""
    district = rows()
    row(district, "classes", "k1")["courseSourcedId"] = "c9"
    any_place.run(lines(district), on_invalid="quarantine")
    aside = any_place.output.with_name(any_place.output.name + ".quarantine.jsonl")
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    found = [json.loads(line) for line in aside.read_text().splitlines()]
    assert {(f["file"], f["row"]["sourcedId"]) for f in found} >= {
        ("classes", "k1"),
        ("enrollments", "e1"),
        ("results", "x1"),
    }
    assert len({f["cause"] for f in found}) == 1
    assert any_place.ids("classes") == ["k2"]
    assert "enrollments.csv" not in any_place.files()
    any_place.run(lines(rows()), on_invalid="quarantine")
    assert not aside.exists()


def test_root_causes_are_counted(place: Place) -> None:
    """One missing org explains its classes, and their enrollments."""
    district = rows()
    district["orgs"] = district["orgs"][:1]
    with pytest.raises(TargetError):
        place.run(lines(district))
    causes = json.loads(place.report.read_text())["causes"]
    assert causes[0]["cause"].startswith("orgs ")
    assert causes[0]["rows"]["enrollments"] == 2
    assert causes[0]["rows"]["classes"] == 2


def test_reports_and_errors_name_no_one(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """No id, name or value in log, error or report."""
    district = rows()
    row(district, "users", "u1").update(sourcedId="Zweistein-1", familyName="Zweistein", givenName=None)
    with pytest.raises(TargetError) as error:
        place.run(lines(district))
    assert "Zweistein" not in caplog.text + place.report.read_text() + error.value.message


def test_an_output_path_that_is_not_a_bundle(place: Place) -> None:
    """A folder that holds something else is not replaced."""
    place.output.mkdir()
    (place.output / "thesis.txt").write_text("ten years")
    with pytest.raises(TargetError, match="is not a bundle"):
        place.run(lines(rows()))
    assert (place.output / "thesis.txt").read_text() == "ten years"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"oneroster_version": "7.7"}, "Setting oneroster_version takes one of: 1.1, 1.2."),
        ({"max_shrink_percent": "sehr-geheim"}, "Setting max_shrink_percent takes a value of type number"),
        ({"default_class_type": "sehr-geheim"}, "Setting default_class_type takes one of: homeroom, scheduled."),
        ({"administrator_role": "sehr-geheim"}, "Setting administrator_role takes one of"),
    ],
)
def test_configuration_errors_name_the_setting_only(place: Place, config: dict[str, Any], words: str) -> None:
    """The SDK's own errors quote the value."""
    with pytest.raises(TargetError) as error:
        place.run(lines(rows()), **config)
    assert words in error.value.message
    assert "geheim" not in error.value.message
    assert "7.7" not in error.value.message
