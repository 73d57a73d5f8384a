"""Profiles of consumers: one YAML file each, with rules of ten kinds; a district may add its own."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from .._core.lined_file import LinedFile
from ..errors import Wrong
from .faults import faults
from .kinds import Name, Rule, Text  # noqa: TC001 - msgspec evaluates the annotations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAMES = (
    "sds_v2_1", "apple", "hmh", "mcgraw_hill", "canvas", "google_classroom", "clever", "classlink", "moodle", "lingco",
)  # fmt: skip
"""The consumers that this package knows."""


class Source(Struct, forbid_unknown_fields=True, frozen=True):
    """A page, and the day on which it was read."""

    page: Annotated[str, Meta(pattern="^https?://")]
    read: date


class Profile(Struct, forbid_unknown_fields=True, frozen=True):
    """What a consumer accepts."""

    name: Name
    title: Text
    version: Text
    accepts: Text
    sources: dict[str, Source]
    rules: Annotated[list[Rule], Meta(min_length=1)]

    def rule(self, rule_id: str) -> Rule | None:
        """Return the rule of that id; None if there is none."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)


def read_profiles(
    named: Sequence[str], folder: Path, fault: Callable[[int, str], Exception] | None = None
) -> list[Profile]:
    """Return the profiles of a policy: each entry is the name of one, or a path that ends in .yml or .yaml.

    Raise what `fault` returns for an entry of which there is no profile, and Wrong for a fault in a profile.
    """
    found: dict[str, Profile] = {}
    for index, entry in enumerate(named):

        def raised(text: str, index: int = index) -> Exception:
            return fault(index, text) if fault else Wrong(text)

        if entry.endswith((".yml", ".yaml")):
            try:
                text = (folder / entry).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                raise raised(f"the profile {entry} cannot be read") from None
            profile = read_profile(Path(entry).name, text)
        elif entry in NAMES:
            profile = built_in(entry)
        else:
            raise raised(f"no such consumer: {entry}. Known: {', '.join(NAMES)}; or the path of a profile (.yml)")
        if profile.name in found:
            raise raised(f"{profile.name} stands here twice")
        found[profile.name] = profile
    return list(found.values())


@cache
def built_in(name: str) -> Profile:
    """Return a profile of this package."""
    return read_profile(f"{name}.yml", files(__package__).joinpath(f"{name}.yml").read_text(encoding="utf-8"))


def read_profile(name: str, text: str) -> Profile:
    """Return a profile; raise Wrong, naming file and line, for what is wrong in it."""
    file = LinedFile(name, text, Wrong)
    if not isinstance(file.content, dict):
        raise file.fault((), "a profile is a list of keys and values")
    profile = file.convert(Profile)
    seen: set[str] = set()
    for index, rule in enumerate(profile.rules):
        if rule.id in seen:
            raise file.fault(("rules", index, "id"), f"{rule.id} stands here twice")
        seen.add(rule.id)
        if rule.source not in profile.sources:
            raise file.fault(("rules", index, "source"), f"no such source: {rule.source}")
        for key, what in faults(rule):
            raise file.fault(("rules", index, key), what)
    return profile
