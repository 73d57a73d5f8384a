"""How a setting is written down: its name, type, description, and what else its JSON Schema says."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

__all__ = ["TEXT", "choice", "setting", "switch"]

TEXT = th.StringType(nullable=False)


def setting(name: str, kind: Any, description: str, *, title: str = "", **more: Any) -> th.Property[Any]:
    """Return a setting; without a `title` the words of its name are the title."""
    return th.Property(name, kind, title=title or name.replace("_", " ").title(), description=description, **more)


def choice(name: str, words: list[str], description: str, **more: Any) -> th.Property[Any]:
    """Return a setting that takes one of these words."""
    return setting(name, TEXT, description, allowed_values=words, **more)


def switch(name: str, description: str, *, default: bool = False, **more: Any) -> th.Property[Any]:
    """Return a setting that is true or false."""
    return setting(name, th.BooleanType(nullable=False), description, default=default, **more)
