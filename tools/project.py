"""This repository's Meltano project: the definition of each plugin, with the settings from meltano.yml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
_KINDS = {"tap": "extractors", "target": "loaders", "oneroster": "utilities"}
_OTHER_KINDS = {"oneroster-marts": "transformers"}


def kind_of_plugin(name: str) -> str:
    """Return Meltano's word for the kind of a plugin: by its name, or else by the first word of it."""
    return _OTHER_KINDS.get(name) or _KINDS[name.partition("-")[0]]


def lock_path(kind: str, name: str, variant: str) -> Path:
    """Return the path at which Meltano looks for the definition of a plugin that meltano.yml only names."""
    return ROOT / "plugins" / kind / f"{name}--{variant}.lock"


def plugins(kind: str) -> dict[str, dict[str, Any]]:
    """Return the plugins of one kind (extractors, loaders) by name.

    Each is the definition in its lock file, updated by its entry in meltano.yml. Settings in `config` have a `value`.
    """
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    found = {}
    for entry in project["plugins"][kind]:
        lock = json.loads(lock_path(kind, entry["name"], entry["variant"]).read_text(encoding="utf-8"))
        config = entry.get("config", {})
        settings = [s | ({"value": config[s["name"]]} if s["name"] in config else {}) for s in lock["settings"]]
        found[entry["name"]] = {**lock, **entry, "settings": settings}
    return found
