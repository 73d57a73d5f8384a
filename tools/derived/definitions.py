"""The definitions of the plugins in hub/: settings, capabilities, addresses."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from oneroster_audit.policy import SECRET_SETTINGS
from oneroster_audit.policy import SETTINGS as AUDIT_SETTINGS
from oneroster_fleet.fleet_file.read import SETTINGS as FLEET_SETTINGS
from oneroster_marts.settings import SETTINGS as MARTS_SETTINGS
from tap_oneroster import TapOneRoster
from tap_oneroster._core.http.presets import PRESETS

from tools.derived.addresses import MEMBERS, pip_url, repository
from tools.project import kind_of_plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {"integer": "integer", "number": "decimal", "boolean": "boolean", "array": "array", "object": "object"}


@cache
def about(plugin: str) -> dict[str, Any]:
    """Return the output of a plugin's `--about`."""
    command = [str(Path(sys.executable).with_name(plugin)), "--about", "--format=json"]
    answer: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return answer


def properties(
    schema: dict[str, Any], prefix: str = "", *, needed: bool = True
) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield settings with Meltano's names, nested ones with dots: name, schema, and True if it is always required."""
    for name, setting in schema["properties"].items():
        inner = setting.get("properties", {})
        required = needed and name in schema.get("required", ())
        if inner and not any(key.startswith("__") for key in inner):  # `__else__` marks a stream map, a single value
            yield from properties(setting, f"{prefix}{name}.", needed=required)
        else:
            yield prefix + name, setting, required


def kind(setting: dict[str, Any]) -> str:
    """Return Meltano's kind of a setting."""
    if "enum" in setting:
        return "options"
    if setting.get("format") == "date-time":
        return "date_iso8601"
    types = setting.get("type", "string")
    kinds = [KINDS.get(t, t) for t in ([types] if isinstance(types, str) else types) if t != "null"]
    return kinds[0]


def meltano_settings(plugin: str) -> str:
    """Return the settings of a plugin definition, with their defaults.

    Meltano passes a default as if a user had chosen it. So two kinds of settings have none: those that a vendor preset
    sets, and those inside another setting (batch_config.…), whose other members would be missing.
    """
    settings = [*off_by_default(plugin)]
    filled_in = {name for preset in PRESETS for name in preset.settings}
    for name, setting, _ in sorted(properties(about(plugin)["settings"])):
        entry: dict[str, Any] = {"name": name, "label": setting.get("title", name), "kind": kind(setting)}
        if entry["kind"] == "options":
            entry["options"] = [{"label": str(v), "value": str(v)} for v in setting["enum"] if v is not None]
        if setting.get("secret"):
            entry["sensitive"] = True
        if setting.get("default") is not None and "." not in name and name not in filled_in:
            entry["value"] = setting["default"]
        entry["description"] = " ".join(setting.get("description", "").split())
        settings.append(entry)
    return in_yaml({"settings": settings})


def off_by_default(plugin: str) -> Iterator[dict[str, Any]]:
    """Yield settings that deselect streams that are off by default: Meltano's own default, `*.*`, selects all streams.

    They are Meltano's `metadata` extra in the form of settings. The other form, `select`, is lost by `add --from-ref`.
    """
    if plugin.startswith("tap-"):
        for stream in TapOneRoster(config={"mode": "csv", "csv_path": "."}).streams.values():
            if not stream.selected_by_default:
                yield {
                    "name": f"_metadata.{stream.name}.selected",
                    "label": stream.name.capitalize(),
                    "kind": "boolean",
                    "value": False,
                    "description": f"Read {stream.name}. They stay in the source otherwise, whatever select says.",
                }


def utility_settings(plugin: str) -> str:
    """Return the settings of the definition of the audit or the fleet."""
    settings = []
    for name, description in {"oneroster-audit": AUDIT_SETTINGS, "oneroster-fleet": FLEET_SETTINGS}[plugin].items():
        setting: dict[str, Any] = {"name": name, "label": name.replace("_", " ").title(), "kind": "string"}
        if name in SECRET_SETTINGS:
            setting["sensitive"] = True
        settings.append(setting | {"description": description})
    return in_yaml({"settings": settings})


def transformer_settings(_: str) -> str:
    """Return the settings of the marts' definition; Meltano itself needs `project_dir` of each transformer."""
    folder = "The folder in which Meltano runs the program; relative paths begin there."
    first = {"name": "project_dir", "label": "Project Dir", "kind": "string", "value": "$MELTANO_PROJECT_ROOT"}
    settings: list[dict[str, Any]] = [first | {"description": folder}]
    for its in MARTS_SETTINGS:
        setting: dict[str, Any] = {"name": its.name, "label": its.name.replace("_", " ").title(), "kind": its.kind}
        if its.is_secret:
            setting["sensitive"] = True
        if its.options:
            setting["options"] = [{"label": word.title(), "value": word} for word in its.options]
        settings.append(setting | {"description": its.description})
    return in_yaml({"settings": settings})


def addresses(plugin: str) -> str:
    """Return the addresses of logo, repository and package."""
    kind = kind_of_plugin(plugin)
    logo = f"/assets/logos/{kind}/oneroster.png"
    member = MEMBERS.get(plugin, plugin)
    return in_yaml({"logo_url": logo, "repo": repository(), "pip_url": pip_url(member)})


def capabilities(plugin: str) -> str:
    """Return the Singer capabilities of a plugin."""
    return in_yaml({"capabilities": sorted(about(plugin)["capabilities"])})


def pythons(plugin: str) -> str:
    """Return the Python versions that a plugin supports."""
    return in_yaml({"supported_python_versions": about(plugin)["supported_python_versions"]})


def in_yaml(value: object) -> str:
    """Return YAML in one style, with one line for each value."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000)
