"""The roster audit: what came tonight, what changed, what is wrong, and whether it can be published."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("oneroster-audit")
except PackageNotFoundError:
    __version__ = "0"
