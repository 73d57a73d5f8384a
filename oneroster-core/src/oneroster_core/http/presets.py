"""Known facts about the services of some vendors, one entry for each; nothing here is guessed.

An entry sets defaults. Values that the user sets take precedence, because the credentials sheet of the district may
differ from the entry. Add an entry only if a page of the vendor or code that runs against the service confirms it, and
write in `notes` what is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    """One vendor's service."""

    name: str
    title: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    base_url: str = ""
    """Form of its addresses, for the documentation; set only if it is the same for all customers."""
    token_url: str = ""
    notes: str = ""


GENERIC = Preset(
    "generic",
    "A service that follows the standard",
    {"auth_method": "oauth2", "token_auth_style": "basic", "page_size": 1000, "max_concurrency": 4},
    notes="These values are used if a vendor's row has no other.",
)

PRESETS: tuple[Preset, ...] = (
    GENERIC,
    Preset(
        "aeries",
        "Aeries",
        base_url="https://<district>.aeries.net/aeries/ims/oneroster/v1p1",
        notes="1.1; at least one scope is required; no resources. Page sizes are not known.",
    ),
    Preset(
        "blackbaud",
        "Blackbaud",
        {
            "base_url": "https://api.sky.blackbaud.com/afe-rostr/ims/oneroster/v1p1",
            "token_url": "https://oauth2.sky.blackbaud.com/token",
        },
        notes="1.1 only. Page sizes, filters and totals are not known.",
    ),
    Preset(
        "classlink",
        "ClassLink Roster Server, by its proxy",
        {"auth_method": "bearer", "page_size": 10000},
        base_url="https://oneroster-proxy.classlink.io/<application id>/ims/oneroster/v1p1",
        notes="The token does not expire. Large pages are the vendor's advice.",
    ),
    Preset(
        "classlink_direct",
        "ClassLink Roster Server, the district's own",
        {"auth_method": "oauth1", "page_size": 10000},
        base_url="https://<server>/ims/oneroster/v1p1",
        notes="Signed requests; where HMAC-SHA256 is refused, set HMAC-SHA1.",
    ),
    Preset(
        "edfi",
        "Ed-Fi OneRoster",
        {"page_size": 500, "requests_per_minute": 100},
        base_url="https://<host>/ims/oneroster/rostering/v1p2",
        token_url="the Ed-Fi ODS/API's oauth/token",  # noqa: S106
        notes="1.2; 500 records a page and 100 requests a minute unless the operator set more.",
    ),
    Preset(
        "infinite_campus",
        "Infinite Campus",
        {"token_auth_style": "query", "max_concurrency": 1},
        base_url="https://<domain>/campus/api/ims/oneroster/rostering/v1p2",
        token_url="https://<domain>/campus/oauth2/token?appName=<application>",  # noqa: S106
        notes="1.1 and 1.2. One request at a time in peak hours; data refreshed hourly by day.",
    ),
    Preset(
        "powerschool",
        "PowerSchool SIS",
        notes="1.1 by a plugin, whose sheet has id and secret. Addresses are not known; the page limit is the district's.",
    ),
    Preset(
        "powerschool_unified_classroom",
        "PowerSchool Unified Classroom",
        {"token_url": "https://accounts.powerschool.com/as/token.oauth2", "token_auth_style": "body"},
        notes="Page sizes, filters and totals are not known.",
    ),
    Preset(
        "timeback",
        "TimeBack",
        {
            "base_url": "https://api.alpha-1edtech.ai/ims/oneroster/rostering/v1p2",
            "token_auth_style": "body",
            "page_size": 3000,
        },
        notes="1.2; totals come in the body, so pages are read until one is empty.",
    ),
    Preset(
        "triand",
        "Triand",
        {
            "base_url": "https://oneroster-api.triand.com/ims/oneroster",
            "token_url": "https://oneroster-oauth2.triand.com/oauth2/token",
        },
        notes="1.1 and 1.2; scopes are required, and those of the path's version.",
    ),
    Preset(
        "visma_flyt",
        "Visma Flyt",
        {"token_url": "https://connect.visma.com/connect/token", "token_auth_style": "body"},
        notes="1.2; scopes have a prefix of their own: set scopes as the vendor names them.",
    ),
)

_BY_NAME = {preset.name: preset for preset in PRESETS}


def filled_in(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings, stripped of blanks; missing ones come from the vendor's preset, then from the generic one."""
    vendor = _BY_NAME[config.get("provider") or GENERIC.name]
    given = {k: value.strip() if isinstance(value, str) else value for k, value in config.items() if value is not None}
    return {**GENERIC.settings, **vendor.settings, **given}
