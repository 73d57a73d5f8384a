"""What follows from the code and is written down elsewhere agrees with it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from meltano.core.plugin_lock_service import PluginLockService
from meltano.core.project import Project

from tools import derive, project
from tools.derived import addresses, tables

ROOT = Path(__file__).parents[2]
PLUGINS = {"tap-oneroster": "extractors", "target-oneroster-csv": "loaders", "target-oneroster-duckdb": "loaders"}

each_plugin = pytest.mark.parametrize("plugin", PLUGINS)


def read(name: str) -> dict[str, Any]:
    """A YAML file of the repository."""
    content: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return content


def test_derived_files_agree_with_the_code() -> None:
    """READMEs, meltano.yml and hub/ say what the code says; `python -m tools.derive` makes it so."""
    done = subprocess.run([sys.executable, "-m", "tools.derive", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_mark_without_its_counterpart_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost end mark would let the lines up to the next one vanish."""
    monkeypatch.setattr(derive, "ROOT", tmp_path)
    page = tmp_path / "README.md"
    page.write_text("<!-- derived: streams of tap-oneroster -->\n")
    with pytest.raises(SystemExit, match=r"README\.md: a mark"):
        derive.rewritten(page)


def test_what_is_written_by_hand_stays(tmp_path: Path) -> None:
    """Only the lines between the marks are made anew, at the marks' indentation."""
    page = tmp_path / "x.yml"
    page.write_text(
        "by: hand\n  # derived: capabilities of tap-oneroster\n  old: 1\n  # end of derived\nand: after\n",
        encoding="utf-8",
    )
    text = derive.rewritten(page)
    assert text.startswith("by: hand\n  # derived: capabilities of tap-oneroster\n  capabilities:\n  - about\n")
    assert text.endswith("\n  # end of derived\nand: after\n")
    assert "old" not in text


