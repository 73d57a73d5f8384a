"""The example's own Meltano project, with the real plugins, and the example's SIS in a real PostgreSQL."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.loaders.conftest import postgres  # noqa: F401 - a fixture
from tests.projects.conftest import ROOT, Project

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.loaders.postgres import Database, Server

EXAMPLE = ROOT / "examples" / "sis-postgres"
PAGE = ROOT / "docs" / "recipes" / "sis-database.md"


def snippet(language: str, word: str) -> str:
    """The block of code on the page in that language, that has that word."""
    blocks = re.findall(rf"^ *```{language}\n(.*?)^ *```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    [found] = [block for block in blocks if word in block]
    return str(found)


GRANTS = snippet("sql", "grant usage")


class Sis:
    """The SIS in a database of its own, and the way out of it."""

    def __init__(self, project: Project, database: Database, socket: str, folder: Path) -> None:
        self.project = project
        self.database = database
        self.output = folder / "district.zip"
        self.report = folder / "report.json"
        for script in ("schema", "data", "views"):
            database.execute((EXAMPLE / f"{script}.sql").read_text(encoding="utf-8"))
        name = database.url.partition("?")[0].rpartition("/")[2]
        self.settings = {
            # One who may read the views and nothing else: no table of the SIS, no working view.
            "TAP_POSTGRES_SQLALCHEMY_URL": f"postgresql+psycopg2://roster_reader:any@localhost/{name}?host={socket}",
            "TARGET_ONEROSTER_CSV_OUTPUT_PATH": str(self.output),
            "TARGET_ONEROSTER_CSV_REPORT_PATH": str(self.report),
        }
        database.execute(
            "do $$ begin create role roster_reader login; exception when duplicate_object then null; end $$;" + GRANTS
        )

    def run(self, extractor: str = "tap-postgres", *, fails: bool = False, **settings: str) -> str:
        """`meltano run`, with what differs from meltano.yml in the environment; what it printed."""
        return self.project("run", extractor, "target-oneroster-csv", fails=fails, **self.settings, **settings)

    def told(self) -> dict[str, Any]:
        """The target's report."""
        report: dict[str, Any] = json.loads(self.report.read_text(encoding="utf-8"))
        return report

    def files(self) -> dict[str, list[dict[str, str]]]:
        """Rows of the bundle's files."""
        with zipfile.ZipFile(self.output) as bundle:
            return {
                name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(bundle.read(name).decode(), newline="")))
                for name in bundle.namelist()
            }


@pytest.fixture(scope="session")
def sis_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The example's project in another folder, so that nothing is made in the checkout."""
    folder = tmp_path_factory.mktemp("sis")
    project = Project(folder)
    shutil.copy(EXAMPLE / "meltano.yml", folder)
    text = (folder / "meltano.yml").read_text(encoding="utf-8").replace("../../", f"{ROOT}/")
    (folder / "meltano.yml").write_text(text, encoding="utf-8")
    files: dict[str, Any] = yaml.safe_load(snippet("yaml", "tap-csv-folder"))
    project.change("extractors", files.pop("name"), **files)
    project.terminal("meltano install")
    return project


@pytest.fixture(scope="session")
def new_sis(
    sis_project: Project,
    postgres: Server,  # noqa: F811 - the fixture from above
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[], Sis]:
    """Makes the SIS as it is on the first night, in a database of its own."""

    def make() -> Sis:
        database = postgres.database()
        return Sis(sis_project, database, database.url.partition("host=")[2], tmp_path_factory.mktemp("night"))

    return make


@pytest.fixture(scope="session")
def first_night(new_sis: Callable[[], Sis]) -> Callable[[str], Sis]:
    """The SIS after its first run into a bundle of that version; made once, not to be changed."""
    made: dict[str, Sis] = {}

    def run(version: str) -> Sis:
        if version not in made:
            made[version] = new_sis()
            made[version].run(TARGET_ONEROSTER_CSV_ONEROSTER_VERSION=version)
        return made[version]

    return run


@pytest.fixture
def sis(new_sis: Callable[[], Sis], first_night: Callable[[str], Sis]) -> Sis:
    """A SIS that may be changed, and the bundle of its first night."""
    sis = new_sis()
    shutil.copy(first_night("1.2").output, sis.output)
    return sis
