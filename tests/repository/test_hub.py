"""The definitions in hub/ keep the Hub's rules, whose schema cannot be fetched here: they are written down below."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tools.derived.definitions import about, properties
from tools.project import plugins

ROOT = Path(__file__).parents[2]
KINDS = [
    "string",
    "integer",
    "decimal",
    "boolean",
    "array",
    "object",
    "options",
    "date_iso8601",
    "email",
    "file",
    "oauth",
]
CAPABILITIES = {
    "extractors": [
        "about",
        "activate-version",
        "batch",
        "catalog",
        "discover",
        "log-based",
        "properties",
        "schema-flattening",
        "state",
        "stream-maps",
        "structured-logging",
        "test",
    ],
    "loaders": [
        "about",
        "activate-version",
        "batch",
        "datatype-failsafe",
        "hard-delete",
        "record-flattening",
        "schema-flattening",
        "soft-delete",
        "stream-maps",
        "structured-logging",
        "target-schema",
        "validate-records",
    ],
}
TEXT = {"type": "string", "minLength": 1}
WORDS = {"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True}
SETTING = {
    "type": "object",
    "required": ["name", "label", "kind", "description"],
    "additionalProperties": False,  # among them `kind: password`
    "properties": {
        "name": {"type": "string", "pattern": r"^(_metadata\.)?[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$"},
        "value": {},  # the default
        "label": TEXT,
        "kind": {"enum": KINDS},
        "description": TEXT,
        "sensitive": {"const": True},
        "options": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["label", "value"],
                "additionalProperties": False,
                "properties": {"label": TEXT, "value": TEXT},
            },
        },
    },
    "allOf": [
        {
            "if": {"properties": {"kind": {"const": "options"}}},
            "then": {"required": ["options"]},
            "else": {"not": {"required": ["options"]}},
        },
        {
            "if": {"properties": {"name": {"pattern": "^_"}}},
            "then": {"required": ["value"]},
        },
    ],
}


def rules(kind: str) -> dict[str, Any]:
    """The Hub's rules for one kind of plugin."""
    names = "|".join({"extractors": ("tap",), "loaders": ("target",)}[kind])
    return {
        "type": "object",
        "required": ["name", "variant", "namespace", "quality", "label", "logo_url", "maintenance_status", "settings"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "pattern": f"^({names})-[a-z0-9-]+$"},
            "variant": {"type": "string", "pattern": "^[a-z0-9-]+$"},
            "namespace": {"type": "string", "pattern": f"^({names})_[a-z0-9_]+$"},
            "label": TEXT,
            "description": TEXT,
            "domain_url": {"type": "string", "pattern": "^https://"},
            "logo_url": {"type": "string", "pattern": rf"^/assets/logos/{kind}/[a-z0-9-]+\.png$"},
            "repo": {"type": "string", "pattern": "^https://"},
            "pip_url": TEXT,
            "executable": TEXT,
            "commands": {"type": "object"},
            "keywords": WORDS,
            "capabilities": {**WORDS, "items": {"enum": CAPABILITIES[kind]}},
            "maintenance_status": {"enum": ["active", "beta", "development", "inactive", "unknown"]},
            "quality": {"enum": ["gold", "silver", "bronze", "unknown"]},
            "settings": {"type": "array", "items": SETTING, "minItems": 1},
            "settings_group_validation": {"type": "array", "items": WORDS, "minItems": 1, "maxItems": 1},
            "supported_python_versions": {**WORDS, "items": {"type": "string", "pattern": r"^3\.\d+$"}},
            "log_parser": {"const": "singer-sdk"},
        },
    }


each_plugin = pytest.mark.parametrize(
    ("plugin", "kind"),
    [("tap-oneroster", "extractors"), ("target-oneroster-csv", "loaders"), ("target-oneroster-duckdb", "loaders")],
)


def definition(plugin: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "hub" / f"{plugin}.yml").read_text(encoding="utf-8"))
    return found


@each_plugin
def test_a_definition_keeps_the_rules_of_the_hub(plugin: str, kind: str) -> None:
    """Nothing that is required is missing, and nothing is there that the Hub does not know."""
    jsonschema.validate(definition(plugin), rules(kind))


@each_plugin
def test_a_definition_is_one_that_meltano_reads(plugin: str, kind: str) -> None:
    """Valid as a plugin in a project file, by the schema that Meltano ships, but for what only the Hub shows."""
    schema = json.loads(files("meltano").joinpath("schemas/meltano.schema.json").read_text(encoding="utf-8"))
    shown = {"domain_url", "keywords", "maintenance_status", "quality", "supported_python_versions"}
    its = {name: value for name, value in definition(plugin).items() if name not in shown}
    its["capabilities"] = [can for can in its["capabilities"] if can != "target-schema"]  # younger than that schema
    jsonschema.validate({"plugins": {kind: [its]}}, schema)


