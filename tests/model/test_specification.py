"""The model against the tables of the standard, where those are at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import oneroster_core.model as model
import pytest
import yaml
from oneroster_core.model import Kind, Service, Version

SPEC = Path(__file__).parents[3] / "shared" / "spec"
BOTH = pytest.mark.parametrize("version", list(Version), ids=lambda v: v.value)

pytestmark = pytest.mark.skipif(not SPEC.is_dir(), reason="the tables of the standard (../shared/spec) are not here")

CONDITIONS = {
    "type = school": ("type", "school", False),
    "type = school or ext:": ("type", "school", True),
    "type = schoolYear": ("type", "schoolYear", False),
    "type = schoolYear or ext:": ("type", "schoolYear", True),
    "type = gradingPeriod": ("type", "gradingPeriod", False),
    "role = student": ("role", "student", False),
    "has role student": ("role", "student", False),
    "same userSourcedId": ("userSourcedId", "", False),
}
# What REST calls a type, and what the model calls it.
REST_TYPES = {
    "string": {Kind.STRING, Kind.ID, Kind.REF},
    "uri": {Kind.STRING, Kind.REF},
    "date": {Kind.DATE},
    "datetime": {Kind.DATETIME},
    "year": {Kind.YEAR},
    "number": {Kind.NUMBER},
    "enum": {Kind.WORD},
    "true_false": {Kind.TRUE_FALSE},
    "guid_ref": {Kind.REF},
    "list_of_guid_ref": {Kind.REFS},
    "list_of_string": {Kind.STRINGS},
    "list_of_enum": {Kind.WORDS},
    "list_of_object": {Kind.USER_IDS, Kind.SCALE_VALUES, Kind.OBJECTIVES, Kind.OBJECTIVE_SCORES},
    "object": {Kind.OBJECT},
}


def _tables(binding: str, version: Version) -> dict[str, Any]:
    tables: dict[str, Any] = yaml.safe_load((SPEC / f"{binding}-v{version.value}.yaml").read_text(encoding="utf-8"))
    return tables


@BOTH
def test_the_manifest_has_the_rows_of_the_specification_in_their_order(version: Version) -> None:
    rows = _tables("csv", version)["manifest"]["properties"]
    assert list(model.manifest_properties(version)) == [row["name"] for row in rows]


@BOTH
def test_every_file_is_there_in_the_order_of_the_specification(version: Version) -> None:
    order = _tables("csv", version)["file_order"]
    assert ["manifest.csv", *(f"{file.name}.csv" for file in model.csv_files(version))] == order
    assert len(order) == {Version.V1_1: 14, Version.V1_2: 22}[version]


@BOTH
def test_every_column_says_what_the_csv_tables_say(version: Version) -> None:
    """Header, order, type, required in bulk and delta, reference and its condition, vocabulary."""
    for table in _tables("csv", version)["files"]:
        file = model.file(table["file"].removesuffix(".csv"))
        assert list(file.header(version)) == table["header"], file.name
        assert file.service.value == table["service"], file.name
        for column, field in zip(table["columns"], file.columns(version), strict=True):
            where = f"{file.name}.{field.name}"
            required = "required" if version in field.required else "optional"
            bulk, delta = ("must_be_blank", "required") if field.blank_in_bulk else (required, required)
            assert (bulk, delta) == (column["bulk"], column["delta"]), where
            assert field.csv_type(version) == column["type"], where
            assert field.refers_to == (column.get("ref") or "").removesuffix(".csv") or (
                field.refers_to is None and "ref" not in column
            ), where
            _check_condition(field, column, version, where)
            _check_words(field, column, version, where)


def _check_condition(field: model.Field, column: dict[str, Any], version: Version, where: str) -> None:
    condition = field.where if field.where and version in field.where.versions else None
    if "ref_filter" not in column:
        assert condition is None, where
        return
    name, word, extensible = CONDITIONS[column["ref_filter"]]
    assert condition is not None, where
    assert (condition.column, condition.word) == (name, word), where
    assert condition.same == (not word), where
    if version == Version.V1_2:
        assert condition.extensible == extensible, where


def _check_words(field: model.Field, column: dict[str, Any], version: Version, where: str) -> None:
    if "enum" not in column:
        assert field.words is None, where
    elif field.kind == Kind.TRUE_FALSE:
        assert column["enum"] == ["true", "false"], where
    else:
        assert field.words is not None, where
        assert list(field.words.of(version)) == column["enum"], where
        assert field.words.accepts("ext:x", version) == bool(column.get("extensible")), where


@BOTH
def test_every_collection_is_where_the_rest_tables_say(version: Version) -> None:
    """Paths, wrappers and scopes of all collections, the views among them."""
    tables = _tables("rest", version)
    wanted = {
        endpoint["path"]: (service, endpoint["wrapper"], endpoint["item"], set(endpoint["scopes"]))
        for service, endpoints in tables["endpoints"].items()
        for endpoint in endpoints
        if endpoint["method"] == "GET" and endpoint["query"] == "collection" and "{" not in endpoint["path"]
    }
    collections = [
        (file.service, file.collection) for file in model.FILES if file.collection and file.exists_in(version)
    ] + [(Service.ROSTERING, view.collection) for view in model.VIEWS]
    assert {
        c.path: (service.value, c.wrapper, c.single, set(c.scopes(version))) for service, c in collections
    } == wanted


@BOTH
def test_base_paths_and_scopes_are_those_of_the_rest_tables(version: Version) -> None:
    tables = _tables("rest", version)
    paths = tables["base_paths"]
    for service in Service:
        assert model.BASE_PATHS[version][service] == paths.get(service.value, paths.get("all_services"))
    assert model.SCOPE_PREFIXES[version] == tables["security"]["scope_prefix"]
    for scope in tables["security"]["scopes"]:
        assert model.scope_uri(scope["name"], version) == scope["uri"]


@BOTH
def test_views_are_the_subsets_of_the_rest_tables(version: Version) -> None:
    subsets = _tables("rest", version)["subset_collections"]
    for view in model.VIEWS:
        subset = subsets[view.name]
        assert (view.parent, view.collection.wrapper) == (subset["subset_of"], subset["wrapper"])
        assert f"{view.column} = {view.word}" in subset["where"].replace("any roles[].", "")


@BOTH
def test_every_rest_field_has_its_place_in_the_warehouse(version: Version) -> None:
    """Each property of each REST object is a field of its stream or feeds a derived stream; no field is invented."""
    for name, table in _tables("rest", version)["objects"].items():
        file = next(f for f in model.FILES if f.collection and f.collection.single == name)
        derived = {d.derived.rest for d in model.derived_from(file.name) if d.derived}
        places = {rest: field for field in file.fields for rest in field.rest_names}
        for row in table["fields"]:
            where = f"{name}.{row['name']}"
            if row["name"] in derived:
                continue
            field = next(f for f in file.fields if row["name"] in f.rest_names)
            assert (field.rest_kind or field.kind) in REST_TYPES[row["type"]], where
            if row["type"] in {"enum", "list_of_enum"} and field.words:
                assert set(field.words.of(version)) == set(row["enum"]), where
            places.pop(row["name"], None)
        left = {
            rest
            for rest, field in places.items()
            if field.exists_in(version) and rest not in {"sourcedId", "status", "dateLastModified", "metadata"}
        }
        # Fields of the table that this version of REST lacks must be ones that another version has.
        assert left <= {"academicSession", "schoolSourcedId", "children", "school", *_one_version_only(name)}, name


def _one_version_only(name: str) -> set[str]:
    rows = [
        {row["name"] for row in _tables("rest", version)["objects"].get(name, {"fields": []})["fields"]}
        for version in Version
    ]
    return rows[0] ^ rows[1]


def test_embedded_rows_have_a_column_for_each_of_their_properties() -> None:
    """roles[], userProfiles[] and credentials[] of REST 1.2 fill the columns of their files."""
    embedded = _tables("rest", Version.V1_2)["embedded_objects"]
    for name, stream in (("role", "roles"), ("userProfile", "userProfiles"), ("credential", "userProfiles")):
        names = {rest for field in model.file(stream).fields for rest in field.rest_names}
        properties = {row["name"] for row in embedded[name]["fields"]} - {"credentials"}
        assert properties <= names, name
