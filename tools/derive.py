"""Write everything that is derived from the code into the files that contain it.

    python -m tools.derive                      write
    python -m tools.derive --check              compare only; exit 1 and name the files that differ
    python -m tools.derive --repository URL     first make URL (or a folder) the address of the repository

In a file, derived lines are between two marks (in Markdown the marks are HTML comments):

    # derived: settings of tap-oneroster
    # end of derived

Everything outside the marks is written by hand and stays unchanged.

Meltano's lock files in plugins/ are derived as a whole: those of our own plugins from hub/, others from their
present content, in Meltano's own format.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import oneroster_core.model as model
import yaml
from meltano.core.plugin.base import StandalonePlugin
from oneroster_audit.__main__ import EXIT_CODES as AUDIT_EXIT_CODES
from oneroster_audit.checks.catalogue import CHECKS
from oneroster_audit.consumers.profiles import NAMES as CONSUMERS
from oneroster_audit.consumers.profiles import built_in
from oneroster_audit.consumers.rules import column_of
from oneroster_audit.policy import SECRET_SETTINGS
from oneroster_audit.policy import SETTINGS as AUDIT_SETTINGS
from oneroster_core.shell import EXIT_CODES
from oneroster_fleet.__main__ import EXIT_CODES as FLEET_EXIT_CODES
from oneroster_fleet.district import District
from oneroster_fleet.engine import SETTINGS as AIRFLOW_SETTINGS
from oneroster_fleet.fleet_file import values as fleet_values
from oneroster_fleet.fleet_file.read import SETTINGS as FLEET_SETTINGS
from oneroster_marts.__main__ import EXIT_CODES as MARTS_EXIT_CODES
from oneroster_marts.settings import SETTINGS as MARTS_SETTINGS
from tap_oneroster import TapOneRoster
from tap_oneroster._core.http.presets import PRESETS
from target_oneroster.bundle.checks import Severity
from target_oneroster.bundle.checks.catalogue import package_rules, rules

from tools import marts_pages, marts_picture
from tools.project import kind_of_plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[1]
FILES = ("README.md", "*/README.md", "docs/*.md", "docs/*/*.md", "hub/*.yml", "*/pyproject.toml")
ONLY_THE_HUB = {"domain_url", "keywords", "maintenance_status", "quality"}
LOCKS = "plugins/*/*.lock"
PICTURE = "docs/assets/marts.svg"
PAGES_OF_MARTS = "docs/marts/*.md"
MEMBERS = {"target-oneroster-duckdb": "target-oneroster-csv"}
EXTRAS = {"oneroster-marts": "[duckdb,postgres,snowflake,mcp]"}
LOCK_OF = {"oneroster-marts": "oneroster-marts/requirements.lock"}
BLOCK = re.compile(
    r"^(?P<start>(?P<indent> *)(?:#|<!--) derived: (?P<what>[a-z ]+) of (?P<plugin>[a-z-]+?)(?: -->)?\n)"
    r".*?"
    r"^(?P<end> *(?:#|<!--) end of derived(?: -->)?)$",
    re.MULTILINE | re.DOTALL,
)
_MANY = 10
KINDS = {"integer": "integer", "number": "decimal", "boolean": "boolean", "array": "array", "object": "object"}


@cache
def about(plugin: str) -> dict[str, Any]:
    """Return the output of a plugin's `--about`."""
    command = [str(Path(sys.executable).with_name(plugin)), "--about", "--format=json"]
    answer: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return answer


def properties(
    schema: dict[str, Any], prefix: str = "", *, needed: bool = True
) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield settings with Meltano's names, nested ones with dots: name, schema, and True if it is always required."""
    for name, setting in schema["properties"].items():
        inner = setting.get("properties", {})
        required = needed and name in schema.get("required", ())
        if inner and not any(key.startswith("__") for key in inner):  # `__else__` marks a stream map, a single value
            yield from properties(setting, f"{prefix}{name}.", needed=required)
        else:
            yield prefix + name, setting, required


def kind(setting: dict[str, Any]) -> str:
    """Return Meltano's kind of a setting."""
    if "enum" in setting:
        return "options"
    if setting.get("format") == "date-time":
        return "date_iso8601"
    types = setting.get("type", "string")
    kinds = [KINDS.get(t, t) for t in ([types] if isinstance(types, str) else types) if t != "null"]
    return kinds[0]


