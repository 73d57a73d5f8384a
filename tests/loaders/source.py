"""What a source holds, in the form in which it has to be found in a store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from oneroster_sample.bundle import write_bundle
from oneroster_sample.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from oneroster_core.model import File
    from oneroster_sample.district import District

_DERIVED_IDS = {"sourcedId", "title", "userProfileSourcedId"}


def comparable(file: File, rows: Iterable[dict[str, Any]], binding: str) -> list[str]:
    """Rows as sorted text, of the columns that the binding carries; derived ids mean nothing to the source."""
    if binding == "csv":  # a bulk file leaves dateLastModified blank
        columns = [f.name for f in file.fields if f.csv and not f.secret and f.name != "dateLastModified"]
    elif file.derived:
        columns = [f.name for f in file.fields if f.csv and not f.secret and f.name not in _DERIVED_IDS | {"metadata"}]
        columns.remove("dateLastModified")
        if file.name == "userResources":
            columns.remove("orgSourcedId")
    else:
        columns = [f.name for f in file.fields if f.rest_names and not f.secret]
    return sorted(json.dumps([_plain(row[c]) for c in columns], ensure_ascii=False, sort_keys=True) for row in rows)


def _plain(value: Any) -> Any:
    """A value in which 30 and 30.0 are the same, as they are in JSON."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Bundles:
    """A folder into which a district drops bundles: bulk, a delta, bulk again."""

    binding = "csv"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self.config = {"mode": "csv", "csv_path": f"{folder}/*.zip"}

    def __enter__(self) -> Bundles:
        return self

    def __exit__(self, *_: object) -> None: ...

    def hold(self, district: District, night: int) -> None:
        """What is there on that night."""
        write_bundle(district, self._folder / f"{night}.zip", mode="delta" if night == 1 else "bulk")


class Service:
    """A service that serves the district as it is on the day."""

    binding = "rest"

    def __init__(self, district: District) -> None:
        self._provider = Provider(district)
        self.config = {
            "mode": "rest",
            "base_url": self._provider.base_url,
            "token_url": self._provider.token_url,
            "client_id": self._provider.client_id,
            "client_secret": self._provider.client_secret,
        }

    def __enter__(self) -> Service:
        self._provider.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._provider.__exit__()

    def hold(self, district: District, night: int) -> None:
        """What is there on that night."""
        self._provider.use(district)
