"""Values of a warehouse, to compare them with what a tap wrote."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any


def plain(value: Any) -> Any:
    """A value of the database as a tap writes it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return json.loads(value) if isinstance(value, str) and value[:1] == "{" else value
