"""A twin has the graph of its district: every row, every reference, and nothing that dangles, whatever the binding."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from typing import Any

import pytest
from oneroster_core.model import FILES, file
from oneroster_sample.provider import Knobs, Provider
from target_oneroster.bundle.target import TargetOneRosterCSV

from tests.singer import run_tap
from tests.support.twin import EVERYTHING, by_csv, rest_settings, twin_run, write

STAMPS = {"status", "dateLastModified", "metadata"}


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return write(tmp_path_factory.mktemp("policy"), EVERYTHING)


@pytest.fixture(scope="module", params=["1.1", "1.2"])
def runs(request, district, bundle, policy):
    """The district in clear and as a twin, over REST and as a bundle."""
    version = request.param
    with Provider(district, version=version, knobs=Knobs(page_cap=37)) as provider:
        rest = run_tap(rest_settings(provider))
        rest_twin = twin_run(rest_settings(provider), policy)
    drop, drop_twin = run_tap(by_csv(bundle(version))), twin_run(by_csv(bundle(version)), policy)
    for run in (rest, rest_twin, drop, drop_twin):
        assert run.error is None
    return version, {"rest": (rest, rest_twin), "csv": (drop, drop_twin)}


def references(of, record):
    """Each reference of a record: field, stream, id."""
    for field in of.fields:
        value = record.get(field.name)
        if field.refers_to and value:
            for one in value if isinstance(value, list) else [value]:
                yield field.name, field.refers_to, one


def shape(records, streams):
    """How often each row is referred to, by field: sorted, so that ids do not matter."""
    counts: Counter[tuple[Any, ...]] = Counter()
    ids = {stream: {record["sourcedId"] for record in records[stream]} for stream in streams}
    for stream in streams:
        for record in records[stream]:
            for name, target, one in references(file(stream), record):
                counts[stream, name, target, one if one in ids.get(target, ()) else None] += 1
    found: dict[tuple[Any, ...], list[int]] = {}
    for (stream, name, target, one), times in counts.items():
        found.setdefault((stream, name, target, one is None), []).append(times)
    return {key: sorted(times) for key, times in found.items()}


@pytest.mark.parametrize("binding", ["rest", "csv"])
def test_the_twin_has_the_same_rows_and_the_same_joins(runs, binding):
    """Rows for each stream, and for each pair of streams how many rows hang on how many."""
    _, pairs = runs
    clear, twin = pairs[binding]
    # demographics are off by default for a clear read, and on where a policy names them
    streams = [f.name for f in FILES if clear.records.get(f.name)]
    assert len(streams) > 12
    for stream in streams:
        assert len(twin.records[stream]) == len(clear.records[stream]), stream
        assert len({r["sourcedId"] for r in twin.records[stream]}) == len(
            {r["sourcedId"] for r in clear.records[stream]}
        )
    assert shape(twin.records, streams) == shape(clear.records, streams)


@pytest.mark.parametrize("binding", ["rest", "csv"])
def test_no_id_of_the_district_is_in_the_twin(runs, binding):
    """Neither as an id nor inside of any other text."""
    _, pairs = runs
    clear, twin = pairs[binding]
    ids = {r["sourcedId"] for f in FILES for r in clear.records.get(f.name, ())}
    assert len(ids) > 1000
    text = json.dumps([m for m in twin.messages if m["type"] in {"RECORD", "STATE"}])
    long = {one for one in ids if len(one) > 4}
    assert not [one for one in long if f'"{one}"' in text or f"/{one}" in text]


@pytest.mark.parametrize("binding", ["rest", "csv"])
def test_the_target_publishes_the_twin(runs, binding, tmp_path):
    """With on_invalid fail: no reference dangles, nothing that the standard requires is missing."""
    version, pairs = runs
    twin = pairs[binding][1]
    lines = b"".join(json.dumps(message).encode() + b"\n" for message in twin.messages)
    out = tmp_path / "bundle"
    # A service of 1.2 has no org of a score scale, with or without a twin.
    target = TargetOneRosterCSV(
        config={
            "output_path": str(out),
            "oneroster_version": version,
            "on_invalid": "fail" if binding == "csv" else "quarantine",
        }
    )
    try:
        target.listen(io.BytesIO(lines))  # type: ignore[arg-type]
    finally:
        target.close()
    with (out / "users.csv").open(newline="") as text:
        assert len(list(csv.DictReader(text))) == len(twin.records["users"])


def test_a_service_and_a_bundle_have_the_same_twin(runs):
    """Byte by byte after sorting: what the bindings carry both; derived rows by what they say, where only a file names them."""
    version, pairs = runs
    (_, rest), (_, drop) = pairs["rest"], pairs["csv"]
    unlike = {"scoreScales": {"orgSourcedId"}, "userResources": {"orgSourcedId"}}
    compared = 0
    for of in FILES:
        if not of.csv or not drop.records.get(of.name):
            continue
        without = {*STAMPS, *unlike.get(of.name, ()), *(f.name for f in of.fields if not f.csv)}
        if (of.derived and version == "1.2") or of.name in {"classResources", "courseResources"}:
            without |= {"sourcedId", "title", "userProfileSourcedId"}
        rows = [
            sorted(json.dumps({k: v for k, v in r.items() if k not in without}) for r in run.records[of.name])
            for run in (rest, drop)
        ]
        assert rows[0] == rows[1], of.name
        compared += 1
    assert compared > 10


def test_roles_of_1_1_are_the_same_in_both_and_made_of_pseudonyms(runs):
    """Their ids are those that a reader of the twin's own bundle would make."""
    from oneroster_core.model.ids import derived_id

    version, pairs = runs
    rest, drop = pairs["rest"][1], pairs["csv"][1]
    roles = [{r["sourcedId"] for r in run.records["roles"]} for run in (rest, drop)]
    if version == "1.1":
        assert roles[0] == roles[1]
    for role in rest.records["roles"]:
        assert role["sourcedId"] == derived_id(
            file("roles"), (role["userSourcedId"], role["orgSourcedId"], role["role"])
        )


