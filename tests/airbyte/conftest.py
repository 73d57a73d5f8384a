"""The source over a bundle and over a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from oneroster_sample.provider import Provider

from tests.airbyte.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from oneroster_sample.district import District


@pytest.fixture
def csv(bundle: Callable[[str], Path], tmp_path: Path) -> Source:
    """The source over a bundle of version 1.2."""
    return Source(tmp_path, {"mode": "csv", "csv_path": str(bundle("1.2"))})


@pytest.fixture
def service(district: District) -> Iterator[Provider]:
    """A service that follows the standard."""
    with Provider(district) as running:
        yield running


@pytest.fixture
def rest(service: Provider, tmp_path: Path) -> Source:
    """The source over the service, with what is on its credential sheet."""
    return over(service, tmp_path)


def over(service: Provider, folder: Path) -> Source:
    """The source over a service."""
    sheet = {"base_url": service.base_url, "token_url": service.token_url}
    return Source(
        folder, {"mode": "rest", **sheet, "client_id": service.client_id, "client_secret": service.client_secret}
    )