def meltano_settings(plugin: str) -> str:
    """Return the settings of a plugin definition, with their defaults.

    Meltano passes a default as if a user had chosen it. So two kinds of settings have none: those that a vendor preset
    sets, and those inside another setting (batch_config.…), whose other members would be missing.
    """
    settings = [*off_by_default(plugin)]
    filled_in = {name for preset in PRESETS for name in preset.settings}
    for name, setting, _ in sorted(properties(about(plugin)["settings"])):
        entry: dict[str, Any] = {"name": name, "label": setting.get("title", name), "kind": kind(setting)}
        if entry["kind"] == "options":
            entry["options"] = [{"label": str(v), "value": str(v)} for v in setting["enum"] if v is not None]
        if setting.get("secret"):
            entry["sensitive"] = True
        if setting.get("default") is not None and "." not in name and name not in filled_in:
            entry["value"] = setting["default"]
        entry["description"] = " ".join(setting.get("description", "").split())
        settings.append(entry)
    return in_yaml({"settings": settings})


def off_by_default(plugin: str) -> Iterator[dict[str, Any]]:
    """Yield settings that deselect streams that are off by default: Meltano's own default, `*.*`, selects all streams.

    They are Meltano's `metadata` extra in the form of settings. The other form, `select`, is lost by `add --from-ref`.
    """
    if plugin.startswith("tap-"):
        for stream in TapOneRoster(config={"mode": "csv", "csv_path": "."}).streams.values():
            if not stream.selected_by_default:
                yield {
                    "name": f"_metadata.{stream.name}.selected",
                    "label": stream.name.capitalize(),
                    "kind": "boolean",
                    "value": False,
                    "description": f"Read {stream.name}. They stay in the source otherwise, whatever select says.",
                }


def in_yaml(value: object) -> str:
    """Return YAML in one style, with one line for each value."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000)


def settings_table(plugin: str) -> str:
    """Return the settings as a table, in the order of the code."""
    rows = ["| Setting | Default | What it does |", "| --- | --- | --- |"]
    for name, setting, required in properties(about(plugin)["settings"]):
        default = "**required**" if required else code(setting["default"]) if "default" in setting else ""
        words = [" ".join(setting.get("description", "").split())]
        if "enum" in setting:
            words.append("One of " + ", ".join(code(v) for v in setting["enum"] if v is not None) + ".")
        if setting.get("secret"):
            words.append("Secret.")
        text = " ".join(words).replace("|", r"\|").replace("<", "&lt;")
        rows.append(f"| `{name}` | {default} | {text} |")
    return "\n".join(rows) + "\n"


def code(value: object) -> str:
    """Return a value as code: text unchanged, other values as JSON."""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def streams_table(_: str) -> str:
    """Return a table of the streams and their sources."""
    rows = ["| Stream | CSV file in | REST |", "| --- | --- | --- |"]
    for file in model.FILES:
        versions = ", ".join(v.value for v in model.Version if file.csv and file.exists_in(v))
        if file.collection:
            rest = f"`{file.collection.path}`"
        elif file.derived:
            rest = f"inside the records of `{file.derived.parent}`"
        else:
            rest = ""
        if rest and file.since == model.Version.V1_2 and file.collection:
            rest += " (1.2)"
        rows.append(f"| `{file.name}` | {versions} | {rest} |")
    rows += [f"| `{v.name}` (`include_views`) | | `{v.collection.path}`: rows of `{v.parent}` |" for v in model.VIEWS]
    rows.append(f"| `{model.RECEIPTS.name}` | | made by every run: what each collection promised and what came |")
    return "\n".join(rows) + "\n"


def presets_table(_: str) -> str:
    """Return a table of what is known, and unknown, about the services of some vendors."""
    rows = ["| `provider` | Vendor | Set by it | Addresses | Known, and not known |", "| --- | --- | --- | --- | --- |"]
    for preset in PRESETS:
        fixed = {name: value for name, value in preset.settings.items() if not name.endswith("_url")}
        settings = ", ".join(f"`{name}: {value}`" for name, value in fixed.items())
        urls = [preset.settings.get("base_url", preset.base_url), preset.settings.get("token_url", preset.token_url)]
        rows.append(
            f"| `{preset.name}` | {preset.title} | {settings} | {', '.join(code(u) for u in urls if u)} | {preset.notes} |"
        )
    return "\n".join(rows) + "\n"


def rules_table(_: str) -> str:
    """Return a table of the checks of rows in a bundle, by severity: rules, and their columns."""
    columns: dict[tuple[str, ...], list[str]] = {}
    for severity in Severity:
        for rule in rules():
            if rule.severity is severity:
                where = " and ".join(v.value for v in rule.versions), " and ".join(rule.modes)
                column = f"{rule.file}.{rule.field}" if rule.field else f"{rule.file}.csv"
                columns.setdefault((severity.value, rule.rule, *where), []).append(column)
    rows = ["| Severity | Rule | Columns | Version | Files |", "| --- | --- | --- | --- | --- |"]
    for (level, text, versions, modes), found in columns.items():
        names = ", ".join(code(name) for name in found) if len(found) < _MANY else f"{len(found)} columns"
        rows.append(f"| {level} | {text} | {names} | {versions} | {modes} |")
    return "\n".join(rows) + "\n"


def package_table(_: str) -> str:
    """Return a list of the checks on the form of a published bundle."""
    return "".join(f"- {rule}\n" for rule in package_rules())


def exit_codes(_: str) -> str:
    """Return a table of the exit codes of all commands."""
    return table_of_codes(EXIT_CODES)


def table_of_codes(codes: dict[int, tuple[str, str]]) -> str:
    """Return a table of exit codes."""
    rows = ["| Code | Meaning | What to do |", "| --- | --- | --- |"]
    rows += [f"| {number} | {meaning} | {advice} |" for number, (meaning, advice) in codes.items()]
    return "\n".join(rows) + "\n"


def capabilities(plugin: str) -> str:
    """Return the Singer capabilities of a plugin."""
    return in_yaml({"capabilities": sorted(about(plugin)["capabilities"])})


def pythons(plugin: str) -> str:
    """Return the Python versions that a plugin supports."""
    return in_yaml({"supported_python_versions": about(plugin)["supported_python_versions"]})


def repository() -> str:
    """Return the address of the repository from the root's pyproject.toml."""
    url: str = workspace()["repository"]
    return url


