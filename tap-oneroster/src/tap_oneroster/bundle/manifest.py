"""What a bundle declares about itself, and what its files show where it declares nothing."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from .._model import File, Version, csv_files
from ..source import FatalSourceError
from .archive import MANIFEST, Bundle
from .encoding import MixedEncodings, open_text

__all__ = ["Manifest", "peek_mode", "read_manifest"]

_MODES = ("absent", "bulk", "delta")
_ONLY_1_2 = frozenset(f.name for f in csv_files(Version.V1_2)) - {f.name for f in csv_files(Version.V1_1)}


@dataclass(frozen=True, slots=True)
class Manifest:
    """Version of a bundle, and the mode declared for each file (absent, bulk, delta)."""

    version: Version
    modes: dict[str, str]
    deviations: Counter[str]


def _first_rows(bundle: Bundle, name: str, count: int) -> list[list[str]]:
    """The first rows of one file, header included; none where they cannot be read."""
    with bundle.open(name) as stream:
        text, _ = open_text(stream)
        try:
            return list(islice(csv.reader(text, strict=True), count))
        except (csv.Error, MixedEncodings, UnicodeError):
            return []


def peek_mode(bundle: Bundle, manifest: Manifest, file: File) -> str:
    """Mode of a file that the bundle holds: as declared, else delta where its rows have a status."""
    declared = manifest.modes.get(file.name, "absent")
    if declared != "absent":
        return declared
    rows = _first_rows(bundle, file.name, 2)
    if len(rows) == 2:
        first = {name.strip().lower(): cell for name, cell in zip(*rows, strict=False)}
        if first.get("status", "").strip():
            return "delta"
    return "bulk"


def read_manifest(bundle: Bundle, wanted: Version | None = None) -> Manifest:
    """What the bundle declares; where it has no manifest, its version from its files and headers.

    `wanted` overrides the version. A version that is neither 1.1 nor 1.2 is refused.
    """
    deviations: Counter[str] = Counter()
    if MANIFEST not in bundle.members:
        deviations["no manifest"] += 1
        return Manifest(wanted or _version_of_files(bundle), {}, deviations)
    properties = _read_properties(bundle, deviations)
    modes = {}
    for key, value in properties.items():
        if not key.startswith("file."):
            continue
        if value.strip().lower() not in _MODES:
            deviations["manifest: mode that is neither absent, bulk nor delta"] += 1
            continue
        modes[key.removeprefix("file.")] = value.strip().lower()
    declared = properties.get("oneroster.version", "").strip()
    version = wanted or _declared_version(bundle, declared, deviations)
    for name, mode in modes.items():
        if (mode != "absent") != (name in bundle.members):
            deviations["manifest: disagrees with the files in the bundle"] += 1
    return Manifest(version, modes, deviations)


def _read_properties(bundle: Bundle, deviations: Counter[str]) -> dict[str, str]:
    with bundle.open(MANIFEST) as stream:
        text, _ = open_text(stream)
        try:
            rows = [row for row in csv.reader(text) if any(cell.strip() for cell in row)]
        except (csv.Error, MixedEncodings, UnicodeError):
            raise FatalSourceError(f"{bundle.name}: manifest.csv cannot be read as CSV") from None
    if rows and [cell.strip() for cell in rows[0][:2]] == ["propertyName", "value"]:
        rows = rows[1:]
    else:
        deviations["manifest: no header"] += 1
    return {row[0].strip(): row[1] if len(row) > 1 else "" for row in rows}


def _declared_version(bundle: Bundle, declared: str, deviations: Counter[str]) -> Version:
    for version in Version:
        if declared == version.value:
            return version
        if declared.startswith(f"{version.value}."):
            deviations["manifest: version with a third number"] += 1
            return version
    if not declared:
        deviations["manifest: no oneroster.version"] += 1
        return _version_of_files(bundle)
    raise FatalSourceError(
        f"{bundle.name}: manifest.csv declares a OneRoster version other than 1.1 and 1.2;"
        " set oneroster_version if you know better"
    )


def _version_of_files(bundle: Bundle) -> Version:
    """1.2 where a file or a column exists that only 1.2 has; else 1.1."""
    if _ONLY_1_2 & bundle.members.keys():
        return Version.V1_2
    for file in csv_files(Version.V1_2):
        if file.name in bundle.members:
            new = set(file.header(Version.V1_2)) - set(file.header(Version.V1_1))
            if any(new & set(header) for header in _first_rows(bundle, file.name, 1)):
                return Version.V1_2
    return Version.V1_1
