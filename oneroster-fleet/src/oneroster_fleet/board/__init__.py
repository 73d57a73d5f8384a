"""The board: which districts need a person. A page and a JSON file, written whole; and a webhook for what changed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ..errors import FleetError
from ..secrets import resolve_text
from .contents import contents
from .page import page
from .webhook import tell

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from ..district import Fleet
    from ..stores import Store


def write_board(fleet: Fleet, store: Store, at: datetime, out: Path, *, webhook: str | None) -> dict[str, Any]:
    """Write index.html and board.json into a folder, tell what changed, and return the content of board.json.

    Raises:
        FleetError: The folder cannot be written, or the webhook does not take what is told; the board is written then.
    """
    of = contents(fleet, store, at, out)
    found = of.as_json()
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in (("index.html", page(of)), ("board.json", json.dumps(found, indent=1) + "\n")):
            new = out / f".{name}.{os.getpid()}.new"
            new.write_text(text, encoding="utf-8")
            new.replace(out / name)
    except OSError as error:
        raise FleetError(f"--out: cannot be written ({error.strerror})") from None
    if webhook:
        tell(of, store, resolve_text("--webhook", webhook, os.environ))
    return found