def workspace() -> dict[str, Any]:
    """Return the repository's section of the root's pyproject.toml."""
    says: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["oneroster"]
    return says


def addresses(plugin: str) -> str:
    """Return the addresses of logo, repository and package."""
    kind = kind_of_plugin(plugin)
    logo = f"/assets/logos/{kind}/oneroster.png"
    member = MEMBERS.get(plugin, plugin)
    return in_yaml({"logo_url": logo, "repo": repository(), "pip_url": pip_url(member)})


def pip_url(member: str) -> str:
    """Return what pip installs a package from, in a project beside a checkout with the name that the README gives it."""
    extras, lock = EXTRAS.get(member, ""), LOCK_OF.get(member, "requirements.lock")
    places = {
        "checkout": f"-e ../oneroster/{member}{extras} --constraint ../oneroster/{lock}",
        "repository": f"{member}{extras} @ git+{repository()}#subdirectory={member}"
        if extras
        else f"git+{repository()}#subdirectory={member}",
        "index": f"{member}{extras}",
    }
    return places[workspace()["install_from"]]


def utility_settings(plugin: str) -> str:
    """Return the settings of the definition of the audit or the fleet."""
    settings = []
    for name, description in {"oneroster-audit": AUDIT_SETTINGS, "oneroster-fleet": FLEET_SETTINGS}[plugin].items():
        setting: dict[str, Any] = {"name": name, "label": name.replace("_", " ").title(), "kind": "string"}
        if name in SECRET_SETTINGS:
            setting["sensitive"] = True
        settings.append(setting | {"description": description})
    return in_yaml({"settings": settings})


def audit_checks(_: str) -> str:
    """Return a table of the audit's checks."""
    rows = ["| Check | Severity | For | What it says | What to do |", "| --- | --- | --- | --- | --- |"]
    rows += [f"| `{c.id}` | {c.severity.name.lower()} | {c.owner} | {c.sentence} | {c.advice} |" for c in CHECKS]
    return "\n".join(rows) + "\n"


