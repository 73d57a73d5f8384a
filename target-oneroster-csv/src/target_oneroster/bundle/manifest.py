"""manifest.csv: version and content of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.model import FILES, MANIFEST_VERSION, manifest_properties

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .options import BundleOptions

BUNDLE_FILES = ("manifest.csv", *(f"{file.name}.csv" for file in FILES))
"""Names of the files that a bundle of any version may contain."""


def plain_cell(text: str) -> str:
    """Return a text as a cell, quoted if RFC 4180 requires it."""
    return '"' + text.replace('"', '""') + '"' if '"' in text or "," in text else text


def manifest_text(options: BundleOptions, modes: Mapping[str, str]) -> str:
    """Return the manifest of a bundle whose files have these modes; files without a mode are absent."""
    known = {
        "manifest.version": MANIFEST_VERSION,
        "oneroster.version": options.version.value,
        "source.systemName": options.system_name,
        "source.systemCode": options.system_code,
    }
    rows = ["propertyName,value"]
    for name in manifest_properties(options.version):
        value = modes.get(name.removeprefix("file."), "absent") if name.startswith("file.") else known[name]
        if value:
            rows.append(f"{name},{plain_cell(value)}")
    return "".join(f"{row}\r\n" for row in rows)
