"""The SDK's own suites, and beside them what they do not check."""

from __future__ import annotations

import tempfile
from pathlib import Path

from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_oneroster import TapOneRoster

_BUNDLE = Path(tempfile.mkdtemp(prefix="standard-"), "district.zip")
write_bundle(District(seed=7, schools=1, students_per_school=30), _BUNDLE, version="1.2")
_CONFIG = {"mode": "csv", "csv_path": str(_BUNDLE)}
_CATALOG = TapOneRoster(config=dict(_CONFIG)).catalog_dict
for _stream in _CATALOG["streams"]:
    for _entry in _stream["metadata"]:
        if not _entry["breadcrumb"]:
            _entry["metadata"]["selected"] = True  # demographics, too, which are off by default

# Not every stream has metadata, and no row of a bulk file a date.
TestBundle = get_tap_test_class(
    TapOneRoster, config=_CONFIG, catalog=_CATALOG, suite_config=SuiteConfig(max_records_limit=None, ignore_no_records=True)
)
TestAFewRecords = get_tap_test_class(
    TapOneRoster, config=_CONFIG, catalog=_CATALOG, suite_config=SuiteConfig(max_records_limit=2, ignore_no_records=True)
)


def test_keys_are_unique_in_every_stream():
    """The SDK's test of primary keys passes on duplicates: it compares generators."""
    from tests.singer import run_tap

    run = run_tap(_CONFIG, catalog=_CATALOG)
    assert run.error is None
    assert set(run.records) == set(TapOneRoster(config=dict(_CONFIG)).streams)
    properties = {m["stream"]: m["key_properties"] for m in run.messages if m["type"] == "SCHEMA"}
    for stream, records in run.records.items():
        keys = [tuple(record[key] for key in properties[stream]) for record in records]
        assert len(keys) == len(set(keys)), stream