def audit_exit_codes(_: str) -> str:
    """Return a table of the audit's exit codes."""
    return table_of_codes(AUDIT_EXIT_CODES)


def fleet_keys(_: str) -> str:
    """Return a table of the keys of a fleet file, and of where they may stand."""
    defaults = {field.name: field for field in msgspec.structs.fields(District)}
    rows = ["| Key | Where | Default | Meaning |", "| --- | --- | --- | --- |"]
    for where, keys in (
        ("top", fleet_values.TOP),
        ("`board`", fleet_values.BOARD),
        ("provider", {n: k for n, k in fleet_values.PROVIDER.items() if n not in fleet_values.LEVELS}),
        ("district", {n: k for n, k in fleet_values.DISTRICT.items() if n not in fleet_values.LEVELS}),
        ("district, provider, defaults", fleet_values.LEVELS),
    ):
        for name, key in keys.items():
            default = defaults[name].default if name in defaults and where != "top" else ""
            shown = f"`{default}`" if isinstance(default, str | int) and default != "" else ""
            rows.append(f"| `{name}` | {where} | {shown} | {key.text} |")
    return "\n".join(rows) + "\n"


def fleet_exit_codes(_: str) -> str:
    """Return a table of the exit codes of the fleet."""
    return table_of_codes(FLEET_EXIT_CODES)


def airflow_settings(_: str) -> str:
    """Return a table of the settings of Airflow that a fleet needs."""
    rows = ["| Variable | Value | Reason |", "| --- | --- | --- |"]
    rows += [f"| `{name}` | `{value}` | {why} |" for name, (value, why) in AIRFLOW_SETTINGS.items()]
    return "\n".join(rows) + "\n"


def consumer_rules(_: str) -> str:
    """Return for each consumer a table of its rules, each with its page and the day on which it was read."""
    parts = []
    for name in CONSUMERS:
        profile = built_in(name)
        rows = [f"### {profile.title}", "", f"`{name}`: {profile.version}. Takes {profile.accepts}.", ""]
        rows += ["| Rule | Kind | Where | Breaks | What it says | Page |", "| --- | --- | --- | --- | --- | --- |"]
        for rule in profile.rules:
            source = profile.sources[rule.source]
            places = [getattr(rule, "file", "") or ", ".join(getattr(rule, "files", ())), column_of(rule)]
            where = ".".join(filter(None, places))
            says = rule.says.replace("|", r"\|")
            rows.append(
                f"| `{rule.id}` | {type(rule).__struct_config__.tag} | {where} | {rule.severity} | {says} "
                f"| [{rule.source}]({source.page}), {source.read} |"
            )
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def marts_settings(_: str) -> str:
    """Return a table of the settings of the marts."""
    rows = ["| Setting | Default | Meaning |", "| --- | --- | --- |"]
    rows += [f"| `{s.name}` | {f'`{s.default}`' if s.default else ''} | {s.description} |" for s in MARTS_SETTINGS]
    return "\n".join(rows) + "\n"


def transformer_settings(_: str) -> str:
    """Return the settings of the marts' definition; Meltano itself needs `project_dir` of each transformer."""
    folder = "The folder in which Meltano runs the program; relative paths begin there."
    first = {"name": "project_dir", "label": "Project Dir", "kind": "string", "value": "$MELTANO_PROJECT_ROOT"}
    settings: list[dict[str, Any]] = [first | {"description": folder}]
    for its in MARTS_SETTINGS:
        setting: dict[str, Any] = {"name": its.name, "label": its.name.replace("_", " ").title(), "kind": its.kind}
        if its.is_secret:
            setting["sensitive"] = True
        if its.options:
            setting["options"] = [{"label": word.title(), "value": word} for word in its.options]
        settings.append(setting | {"description": its.description})
    return in_yaml({"settings": settings})


def marts_exit_codes(_: str) -> str:
    """Return a table of the exit codes of the marts."""
    return table_of_codes(MARTS_EXIT_CODES)


def urls() -> dict[str, str]:
    """Return the addresses that the index page of a package links to."""
    url = repository()
    return {
        "Homepage": url,
        "Documentation": f"{url}/tree/main/docs",
        "Repository": url,
        "Issues": f"{url}/issues",
        "Changelog": f"{url}/blob/main/CHANGELOG.md",
    }


