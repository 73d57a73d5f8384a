"""spec, check and discover: what a form shows, whether the source answers, which streams there are."""

from __future__ import annotations

import jsonschema
import pytest
from oneroster_sample.provider import Knobs
from tap_oneroster import TapOneRoster

from tests.airbyte.source import Source, configured


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    """The specification."""
    outcome = Source(tmp_path_factory.mktemp("spec"), {})("spec")
    assert [message["type"] for message in outcome.messages] == ["SPEC"]
    return outcome.of("SPEC")[0]


def test_the_form_asks_for_the_settings_of_the_tap(spec):
    """All of them, in their order, but for what governs deletes by version and batches, which Airbyte does not know."""
    schema = spec["connectionSpecification"]
    jsonschema.Draft7Validator.check_schema(schema)
    own = [name for name in TapOneRoster.config_jsonschema["properties"] if name not in _built_in()]
    offered = sorted(schema["properties"], key=lambda name: schema["properties"][name]["order"])
    assert offered == [name for name in own if name not in {"activate_versions", "batch_config", "tenant_isolated"}]


def _built_in():
    schema: dict[str, dict[str, object]] = {"properties": {}}
    TapOneRoster.append_builtin_config(schema)
    return set(schema["properties"])


def test_every_field_is_one_that_a_form_can_show(spec):
    """One type, a title, a description; lists are of text."""
    for name, field in spec["connectionSpecification"]["properties"].items():
        assert field["type"] in {"string", "boolean", "integer", "number", "array"}, name
        assert field["title"], name
        assert field["description"], name
        if field["type"] == "array":
            assert field["items"]["type"] == "string", name


def test_secrets_are_secret(spec):
    fields = spec["connectionSpecification"]["properties"]
    secret = {name for name, field in fields.items() if field.get("airbyte_secret")}
    assert secret == {"client_secret", "access_token", "csv_storage_options", "twin_key"}


def test_settings_of_both_bindings_pass_the_specification(spec, csv, rest):
    for source in (csv, rest):
        jsonschema.validate(source.config, spec["connectionSpecification"])


def test_a_source_that_answers_passes(csv, rest, service):
    """A bundle is opened; of a service a token and the orgs are asked for, nothing else."""
    for source in (csv, rest):
        outcome = source("check")
        assert outcome.of("CONNECTION_STATUS")[0]["status"] == "SUCCEEDED"
        assert outcome.code == 0
    asked = {request.collection for request in service.requests if request.status == 200}
    assert asked - {None} == {"orgs"}
    (token,) = [request for request in service.requests if request.path == "/token"]
    assert token.form["scope"].count("readonly") == 1


def test_who_may_read_grades_only_passes(rest, service):
    """Roster collections that are refused prove nothing against the account."""
    rest.config["oneroster_version"] = "1.2"
    rest.config["scopes"] = next(scope for scope in service.scopes if "gradebook" in scope and "readonly" in scope)
    service.knobs_for |= {name: Knobs(fail_first_n=99, fail_status=403) for name in ("orgs", "academicSessions")}
    assert rest("check").of("CONNECTION_STATUS")[0] == {
        "status": "SUCCEEDED",
        "message": "127.0.0.1: categories can be read",
    }


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"client_secret": "secret-name"}, "client_secret"),
        ({"client_secret": None}, "client_secret: must be set"),
        ({"base_url": "http://example.org"}, "base_url: "),
        ({"page_size": "secret-name"}, "page_size: must be of type integer"),
        ({"mode": "csv", "csv_path": "/no-such-folder/d.zip"}, "csv_path: nothing lies there (/no-such-folder/d.zip)"),
        (
            {"mode": "csv", "csv_path": "s3://x", "csv_storage_options": '{"key": '},
            "csv_storage_options: must be a JSON",
        ),
        ({"stream_maps": {"users": None}}, "stream_maps: not available to Airbyte"),
        ({"batch_config": {"encoding": {"format": "jsonl"}}}, "batch_config: not available to Airbyte"),
    ],
    ids=["wrong secret", "no secret", "no https", "wrong type", "no bundle", "broken JSON", "a stream map", "batches"],
)
def test_a_source_that_does_not_answer_fails_in_one_line(rest, change, says):
    """The line names the setting, never its value."""
    rest.config |= change
    outcome = rest("check")
    (status,) = outcome.of("CONNECTION_STATUS")
    assert status["status"] == "FAILED"
    assert says in status["message"]
    assert "\n" not in status["message"]
    assert outcome.code == 0, "that it failed is the answer"
    assert "secret-name" not in outcome.text
    assert "sample-secret" not in outcome.text


