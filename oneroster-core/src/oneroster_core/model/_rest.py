"""Addresses of a service: base paths, scopes and the token's grant (REST binding, sections on security and paths)."""

from __future__ import annotations

from ._types import Service, Version

BASE_PATHS: dict[Version, dict[Service, str]] = {
    # 1.1 serves all collections below one path; 1.2 has one path for each service.
    Version.V1_1: dict.fromkeys(Service, "/ims/oneroster/v1p1"),
    Version.V1_2: {service: f"/ims/oneroster/{service.value}/v1p2" for service in Service},
}

SCOPE_PREFIXES: dict[Version, str] = {
    Version.V1_1: "https://purl.imsglobal.org/spec/or/v1p1/scope/",
    Version.V1_2: "https://purl.imsglobal.org/spec/or/v1p2/scope/",
}


def scope_uri(name: str, version: Version) -> str:
    """Return the full URI of a scope, as a token request names it."""
    return SCOPE_PREFIXES[version] + name
