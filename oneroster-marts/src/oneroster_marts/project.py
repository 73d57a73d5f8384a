"""The dbt project: where it is, and what its files say about the inputs and about the limits of the worklist."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def folder() -> Path:
    """Return the folder of the dbt project: inside the installed package, or that of the checkout."""
    here = Path(__file__).parent
    installed = here / "project"
    return installed if installed.is_dir() else here.parents[1]


@cache
def inputs() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the contract of each input by its name: the columns by name, each as its YAML describes it."""
    found = {}
    for path in sorted((folder() / "models" / "inputs").glob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", ()):
            if model["name"].startswith("input_"):
                found[model["name"].removeprefix("input_")] = {c["name"]: c for c in model["columns"]}
    return found


@cache
def limits() -> dict[str, float]:
    """Return the limits of the rules of the worklist, by name, as the project has them."""
    project = yaml.safe_load((folder() / "dbt_project.yml").read_text(encoding="utf-8"))
    found: dict[str, float] = project["vars"]["oneroster_marts"]["at_risk"]
    return found
