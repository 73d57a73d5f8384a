"""`meltano run tap-oneroster target-snowflake`, the line itself."""

from __future__ import annotations

import pytest
import yaml
from oneroster_sample.bundle import write_bundle

from tests.projects.conftest import Project

from .pipe import ROOT
from .source import comparable

pytestmark = pytest.mark.slow


def test_meltano_runs_into_snowflake(district, make_store, tmp_path):
    """With the definitions of meltano.yml, settings from the environment; what is off by default stays where it is."""
    store = make_store("target-snowflake")
    folder = tmp_path / "project"
    (folder / ".meltano").mkdir(parents=True)
    project = Project(folder)
    (folder / "plugins").symlink_to(ROOT / "plugins")
    ours = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))["plugins"]
    plugins = {}
    for kind, name in (("extractors", "tap-oneroster"), ("loaders", "target-snowflake")):
        plugins[kind] = [next(plugin for plugin in ours[kind] if plugin["name"] == name)]
        (folder / ".meltano" / kind).symlink_to(ROOT / ".meltano" / kind)
    plugins["loaders"][0]["executable"] = str(store.executable)
    content = yaml.safe_load((folder / "meltano.yml").read_text(encoding="utf-8"))
    (folder / "meltano.yml").write_text(yaml.safe_dump({**content, "plugins": plugins}), encoding="utf-8")

    write_bundle(district, tmp_path / "district.zip")
    settings = {"TAP_ONEROSTER_MODE": "csv", "TAP_ONEROSTER_CSV_PATH": str(tmp_path / "district.zip")}
    settings |= {f"TARGET_SNOWFLAKE_{name.upper()}": value for name, value in store.where().items()}
    project("run", "tap-oneroster", "target-snowflake", fails=False, **settings)

    for file in district.files():
        if file.csv and file.name != "demographics":
            held = comparable(file, district.active(file.name), "csv")
            assert comparable(file, store.active(file.name), "csv") == held, file.name
    tables = store.place.query("select table_name from information_schema.tables where table_schema = 'ONEROSTER'")
    assert "DEMOGRAPHICS" not in {row["TABLE_NAME"] for row in tables}
    assert "dev:tap-oneroster-to-target-snowflake" in project("state", "list")
