"""The settings of the REST binding, and which of them do not go together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from singer_sdk import typing as th

from .._core.http.addresses import address_error
from .._core.http.auth import header_error
from .._core.http.presets import GENERIC, PRESETS, filled_in

__all__ = ["REST_SETTINGS", "rest_errors"]

_TEXT = th.StringType(nullable=False)
_AUTO = ["auto", "true", "false"]
_AUTH_METHODS = ["oauth2", "oauth1", "bearer", "none"]

REST_SETTINGS: tuple[th.Property[Any], ...] = (
    th.Property(
        "provider",
        _TEXT,
        title="Provider",
        description="Vendor of the service. Settings that you leave open get the values that are known for it. If the "
        "credential sheet says otherwise, set what the sheet says.",
        allowed_values=[preset.name for preset in PRESETS],
        default=GENERIC.name,
    ),
    th.Property(
        "base_url",
        _TEXT,
        title="Base URL",
        description="Address of the service, as on the vendor's credential sheet, with or without /ims/oneroster/… at "
        "its end.",
    ),
    th.Property(
        "auth_method",
        _TEXT,
        title="Auth Method",
        description="How to sign in: oauth2 (client credentials), oauth1 (signed requests, OneRoster 1.1), bearer (a "
        "token that does not change) or none. Default: as the provider has it, otherwise oauth2.",
        allowed_values=_AUTH_METHODS,
    ),
    th.Property(
        "token_url",
        _TEXT,
        title="Token URL",
        description="Address that issues tokens, for auth_method oauth2.",
    ),
    th.Property(
        "client_id",
        _TEXT,
        title="Client ID",
        description="Client id (consumer key) that the service issued.",
    ),
    th.Property(
        "client_secret",
        _TEXT,
        title="Client Secret",
        description="Client secret that the service issued.",
        secret=True,
    ),
    th.Property(
        "access_token",
        _TEXT,
        title="Access Token",
        description="Token for auth_method bearer.",
        secret=True,
    ),
    th.Property(
        "token_auth_style",
        _TEXT,
        title="Token Auth Style",
        description="Where the token request has id and secret: basic (in a header), body (in the form) or query (in "
        "a header, with grant type and scopes in the address). Default: as the provider has it, otherwise "
        "basic.",
        allowed_values=["basic", "body", "query"],
    ),
    th.Property(
        "scopes",
        th.CustomType({"type": ["string", "array"], "items": {"type": "string"}}),
        title="Scopes",
        description="Scopes to ask for, instead of the scopes that the selected streams need. An empty list asks for "
        "none.",
    ),
    th.Property(
        "oauth1_signature_method",
        _TEXT,
        title="OAuth 1 Signature Method",
        description="How requests are signed, for auth_method oauth1.",
        allowed_values=["HMAC-SHA256", "HMAC-SHA1"],
        default="HMAC-SHA256",
    ),
    th.Property(
        "page_size",
        th.IntegerType(nullable=False, minimum=1),
        title="Page Size",
        description="How many records to ask for at a time. If the service sends fewer, the tap asks for the rest. "
        "Default: as the provider has it, otherwise 1000.",
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(nullable=False, minimum=1, maximum=64),
        title="Max Concurrency",
        description="How many pages to ask for at the same time. Default: as the provider has it, otherwise 4.",
    ),
    th.Property(
        "requests_per_minute",
        th.NumberType(nullable=False, exclusive_minimum=0),
        title="Requests Per Minute",
        description="Largest number of requests in a minute. Default: as the provider has it, otherwise no limit.",
    ),
    th.Property(
        "timeout_seconds",
        th.NumberType(nullable=False, exclusive_minimum=0),
        title="Timeout Seconds",
        description="How many seconds to wait for an answer, and for each next part of it, before the tap asks again. "
        "A complete answer may take three times as long.",
        default=120,
    ),
    th.Property(
        "ca_bundle",
        _TEXT,
        title="CA Bundle",
        description="File with the certificates to trust, if the service's certificate is signed by the district "
        "itself.",
    ),
    th.Property(
        "user_agent",
        _TEXT,
        title="User Agent",
        description="Name that the tap gives to the service. Default: the tap's name and version.",
    ),
    th.Property(
        "status_filter",
        _TEXT,
        title="Status Filter",
        description="Deliver only records with this status (such as active) when a collection is read completely. "
        "After such a read nothing is deleted.",
        allowed_values=["active", "tobedeleted"],
    ),
    th.Property(
        "missing_collections",
        _TEXT,
        title="Missing Collections",
        description="What to do if the service does not have a selected collection or does not allow it (404, 403), "
        "or if a bundle lacks a file that its manifest declares: fail (the others are read, and the run "
        "fails at the end) or accept.",
        allowed_values=["fail", "accept"],
        default="fail",
    ),
    th.Property(
        "on_total_mismatch",
        _TEXT,
        title="On Total Mismatch",
        description="What to do if a collection brings fewer records than its total says, again and again: fail, or "
        "accept (the total counts hidden records; what came is delivered, and nothing is deleted).",
        allowed_values=["fail", "accept"],
        default="fail",
    ),
    th.Property(
        "supports_filter",
        _TEXT,
        title="Supports Filter",
        description="Whether the service can filter: auto (try; the tap filters if the service does not), true (fail "
        "if it does not) or false (never try).",
        allowed_values=_AUTO,
        default="auto",
    ),
    th.Property(
        "supports_sort",
        _TEXT,
        title="Supports Sort",
        description="Whether the service can sort by sourcedId: auto (try), true (fail if it does not) or false "
        "(never try). In sorted pages, the tap notices records that move while it reads.",
        allowed_values=_AUTO,
        default="auto",
    ),
)

_NEEDED = {
    "oauth2": ("token_url", "client_id", "client_secret"),
    "oauth1": ("client_id", "client_secret"),
    "bearer": ("access_token",),
    "none": (),
}


def rest_errors(config: Mapping[str, Any]) -> list[str]:
    """Problems between the settings of mode rest, one line each, without any value."""
    config = filled_in(config)
    errors = []
    for setting in ("base_url", "token_url"):
        if url := config.get(setting):
            if problem := address_error(setting, url):
                errors.append(problem)
        elif setting == "base_url":
            errors.append("base_url: must be set where mode is rest")
    sent = ("client_id", "client_secret", "access_token", "user_agent")
    errors += [problem for setting in sent if (problem := header_error(setting, config.get(setting) or ""))]
    if (bundle := config.get("ca_bundle")) and not Path(bundle).is_file():
        errors.append("ca_bundle: no such file here")
    method = config["auth_method"]
    missing = [setting for setting in _NEEDED[method] if not config.get(setting)]
    errors += [f"{setting}: must be set where auth_method is {method}" for setting in missing]
    if method == "bearer" and config.get("client_secret") and missing:
        errors.append("auth_method: client_secret is set, so perhaps oauth2 is meant")
    if method == "oauth1" and config["oneroster_version"] == "1.2":
        errors.append("auth_method: OneRoster 1.2 has no oauth1; set oauth2")
    return errors
