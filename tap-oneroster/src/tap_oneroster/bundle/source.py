"""Bundles as a source: which of them to read, and which file of which for a collection."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..source import Facts, FatalSourceError, Part, Request, SourceError
from .archive import Bundle, open_bundle
from .manifest import Manifest, peek_mode, read_manifest
from .part import FilePart, SilentPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from fsspec import AbstractFileSystem

    from .._model import File, Version
    from .records import Shape

__all__ = ["BundleSource"]


class BundleSource:
    """CSV bundles at a path, which may be a folder, a zip, or a pattern that names several.

    For each file reading starts at the newest bulk, unless it was read before, and goes on with
    every later delta in order of time.
    """

    def __init__(
        self,
        path: str,
        *,
        shape: Shape,
        version: Version | None = None,
        on_invalid: str = "report",
        settle_seconds: float = 0,
        accept_orphan_delta: bool = False,
        storage_options: Mapping[str, Any] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._path = path
        self._shape = shape
        self._version = version
        self._on_invalid = on_invalid
        self._settle = timedelta(seconds=settle_seconds)
        self._accept_orphan = accept_orphan_delta
        self._options = dict(storage_options or {})
        self._say = say
        self._bundles: list[tuple[Bundle, Manifest]] | None = None

    @property
    def bundles(self) -> list[tuple[Bundle, Manifest]]:
        """The bundles at the path, oldest first."""
        if self._bundles is None:
            found = list(self._open())
            self._bundles = sorted(found, key=lambda pair: (pair[0].modified, pair[0].name))
        return self._bundles

    def _open(self) -> Iterator[tuple[Bundle, Manifest]]:
        # Imported here: most commands (--about, --version) never touch a store.
        import fsspec

        fs, root = fsspec.url_to_fs(self._path, **self._options)
        try:
            paths = sorted(fs.glob(root)) if any(c in root for c in "*?[") else [root]
            paths = [str(path) for path in paths if fs.exists(path)]
        except PermissionError:
            raise FatalSourceError("csv_path: no permission to read it") from None
        if not paths:
            raise FatalSourceError("csv_path: nothing lies there; check the path")
        for path in paths:
            try:
                bundle = self._settled(fs, path)
                yield bundle, read_manifest(bundle, self._version)
            except FatalSourceError as error:
                if len(paths) == 1:
                    raise
                self._say(f"left out: {error}")

    def _settled(self, fs: AbstractFileSystem, path: str) -> Bundle:
        """The bundle, once no file of a loose folder has changed for a while."""
        bundle = open_bundle(fs, path)
        while fs.isdir(path):
            wait = self._settle - (datetime.now(UTC) - bundle.modified)
            if wait <= timedelta(0):
                break
            self._say(f"{bundle.name}: changed a moment ago, waiting until it has rested")
            time.sleep(min(wait.total_seconds(), self._settle.total_seconds()))
            bundle = open_bundle(fs, path)
        return bundle

    def parts(self, request: Request) -> Iterable[Part]:
        """Parts of a collection; `roles` come from users.csv where no bundle holds roles.csv."""
        if not self.bundles:
            raise FatalSourceError("csv_path: no bundle there could be read; see the lines above")
        for home, streams in self._homes(request):
            yield from self._parts_of_file(home, streams, request)

    def _homes(self, request: Request) -> Iterator[tuple[File, list[File]]]:
        """Files to read, each with the streams that it feeds."""
        held = {name for bundle, _ in self.bundles for name in bundle.members}
        inside = [
            stream
            for stream in request.streams
            if stream is request.file or (stream.derived and stream.name not in held)
        ]
        if inside:
            yield request.file, inside
        for stream in request.streams:
            if stream not in inside:
                yield stream, [stream]

    def _parts_of_file(self, home: File, streams: Sequence[File], request: Request) -> Iterator[Part]:
        holding = [pair for pair in self.bundles if home.name in pair[0].members]
        if not holding:
            bundle, manifest = self.bundles[-1]
            for stream in streams:
                facts = Facts(bundle.name, "absent", manifest.version.value, complete=True)
                if manifest.modes.get(stream.name, "absent") != "absent":
                    facts.deviations["declared in the manifest, but not in the bundle"] += 1
                yield SilentPart(stream.name, facts)
            return
        modes = [peek_mode(bundle, manifest, home) for bundle, manifest in holding]
        bulks = [number for number, mode in enumerate(modes) if mode == "bulk"]
        first = bulks[-1] if bulks else 0
        entries = self._remembered(streams, request)
        if not bulks and not self._accept_orphan and not _has_bulk(entries):
            raise SourceError(
                f"{home.name}.csv: only a delta is there, and no bulk was read before it; load"
                " the bulk first, or set accept_orphan_delta"
            )
        for (bundle, manifest), mode in zip(holding[first:], modes[first:], strict=True):
            if any(entry["digest"] == bundle.digest for entry in entries):
                for stream in streams:
                    yield SilentPart(
                        stream.name,
                        Facts(bundle.name, "skipped", manifest.version.value, complete=True),
                    )
                continue
            entries = [*entries, _entry(bundle, mode)]
            yield FilePart(
                bundle,
                manifest,
                home,
                streams,
                self._shape,
                on_invalid=self._on_invalid,
                bookmark={"bundles": entries},
            )

    def _remembered(self, streams: Sequence[File], request: Request) -> list[dict[str, Any]]:
        """What every one of the streams has read before, less what is no longer listed.

        The newest bulk stays: later deltas stand on it, also when its bundle is gone.
        """
        states = [request.state.get(stream.name, {}).get("bundles", []) for stream in streams]
        common = [
            entry
            for entry in states[0]
            if all(any(entry["digest"] == other["digest"] for other in s) for s in states[1:])
        ]
        listed = {bundle.digest for bundle, _ in self.bundles}
        newest_bulk = next((e for e in reversed(common) if e["mode"] == "bulk"), None)
        return [e for e in common if e["digest"] in listed or e is newest_bulk]

    def close(self) -> None:
        """Nothing is kept open between parts."""


def _entry(bundle: Bundle, mode: str) -> dict[str, Any]:
    return {
        "name": bundle.name,
        "size": bundle.size,
        "modified": bundle.modified.isoformat(),
        "digest": bundle.digest,
        "mode": mode,
    }


def _has_bulk(entries: Sequence[Mapping[str, Any]]) -> bool:
    return any(entry["mode"] == "bulk" for entry in entries)
