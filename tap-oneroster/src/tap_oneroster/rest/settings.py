"""The settings of the REST binding, and the check that they fit together."""

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
        description="Vendor whose service it is; fills in settings that are left open with what is"
        " known of it. The credential sheet wins: set what it says.",
        allowed_values=[preset.name for preset in PRESETS],
        default=GENERIC.name,
    ),
    th.Property(
        "base_url",
        _TEXT,
        title="Base URL",
        description="Address of the service, with or without /ims/oneroster/… at its end, as the"
        " vendor's credential sheet gives it.",
    ),
    th.Property(
        "auth_method",
        _TEXT,
        title="Auth Method",
        description="How the service knows us: oauth2 (client credentials), oauth1 (signed requests of"
        " OneRoster 1.1), bearer (a token that does not change) or none. Left open: as the"
        " provider's row says, else oauth2.",
        allowed_values=_AUTH_METHODS,
    ),
    th.Property(
        "token_url",
        _TEXT,
        title="Token URL",
        description="Address that gives tokens, for auth_method oauth2.",
    ),
    th.Property(
        "client_id",
        _TEXT,
        title="Client ID",
        description="Id of the client (consumer key) that the service issued.",
    ),
    th.Property(
        "client_secret",
        _TEXT,
        title="Client Secret",
        description="Secret of the client that the service issued.",
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
        description="How the token request carries id and secret: basic (a header), body (in the form), or"
        " query (a header, with grant type and scopes in the address). Left open: as the provider's row"
        " says, else basic.",
        allowed_values=["basic", "body", "query"],
    ),
    th.Property(
        "scopes",
        th.CustomType({"type": ["string", "array"], "items": {"type": "string"}}),
        title="Scopes",
        description="Scopes to ask for, in place of those that the selected streams need; an empty list asks for none.",
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
        description="Records to ask for at a time; a service that sends fewer is read on from where it stopped."
        " Left open: as the provider's row says, else 1000.",
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(nullable=False, minimum=1, maximum=64),
        title="Max Concurrency",
        description="Pages asked for at the same time. Left open: as the provider's row says, else 4.",
    ),
    th.Property(
        "requests_per_minute",
        th.NumberType(nullable=False, exclusive_minimum=0),
        title="Requests Per Minute",
        description="Most requests in a minute. Left open: as the provider's row says, else as fast as the"
        " service answers.",
    ),
    th.Property(
        "timeout_seconds",
        th.NumberType(nullable=False, exclusive_minimum=0),
        title="Timeout Seconds",
        description="How long to wait for an answer, and then for each further part of it, before asking again."
        " An answer as a whole may take three times as long.",
        default=120,
    ),
    th.Property(
        "ca_bundle",
        _TEXT,
        title="CA Bundle",
        description="File with the certificates of the authorities to trust, where the service's"
        " is signed by one of its own.",
    ),
    th.Property(
        "user_agent",
        _TEXT,
        title="User Agent",
        description="Name to give to the service; by default this tap's name and version.",
    ),
    th.Property(
        "status_filter",
        _TEXT,
        title="Status Filter",
        description="Read only records of this status (such as active) where a collection is read"
        " whole. Such a read is no snapshot, so nothing is deleted after it.",
        allowed_values=["active", "tobedeleted"],
    ),
    th.Property(
        "missing_collections",
        _TEXT,
        title="Missing Collections",
        description="What to make of a selected collection that the service does not offer or may"
        " not show us (404, 403), or whose file a bundle's manifest declares and the bundle lacks:"
        " fail (the others are read, and the run ends non-zero) or accept.",
        allowed_values=["fail", "accept"],
        default="fail",
    ),
    th.Property(
        "on_total_mismatch",
        _TEXT,
        title="On Total Mismatch",
        description="What to make of a collection that brings fewer records than its total says, read after read:"
        " fail, or accept (a total that counts hidden records; what came is delivered, and nothing is deleted).",
        allowed_values=["fail", "accept"],
        default="fail",
    ),
    th.Property(
        "supports_filter",
        _TEXT,
        title="Supports Filter",
        description="Whether the service filters: auto (try, and filter here where it does not),"
        " true (anything else is an error) or false (never ask).",
        allowed_values=_AUTO,
        default="auto",
    ),
    th.Property(
        "supports_sort",
        _TEXT,
        title="Supports Sort",
        description="Whether the service sorts by sourcedId: auto (try), true (anything else is an"
        " error) or false (never ask). In order, a read can follow records that move.",
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
    """Return one line for each conflict between REST settings, without any value."""
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
