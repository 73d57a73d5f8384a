"""`python -m tap_oneroster` is the command `tap-oneroster`."""

from __future__ import annotations

from .tap import TapOneRoster

TapOneRoster.cli()