def project_urls(_: str) -> str:
    """Return the links beside the text of a package's index page."""
    return "".join(f'{name} = "{link}"\n' for name, link in urls().items())


def links(_: str) -> str:
    """Return the links in that text, which must be absolute there."""
    return " · ".join(f"[{name}]({link})" for name, link in urls().items() if name != "Homepage") + "\n"


DERIVED: dict[str, dict[str, Callable[[str], str]]] = {
    ".yml": {
        "addresses": addresses,
        "settings": meltano_settings,
        "utility settings": utility_settings,
        "transformer settings": transformer_settings,
        "capabilities": capabilities,
        "python versions": pythons,
    },
    ".toml": {"links": project_urls},
    ".md": {
        "settings": settings_table,
        "streams": streams_table,
        "presets": presets_table,
        "rules": rules_table,
        "rules of form": package_table,
        "exit codes": exit_codes,
        "links": links,
        "audit checks": audit_checks,
        "consumer rules": consumer_rules,
        "audit exit codes": audit_exit_codes,
        "airflow settings": airflow_settings,
        "fleet exit codes": fleet_exit_codes,
        "fleet keys": fleet_keys,
        "marts settings": marts_settings,
        "marts exit codes": marts_exit_codes,
    },
}


def rewritten(path: Path) -> str:
    """Return the file's text with its derived lines updated."""

    def block(match: re.Match[str]) -> str:
        lines = DERIVED[path.suffix][match["what"]](match["plugin"])
        indented = "".join(f"{match['indent']}{line}" for line in lines.splitlines(keepends=True))
        return f"{match['start']}{indented}{match['end']}"

    text, blocks = BLOCK.subn(block, path.read_text(encoding="utf-8"))
    if blocks != text.count(" derived: ") or blocks != text.count(" end of derived"):
        sys.exit(f"{path.relative_to(ROOT)}: a mark of derived lines has no counterpart")
    return text


def locked(path: Path) -> str:
    """Return a lock file as Meltano writes it: for our own plugins from hub/, for others from its present content."""
    definition = ROOT / "hub" / f"{path.name.partition('--')[0]}.yml"
    if definition.exists():
        content = {k: v for k, v in yaml.safe_load(rewritten(definition)).items() if k not in ONLY_THE_HUB}
    else:
        content = json.loads(path.read_text(encoding="utf-8"))
    canonical = StandalonePlugin.parse({**content, "plugin_type": path.parent.name}).canonical()
    return json.dumps(canonical, indent=2) + "\n"  # same format as meltano.core.plugin_lock_service


def picture(_: Path) -> str:
    """Return the picture of the marts."""
    return marts_picture.svg()


def page_of_mart(path: Path) -> str:
    """Return the page of a mart."""
    return marts_pages.page(path.stem)


def move_repository(url: str) -> None:
    """Write the address of the repository to the place from which all derived files take it; pip installs from it then."""
    if "://" not in url:
        url = Path(url).resolve(strict=True).as_uri()
    path = ROOT / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    text = text.replace(f'repository = "{repository()}"', f'repository = "{url.rstrip("/")}"')
    text = text.replace('install_from = "checkout"', 'install_from = "repository"')
    path.write_text(text, encoding="utf-8", newline="\n")


def main() -> None:
    """Write or compare the files."""
    parser = argparse.ArgumentParser(description="Write what follows from the code into the files that repeat it.")
    parser.add_argument("--check", action="store_true", help="compare only")
    parser.add_argument("--repository", metavar="URL", help="make this the address of the repository")
    options = parser.parse_args()
    if options.repository:
        move_repository(options.repository)
    stale = []
    for pattern, derive in (
        *((pattern, rewritten) for pattern in FILES),
        (LOCKS, locked),
        (PICTURE, picture),
        (PAGES_OF_MARTS, page_of_mart),
    ):
        for path in sorted(ROOT.glob(pattern)):
            text = derive(path)
            if text != path.read_text(encoding="utf-8"):
                stale.append(str(path.relative_to(ROOT)))
                if not options.check:
                    path.write_text(text, encoding="utf-8", newline="\n")
    if options.check and stale:
        sys.exit(f"out of date: {', '.join(stale)}. Run: ./run python -m tools.derive")
    print("out of date, written: " + ", ".join(stale) if stale else "derived files agree with the code")


if __name__ == "__main__":
    main()
