"""The report of a run: checks, findings, conversions and published rows. It contains no personal data."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from .build import BundleOutcome
    from .options import BundleOptions


def write_report(outcome: BundleOutcome, options: BundleOptions, target: Path) -> None:
    """Write the report as JSON."""
    content: dict[str, Any] = {
        "published": outcome.published,
        "reason": outcome.reason,
        "version": options.version.value,
        "fileMode": options.file_mode,
        "fileModes": {name: options.mode(name) for name in outcome.rows},
        "loadMethod": options.load_method,
        "rows": outcome.rows,
        "rejected": outcome.rejected,
        "wentWithDeleted": dict(outcome.went_along),
        "findings": [asdict(finding) for finding in outcome.findings],
        "causes": [{"cause": cause, "rows": rows} for cause, rows in outcome.causes],
        "counts": outcome.counts,
    }
    if options.dialect:
        content["consumer"] = options.dialect.name
    target.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
