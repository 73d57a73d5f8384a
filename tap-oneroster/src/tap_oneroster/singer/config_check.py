"""Settings that do not go together, refused at start with one line that says what to set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from ..batch_files.settings import batch_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsonschema import ValidationError

__all__ = ["combination_errors", "explain"]


def explain(error: ValidationError) -> str:
    """One line for a setting that the schema refuses: its name and what it may be, never its value."""
    setting = ".".join(str(part) for part in error.absolute_path)
    allowed: Any = error.validator_value
    match error.validator:
        case "enum":
            return f"{setting}: must be one of {', '.join(map(str, allowed))}"
        case "type":
            return f"{setting}: must be of type {allowed if isinstance(allowed, str) else allowed[0]}"
        case "minimum" | "maximum":
            return f"{setting}: the {error.validator} is {allowed}"
        case "format":
            return f"{setting}: must be a {allowed}"
        case "required":
            inside = f"{setting}." if setting else ""
            missing = [inside + k for k in allowed if k not in cast("dict[str, Any]", error.instance)]
            return f"{', '.join(missing)}: must be set"
        case _:
            return f"{setting or 'settings'}: not allowed ({error.validator})"


def combination_errors(config: Mapping[str, Any]) -> list[str]:
    """Problems between settings, each of which may be right by itself."""
    errors = []
    if config["mode"] == "csv":
        if not config.get("csv_path"):
            errors.append("csv_path: must be set where mode is csv")
        if config.get("start_date"):
            errors.append("start_date: CSV bundles carry no times; remove it or set mode to rest")
    else:
        from ..rest.settings import rest_errors

        if config.get("csv_path") and not config.get("base_url"):
            errors.append("mode: csv_path is set, so mode must be csv")
        else:
            errors += rest_errors(config)
    try:
        ZoneInfo(config["source_time_zone"])
    except (ValueError, OSError, KeyError):
        errors.append("source_time_zone: no such time zone; write it like America/Chicago")
    if config["tenant_isolated"] and not config.get("tenant"):
        errors.append("tenant_isolated: means something only where tenant is set")
    return errors + batch_errors(config)
