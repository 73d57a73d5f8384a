"""Settings of every plugin: the same from a file, from the environment and through Meltano; and words for mistakes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click import ClickException
from singer_sdk.exceptions import ConfigValidationError
from tap_oneroster import TapOneRoster
from target_oneroster.bundle.target import TargetOneRosterCSV
from target_oneroster.warehouse.target import TargetOneRosterDuckDB

BIN = Path(sys.executable).parent
NEEDED: dict[Any, dict[str, Any]] = {
    TapOneRoster: {},
    TargetOneRosterCSV: {"output_path": "out", "flattening_max_depth": 1},
    TargetOneRosterDuckDB: {"filepath": "w.duckdb", "flattening_max_depth": 1},
}
WORDS = {
    "twin": str(Path(__file__).parents[2] / "examples/twin/test-environment.yml"),
    "start_date": "2026-01-01T00:00:00Z",
    "default_class_type": "homeroom",
    "administrator_role": "siteAdministrator",
    "source_time_zone": "America/Chicago",
    "engine_memory": "1.5 GB",
    "stream_maps": {"orgs": {"name": "name"}},
    "file_modes": {"roles": "delta"},
    "faker_config": {"seed": 5},
    "batch_config": {"encoding": {"format": "jsonl"}, "storage": {"root": "files"}, "batch_size": 70},
}
"""Values that not just any will do for."""


def all_settings(plugin):
    """The settings of a plugin with their schemas, those of the SDK among them."""
    schema = {"properties": dict(plugin.config_jsonschema["properties"])}
    plugin.append_builtin_config(schema)
    return schema["properties"]


def value_of(name, schema):
    """A value that the setting takes, and that is not its default."""
    if name in WORDS:
        return WORDS[name]
    if "enum" in schema:
        return next(word for word in reversed(schema["enum"]) if word not in {None, schema.get("default")})
    kind = next(kind for kind in schema["type"] if kind != "null")
    return {
        "string": "some text",
        "boolean": not schema.get("default", False),
        "integer": 17,
        "number": 7.5,
        "array": ["a", "b*"],
        "object": {"key": "value"},
    }[kind]


CASES = [
    pytest.param(plugin, name, value_of(name, schema), id=f"{plugin.name}-{name}")
    for plugin in NEEDED
    for name, schema in all_settings(plugin).items()
]


def texts(value):
    """How somebody may write the value into a variable."""
    if isinstance(value, bool):
        return ["true", "True", "1", "yes", "on"] if value else ["false", "FALSE", "0", "no", "off"]
    if isinstance(value, str):
        return [value]
    plain = [json.dumps(value), f" {json.dumps(value)} "]
    return [*plain, ", ".join(value)] if isinstance(value, list) else plain


def read(plugin, config, **more):
    """The settings as the plugin takes them."""
    extra = {"setup_mapper": False} if plugin is TapOneRoster else {}
    return plugin(
        config={**NEEDED[plugin], **config}, validate_config=plugin is not TapOneRoster, **extra, **more
    ).config


@pytest.mark.parametrize(("plugin", "name", "value"), CASES)
def test_a_setting_is_the_same_from_a_file_and_from_the_environment(plugin, name, value, monkeypatch, tmp_path):
    """Typed, as in a file or from Meltano; as text in a file; and as a variable, in each way to write it."""
    monkeypatch.chdir(tmp_path)
    assert read(plugin, {name: value})[name] == value
    for text in texts(value):
        assert read(plugin, {name: text})[name] == value
        monkeypatch.setenv(f"{plugin._env_var_prefix}{name.upper()}", text)
        found = read(plugin, {}, parse_env_config=True)[name]
        assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("plugin", "name", "schema"),
    [
        pytest.param(plugin, name, schema, id=f"{plugin.name}-{name}")
        for plugin in NEEDED
        for name, schema in all_settings(plugin).items()
        if not {"string", "array"} & set(schema.get("type", ())) and "enum" not in schema
    ],
)
@pytest.mark.parametrize("text", ["sehr-geheim", "12x", "{", "inf"])
def test_text_that_is_no_such_value_is_refused_without_quoting_it(plugin, name, schema, text, monkeypatch):
    """A boolean that is not one, too, which the SDK takes for false."""
    monkeypatch.setenv(f"{plugin._env_var_prefix}{name.upper()}", text)
    with pytest.raises(Exception, match=f"{name}(: must be| takes a value) of type") as refused:
        read(plugin, {}, parse_env_config=True)
    assert text not in str(refused.value)


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_variable_of_a_number_is_not_set(text, monkeypatch):
    monkeypatch.setenv("TAP_ONEROSTER_TIMEOUT_SECONDS", text)
    assert read(TapOneRoster, {}, parse_env_config=True)["timeout_seconds"] == 120


@pytest.mark.parametrize("text", ["roster.readonly  demographics.readonly", '["a", "b"]', "[]"])
def test_scopes_are_text_or_a_list(text, monkeypatch):
    monkeypatch.setenv("TAP_ONEROSTER_SCOPES", text)
    found = read(TapOneRoster, {}, parse_env_config=True)["scopes"]
    assert found == (json.loads(text) if text.startswith("[") else text)
    with pytest.raises(ConfigValidationError, match="scopes: must be of type"):
        read(TapOneRoster, {"scopes": 5})


def run(command, config, tmp_path, *arguments, **environment):
    """A command with settings from a file, or from the environment where there is none."""
    path = tmp_path / "config.json"
    if config is not None:
        path.write_text(json.dumps(config), encoding="utf-8")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MELTANO", "TAP_", "TARGET_"))}
    return subprocess.run(
        [BIN / command, "--config", "ENV" if config is None else path, *arguments],
        env=clean | environment,
        input="",
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )


MISSPELT = [
    ("tap-oneroster", {"mode": "csv", "csv_path": "x", "max_shrink_percnt": 30}, "max_shrink_percent"),
    ("tap-oneroster", {"mode": "csv", "csvpath": "x"}, "csv_path"),
    ("tap-oneroster", {"mode": "csv", "csv_path": "x", "OnInvalid": "accept"}, "on_invalid"),
    (
        "tap-oneroster",
        {
            "faker_config": {"seed": 5},
            "batch_config": {"encoding": {"format": "jsonl"}, "storage": {"rot": "files"}},
            "mode": "csv",
            "csv_path": "x",
        },
        "root",
    ),
    ("target-oneroster-csv", {"output_path": "out", "require_receipt": True}, "require_receipts"),
    ("target-oneroster-duckdb", {"filepath": "w", "activate_versions": True}, "activate_version"),
]


def refusal(command, config):
    """What the plugin says of the settings."""
    plugin = next(plugin for plugin in NEEDED if plugin.name == command)
    with pytest.raises((ConfigValidationError, ClickException)) as refused:
        plugin(config=dict(config))
    return str(refused.value)


@pytest.mark.parametrize(("command", "config", "near"), MISSPELT)
def test_a_misspelt_setting_is_an_error_that_names_the_nearest(command, config, near):
    assert f"no such setting; did you mean {near}?" in refusal(command, config)


@pytest.mark.parametrize(("command", "config", "near"), [MISSPELT[0], *MISSPELT[-2:]])
def test_a_command_with_a_misspelt_setting_ends_with_4(command, config, near, tmp_path):
    done = run(command, config, tmp_path)
    assert done.returncode == 4
    assert f"no such setting; did you mean {near}?" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("variable", ["MELTANO_EXTRACTOR_NAME", "MELTANO_LOADER_NAME"])
@pytest.mark.parametrize(("command", "config", "near"), MISSPELT)
def test_under_meltano_a_misspelt_setting_is_a_warning(command, config, near, variable, monkeypatch, caplog):
    """It passes whatever its project file holds: others may be right, and what is wrong is said as ever."""
    monkeypatch.setenv(variable, command)
    said = refusal(command, {**config, "stream_maps": 5})
    assert "no such setting" not in said
    assert f"no such setting; did you mean {near}?" in caplog.text


def test_a_misspelt_setting_is_named_by_discovery_too(tmp_path):
    done = run("tap-oneroster", {"mod": "csv"}, tmp_path, "--discover")
    assert (done.returncode, done.stdout) == (4, "")
    assert "mod: no such setting; did you mean mode?" in done.stderr


def test_a_misspelt_variable_is_an_error_and_somebody_elses_is_not(tmp_path):
    """Meltano's extras have the prefix, too, and so may variables of a container."""
    others = {"TAP_ONEROSTER__SELECT": "[]", "TAP_ONEROSTER_LOGLEVEL": "info", "TAP_ONEROSTER_9Z": "x"}
    done = run("tap-oneroster", None, tmp_path, "--discover", TAP_ONEROSTER_TIMOUT_SECONDS="30", **others)
    assert done.returncode == 4
    assert "timout_seconds: no such setting; did you mean timeout_seconds?" in done.stderr
    assert run("tap-oneroster", None, tmp_path, "--discover", **others).returncode == 0


def test_settings_of_the_sdk_are_known(tmp_path):
    """Those that a plugin reads, and those that others read: these have no effect, which is said."""
    known = {"flattening_enabled": False, "stream_maps": {}, "stream_map_config": {}, "faker_config": {}}
    done = run("target-oneroster-csv", {"output_path": "out", **known, "add_record_metadata": True}, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "add_record_metadata: has no effect here" in done.stderr


@pytest.mark.parametrize("command", ["tap-oneroster", "target-oneroster-csv", "target-oneroster-duckdb"])
@pytest.mark.parametrize("arguments", [["--nosuch"], ["--config"]], ids=["unknown option", "no value"])
def test_a_wrong_command_line_is_4(command, arguments):
    done = subprocess.run([BIN / command, *arguments], capture_output=True, text=True)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
