"""Records of a provider, each encoded once, and the order that a query requires.

A page is a join of encoded records, so a page of 5,000 costs the server about a millisecond; selections and single
columns are cached, so that each filter or sort is computed once.
"""

from __future__ import annotations

from collections import defaultdict
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

from ._core.model import VIEWS, File, Version, View, derived_from
from .query import Filter, order, value_at
from .shape import Children, Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .district import District
    from .rows import Row

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Records:
    """Encoded records of one collection, in the district's own order."""

    def __init__(self, ids: list[str], bodies: list[bytes], views: dict[str, list[int]]) -> None:
        self.bodies = bodies
        self.views = views
        self.position = {sourced_id: n for n, sourced_id in enumerate(ids)}
        self._columns: dict[str, list[Any]] = {}

    def column(self, path: str) -> list[Any]:
        """Return the values of one field, by position."""
        if path not in self._columns:
            self._columns[path] = [value_at(_decode(body), path) for body in self.bodies]
        return self._columns[path]


class Store:
    """All records of a district in the REST form of one version, made when a collection is first requested."""

    def __init__(self, district: District, version: Version, root: str) -> None:
        self._district, self._version = district, version
        self._shape = Shape(version, root)
        self._records: dict[str, Records] = {}
        self._selections: dict[tuple[Any, ...], Sequence[int]] = {}
        self._lock = Lock()

    def records(self, its: File) -> Records:
        """Return the records of a collection."""
        with self._lock:
            if its.name not in self._records:
                self._records[its.name] = self._load(its)
            return self._records[its.name]

    def select(
        self, its: File, view: View | None, condition: Filter | None, sort: str | None, *, descending: bool
    ) -> Sequence[int]:
        """Return the positions of the records that match a query, in its order."""
        records = self.records(its)
        key = (its.name, view.name if view else None, condition, sort, descending)
        if (known := self._selections.get(key)) is not None:
            return known
        chosen: Sequence[int] = records.views[view.name] if view else range(len(records.bodies))
        if condition:
            keep = condition.test(its, records.column)
            chosen = [n for n in chosen if keep(n)]
        if sort:
            column = records.column(sort)
            chosen = sorted(chosen, key=lambda n: order(column[n]), reverse=descending)
        self._selections[key] = chosen
        return chosen

    def _load(self, its: File) -> Records:
        children = self._children(its)
        views = [view for view in VIEWS if view.parent == its.name]
        members: dict[str, list[int]] = {view.name: [] for view in views}
        ids: list[str] = []
        bodies: list[bytes] = []
        for n, row in enumerate(self._district.rows(its.name, self._version)):
            own = children.pop(row["sourcedId"], {})
            for view in views:
                if _belongs(view, row, own):
                    members[view.name].append(n)
            ids.append(row["sourcedId"])
            bodies.append(_encode(self._shape.record(its, row, own)))
        return Records(ids, bodies, members)

    def _children(self, its: File) -> dict[str, Children]:
        """Return the rows of the files that REST nests in this one, by parent."""
        children: defaultdict[str, Children] = defaultdict(dict)
        profiles: dict[str, str] = {}
        for child in derived_from(its.name):
            derived = child.derived
            if derived is None or not child.exists_in(self._version):
                continue
            for row in self._district.rows(child.name, self._version):
                children[row[derived.identity[0]]].setdefault(child.name, []).append(row)
                if child.name == "userProfiles":
                    profiles[row["sourcedId"]] = row["profileId"]
        # A role refers to a profile by its URI, not by the id that only the CSV form has.
        for own in children.values():
            for role in own.get("roles", ()):
                role["userProfileSourcedId"] = profiles.get(role["userProfileSourcedId"])
        return dict(children)


def _belongs(view: View, row: Row, children: Children) -> bool:
    if row.get(view.column) == view.word:
        return True
    return any(role[view.column] == view.word for role in children.get("roles", ()))
