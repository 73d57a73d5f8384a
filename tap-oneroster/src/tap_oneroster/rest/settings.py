"""The settings of the REST binding, and the check that they fit together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from singer_sdk import typing as th

from .._core.http.addresses import address_error
from .._core.http.auth import header_error
from .._core.http.presets import GENERIC, PRESETS, filled_in
from .._core.settings import TEXT, choice, setting

_AUTO = ["auto", "true", "false"]
_AUTH_METHODS = ["oauth2", "oauth1", "bearer", "none"]

REST_SETTINGS: tuple[th.Property[Any], ...] = (
    choice(
        "provider",
        [preset.name for preset in PRESETS],
        "Vendor of the service. Settings that you leave open get the values that are known for it. If the "
        "credential sheet says otherwise, set what the sheet says.",
        default=GENERIC.name,
    ),
    setting(
        "base_url",
        TEXT,
        "Address of the service, as on the vendor's credential sheet, with or without /ims/oneroster/… at its end.",
        title="Base URL",
    ),
    choice(
        "auth_method",
        _AUTH_METHODS,
        "How to sign in: oauth2 (client credentials), oauth1 (signed requests, OneRoster 1.1), bearer (a "
        "token that does not change) or none. Default: as the provider has it, otherwise oauth2.",
    ),
    setting("token_url", TEXT, "Address that issues tokens, for auth_method oauth2.", title="Token URL"),
    setting("client_id", TEXT, "Client id (consumer key) that the service issued.", title="Client ID"),
    setting("client_secret", TEXT, "Client secret that the service issued.", secret=True),
    setting("access_token", TEXT, "Token for auth_method bearer.", secret=True),
    choice(
        "token_auth_style",
        ["basic", "body", "query"],
        "Where the token request has id and secret: basic (in a header), body (in the form) or query (in "
        "a header, with grant type and scopes in the address). Default: as the provider has it, otherwise "
        "basic.",
    ),
    setting(
        "scopes",
        th.CustomType({"type": ["string", "array"], "items": {"type": "string"}}),
        "Scopes to ask for, instead of the scopes that the selected streams need. An empty list asks for none.",
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
        "How many records to ask for at a time. If the service sends fewer, the tap asks for the rest. "
        "Default: as the provider has it, otherwise 1000.",
    ),
    setting(
        "max_concurrency",
        th.IntegerType(nullable=False, minimum=1, maximum=64),
        "How many pages to ask for at the same time. Default: as the provider has it, otherwise 4.",
    ),
    setting(
        "requests_per_minute",
        th.NumberType(nullable=False, exclusive_minimum=0),
        "Largest number of requests in a minute. Default: as the provider has it, otherwise no limit.",
    ),
    setting(
        "timeout_seconds",
        th.NumberType(nullable=False, exclusive_minimum=0),
        "How many seconds to wait for an answer, and for each next part of it, before the tap asks again. "
        "A complete answer may take three times as long.",
        default=120,
    ),
    setting(
        "ca_bundle",
        TEXT,
        "File with the certificates to trust, if the service's certificate is signed by the district itself.",
        title="CA Bundle",
    ),
    setting("user_agent", TEXT, "Name that the tap gives to the service. Default: the tap's name and version."),
    choice(
        "status_filter",
        ["active", "tobedeleted"],
        "Deliver only records with this status (such as active) when a collection is read completely. "
        "After such a read nothing is deleted.",
    ),
    choice(
        "missing_collections",
        ["fail", "accept"],
        "What to do if the service does not have a selected collection or does not allow it (404, 403), "
        "or if a bundle lacks a file that its manifest declares: fail (the others are read, and the run "
        "fails at the end) or accept.",
        default="fail",
    ),
    choice(
        "on_total_mismatch",
        ["fail", "accept"],
        "What to do if a collection brings fewer records than its total says, again and again: fail, or "
        "accept (the total counts hidden records; what came is delivered, and nothing is deleted).",
        default="fail",
    ),
    choice(
        "supports_filter",
        _AUTO,
        "Whether the service can filter: auto (try; the tap filters if the service does not), true (fail "
        "if it does not) or false (never try).",
        default="auto",
    ),
    choice(
        "supports_sort",
        _AUTO,
        "Whether the service can sort by sourcedId: auto (try), true (fail if it does not) or false "
        "(never try). In sorted pages, the tap notices records that move while it reads.",
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