def test_receipts_speak_of_the_twin(runs):
    """The consumer in the place of the source, counts by pseudonym, a digest of what was sent; a state with the policy."""
    _, pairs = runs
    for clear, twin in pairs.values():
        schools = {record["sourcedId"] for record in twin.records["orgs"]}
        for name, receipt in twin.receipts.items():
            assert receipt["source"] == "reading-app"
            assert receipt["complete"]
            assert set(receipt["counts"] or ()) <= schools
            if name not in clear.receipts:  # demographics, which are off by default
                continue
            assert receipt["distinct"] == clear.receipts[name]["distinct"]
            if receipt["contentDigest"] and receipt["received"]:
                assert receipt["contentDigest"] != clear.receipts[name]["contentDigest"]
        assert {entry["twin"]["consumer"] for entry in twin.state["bookmarks"].values() if "twin" in entry} == {
            "reading-app"
        }


def test_two_consumers_and_two_districts_share_no_id_and_two_nights_share_all(bundle, tmp_path, district):
    """Keys differ by consumer, marks differ by district; the same consumer sees the same ids again."""
    one = twin_run(by_csv(bundle("1.2")), write(tmp_path, EVERYTHING))
    again = twin_run(by_csv(bundle("1.2")), tmp_path / "policy.yml")
    other = twin_run(by_csv(bundle("1.2")), write(tmp_path, EVERYTHING, consumer="maths-app", name="maths.yml"))
    elsewhere = twin_run(by_csv(bundle("1.2"), tenant="north"), tmp_path / "policy.yml")
    later = twin_run(by_csv(bundle("1.2")), write(tmp_path, EVERYTHING, epoch=2, name="later.yml"))

    def ids(run):
        found = {r["sourcedId"] for f in FILES for r in run.records.get(f.name, ())}
        found |= {ref for f in FILES for r in run.records.get(f.name, ()) for *_, ref in references(f, r)}
        return found | {r["identifier"] for r in run.records["users"] if r.get("identifier")}

    assert ids(one) == ids(again)
    assert [m["record"] for m in one.messages if m.get("stream") == "users" and m["type"] == "RECORD"] == [
        m["record"] for m in again.messages if m.get("stream") == "users" and m["type"] == "RECORD"
    ]
    for run in (other, elsewhere, later):
        assert run.error is None
        assert not ids(one) & ids(run)
