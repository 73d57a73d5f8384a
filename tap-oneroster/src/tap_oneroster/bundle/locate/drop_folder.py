"""The bundles that lie at a path, oldest first."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from ...source import FatalSourceError, SourceError
from .archive import Bundle, open_bundle
from .manifest import Manifest, read_manifest
from .stores import Store, is_pattern, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..._core.model import Version

__all__ = ["Drop", "Found"]

_LOOKS = 60
"""So often a folder may change before its eyes, then it is never at rest."""


class Found(NamedTuple):
    """A bundle, and what it declares about itself."""

    bundle: Bundle
    manifest: Manifest


class Drop:
    """What lies at `csv_path`: complete bundles, oldest first, each content once."""

    def __init__(
        self,
        path: str,
        options: Mapping[str, Any],
        settle_seconds: float,
        version: Version | None,
        say: Callable[[str], None],
    ) -> None:
        self.several = is_pattern(path)
        self.left_out: Counter[str] = Counter()
        """Bundles that were not complete."""
        self._settle = timedelta(seconds=settle_seconds)
        self._version = version
        self._say = say
        self.found = self._find(path, options)

    def _find(self, path: str, options: Mapping[str, Any]) -> list[Found]:
        store, root = open_store(path, options)
        try:
            paths = store.find(root)
        except PermissionError:
            raise FatalSourceError("csv_path: no permission to look there") from None
        except Exception as error:
            raise FatalSourceError(f"csv_path: the store does not answer ({type(error).__name__})") from None
        if not paths:
            raise FatalSourceError("csv_path: nothing lies there; check the path")
        bundles = sorted(self._open(store, paths), key=lambda found: (found.bundle.modified, found.bundle.name))
        if not bundles:
            raise FatalSourceError("csv_path: no bundle there is complete; see the lines above")
        kept: list[Found] = []
        for found in bundles:
            # Only neighbours in time: a bundle that came before another, and again after it, undoes that one.
            if kept and kept[-1].bundle.digest == found.bundle.digest:
                self._say(f"{found.bundle.name}: holds the same as {kept[-1].bundle.name}, left out")
            else:
                kept.append(found)
        return kept

    def _open(self, store: Store, paths: list[str]) -> Iterator[Found]:
        for path in paths:
            try:
                bundle = self._rested(store, path)
                yield Found(bundle, read_manifest(bundle, self._version))
            except SourceError as error:
                if not self.several:
                    raise error if isinstance(error, FatalSourceError) else FatalSourceError(str(error)) from None
                self.left_out["bundle that is not complete"] += 1
                self._say(f"left out: {error}")

    def _rested(self, store: Store, path: str) -> Bundle:
        """The bundle, once no file of a loose folder has changed for a while."""
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
                return bundle  # the store's clock is ahead of ours, but nothing moved all the while
        raise FatalSourceError(f"{bundle.name}: keeps changing; run again when it has been written")

    def close(self) -> None:
        """Let go of what was fetched."""
        for found in self.found:
            found.bundle.close()
