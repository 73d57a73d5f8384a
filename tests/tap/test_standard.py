"""The SDK's own suites for both bindings, and beside them what they do not check."""

from __future__ import annotations

import atexit
import tempfile
from pathlib import Path

import pytest
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.provider import Provider
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_oneroster import TapOneRoster

from tests.singer import run_tap

# Not every stream has metadata, and no row of a bulk file a date: the suite warns that it could not look at any.
pytestmark = pytest.mark.filterwarnings("ignore:No records were available to test")

# The suites ask for the streams while tests are collected, and for records when they run.
_DISTRICT = District(seed=7, schools=1, students_per_school=30)
_BUNDLE = Path(tempfile.mkdtemp(prefix="standard-"), "district.zip")
write_bundle(_DISTRICT, _BUNDLE, version="1.2")
_PROVIDER = Provider(_DISTRICT, version="1.2")
_PROVIDER.__enter__()
atexit.register(_PROVIDER.__exit__, None, None, None)

CSV = {"mode": "csv", "csv_path": str(_BUNDLE)}
REST = {
    "mode": "rest",
    "base_url": _PROVIDER.base_url,
    "token_url": _PROVIDER.token_url,
    "client_id": _PROVIDER.client_id,
    "client_secret": _PROVIDER.client_secret,
}


def everything(config):
    """A catalog that selects every stream, demographics too, which are off by default."""
    catalog = TapOneRoster(config=dict(config)).catalog_dict
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = True
    return catalog


def suite(config, limit):
    """The SDK's suite over that many records of each stream."""
    return get_tap_test_class(
        TapOneRoster, config=config, catalog=everything(config), suite_config=SuiteConfig(max_records_limit=limit)
    )


TestBundle = suite(CSV, None)
TestBundleAFewRecords = suite(CSV, 2)
TestService = suite(REST, None)
TestServiceAFewRecords = suite(REST, 2)


@pytest.mark.parametrize("config", [CSV, REST], ids=["csv", "rest"])
def test_keys_are_unique_in_every_stream(config):
    """The SDK's test of primary keys passes on duplicates: it compares generators."""
    run = run_tap(config, catalog=everything(config))
    assert run.error is None
    assert set(run.records) == set(TapOneRoster(config=dict(config)).streams)
    properties = {m["stream"]: m["key_properties"] for m in run.messages if m["type"] == "SCHEMA"}
    for stream, records in run.records.items():
        keys = [tuple(record[key] for key in properties[stream]) for record in records]
        assert len(keys) == len(set(keys)), stream
