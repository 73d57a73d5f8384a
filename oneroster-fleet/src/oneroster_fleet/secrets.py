"""Secrets: references in the fleet file, values from the environment or from a file that only its owner can read."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .district import District

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOGINS = frozenset({"client_id", "user", "username", "login"})


def variable(district: str, setting: str) -> str:
    """Return the variable of a district's setting: FLEET_NORTH_USD_CLIENT_SECRET."""
    return f"FLEET_{district}_{setting}".upper().replace("-", "_").replace(".", "_")


def connection_field(setting: str) -> str:
    """Return the field of an Airflow connection that holds a setting: `login` for an id or a user, or `password`."""
    return "login" if setting.rpartition(".")[2] in _LOGINS else "password"


def reference_fault(reference: object) -> str:
    """Return what is wrong with a reference, or an empty text. It never repeats the reference: it may be a secret."""
    allowed = "must be env, env:NAME, file:/path or airflow:CONNECTION; a secret itself does not belong here"
    if not isinstance(reference, str):
        return allowed
    kind, separator, rest = reference.partition(":")
    if kind == "env" and (not separator or _NAME.fullmatch(rest)):
        return ""
    if kind == "file" and rest.startswith("/") and not rest.startswith("//"):
        return ""
    return "" if kind == "airflow" and re.fullmatch(r"[\w.-]+", rest) else allowed


def has_password(address: str) -> bool:
    """True if an address of a store or a database holds a password in clear."""
    login, at, _ = address.partition("://")[2].rpartition("@")
    return bool(at and ":" in login) or "password=" in address.lower()


def resolve(district: District, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the value of each secret of a district, by setting.

    Raises:
        Misconfigured: One is missing; the message names the setting and its place.
    """
    found = {}
    for setting, reference in district.secrets.items():
        kind, _, rest = reference.partition(":")
        if kind == "file":
            found[setting] = _content(setting, rest)
            continue
        name = rest if kind == "env" and rest else variable(district.id, setting)
        if not environment.get(name):
            filled = f", which the task fills from the connection {rest}," if kind == "airflow" else ""
            raise Misconfigured(f"secret: {setting}: the variable {name}{filled} is not set")
        found[setting] = environment[name]
    return found


def resolve_text(name: str, text: str, environment: Mapping[str, str]) -> str:
    """Return a text of the file, or the value of the variable that `env:NAME` refers to."""
    if not text.startswith("env:"):
        return text
    if not environment.get(text[4:]):
        raise Misconfigured(f"{name}: the variable {text[4:]} is not set")
    return environment[text[4:]]


def _content(setting: str, path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise Misconfigured(f"secret: {setting}: its file can be read by others; chmod 600 it")
            text = file.read()
    except (OSError, UnicodeDecodeError):
        raise Misconfigured(f"secret: {setting}: its file cannot be read") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise Misconfigured(f"secret: {setting}: its file is empty")
    return text