def test_meltano_accepts_the_project_file() -> None:
    """meltano.yml is valid by the schema that Meltano ships."""
    schema = json.loads(files("meltano").joinpath("schemas/meltano.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(read("meltano.yml"), schema)


def test_meltano_never_has_to_ask_its_hub() -> None:
    """Every plugin has its lock file, which a clone has too; telemetry is off, and a state's owner is named."""
    content = read("meltano.yml")
    for kind in content["plugins"]:
        for name, plugin in project.plugins(kind).items():
            assert plugin["namespace"], name
            assert plugin["pip_url"], name
            assert project.lock_path(kind, name, plugin["variant"]).relative_to(ROOT).as_posix() in tracked(), name
    assert content["send_anonymous_usage_stats"] is False
    assert content["project_id"]


def tracked() -> list[str]:
    """Files that a clone has."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def test_the_project_file_is_what_a_person_wrote() -> None:
    """Definitions are in the lock files: meltano.yml is short, and only sets what it sets."""
    assert len((ROOT / "meltano.yml").read_text(encoding="utf-8").splitlines()) < 150
    for plugins in read("meltano.yml")["plugins"].values():
        for plugin in plugins:
            assert not {"namespace", "settings", "capabilities"} & set(plugin), plugin["name"]
            known = {setting["name"] for setting in definition_of(plugin)["settings"]}
            assert set(plugin.get("config", {})) <= known, plugin["name"]


def definition_of(plugin: dict[str, Any]) -> dict[str, Any]:
    """What the lock file of an entry in meltano.yml says."""
    kinds = {"tap": "extractors", "oneroster": "utilities"}
    kind = kinds.get(plugin["name"].partition("-")[0], "loaders")
    return project.plugins(kind)[plugin["name"]]


@each_plugin
def test_the_lock_file_is_what_meltano_makes_of_the_definition(plugin: str, tmp_path: Path) -> None:
    """Meltano's own service, given a plugin that came by `meltano add --from-ref hub/…`, writes the file in plugins/."""
    kind = PLUGINS[plugin]
    content = {"send_anonymous_usage_stats": False, "project_id": "x", "plugins": {kind: [read(f"hub/{plugin}.yml")]}}
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    empty = Project(tmp_path)
    made = PluginLockService(empty).save(empty.plugins.find_plugin(plugin))
    ours = project.lock_path(kind, plugin, "oneroster-singer")
    assert made.name == ours.name
    here = json.loads(ours.read_text(encoding="utf-8"))
    here.pop("commands", None)  # of a plugin that is defined in meltano.yml, Meltano leaves them there
    assert json.loads(made.read_text(encoding="utf-8")) == here


def copied(folder: Path) -> Path:
    """What the deriving looks at, in another place."""
    for pattern in (*derive.FILES, derive.LOCKS, "pyproject.toml"):
        for path in ROOT.glob(pattern):
            target = folder / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return folder


def test_the_repository_has_one_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--repository URL` changes it in the definitions, the lock files and the packages' links, and nowhere else is one."""
    before = addresses.repository()
    assert addresses.pip_url("tap-oneroster").startswith("-e ../oneroster/tap-oneroster ")
    monkeypatch.setattr(derive, "ROOT", copied(tmp_path))
    monkeypatch.setattr(addresses, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["derive", "--repository", "https://git.example.org/district/oneroster"])
    derive.main()
    for plugin, kind in PLUGINS.items():
        new = yaml.safe_load((tmp_path / "hub" / f"{plugin}.yml").read_text(encoding="utf-8"))
        member = "tap-oneroster" if kind == "extractors" else "target-oneroster-csv"
        assert new["repo"] == "https://git.example.org/district/oneroster"
        assert new["pip_url"] == f"git+{new['repo']}#subdirectory={member}"
        links = tomllib.loads((tmp_path / member / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
        assert links["Repository"] == new["repo"]
    everything = "".join(p.read_text(encoding="utf-8") for p in tmp_path.rglob("*") if p.is_file())
    assert before not in everything


@pytest.mark.parametrize("member", ["tap-oneroster", "target-oneroster-csv"])
def test_links_on_an_index_page_are_absolute(member: str) -> None:
    """A package's README is its page on the index, where nothing lies beside it; the repository is linked from there."""
    text = (ROOT / member / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert not [target for target in targets if not target.startswith(("https://", "#"))]
    assert addresses.urls()["Documentation"] in targets


@each_plugin
def test_a_definition_has_what_the_hub_asks_for(plugin: str) -> None:
    """The Hub's rules for definitions: required keys, kinds of settings, labels, order."""
    definition = read(f"hub/{plugin}.yml")
    assert definition["name"] == definition["executable"] == plugin
    assert {"variant", "namespace", "label", "quality", "maintenance_status", "logo_url"} <= set(definition)
    settings = definition["settings"]
    names = [setting["name"] for setting in settings]
    assert names == sorted(names)
    for setting in settings:
        assert setting["label"]
        assert setting["description"], setting["name"]
        assert setting["kind"] in {
            "string",
            "integer",
            "decimal",
            "boolean",
            "array",
            "object",
            "options",
            "date_iso8601",
        }
    for group in definition["settings_group_validation"]:
        assert set(group) <= set(names)


@each_plugin
def test_secrets_are_marked(plugin: str) -> None:
    """Meltano hides what is marked, and nothing else."""
    for setting in read(f"hub/{plugin}.yml")["settings"]:
        if setting["name"].endswith(("_secret", "_token", "storage_options")):
            assert setting.get("sensitive"), setting["name"]


@each_plugin
def test_environments_use_settings_that_exist(plugin: str) -> None:
    """A misspelt setting in meltano.yml would be passed on and read by nobody."""
    names = {setting["name"] for setting in read(f"hub/{plugin}.yml")["settings"]}
    for environment in read("meltano.yml")["environments"]:
        for entry in environment.get("config", {}).get("plugins", {}).get(PLUGINS[plugin], ()):
            if entry["name"] == plugin:
                assert set(entry["config"]) <= names


def test_the_table_of_streams_is_what_the_tap_offers(tmp_path: Path) -> None:
    """The README's streams are those of `--discover`, views included."""
    tap = str(Path(sys.executable).with_name("tap-oneroster"))
    config = tmp_path / "config.json"
    service = {"mode": "rest", "base_url": "https://example.org", "auth_method": "none", "include_views": True}
    config.write_text(json.dumps(service), encoding="utf-8")
    catalog = subprocess.run([tap, "--discover", f"--config={config}"], capture_output=True, check=True).stdout
    offered = {stream["tap_stream_id"] for stream in json.loads(catalog)["streams"]}
    rows = tables.streams_table("").splitlines()[2:]
    assert {row.split("`")[1] for row in rows} == offered
