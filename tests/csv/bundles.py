"""Helpers of these tests: small bundles made by hand, and what the pure core reads from them."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec
from tap_oneroster._core.codec import encode_rows
from tap_oneroster._core.model import VIEWS, Version, csv_files, file
from tap_oneroster.bundle.source import BundleSource
from tap_oneroster.policy import Policy
from tap_oneroster.singer.settings import SETTINGS
from tap_oneroster.source import Facts, Request, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

DEFAULTS = {name: its["default"] for name, its in SETTINGS.to_dict()["properties"].items() if "default" in its}


def csv_text(header: str, *rows: str, end: str = "\r\n") -> str:
    """A CSV file out of lines."""
    return end.join([header, *rows, ""])


ORGS_HEADER = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId"
ORGS = csv_text(ORGS_HEADER, "d1,,,District,district,,", "s1,,,School One,school,01,d1", "s2,,,School Two,school,02,d1")


def delta(*rows: str) -> str:
    """An orgs.csv of changed rows: ``id,status,name``."""
    lines = (row.split(",") for row in rows)
    return csv_text(
        ORGS_HEADER, *(f"{key},{status},2026-09-01T00:00:00.000Z,{name},school,," for key, status, name in lines)
    )


def manifest(modes: Mapping[str, str], version: str = "1.1", **more: str) -> str:
    """A manifest that declares some files and says absent of all others."""
    files = csv_files(Version(version) if version in {"1.1", "1.2"} else Version.V1_2)
    lines = ["manifest.version,1.0", f"oneroster.version,{version}"]
    lines += [f"file.{f.name},{modes.get(f.name, 'absent')}" for f in files]
    return csv_text("propertyName,value", *lines, *(f"{k},{v}" for k, v in more.items()))


def write(
    path: Path,
    files: Mapping[str, str | bytes],
    modes: Mapping[str, str] | str | None = "bulk",
    version: str = "1.1",
    at: float | None = None,
) -> Path:
    """Write files as a folder, or as a zip where the path ends in ``.zip``.

    `modes`: what the manifest declares, for all files where it is one word; None leaves the
    manifest out. `at`: when it was last written, in seconds since 1970.
    """
    files = dict(files)
    if modes is not None:
        if isinstance(modes, str):
            modes = {name.removesuffix(".csv"): modes for name in files}
        files.setdefault("manifest.csv", manifest(modes, version))
    data = {name: text if isinstance(text, bytes) else text.encode() for name, text in files.items()}
    if path.suffix == ".zip":
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in data.items():
                archive.writestr(name, content)
        written = [path]
    else:
        path.mkdir(parents=True, exist_ok=True)
        written = [path / name for name in data]
        for one, content in zip(written, data.values(), strict=True):
            one.write_bytes(content)
    if at is not None:
        for one in written:
            os.utime(one, (at, at))
    return path


@dataclass
class Read:
    """What the pure core made of one collection."""

    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    facts: list[tuple[str, Facts]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    error: str | None = None
    bundles: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Records of the only stream."""
        (rows,) = self.records.values()
        return rows

    @property
    def ids(self) -> list[str]:
        """Ids of the only stream."""
        return [row["sourcedId"] for row in self.rows]

    @property
    def odd(self) -> dict[str, int]:
        """All deviations."""
        return {rule: count for _, facts in self.facts for rule, count in facts.deviations.items()}

    @property
    def last(self) -> Facts:
        """Facts of the last part."""
        return self.facts[-1][1]

    @property
    def modes(self) -> list[str]:
        """Mode of each part."""
        return [facts.mode for _, facts in self.facts]


def read(
    path: Any, *streams: str, state: Mapping[str, Any] | None = None, policy: Policy | None = None, **settings: Any
) -> Read:
    """Read one collection, and with it streams derived from it, as the tap would."""
    views = {view.name: view for view in VIEWS}
    files = [_as_view(views[name].parent, name) if name in views else file(name) for name in streams]
    result = Read({name: [] for name in streams})
    source = bundles_at(path, policy, result.said.append, **settings)
    try:
        for part in source.passes(Request(files[0], tuple(files), state=state or {})):
            result.facts += part.facts.items()
            for batch in part:
                result.records[batch.file.name] += map(msgspec.to_builtins, batch.records)
                made = encode_rows(batch.records)
                assert (batch.rows.lines, batch.rows.content) == (made.lines, made.content)
            if part.bookmark:
                result.bundles = part.bookmark["bundles"]
    except SourceError as error:
        result.error = str(error)
    finally:
        source.close()
    return result


def bundles_at(
    path: Any,
    policy: Policy | None = None,
    say: Callable[[str], None] = lambda _: None,
    *,
    columnar: bool = False,
    **settings: Any,
) -> BundleSource:
    """The bundles at a path; settings are those of the tap, with its defaults, but nothing is waited for."""
    config = {**DEFAULTS, "csv_path": str(path), "settle_seconds": 0, **settings}
    return BundleSource(config, policy or Policy(), say, columnar=columnar)


def _as_view(parent: str, name: str) -> Any:
    return replace(file(parent), name=name)
