"""Pages of the warehouse model: a table for each stream, the receipts, the personal columns."""

from __future__ import annotations

import re
from typing import Any

import oneroster_core.model as model
from oneroster_core.model.describe import describe_file, meaning
from oneroster_core.model.schema import json_schema, key_properties

from tools.project import ROOT, plugins

_KINDS = {
    model.Personal.NAME: "their names",
    model.Personal.CONTACT: "how to reach them, and their relatives",
    model.Personal.ACCOUNT: "their accounts",
    model.Personal.IDENTIFIER: "numbers that lead to them elsewhere",
    model.Personal.BIRTH: "their birth",
    model.Personal.DEMOGRAPHIC: "sex, race, ethnicity, origin and pronouns",
    model.Personal.SPECIAL: "residence, and whatever the vendor adds",
    model.Personal.TEXT: "free text, which may name anybody",
    model.Personal.SCHEDULE: "their place at school, and what they use",
    model.Personal.PERFORMANCE: "how they did",
}


def kinds_of_data() -> dict[str, dict[str, tuple[str, ...]]]:
    """Return columns with personal data by stream and kind of data, as the fields of the model say.

    A stream that says nothing of persons but what vendors may add to it is left out.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for file in model.FILES:
        ids = tuple(f.name for f in file.fields if f.refers_to == "users" and f.personal is None)
        if file.name == "users":
            ids = ("sourcedId", *ids)
        kinds = {words: tuple(f.name for f in file.fields if f.personal == kind) for kind, words in _KINDS.items()}
        kinds = {"ids of persons": ids, **kinds}
        if any(set(columns) - {"metadata"} for columns in kinds.values()):
            found[file.name] = {words: columns for words, columns in kinds.items() if columns}
    return found


_TYPES = {"boolean": "yes or no", "integer": "integer", "number": "number", "array": "list", "object": "object"}


def _type(schema: dict[str, Any]) -> str:
    """Return a column's type in the warehouse, in words."""
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    kind = next(k for k in kinds if k != "null")
    if kind == "array":
        inner = schema["items"]
        return "list of " + ("text" if inner["type"] == "string" else f"objects ({', '.join(inner['properties'])})")
    if kind == "string":
        return {"date": "date", "date-time": "date and time, UTC"}.get(schema.get("format", ""), "text")
    return _TYPES[kind]


def _versions(field: model.Field) -> str:
    """Return the versions that have the column, if not both do, and its former name."""
    if field.since == model.Version.V1_2:
        return "1.2"
    if field.until == model.Version.V1_1:
        return "1.1"
    return f"both; in 1.1 `{field.was}`" if field.was else "both"


def _required(field: model.Field) -> str:
    """Return the versions in which bundles must have it."""
    if len(field.required) == len(model.Version):
        return "yes"
    return ", ".join(v.value for v in field.required)


def _vocabulary(field: model.Field) -> str:
    """Return the standard's words for the column."""
    if field.words is None:
        return ""
    text = ", ".join(f"`{w}`" for w in field.words.words)
    if field.words.added:
        text += ", in 1.2 also " + ", ".join(f"`{w}`" for w in field.words.added)
    return text + (", `ext:…` (1.2)" if field.words.extensible else "")


def _home(file: model.File) -> str:
    """Return the sources of the rows."""
    versions = " and ".join(v.value for v in model.Version if file.csv and file.exists_in(v))
    places = [f"`{file.name}.csv` of {versions}"] if versions else []
    if file.collection:
        only = " of 1.2" if file.since == model.Version.V1_2 else ""
        places.append(f"over REST `{file.collection.path}`{only}")
    if file.derived:
        places.append(f"over REST made from the records of {link(file.derived.parent, file)}")
    return "; ".join(places)


def _key(file: model.File) -> str:
    """Return the columns that identify a row."""
    text = ", ".join(f"`{name}`" for name in key_properties(file))
    if file.derived:
        identity = ", ".join(f"`{name}`" for name in file.derived.identity)
        text += f"; over REST a name-based UUID over {identity}"
        if file.derived.ordinal_by:
            text += f", numbered by `{file.derived.ordinal_by}` where those repeat"
    return text


