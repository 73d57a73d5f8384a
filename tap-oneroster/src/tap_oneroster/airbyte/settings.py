"""The tap's settings as an Airbyte specification, and Airbyte's configuration as tap settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError

from .._core.shell import unknown_settings
from ..singer.settings import SETTINGS

_SINGER_ONLY = frozenset({"activate_versions", "batch_config", "tenant_isolated"})
"""Settings for versions and batches, which Airbyte does not have."""


def _built_in() -> frozenset[str]:
    schema: dict[str, Any] = {"properties": {}}
    Tap.append_builtin_config(schema)
    return frozenset(schema["properties"])


_BUILT_IN = _built_in()
"""Settings that the SDK adds to every tap."""

_SHEET = frozenset({"mode", "base_url", "token_url", "client_id", "client_secret", "csv_path"})
"""The settings of a credentials sheet: the form always shows them, and the others on request."""

_KEPT = ("title", "description", "default", "enum", "minimum", "maximum", "exclusiveMinimum", "format")


def specification() -> dict[str, Any]:
    """Return the protocol's specification: every setting that has an effect there, in types that its form supports."""
    schema = SETTINGS.to_dict()
    offered = {name: its for name, its in schema["properties"].items() if name not in _SINGER_ONLY}
    return {
        "connectionSpecification": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "OneRoster",
            "type": "object",
            "required": [name for name in schema.get("required", ()) if name in offered],
            "additionalProperties": True,
            "properties": {name: _field(name, its, order) for order, (name, its) in enumerate(offered.items())},
        },
        "supportsIncremental": True,
        "supported_destination_sync_modes": ["overwrite", "append", "append_dedup"],
        "protocol_version": "0.5.2",
    }


def _field(name: str, its: Mapping[str, Any], order: int) -> dict[str, Any]:
    """Return one field of the form; types that the form does not support become text."""
    field: dict[str, Any] = {"type": _type(its), "order": order}
    field |= {key: its[key] for key in _KEPT if key in its}
    if "items" in its and field["type"] == "array":
        field["items"] = {"type": _type(its["items"])}
    if its.get("secret"):
        field["airbyte_secret"] = True
    if name in _SHEET:
        field["always_show"] = True
    if _is_json(its):
        field["description"] += " As JSON."
    return field


def _type(its: Mapping[str, Any]) -> str:
    """Return a setting's type in the form; the first if there are several, so text if it is allowed."""
    types: Any = its["type"]
    first = types if isinstance(types, str) else next(one for one in types if one != "null")
    return "string" if first == "object" else str(first)


def _is_json(its: Mapping[str, Any]) -> bool:
    return "object" in its.get("type", ())


def misspelt(told: Mapping[str, Any]) -> list[str]:
    """Return one line for each setting that the tap does not know: a mistake, or a setting of Airbyte itself."""
    return unknown_settings(told, SETTINGS.to_dict(), without_effect=_BUILT_IN)[0]


def tap_settings(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings for the tap: empty fields are left out, and JSON text is parsed.

    Raise ConfigValidationError if JSON text is invalid, or if a setting would change the content of Singer messages
    (stream maps, flattening, batches), because it would have no effect here.
    """
    settings = {}
    own = SETTINGS.to_dict()["properties"]
    unknown = sorted(
        name for name in _BUILT_IN - (own.keys() - _SINGER_ONLY) if told.get(name) not in (None, False, {}, "")
    )
    if unknown:
        problems = [f"{name}: not available to Airbyte; remove it" for name in unknown]
        raise ConfigValidationError("; ".join(problems), errors=problems)
    for name, its in own.items():
        value = told.get(name)
        if value is None or name in _SINGER_ONLY:
            continue
        if _is_json(its) and isinstance(value, str):
            try:
                value = msgspec.json.decode(value, type=dict)
            except ValueError:
                problem = f"{name}: must be a JSON object, as text"
                raise ConfigValidationError(problem, errors=[problem]) from None
        settings[name] = value
    return settings
