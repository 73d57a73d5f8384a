"""Find the bundles at a path, oldest first."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._core.model import Version
from ..._core.stores.addresses import shown
from ...source import FatalSourceError, SourceError
from .archive import Bundle, open_bundle
from .bundle_plan import mode_of
from .manifest import MANIFEST, Manifest, read_manifest
from .stores import Store, is_pattern, store_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_LOOKS = 60
"""A folder that changes during this many checks counts as never complete."""


class Found(NamedTuple):
    """A bundle and its manifest."""

    bundle: Bundle
    manifest: Manifest


class Drop:
    """The complete bundles at `csv_path`, oldest first, without repeated content."""

    def __init__(self, config: Mapping[str, Any], say: Callable[[str], None]) -> None:
        """`config` holds the tap's settings."""
        version, file_mode = config["oneroster_version"], config["csv_file_mode"]
        self.several = is_pattern(config["csv_path"])
        self.left_out: Counter[str] = Counter()
        """Bundles that were not complete, by reason."""
        self._settle = timedelta(seconds=config["settle_seconds"])
        self._version = None if version == "auto" else Version(version)
        self._file_mode = None if file_mode == "auto" else file_mode
        self._say = say
        self._unread: list[tuple[datetime, str]] = []
        self.found = self._find(config["csv_path"], config.get("csv_storage_options") or {})
        self.problems = self._problems()

    def _find(self, path: str, options: Mapping[str, Any]) -> list[Found]:
        store, root = store_at(path, options)
        try:
            paths = store.find(root)
        except PermissionError:
            raise FatalSourceError("csv_path: no permission to look there") from None
        except Exception as error:
            what = f"the store does not answer ({type(error).__name__})"
            raise FatalSourceError(f"csv_path: {what}: {shown(path)}; check the path and the network") from None
        if not paths:
            raise FatalSourceError(f"csv_path: nothing lies there ({shown(path)}); check the path")
        bundles = sorted(self._open(store, paths), key=lambda found: _when(found.bundle))
        if not bundles:
            raise FatalSourceError("csv_path: no bundle there is complete; see the lines above")
        kept: list[Found] = []
        for found in bundles:
            # Only adjacent bundles: if another bundle lies between two equal ones, the later one reverts it.
            if kept and kept[-1].bundle.digest == found.bundle.digest:
                self._say(f"{found.bundle.name}: holds the same as {kept[-1].bundle.name}, left out")
            else:
                kept.append(found)
        return kept

    def _open(self, store: Store, paths: list[str]) -> Iterator[Found]:
        for path in paths:
            try:
                bundle = self._rested(store, path)
                yield Found(bundle, read_manifest(bundle, self._version, self._file_mode))
            except SourceError as error:
                if not self.several:
                    raise error if isinstance(error, FatalSourceError) else FatalSourceError(str(error)) from None
                self.left_out["bundle that is not complete"] += 1
                self._unread.append((store.modified(path), store.name(path)))
                self._say(f"left out: {error}")

    def _problems(self) -> list[str]:
        """Return a line if an unreadable bundle may be newer than the newest complete one.

        A bundle without deltas replaces all earlier ones; a delta does not.
        """
        if not self._unread:
            return []
        whole = max((_when(found.bundle) for found in self.found if _is_whole(found)), default=None)
        newer = sorted(when for when in self._unread if whole is None or when > whole)
        if not newer:
            return []
        others = f" (and {len(newer) - 1} more)" if newer[1:] else ""
        problem = (
            f"{newer[-1][1]}{others}: cannot be read, and may be newer than the last bundle that was; the cause stands"
            " above; have it sent again, or remove it"
        )
        return [problem]

    def _rested(self, store: Store, path: str) -> Bundle:
        """Return the bundle; wait until no file of a plain folder has changed for a while."""
        bundle = open_bundle(store, path)
        if not store.is_folder(path):
            return bundle
        for _ in range(_LOOKS):
            wait = self._settle - (datetime.now(UTC) - bundle.modified)
            if wait <= timedelta(0):
                return bundle
            self._say(f"{bundle.name}: changed a moment ago, waiting until it has rested")
            time.sleep(min(wait, self._settle).total_seconds())
            before, bundle = bundle.digest, open_bundle(store, path)
            if bundle.digest == before and wait >= self._settle:
                return bundle  # the store's clock is ahead of ours, but nothing changed during the wait
        raise FatalSourceError(f"{bundle.name}: keeps changing; run again when it has been written")

    def close(self) -> None:
        """Delete downloaded copies."""
        for found in self.found:
            found.bundle.close()


def _when(bundle: Bundle) -> tuple[datetime, str]:
    return bundle.modified, bundle.name


def _is_whole(found: Found) -> bool:
    """True if all files of a bundle can be read, and none of them is a delta."""
    try:
        modes = {mode_of(found, name) for name in found.bundle.members if name != MANIFEST}
    except SourceError:
        return False
    return "bulk" in modes and "delta" not in modes