def link(name: str, seen_from: model.File) -> str:
    """Return a link to the table of a stream."""
    other = model.file(name)
    page = "" if other.service == seen_from.service else f"{other.service.value}.md"
    return f"[`{name}`]({page}#{name.lower()})"


def tables_of(service: str) -> str:
    """Return all streams of a service, each with its columns."""
    return "\n".join(_table(file) for file in model.FILES if file.service.value == service)


def _table(file: model.File) -> str:
    schemas = json_schema(file, secrets=True)["properties"]
    lines = [
        f"## {file.name}",
        "",
        describe_file(file),
        "",
        f"{_home(file)}. Key: {_key(file)}.".removeprefix("; "),
        "",
    ]
    lines += [
        "| Column | What it means | Type | Refers to | Required | Version | Vocabulary |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for field in file.fields:
        refers = link(field.refers_to, file) if field.refers_to else ""
        note = " (off by default)" if field.secret else "" if field.csv or field.name == "metadata" else " (REST)"
        cells = (
            f"`{field.name}`{note}",
            meaning(file, field),
            _type(schemas[field.name]),
            refers,
            _required(field),
            _versions(field),
            _vocabulary(field),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def receipts_table(_: str = "") -> str:
    """Return a table of the fields of a receipt."""
    schemas = json_schema(model.RECEIPTS)["properties"]
    rows = ["| Field | Type | What it says |", "| --- | --- | --- |"]
    rows += [f"| `{f.name}` | {_type(schemas[f.name])} | {meaning(model.RECEIPTS, f)} |" for f in model.RECEIPTS.fields]
    return "\n".join(rows) + "\n"


def personal_table(_: str = "") -> str:
    """Return a table of columns about persons, by stream and kind of data."""
    rows = ["| Stream | What it says | Columns |", "| --- | --- | --- |"]
    for stream, kinds in kinds_of_data().items():
        rows += [f"| `{stream}` | {kind} | {', '.join(f'`{c}`' for c in columns)} |" for kind, columns in kinds.items()]
    return "\n".join(rows) + "\n"


def loader_settings(name: str) -> str:
    """Return the settings of a loader in this repository's meltano.yml, and its address for pip."""
    loader = plugins("loaders").get(name)
    if loader is None:
        return "This repository's `meltano.yml` has no settings for it yet.\n"
    rows = [f"`pip_url: {loader['pip_url']}`", "", "| Setting | Set to | What it does |", "| --- | --- | --- |"]
    for setting in loader["settings"]:
        value = str(setting["value"]).lower() if isinstance(setting.get("value"), bool) else setting.get("value", "")
        secret = " Secret." if setting.get("sensitive") else ""
        rows.append(
            f"| `{setting['name']}` | {f'`{value}`' if value != '' else ''} | {setting['description']}{secret} |"
        )
    return "\n".join(rows) + "\n"


def loader_facts(name: str) -> str:
    """Return the column of one loader from the comparison in docs/loaders.md."""
    lines = (ROOT / "docs/loaders.md").read_text(encoding="utf-8").splitlines()
    tables = [
        [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else [""] for line in lines
    ]
    title = re.compile(rf"(meltanolabs-)?{re.escape(name)}\b(?!-)")
    heads = [
        (row, column) for row, cells in enumerate(tables) for column, cell in enumerate(cells) if title.match(cell)
    ]
    if not heads:
        return "[The comparison](../loaders.md) does not speak of it yet.\n"
    row, column = heads[0]
    width = len(tables[row])
    rows = ["| What | Result |", "| --- | --- |"]
    for cells in tables[row + 2 :]:
        if len(cells) != width or not cells[0] or title.match(cells[0]):
            break
        rows.append(f"| {cells[0]} | {cells[column]} |".replace("](#", "](../loaders.md#"))
    return "\n".join(rows) + "\n"