def test_what_is_off_by_default_is_off_in_meltano_too() -> None:
    """Meltano selects everything where nobody says otherwise: both definitions of the tap do."""
    for its in (definition("tap-oneroster"), plugins("extractors")["tap-oneroster"]):
        [off] = [setting for setting in its["settings"] if setting["name"].startswith("_")]
        assert (off["name"], off["value"]) == ("_metadata.demographics.selected", False)
        assert "select" not in its  # one place to turn them on


@each_plugin
def test_defaults_are_those_of_the_code(plugin: str, kind: str) -> None:
    """`meltano config list` shows what holds where nobody says otherwise."""
    defaults = {
        name: setting["default"]
        for name, setting, _ in properties(about(plugin)["settings"])
        if setting.get("default") is not None and "." not in name
    }
    shown = {
        s["name"]: s["value"] for s in definition(plugin)["settings"] if "value" in s and not s["name"].startswith("_")
    }
    assert shown == defaults
    assert shown


@each_plugin
def test_what_is_required_has_to_be_set_by_everyone(plugin: str, kind: str) -> None:
    """One group: a setting that only some need is not called required."""
    [required] = definition(plugin)["settings_group_validation"]
    assert set(required) == set(about(plugin)["settings"].get("required", ["mode"]))


@each_plugin
def test_the_logo_is_in_the_repository(plugin: str, kind: str) -> None:
    """As a PNG at the path that the Hub will have it under, and as the SVG that it was made from."""
    path = ROOT / "hub" / definition(plugin)["logo_url"].lstrip("/")
    assert path.read_bytes().startswith(b"\x89PNG\r\n")
    assert "<svg" in path.with_suffix(".svg").read_text(encoding="utf-8")


def that_meltano_reads(plugin: str, kind: str) -> dict[str, Any]:
    """The definition of a plugin of that kind, held against Meltano's own schema."""
    its = definition(plugin)
    schema = json.loads(files("meltano").joinpath("schemas/meltano.schema.json").read_text(encoding="utf-8"))
    shown = {"domain_url", "keywords", "maintenance_status", "quality", "supported_python_versions"}
    jsonschema.validate({"plugins": {kind: [{k: v for k, v in its.items() if k not in shown}]}}, schema)
    for setting in its["settings"]:
        jsonschema.validate(setting, SETTING)
    return its


def test_the_audit_is_a_utility_that_meltano_reads() -> None:
    """Its commands are those of the program, and its settings those of the code."""
    from oneroster_audit.__main__ import _parser
    from oneroster_audit.policy import SECRET_SETTINGS, SETTINGS

    its = that_meltano_reads("oneroster-audit", "utilities")
    assert [s["name"] for s in its["settings"]] == list(SETTINGS)
    assert {s["name"] for s in its["settings"] if s.get("sensitive")} == SECRET_SETTINGS
    usage = _parser().format_help()
    for name, command in its["commands"].items():
        assert command["args"] == name
        assert re.search(rf"^    {name}\s", usage, re.MULTILINE)


def test_the_fleet_is_a_utility_that_meltano_reads() -> None:
    """Its commands are those of the program, and its settings those of the code."""
    from oneroster_fleet.__main__ import parser
    from oneroster_fleet.fleet_file.read import SETTINGS

    its = that_meltano_reads("oneroster-fleet", "utilities")
    assert [s["name"] for s in its["settings"]] == list(SETTINGS)
    usage = parser().format_help()
    for name, command in its["commands"].items():
        assert command["args"] == name
        assert f"    {name} " in usage


def test_the_marts_are_a_transformer_that_meltano_reads() -> None:
    """Its commands are those of the program, and its settings those of the code."""
    from oneroster_marts.__main__ import _parser
    from oneroster_marts.settings import SECRET_SETTINGS, SETTINGS

    its = that_meltano_reads("oneroster-marts", "transformers")
    assert [s["name"] for s in its["settings"]] == ["project_dir", *(s.name for s in SETTINGS)]
    assert {s["name"] for s in its["settings"] if s.get("sensitive")} == SECRET_SETTINGS
    usage = _parser().format_help()
    for name, command in its["commands"].items():
        assert command["args"] == name
        assert re.search(rf"^    {name}\s", usage, re.MULTILINE)


def test_a_schema_that_can_be_set_is_a_capability() -> None:
    """Meltano hands `default_target_schema` to loaders that say so."""
    for plugin in ("target-oneroster-csv", "target-oneroster-duckdb"):
        names = {setting["name"] for setting in definition(plugin)["settings"]}
        assert ("target-schema" in definition(plugin)["capabilities"]) == ("default_target_schema" in names)
