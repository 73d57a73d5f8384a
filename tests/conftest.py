"""What several suites need: a sample district as bundles, made once a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def district() -> District:
    """A small district: two schools, everything in it that the standard knows."""
    return District(seed=7, schools=2, students_per_school=40)


@pytest.fixture(scope="session")
def bundle(district: District, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The district as a zipped bulk bundle of a version; made once."""
    made: dict[str, Path] = {}

    def make(version: str) -> Path:
        if version not in made:
            made[version] = tmp_path_factory.mktemp("bundle") / f"district-{version}.zip"
            write_bundle(district, made[version], version=version)
        return made[version]

    return make
