"""Posts JSON to an address that somebody listens at, such as a channel of Slack or Teams."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.parse import urlsplit

SECONDS = 10


def post_json(url: str, body: Any) -> None:
    """Post JSON once. Raise OSError or ValueError if it was not taken; their words may contain the address."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("not an address of http or https")
    data = json.dumps(body, ensure_ascii=False).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json; charset=utf-8"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
        answer.read(1024)
