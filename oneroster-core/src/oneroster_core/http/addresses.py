"""Addresses of a service: parse `base_url`, add the parts that it lacks, and check which addresses may be called."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from ..errors import SetupError
from ..model import BASE_PATHS, Service, Version

_VERSIONED = re.compile(r"(?P<root>.*?)(?P<service>/(?:rostering|gradebook|resources))?/v1p(?P<minor>[12])\Z")
_STANDARD_PATH = "/ims/oneroster"
_PORTS = {"http": 80, "https": 443}


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address_error(setting: str, url: str) -> str | None:
    """Return what is wrong with an address in the settings, without quoting it; None if it is fine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f"{setting}: not an address; write it like https://district.example/path"
    if parts.scheme not in {"http", "https"} or not host:
        return f"{setting}: must start with https:// and name a host"
    if parts.scheme == "http" and not _is_loopback(host):
        return f"{setting}: must start with https:// (plain http is for this machine only)"
    if parts.username or parts.password:
        return f"{setting}: must not hold credentials; put them in client_id and client_secret"
    return None


def host_of(url: str) -> str:
    """Return host and port of an address, for messages."""
    return urlsplit(url).netloc.rpartition("@")[2]


def same_origin(one: str, other: str) -> bool:
    """True if two addresses have the same scheme, host and port."""
    return _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


@dataclass(frozen=True, slots=True)
class Address:
    """The base address of a service, with or without the standard's path and version."""

    host: str
    root: str
    """The part before the version, without a trailing slash."""
    version: Version | None
    """The version in the path, if any."""
    per_service: bool = True
    """True if each service of 1.2 has its own path."""

    @classmethod
    def read(cls, base_url: str) -> Address:
        """Parse `base_url`; query and fragment are ignored."""
        parts = urlsplit(base_url.strip())
        path = parts.path.rstrip("/")
        origin = f"{parts.scheme}://{parts.netloc}"
        host = parts.hostname or ""
        found = _VERSIONED.match(path)
        if found:
            version = Version(f"1.{found['minor']}")
            per_service = version == Version.V1_1 or bool(found["service"])
            return cls(host, origin + found["root"], version, per_service)
        if not path.endswith(_STANDARD_PATH):
            path += _STANDARD_PATH
        return cls(host, origin + path, None)

    def check_version(self, asked: Version | None) -> Version | None:
        """Return the version from settings or path, if either names one; raise SetupError if they differ."""
        if asked and self.version and asked != self.version:
            raise SetupError(
                f"base_url names version {self.version.value} and oneroster_version is"
                f" {asked.value}: make them agree, or set oneroster_version to auto"
            )
        return asked or self.version

    def url(self, version: Version, service: Service, path: str, query: dict[str, str]) -> str:
        """Return the address of a collection, with a percent-encoded query (a space is %20)."""
        base = BASE_PATHS[version][service].removeprefix(_STANDARD_PATH)
        if not self.per_service:
            base = "/" + base.rpartition("/")[2]
        text = "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items())
        return f"{self.root}{base}{path}?{text}"
