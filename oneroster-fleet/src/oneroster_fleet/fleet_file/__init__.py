"""The fleet file: read in any of its forms, resolved, and checked."""

from __future__ import annotations

from .read import find_file
from .resolve import read_fleet

__all__ = ["find_file", "read_fleet"]
