"""The settings of the REST binding, and the check that they fit together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from singer_sdk import typing as th

from .._core.http.addresses import address_error
from .._core.http.auth import header_error
from .._core.http.presets import GENERIC, PRESETS, filled_in
from ..setting import TEXT, choice, setting

__all__ = ["REST_SETTINGS", "rest_errors"]

_AUTO = ["auto", "true", "false"]
_AUTH_METHODS = ["oauth2", "oauth1", "bearer", "none"]

REST_SETTINGS: tuple[th.Property[Any], ...] = (
    choice(
        "provider",
        [preset.name for preset in PRESETS],
        "Vendor whose service it is; fills in settings that are left open with what is"
        " known of it. The credential sheet wins: set what it says.",
        default=GENERIC.name,
    ),
    setting(
        "base_url",
        TEXT,
        "Address of the service, with or without /ims/oneroster/… at its end, as the"
        " vendor's credential sheet gives it.",
        title="Base URL",
    ),
    choice(
        "auth_method",
        _AUTH_METHODS,
        "How the service knows us: oauth2 (client credentials), oauth1 (signed requests of"
        " OneRoster 1.1), bearer (a token that does not change) or none. Left open: as the"
        " provider's row says, else oauth2.",
    ),
    setting("token_url", TEXT, "Address that gives tokens, for auth_method oauth2.", title="Token URL"),
    setting("client_id", TEXT, "Id of the client (consumer key) that the service issued.", title="Client ID"),
    setting("client_secret", TEXT, "Secret of the client that the service issued.", secret=True),
    setting("access_token", TEXT, "Token for auth_method bearer.", secret=True),
    choice(
        "token_auth_style",
        ["basic", "body", "query"],
        "How the token request carries id and secret: basic (a header), body (in the form), or"
        " query (a header, with grant type and scopes in the address). Left open: as the provider's row"
        " says, else basic.",
    ),
    setting(
        "scopes",
        th.CustomType({"type": ["string", "array"], "items": {"type": "string"}}),
        "Scopes to ask for, in place of those that the selected streams need; an empty list asks for none.",
    ),
    choice(
        "oauth1_signature_method",
        ["HMAC-SHA256", "HMAC-SHA1"],
        "How requests are signed, for auth_method oauth1.",
        title="OAuth 1 Signature Method",
        default="HMAC-SHA256",
    ),
    setting(
        "page_size",
        th.IntegerType(nullable=False, minimum=1),
        "Records to ask for at a time; a service that sends fewer is read on from where it stopped."
        " Left open: as the provider's row says, else 1000.",
    ),
    setting(
        "max_concurrency",
        th.IntegerType(nullable=False, minimum=1, maximum=64),
        "Pages asked for at the same time. Left open: as the provider's row says, else 4.",
    ),
    setting(
        "requests_per_minute",
        th.NumberType(nullable=False, exclusive_minimum=0),
        "Most requests in a minute. Left open: as the provider's row says, else as fast as the service answers.",
    ),
    setting(
        "timeout_seconds",
        th.NumberType(nullable=False, exclusive_minimum=0),
        "How long to wait for an answer, and then for each further part of it, before asking again."
        " An answer as a whole may take three times as long.",
        default=120,
    ),
    setting(
        "ca_bundle",
        TEXT,
        "File with the certificates of the authorities to trust, where the service's is signed by one of its own.",
        title="CA Bundle",
    ),
    setting("user_agent", TEXT, "Name to give to the service; by default this tap's name and version."),
    choice(
        "status_filter",
        ["active", "tobedeleted"],
        "Read only records of this status (such as active) where a collection is read"
        " whole. Such a read is no snapshot, so nothing is deleted after it.",
    ),
    choice(
        "missing_collections",
        ["fail", "accept"],
        "What to make of a selected collection that the service does not offer or may"
        " not show us (404, 403), or whose file a bundle's manifest declares and the bundle lacks:"
        " fail (the others are read, and the run ends non-zero) or accept.",
        default="fail",
    ),
    choice(
        "on_total_mismatch",
        ["fail", "accept"],
        "What to make of a collection that brings fewer records than its total says, read after read:"
        " fail, or accept (a total that counts hidden records; what came is delivered, and nothing is deleted).",
        default="fail",
    ),
    choice(
        "supports_filter",
        _AUTO,
        "Whether the service filters: auto (try, and filter here where it does not),"
        " true (anything else is an error) or false (never ask).",
        default="auto",
    ),
    choice(
        "supports_sort",
        _AUTO,
        "Whether the service sorts by sourcedId: auto (try), true (anything else is an"
        " error) or false (never ask). In order, a read can follow records that move.",
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
    for name in ("base_url", "token_url"):
        if url := config.get(name):
            if problem := address_error(name, url):
                errors.append(problem)
        elif name == "base_url":
            errors.append("base_url: must be set where mode is rest")
    sent = ("client_id", "client_secret", "access_token", "user_agent")
    errors += [problem for name in sent if (problem := header_error(name, config.get(name) or ""))]
    if (bundle := config.get("ca_bundle")) and not Path(bundle).is_file():
        errors.append("ca_bundle: no such file here")
    method = config["auth_method"]
    missing = [name for name in _NEEDED[method] if not config.get(name)]
    errors += [f"{name}: must be set where auth_method is {method}" for name in missing]
    if method == "bearer" and config.get("client_secret") and missing:
        errors.append("auth_method: client_secret is set, so perhaps oauth2 is meant")
    if method == "oauth1" and config["oneroster_version"] == "1.2":
        errors.append("auth_method: OneRoster 1.2 has no oauth1; set oauth2")
    return errors
