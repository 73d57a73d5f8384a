"""Posts JSON to an address that somebody listens at, such as a channel of Slack or Teams, with patience."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

SECONDS = 10
TRIES, WAIT_SECONDS = 3, 1.0


def was_taken(post: Callable[[], None]) -> bool:
    """Post several times, with longer and longer waits, until nothing is raised; return False if it never was taken."""
    for attempt in range(TRIES):
        try:
            post()
        except (OSError, ValueError):  # its words may contain the address; failures of smtplib are OSError, too
            if attempt < TRIES - 1:
                time.sleep(WAIT_SECONDS * 2**attempt)
            continue
        return True
    return False


def post_json(url: str, body: Any) -> None:
    """Post JSON once. Raise OSError or ValueError if it was not taken; their words may contain the address."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("not an address of http or https")
    data = json.dumps(body, ensure_ascii=False).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json; charset=utf-8"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
        answer.read(1024)
