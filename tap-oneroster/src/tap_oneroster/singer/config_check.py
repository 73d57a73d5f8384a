"""Reject settings that conflict, at the start, with one line that says what to set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from ..batch_files.settings import batch_errors
from ..rest.settings import rest_errors
from ..twin.settings import twin_errors
from ..warehouse.settings import warehouse_errors


def combination_errors(config: Mapping[str, Any]) -> list[str]:
    """Return one line for each conflict between settings that may be valid on their own."""
    errors = []
    if config["mode"] == "csv":
        if not config.get("csv_path"):
            errors.append("csv_path: must be set where mode is csv")
        if config.get("start_date"):
            errors.append("start_date: CSV bundles carry no times; remove it or set mode to rest")
    elif config["mode"] == "warehouse":
        errors += warehouse_errors(config)
    elif config.get("csv_path") and not config.get("base_url"):
        errors.append("mode: csv_path is set, so mode must be csv")
    else:
        errors += rest_errors(config)
    try:
        ZoneInfo(config["source_time_zone"])
    except (ValueError, OSError, KeyError):
        errors.append("source_time_zone: no such time zone; write it like America/Chicago")
    if config["tenant_isolated"] and not config.get("tenant"):
        errors.append("tenant_isolated: means something only where tenant is set")
    return errors + twin_errors(config) + batch_errors(config)
