"""Pages of vendors: the facts in docs/data/providers.yml, and the settings of the tap's preset."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml
from tap_oneroster._core.http.presets import GENERIC, PRESETS, Preset

from tools.derived.definitions import in_yaml
from tools.derived.tables import code
from tools.project import ROOT

# The evidence for a fact; the word precedes the fact in providers.yml.
EVIDENCE = {
    "vendor": "the vendor's own page",
    "code": "code that runs against it",
    "other": "a third party's page about it",
    "preset": "the tap",
    "inferred": "our inference",
}
_SECRETS = {"oauth2": ["client_secret"], "oauth1": ["client_secret"], "bearer": ["access_token"]}
# The meaning of an entry's `sign_in` for the reader.
_SIGN_IN = {
    "unknown": "How to sign in is **unknown**. The lines below follow the standard. If the credential sheet says otherwise, use the sheet.",
    "style unknown": "Where the token request has id and secret is **unknown**. If the service refuses the default, `basic`, "
    "set `token_auth_style` to `body`.",
}
_PRESETS = {preset.name: preset for preset in PRESETS}


# Values that are shared by entries from Microsoft's list about which little else is known.
_LISTED: dict[str, Any] = {
    "speaks": "1.1 (as Microsoft reads it)",
    "sign_in": "unknown",
    "values": {
        "Address of the service (base URL)": "base_url",
        "Address for tokens (token URL)": "token_url",
        "Client ID (key)": "client_id",
        "Client secret": "client_secret",
    },
    "config": {
        "base_url": "https://<host>/<path of the sheet>",
        "token_url": "https://<host>/<path of the sheet>",
        "client_id": "<client id>",
    },
    "read": "2026-11-21",
}
_LISTED_SOURCE = "Microsoft School Data Sync, list of OneRoster providers"
_LISTED_ODD = [
    {
        "other": "Microsoft School Data Sync reads it with filters on `status` and `dateLastModified` and asks for 5,000 "
        "records a page."
    }
]
_LISTED_UNKNOWN = [
    "The addresses. Ask for the base URL and the token URL, and whether OAuth 2 or OAuth 1.0a is used.",
    "Page sizes, filters, totals, how fresh the data is. `tap-oneroster-probe` finds out most of it.",
]


def _filled_in(provider: dict[str, Any]) -> dict[str, Any]:
    if provider.get("listed") != "microsoft":
        return provider
    return {
        **_LISTED,
        **provider,
        "odd": [*provider.get("odd", ()), *_LISTED_ODD],
        "unknown": [*provider.get("unknown", ()), *_LISTED_UNKNOWN],
        "sources": [*provider.get("sources", ()), _LISTED_SOURCE],
    }


@cache
def read() -> list[dict[str, Any]]:
    """Return all vendors, in the order of the file."""
    content: list[dict[str, Any]] = yaml.safe_load((ROOT / "docs/data/providers.yml").read_text(encoding="utf-8"))
    return [_filled_in(provider) for provider in content]


def path(provider: dict[str, Any]) -> str:
    """Return the path of a vendor's page."""
    return f"providers/{provider['name']}.md"


