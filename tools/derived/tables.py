"""Tables of the documentation that repeat what the code says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import oneroster_core.model as model
from oneroster_audit.checks.catalogue import CHECKS
from oneroster_audit.consumers.profiles import NAMES as CONSUMERS
from oneroster_audit.consumers.profiles import built_in
from oneroster_audit.consumers.rules import column_of
from oneroster_fleet.district import District
from oneroster_fleet.engine import SETTINGS as AIRFLOW_SETTINGS
from oneroster_fleet.fleet_file import values as fleet_values
from oneroster_marts.settings import SETTINGS as MARTS_SETTINGS
from tap_oneroster._core.http.presets import PRESETS
from target_oneroster.bundle.checks import Severity
from target_oneroster.bundle.checks.catalogue import package_rules, rules

from tools.derived.definitions import about, properties

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MANY = 10


def table(heads: str, rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown; a bar is between two of its `heads`."""
    names = heads.split(" | ")
    return "".join(f"| {' | '.join(map(str, cells))} |\n" for cells in (names, ["---"] * len(names), *rows))


def settings_table(plugin: str) -> str:
    """Return the settings as a table, in the order of the code."""
    rows = []
    for name, setting, required in properties(about(plugin)["settings"]):
        default = "**required**" if required else code(setting["default"]) if "default" in setting else ""
        words = [" ".join(setting.get("description", "").split())]
        if "enum" in setting:
            words.append("One of " + ", ".join(code(v) for v in setting["enum"] if v is not None) + ".")
        if setting.get("secret"):
            words.append("Secret.")
        text = " ".join(words).replace("|", r"\|").replace("<", "&lt;")
        rows.append((f"`{name}`", default, text))
    return table("Setting | Default | What it does", rows)


def code(value: object) -> str:
    """Return a value as code: text unchanged, other values as JSON."""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def streams_table(_: str) -> str:
    """Return a table of the streams and their sources."""
    rows = []
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
        rows.append((f"`{file.name}`", versions, rest))
    rows += [(f"`{v.name}` (`include_views`)", "", f"`{v.collection.path}`: rows of `{v.parent}`") for v in model.VIEWS]
    rows.append((f"`{model.RECEIPTS.name}`", "", "made by every run: what each collection promised and what came"))
    return table("Stream | CSV file in | REST", rows)


def presets_table(_: str) -> str:
    """Return a table of what is known, and unknown, about the services of some vendors."""
    rows = []
    for preset in PRESETS:
        fixed = {name: value for name, value in preset.settings.items() if not name.endswith("_url")}
        settings = ", ".join(f"`{name}: {value}`" for name, value in fixed.items())
        urls = [preset.settings.get("base_url", preset.base_url), preset.settings.get("token_url", preset.token_url)]
        shown = ", ".join(code(url) for url in urls if url)
        rows.append((f"`{preset.name}`", preset.title, settings, shown, preset.notes))
    return table("`provider` | Vendor | Set by it | Addresses | Known, and not known", rows)


def rules_table(_: str) -> str:
    """Return a table of the checks of rows in a bundle, by severity: rules, and their columns."""
    columns: dict[tuple[str, ...], list[str]] = {}
    for severity in Severity:
        for rule in rules():
            if rule.severity is severity:
                where = " and ".join(v.value for v in rule.versions), " and ".join(rule.modes)
                column = f"{rule.file}.{rule.field}" if rule.field else f"{rule.file}.csv"
                columns.setdefault((severity.value, rule.rule, *where), []).append(column)
    rows = []
    for (level, text, versions, modes), found in columns.items():
        names = ", ".join(code(name) for name in found) if len(found) < _MANY else f"{len(found)} columns"
        rows.append((level, text, names, versions, modes))
    return table("Severity | Rule | Columns | Version | Files", rows)


def package_table(_: str) -> str:
    """Return a list of the checks on the form of a published bundle."""
    return "".join(f"- {rule}\n" for rule in package_rules())


def exit_codes(codes: dict[int, tuple[str, str]]) -> str:
    """Return a table of exit codes."""
    return table("Code | Meaning | What to do", [(number, *says) for number, says in codes.items()])


def audit_checks(_: str) -> str:
    """Return a table of the audit's checks."""
    rows = [(f"`{c.id}`", c.severity.name.lower(), c.owner, c.sentence, c.advice) for c in CHECKS]
    return table("Check | Severity | For | What it says | What to do", rows)


def fleet_keys(_: str) -> str:
    """Return a table of the keys of a fleet file, and of where they may stand."""
    defaults = {field.name: field for field in msgspec.structs.fields(District)}
    rows = []
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
            rows.append((f"`{name}`", where, shown, key.text))
    return table("Key | Where | Default | Meaning", rows)


def airflow_settings(_: str) -> str:
    """Return a table of the settings of Airflow that a fleet needs."""
    rows = [(f"`{name}`", f"`{value}`", why) for name, (value, why) in AIRFLOW_SETTINGS.items()]
    return table("Variable | Value | Reason", rows)


def consumer_rules(_: str) -> str:
    """Return for each consumer a table of its rules, each with its page and the day on which it was read."""
    parts = []
    for name in CONSUMERS:
        profile = built_in(name)
        rows = []
        for rule in profile.rules:
            source = profile.sources[rule.source]
            places = [getattr(rule, "file", "") or ", ".join(getattr(rule, "files", ())), column_of(rule)]
            where = ".".join(filter(None, places))
            says = rule.says.replace("|", r"\|")
            page = f"[{rule.source}]({source.page}), {source.read}"
            rows.append((f"`{rule.id}`", type(rule).__struct_config__.tag, where, rule.severity, says, page))
        intro = f"### {profile.title}\n\n`{name}`: {profile.version}. Takes {profile.accepts}.\n\n"
        parts.append(intro + table("Rule | Kind | Where | Breaks | What it says | Page", rows))
    return "\n".join(parts)


def marts_settings(_: str) -> str:
    """Return a table of the settings of the marts."""
    rows = [(f"`{s.name}`", f"`{s.default}`" if s.default else "", s.description) for s in MARTS_SETTINGS]
    return table("Setting | Default | Meaning", rows)