def state_of_users(**its):
    """A state of one stream."""
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": its}}


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("check", {"config": "{bad"}),
        ("discover", {"config": "[]"}),
        ("read", {"config": {"mode": "csv"}, "catalog": {"streams": []}}),
        ("read", {"catalog": "{bad"}),
        ("read", {"catalog": {"catalog": 1}}),
        ("read", {"state": "{bad"}),
        ("read", {"state": [{"type": "STREAM", "stream": {"stream_state": {}}}]}),
        ("read", {"state": {"users": "2026"}}),
        ("read", {"state": '{"bookmarks": null}'}),
        ("read", {"state": "[" * 100_000}),
        ("read", {"state": [state_of_users(replication_key_value=2026)]}),
        ("read", {"state": [state_of_users(bundles=["CANARY"])]}),
        ("read", {"catalog": "[" * 100_000}),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_one_line(csv, command, files):
    if command == "read":
        files = {"catalog": configured(csv.catalog), **files}
    outcome = csv(command, **files)
    option = "csv_path" if files.get("config") == {"mode": "csv"} else "--"
    if command == "check":
        assert option in outcome.of("CONNECTION_STATUS")[0]["message"]
        return
    assert outcome.code == 4
    (error,) = outcome.errors
    assert error["failure_type"] == "config_error"
    assert "\n" not in error["message"]
    assert "CANARY" not in outcome.text
    assert not outcome.of("RECORD")


def test_a_misspelt_setting_is_a_warning_that_names_the_nearest(csv):
    """Airbyte passes what the form once had, and fields of its own."""
    csv.config["max_shrink_percnt"] = 30
    outcome = csv("check")
    assert outcome.of("CONNECTION_STATUS")[0]["status"] == "SUCCEEDED"
    (line,) = [log["message"] for log in outcome.of("LOG") if "no such setting" in log["message"]]
    assert line == "max_shrink_percnt: no such setting; did you mean max_shrink_percent?"


def test_the_catalog_is_that_of_the_tap(csv, rest):
    """Every stream with its columns and keys; all can be read whole or on from a state."""
    for source in (csv, rest):
        tap = TapOneRoster(config=dict(source.config))
        streams = {stream["name"]: stream for stream in source.catalog["streams"]}
        assert streams.keys() == tap.streams.keys()
        for name, stream in streams.items():
            jsonschema.Draft7Validator.check_schema(stream["json_schema"])
            columns = stream["json_schema"]["properties"]
            assert columns.keys() == tap.streams[name].schema["properties"].keys()
            assert stream["source_defined_primary_key"] == [[key] for key in tap.streams[name].primary_keys]
            assert stream["supported_sync_modes"] == ["full_refresh", "incremental"]
            assert stream["source_defined_cursor"] is True
            for column in columns.values():
                is_time = column.get("format") == "date-time"
                assert column.get("airbyte_type") == ("timestamp_with_timezone" if is_time else None)


def test_the_cursor_is_the_date_of_change_where_there_is_one(csv, rest):
    """Bundles carry none: rows of a later one count, whatever their dates, so a cursor would keep the wrong ones."""
    cursors = {s["name"]: s.get("default_cursor_field") for s in rest.catalog["streams"]}
    assert cursors.pop("syncReceipts") is None
    assert set(map(tuple, cursors.values())) == {("dateLastModified",)}
    assert {s.get("default_cursor_field") for s in csv.catalog["streams"]} == {None}


def test_views_passwords_and_tenants_follow_the_settings(csv):
    before = {s["name"]: s for s in csv.catalog["streams"]}
    assert "students" not in before
    assert "password" not in before["users"]["json_schema"]["properties"]
    csv.config |= {"include_views": True, "include_passwords": True, "tenant": "north"}
    after = {s["name"]: s for s in csv.catalog["streams"]}
    assert "students" in after
    assert "password" in after["users"]["json_schema"]["properties"]
    assert after["users"]["source_defined_primary_key"] == [["tenant"], ["sourcedId"]]


def test_fields_that_a_form_leaves_empty_are_left_open(csv):
    csv.config |= {"base_url": None, "csv_storage_options": "{}", "scopes": None}
    assert csv("check").of("CONNECTION_STATUS")[0]["status"] == "SUCCEEDED"