def ways(provider: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the ways to connect; most vendors have one."""
    found: list[dict[str, Any]] = provider.get("ways") or [provider]
    return found


def config_of(way: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a way, without secrets."""
    preset = {"provider": way["preset"]} if way.get("preset") else {}
    return {"mode": "rest", **preset, **way.get("config", {})}


def secrets_of(way: dict[str, Any]) -> list[str]:
    """Return the settings that hold a secret and belong in the environment."""
    preset = _PRESETS[way.get("preset", GENERIC.name)]
    method = way.get("config", {}).get("auth_method") or preset.settings.get("auth_method", "oauth2")
    return _SECRETS[method]


def snippets(provider: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the settings of each way, with placeholders for secrets."""
    return [config_of(way) | dict.fromkeys(secrets_of(way), "...") for way in ways(provider)]


def facts(entries: list[Any] | None) -> list[str]:
    """Return facts as list items, each with its evidence."""
    lines = []
    for entry in entries or []:
        ((kind, text),) = entry.items()
        lines.append(f"- {text} *({EVIDENCE[kind]})*{{ .evidence }}")
    return lines


def page(provider: dict[str, Any]) -> str:
    """Return the page of a vendor, which ends with the sources of its facts."""
    lines = [f"# {provider['title']}", ""]
    if "warning" in provider:
        lines += ["!!! warning", "", f"    {provider['warning']}", ""]
    if also := provider.get("also"):
        lines += [f"Also known as {', '.join(also)}.", ""]
    lines += [f"OneRoster version: {provider['speaks']}.", ""]
    if needs := provider.get("needs"):
        lines += [f"Needs {needs}.", ""]
    lines += ["## In the vendor's system", ""]
    if steps := provider.get("steps"):
        lines += [f"{n}. {text}" for n, text in enumerate(steps["do"], 1)]
        lines += ["", f"*(Known from {EVIDENCE[steps['known']]}.)*{{ .evidence }}", ""]
    else:
        lines += ["Unknown: ask the vendor for the values below.", ""]
    lines += ["## In the tap", ""]
    for way in ways(provider):
        if "ways" in provider:
            lines += [f"### {way['title']}", ""]
        lines += _connection(way)
    lines += ["Then ask the service what it grants and how it behaves:", "", "```sh"]
    lines += ["meltano invoke tap-oneroster:probe", "```", ""]
    lines += ["## Unusual", "", *(facts(provider.get("odd")) or ["Nothing is known."]), ""]
    lines += ["## Unknown", "", *(f"- {text}" for text in provider["unknown"]), ""]
    if sources := provider.get("sources"):
        lines += ["## Sources", "", f"Read on {provider['read']}:", ""]
        lines += [f"- <{source}>" if source.startswith("https://") else f"- {source}" for source in sources] + [""]
    return "\n".join(lines)


def _connection(way: dict[str, Any]) -> list[str]:
    """Return the setting for each of the vendor's values, the preset's settings, and the lines for meltano.yml."""
    lines = ["| Value of the vendor | Setting |", "| --- | --- |"]
    for value, setting in way["values"].items():
        lines.append(f"| {value} | {', '.join(map(code, setting.split())) or 'no setting'} |")
    lines += ["", *facts(way.get("facts")), ""]
    if said := _SIGN_IN.get(way.get("sign_in", "")):
        lines += [said, ""]
    lines += ["```yaml", *_meltano_yml(way).splitlines(), "```", "", "```sh"]
    lines += [f"export TAP_ONEROSTER_{name.upper()}=..." for name in secrets_of(way)] + ["```", ""]
    if name := way.get("preset"):
        preset = _PRESETS[name]
        return [
            *lines,
            f"`provider: {name}` sets these values. A setting of your own is used instead:",
            "",
            *_left_open(way, preset),
            "",
            preset.notes,
            "",
        ]
    lines += [
        "The tap has no preset for this vendor, because too little is known. These are the values for all services:",
        "",
    ]
    return [*lines, *_left_open(way, GENERIC), ""]


def _left_open(way: dict[str, Any], preset: Preset) -> list[str]:
    """Return the relevant settings whose values come from the preset or the defaults."""
    config = way.get("config", {})
    settings = {**GENERIC.settings, **preset.settings, **config}
    passed_over = {*config} | ({"token_auth_style"} if settings["auth_method"] != "oauth2" else set())
    rows = ["| Setting | Value |", "| --- | --- |"]
    for key, value in settings.items():
        if key not in passed_over:
            general = "" if key in preset.settings else " (as for all)"
            rows.append(f"| `{key}` | {code(value)}{general} |")
    return rows


def _meltano_yml(way: dict[str, Any]) -> str:
    select = {"select": way["select"]} if "select" in way else {}
    return in_yaml({"plugins": {"extractors": [{"name": "tap-oneroster", **select, "config": config_of(way)}]}})


def overview(_: str = "") -> str:
    """Return a table of all vendors."""
    rows = [
        "| Vendor | Also known as | OneRoster version | `provider` | Signs in by |",
        "| --- | --- | --- | --- | --- |",
    ]
    for provider in sorted(read(), key=lambda its: (its["name"] == "another", its["title"].lower())):
        for way in ways(provider):
            name = provider["title"] + (f": {way['title']}" if "ways" in provider else "")
            also = ", ".join(provider.get("also", ()))
            preset = _PRESETS.get(way.get("preset", ""), GENERIC)
            settings = {**GENERIC.settings, **preset.settings, **way.get("config", {})}
            known = way.get("sign_in", "")
            style = "" if settings["auth_method"] != "oauth2" else f", {known or code(settings['token_auth_style'])}"
            method = known if known == "unknown" else f"{code(settings['auth_method'])}{style}"
            shown = f"`{way['preset']}`" if way.get("preset") else "none"
            rows.append(f"| [{name}]({provider['name']}.md) | {also} | {provider['speaks']} | {shown} | {method} |")
    return "\n".join(rows) + "\n"
