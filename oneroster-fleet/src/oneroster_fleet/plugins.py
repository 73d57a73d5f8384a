"""Taps and loaders as commands: where they are, what settings they have (`--about`), and what variables pass them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .district import District

PASSED = ("PATH", "HOME", "TMPDIR", "LANG", "LANGUAGE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
PASSED_IN_ANY_CASE = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
ABOUT_SECONDS = 120


@cache
def find(command: str) -> str:
    """Return the path of a command: beside this program, then on PATH."""
    beside = [str(Path(sys.executable).parent)]
    if sys.argv and Path(sys.argv[0]).name.startswith("oneroster-fleet"):
        beside.insert(0, str(Path(sys.argv[0]).resolve().parent))
    for folder in beside:
        if found := shutil.which(command, path=folder):
            return found
    found = shutil.which(command)
    if not found:
        raise Misconfigured(f"{command}: no such command beside oneroster-fleet or on PATH; install it")
    return found


@cache
def about(command: str) -> dict[str, Any]:
    """Return the schema of a plugin's settings: what `--about` says, kept until another version is installed.

    Raises:
        Misconfigured: There is no such command, or it says nothing that is understood.
    """
    path = find(command)
    its = Path(path).resolve().stat()
    mark = sha256(f"{path} {its.st_mtime_ns} {its.st_size}".encode()).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oneroster-fleet"
    kept = folder / f"{Path(command).name}-{mark}.json"
    try:
        found: dict[str, Any] = json.loads(kept.read_bytes())
    except (OSError, ValueError):
        found = _ask(path, command)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            new = kept.with_suffix(f".{os.getpid()}")
            new.write_text(json.dumps(found), encoding="utf-8")
            new.replace(kept)
        except OSError:
            pass  # nothing but time is lost
    settings: dict[str, Any] = found["settings"]
    return settings


def _ask(path: str, command: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [path, "--about", "--format=json"],
            capture_output=True,
            check=True,
            timeout=ABOUT_SECONDS,
            stdin=subprocess.DEVNULL,
        )
        found = json.loads(done.stdout)
        settings = {name: found["settings"].get(name, []) for name in ("properties", "required")}
        settings["properties"].keys()
        return {"version": found.get("version"), "settings": settings}
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, AttributeError):
        raise Misconfigured(
            f"{command}: does not answer to --about --format=json; it must be a Singer plugin"
        ) from None


def owner(setting: str, tap: Mapping[str, Any], loader: Mapping[str, Any]) -> tuple[str, str]:
    """Return whose a secret is, `tap` or `loader`, and the name of its setting; two empty texts if nobody has it."""
    which, _, name = setting.rpartition(".")
    if which == "loader" and name in loader["properties"]:
        return "loader", name
    if which in ("", "tap") and name in tap["properties"]:
        return "tap", name
    return ("loader", name) if not which and name in loader["properties"] else ("", "")


def children(
    district: District, secrets: Mapping[str, str], environment: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the environments of tap and loader, built anew: each sees its own settings, and nothing of the other."""
    schemas = about(district.tap_command), about(district.loader_command)
    settings = own_settings(district)
    for name, value in secrets.items():
        which, setting = owner(name, *schemas)
        if not which:
            raise Misconfigured(f"secret: {name}: neither {district.tap_command} nor {district.loader_command} has it")
        settings[which != "tap"][setting] = value
    base = {name: environment[name] for name in environment if _is_passed(name)}
    found = []
    for command, values in zip((district.tap_command, district.loader_command), settings, strict=True):
        prefix = f"{Path(command).name}_".upper().replace("-", "_")
        found.append(
            base | {prefix + name.upper(): _text(value) for name, value in values.items() if value is not None}
        )
    found[1] |= {name: environment[name] for name in district.pass_to_loader if name in environment}
    return found[0], found[1]


def own_settings(district: District) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings of tap and loader, with those that the fleet sets. Secrets are not among them."""
    tap = {name: value for name, value in district.tap.items() if name != "name"}
    loader = {name: value for name, value in district.loader.items() if name != "name"}
    if "tenant" in about(district.tap_command)["properties"]:
        tap |= {"tenant": district.id, "tenant_isolated": tap.get("tenant_isolated", True)}
        if "require_receipts" in about(district.loader_command)["properties"]:
            loader.setdefault("require_receipts", True)  # a tap that was killed must not look like a small district
    if district.loader_command == "target-oneroster-duckdb":
        loader.setdefault("filepath", f"{district.id}.duckdb")
    return tap, loader


def _is_passed(name: str) -> bool:
    return name in PASSED or name.startswith("LC_") or name.lower() in PASSED_IN_ANY_CASE


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
