"""The model against what was last approved: a change of a column, a schema or a path is a diff that someone reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import oneroster_core.model as model
from oneroster_core.model.schema import json_schema

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


def test_headers(snapshot: SnapshotAssertion) -> None:
    """Headers of every file in both versions."""
    assert {
        f"{file.name} {version.value}": ",".join(file.header(version))
        for version in model.Version
        for file in model.csv_files(version)
    } == snapshot


def test_schemas(snapshot: SnapshotAssertion) -> None:
    """JSON Schemas of every stream."""
    assert {file.name: json_schema(file) for file in (*model.FILES, model.RECEIPTS)} == snapshot


def test_collections(snapshot: SnapshotAssertion) -> None:
    """REST paths, wrappers and scopes, and what is derived from what."""
    assert {
        file.name: {
            "collection": file.collection and (file.collection.path, file.collection.wrapper),
            "scopes": file.collection and [file.collection.scopes(v) for v in model.Version],
            "derived": file.derived and (file.derived.parent, file.derived.rest, file.derived.identity),
        }
        for file in model.FILES
    } == snapshot
