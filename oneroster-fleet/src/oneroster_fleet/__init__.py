"""Many districts a night: what is to be run, what happened, and what needs a person."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("oneroster-fleet")
except PackageNotFoundError:
    __version__ = "0"
