"""By which policy the bundle that is there was made: a twin replaces only a bundle of its own policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._core.stores.work_folder import WorkDir
    from .remote import RemoteStore
    from .stores import LocalStore

SUFFIX = ".twin.txt"


class TwinScope:
    """The filter of the twin that came, and that of the bundle at the output, which a file beside it holds."""

    def __init__(self, store: LocalStore | RemoteStore, work: WorkDir, came: str | None, *, accept: bool) -> None:
        """`accept`: the bundle there may be of another policy, as a person has said."""
        self._store = store
        self._work = work
        self._came = came
        self._accept = accept
        beside = store.fetch_beside(SUFFIX, work)
        self._there = beside.read_text(encoding="utf-8").strip() if beside else None

    @property
    def accepted(self) -> str | None:
        """The filter with which a read counts as whole; None if none does."""
        if self._came is None or self._came == self._there or self._accept:
            return self._came
        return self._came if self._store.fetch(self._work) is None else None

    def remember(self) -> None:
        """Write the policy of the bundle beside it. This comes first: it was found right for the bundle that is there, too."""
        if self._came == self._there:
            return
        path = None
        if self._came:
            path = self._work.path / "twin scope"
            path.write_text(f"{self._came}\n", encoding="utf-8")
        self._store.put_beside(path, SUFFIX)
