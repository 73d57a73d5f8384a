"""A page of the documentation for each mart, from the YAML files of the dbt project: `python -m tools.derive` writes them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

MODELS = Path(__file__).resolve().parents[1] / "oneroster-marts" / "models"


@cache
def _described() -> dict[str, dict[str, Any]]:
    """Return marts and their twins as the YAML files describe them, by name."""
    return {
        model["name"]: model
        for folder in ("marts", "shared")
        for path in sorted((MODELS / folder).glob("*.yml"))
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", ())
    }


def names() -> list[str]:
    """Return the names of the tables that have a page."""
    return sorted({name.removeprefix("shared_") for name in _described()})


def page(name: str) -> str:
    """Return the page of a mart in Markdown."""
    described = _described()
    model = described.get(name) or described[f"shared_{name}"]
    twin = described.get(f"shared_{name}")
    meta = model["config"]["meta"]
    schemas = [*(["restricted"] if name in described else []), *(["shared"] if twin else [])]
    said = " ".join(model["description"].split())
    lines = [
        f"# {name}",
        "",
        "<!-- Written by tools.derive from the project's YAML files; change it there. -->",
        "",
        said,
        "",
        f"It is in schema {' and '.join(f'`{schema}`' for schema in schemas)}.",
    ]
    lines += ["", "## What it counts", "", " ".join(meta["counts"].split())]
    lines += ["", "## What it leaves out", "", " ".join(meta["leaves_out"].split())]
    lines += ["", "## Columns", "", "| Column | Meaning |", "| --- | --- |"]
    lines += [f"| `{its['name']}` | {' '.join(its['description'].split())} |" for its in model["columns"]]
    lines += ["", "## A query", "", "```sql", meta["query"].rstrip(), "```"]
    lines += ["", "How numbers are made is on [What the district looks like](../marts.md#what-is-counted).", ""]
    return "\n".join(lines)
