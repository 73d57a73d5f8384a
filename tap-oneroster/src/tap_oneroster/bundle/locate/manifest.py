"""Read a bundle's manifest, and infer the version if there is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from ..._core.model import Version, csv_files
from ...source import FatalSourceError
from ..read.encoding import UnreadableText
from ..read.first_rows import read_rows
from .entries import known_name

if TYPE_CHECKING:
    from .archive import Bundle

MANIFEST = "manifest"
_MOST_ROWS = 10_000
_MODES = ("absent", "bulk", "delta")
_FILES = {f.name for f in csv_files(Version.V1_2)}
_ONLY_1_2 = frozenset(f.name for f in csv_files(Version.V1_2)) - {f.name for f in csv_files(Version.V1_1)}


@dataclass(frozen=True, slots=True)
class Manifest:
    """Version of a bundle, and the declared mode of each file (absent, bulk, delta, or an unknown word)."""

    version: Version
    modes: dict[str, str]
    deviations: Counter[str]
    """Deviations of the manifest as a whole."""
    otherwise: str | None = None
    """Mode of files that are declared neither bulk nor delta; None if their rows decide."""

    def disagrees(self, name: str, *, held: bool) -> bool:
        """True if the manifest contradicts the presence or absence (`held`) of a file in the bundle."""
        return name in self.modes and (self.modes[name] != "absent") != held

    def mode(self, name: str) -> str | None:
        """Return bulk or delta from the manifest or the settings; None if the file's rows decide."""
        declared = self.modes.get(name)
        return declared if declared in {"bulk", "delta"} else self.otherwise


def read_manifest(bundle: Bundle, wanted: Version | None = None, otherwise: str | None = None) -> Manifest:
    """Return the bundle's manifest; without one, infer the version from files and headers.

    `wanted` overrides the version; `otherwise` is the mode of files without a declared one. Raise FatalSourceError for
    a version that is neither 1.1 nor 1.2.
    """
    deviations: Counter[str] = Counter()
    if MANIFEST not in bundle.members:
        deviations["no manifest"] += 1
        return Manifest(wanted or _version_of_files(bundle), {}, deviations, otherwise)
    properties = _read_properties(bundle, deviations)
    modes: dict[str, str] = {}
    for key, value in properties.items():
        prefix, _, name = key.partition(".")
        if prefix.strip().lower() != "file":
            continue
        mode = value.strip().lower()
        known = known_name(name)
        if mode not in _MODES:
            deviations["manifest: mode that is neither absent, bulk nor delta"] += 1
        if known not in _FILES:
            deviations["manifest: file that the standard does not have"] += 1
        elif modes.setdefault(known, mode) != mode:
            raise FatalSourceError(f"{bundle.name}: manifest.csv says two things about {known}.csv; not read")
    declared = properties.get("oneroster.version", "").strip()
    version = wanted or _declared_version(bundle, declared, deviations)
    return Manifest(version, {name: mode for name, mode in modes.items() if mode}, deviations, otherwise)


def _read_properties(bundle: Bundle, deviations: Counter[str]) -> dict[str, str]:
    try:
        rows = list(islice(read_rows(bundle, MANIFEST), _MOST_ROWS + 1))
    except UnreadableText:
        rows = []
    if len(rows) > _MOST_ROWS:
        raise FatalSourceError(f"{bundle.name}: manifest.csv has more than {_MOST_ROWS:,} rows, so it is no manifest")
    if not rows:
        raise FatalSourceError(
            f"{bundle.name}: manifest.csv is empty or cannot be read as CSV; is it still being written?"
        )
    if [cell.strip().lower() for cell in rows[0][:2]] == ["propertyname", "value"]:
        rows = rows[1:]
    else:
        deviations["manifest: no header"] += 1
    properties: dict[str, str] = {}
    for row in rows:
        # Some vendors copied the specification's footnote sign (*) as part of the name.
        key, value = row[0].strip().rstrip("*"), row[1] if len(row) > 1 else ""
        if properties.setdefault(key, value) != value:
            raise FatalSourceError(f"{bundle.name}: manifest.csv says two things about one property; not read")
    return properties


def _declared_version(bundle: Bundle, declared: str, deviations: Counter[str]) -> Version:
    for version in Version:
        if declared == version.value:
            return version
        if declared.lstrip("vV").startswith(version.value):
            deviations["manifest: version in other words than 1.1 or 1.2"] += 1
            return version
    if not declared:
        deviations["manifest: no oneroster.version"] += 1
        return _version_of_files(bundle)
    raise FatalSourceError(
        f"{bundle.name}: manifest.csv declares a OneRoster version other than 1.1 and 1.2;"
        " set oneroster_version if you know better"
    )


def _version_of_files(bundle: Bundle) -> Version:
    """Return 1.2 if there is a file or a column that only 1.2 has; otherwise 1.1."""
    if _ONLY_1_2 & bundle.members.keys():
        return Version.V1_2
    for file in csv_files(Version.V1_2):
        if file.name in bundle.members:
            new = set(file.header(Version.V1_2)) - set(file.header(Version.V1_1))
            if not bundle.peek(file.name).header.isdisjoint(map(str.lower, new)):
                return Version.V1_2
    return Version.V1_1
