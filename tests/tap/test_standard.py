"""The SDK's own suites for both bindings, and beside them what they do not check."""

from __future__ import annotations

import pytest
from oneroster_sample.district import District
from oneroster_sample.provider import Provider
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_oneroster import TapOneRoster

from tests.singer import run_tap

# Not every stream has metadata, and no row of a bulk file a date: the suite warns that it could not look at any.
pytestmark = pytest.mark.filterwarnings("ignore:No records were available to test")

DISTRICT = District(seed=7, schools=1, students_per_school=30)

# The suites ask for the streams while tests are collected, which needs no source, and for records when they run:
# by then `sources` has filled in where these are.
CSV = {"mode": "csv", "csv_path": "district.zip"}
REST = {"mode": "rest", "base_url": "https://localhost", "token_url": "https://localhost", "auth_method": "oauth2"}
REST |= {"client_id": "id", "client_secret": "secret"}


@pytest.fixture(scope="module", autouse=True)
def sources(bundle):
    """A bundle and a service; settings that hold where they are."""
    CSV["csv_path"] = str(bundle("1.2"))
    with Provider(DISTRICT, version="1.2") as provider:
        REST.update(
            base_url=provider.base_url,
            token_url=provider.token_url,
            client_id=provider.client_id,
            client_secret=provider.client_secret,
        )
        yield


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
