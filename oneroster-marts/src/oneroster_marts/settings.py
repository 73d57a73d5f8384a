"""The settings: one Struct, from which the documentation and Meltano's definition are derived."""

from __future__ import annotations

import json
import os
import re
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import yaml
from msgspec import Meta, Struct

from .errors import Wrong
from .project import limits

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT = "ONEROSTER_MARTS_"
"""Each setting may be given by a variable of this prefix and its name in upper case; variables take precedence."""
SECRET_SETTINGS = frozenset({"password", "private_key_passphrase"})
Text = Annotated[str, Meta(min_length=1)]


def _says(text: str) -> Any:
    return Meta(description=text)


class Settings(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """All settings. Paths are relative to the working folder."""

    warehouse: Annotated[
        Literal["duckdb", "postgres", "snowflake"], _says("Where the loader's tables are, and the marts will be.")
    ] = "duckdb"
    oneroster_schema: Annotated[Text, _says("Schema of the loader's tables.")] = "oneroster"
    tenant: Annotated[str, _says("The district to describe, if the tables hold several.")] = ""
    today: Annotated[
        date | None, _says("The day that is described (default: the district's date of the newest load).")
    ] = None
    time_zone: Annotated[Text, _says("The district's time zone, such as America/Chicago.")] = "UTC"
    small_cell: Annotated[int, Meta(ge=1, description="Numbers of fewer persons are hidden in what is shared.")] = 10
    end_dates: Annotated[
        Literal["exclusive", "inclusive"],
        _says("`inclusive` if the source writes the last day itself as endDate; `doctor` proposes it."),
    ] = "exclusive"
    school_types: Annotated[tuple[Text, ...], _says("Types of organisations that are schools.")] = ("school",)
    pass_percent: Annotated[
        float, Meta(ge=0, le=100, description="Percent of a final grade with which a student passes.")
    ] = 60
    missing_keys: Annotated[
        tuple[Text, ...], _says("Keys of a result's metadata that say that work was not handed in.")
    ] = ()
    missing_as_zero: Annotated[bool, _says("Work that was not handed in counts as 0 in means.")] = False
    final_categories: Annotated[
        tuple[Text, ...], _says("Titles of categories that hold final grades, where input `final_grades` is not given.")
    ] = ("final", "final grade", "final mark", "term grade")
    at_risk: Annotated[
        dict[str, Annotated[float, Meta(ge=0)]],
        _says("Limits of the worklist's rules by name, such as `failing_percent`, where they are not the defaults."),
    ] = {}
    target_path: Annotated[Text, _says("Folder for what dbt writes: compiled SQL, results, its profile.")] = "target"
    site_path: Annotated[Text, _says("Folder for the pages.")] = "site"
    inputs: Annotated[
        dict[str, Text], _says("Further data by the name of the input: `schema.table`, or a path of a .csv file.")
    ] = {}
    filepath: Annotated[Text, _says("DuckDB: the file of target-oneroster-duckdb; it is only read.")] = (
        "warehouse.duckdb"
    )
    marts_path: Annotated[Text, _says("DuckDB: the file for what may be shared (schema `shared`).")] = "marts.duckdb"
    restricted_path: Annotated[
        Text, _says("DuckDB: the file for what holds persons (schema `restricted`), of mode 0600.")
    ] = "restricted.duckdb"
    memory_limit: Annotated[Text, _says("DuckDB: how much memory it may use before it writes to disk.")] = "1500MB"
    host: Annotated[str, _says("PostgreSQL: a host, or the folder of a socket. Snowflake: only for a stand-in.")] = ""
    port: Annotated[int | None, _says("PostgreSQL: the port (default: 5432).")] = None
    user: Annotated[str, _says("The user of the warehouse.")] = ""
    password: Annotated[str, _says("The user's password.")] = ""
    database: Annotated[str, _says("The database that holds the loader's tables and the marts.")] = ""
    account: Annotated[str, _says("Snowflake: the account.")] = ""
    role: Annotated[str, _says("Snowflake: the role.")] = ""
    snowflake_warehouse: Annotated[str, _says("Snowflake: the (virtual) warehouse that computes.")] = ""
    authenticator: Annotated[str, _says("Snowflake: another way to sign in than by password.")] = ""
    private_key_path: Annotated[str, _says("Snowflake: the path of a private key.")] = ""
    private_key_passphrase: Annotated[str, _says("Snowflake: the passphrase of that key.")] = ""
    protocol: Annotated[str, _says("Snowflake: `http` for a stand-in.")] = ""
    threads: Annotated[int, Meta(ge=1, description="How many models are built at once; on DuckDB one.")] = 4


class Setting(Struct, frozen=True):
    """A setting as documentation and Meltano show it; `default` and `options` are words, `kind` is Meltano's."""

    name: str
    description: str
    default: str
    kind: str
    options: tuple[str, ...]
    is_secret: bool


def _shown(field: Any) -> Setting:
    kind, description = field.type, ""
    if hasattr(kind, "__metadata__"):
        description = next(meta.description for meta in kind.__metadata__ if meta.description)
        kind = kind.__origin__
    options = tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()
    kinds = {"options": "options", int: "integer", float: "decimal", bool: "boolean", dict: "object", tuple: "array"}
    default = field.default
    if default is msgspec.NODEFAULT or default is None:
        text = ""
    elif isinstance(default, tuple):
        text = ", ".join(default)
    else:
        text = str(default)
    word = "options" if options else kinds.get(get_origin(kind) or kind, "string")
    if field.name == "port":
        word = "integer"
    return Setting(field.name, description, text, word, options, field.name in SECRET_SETTINGS)


SETTINGS = tuple(_shown(field) for field in msgspec.structs.fields(Settings))
FIELDS = {field.name: field for field in msgspec.structs.fields(Settings)}
_OTHERS = {"config", "project_dir"}
"""Variables that are no settings: the path of the settings, and the folder in which Meltano runs the program."""
OBJECTS = ("inputs", "at_risk")
LISTS = ("school_types", "missing_keys", "final_categories")
NEEDED = {"postgres": ("host", "user", "database"), "snowflake": ("account", "user", "database")}


def nearest(name: str, known: Any) -> str:
    """Return a hint at the nearest known name, to be added to a message."""
    near = get_close_matches(name.lower(), list(known), n=1, cutoff=0.5)
    return f"; the nearest is {near[0]}" if near else f"; known are {', '.join(sorted(known))}"


def read_settings(
    path: Path | None, known_inputs: Mapping[str, Any], environment: Mapping[str, str] = os.environ
) -> Settings:
    """Read the settings from a file of JSON or YAML and from the environment.

    Raises:
        Wrong: A setting or an input is not known, or a value is not allowed.
    """
    given = _file(path) if path else {}
    for name in given:
        if name not in FIELDS:
            raise Wrong(f"no such setting: {name}{nearest(str(name), FIELDS)}")
    for variable, value in environment.items():
        name = variable.removeprefix(ENVIRONMENT).lower()
        if variable.startswith(ENVIRONMENT) and value and name not in _OTHERS and name[:1] != "_":
            if name not in FIELDS:
                raise Wrong(f"no such setting: {variable}{nearest(name, FIELDS)}")
            given[name] = _from_text(name, value)
    given = {name: value for name, value in given.items() if value is not None}
    if isinstance(given.get("today"), date):  # YAML reads an unquoted date as one
        given["today"] = given["today"].isoformat()[:10]
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise Wrong(_fault(error)) from None
    _check(settings, known_inputs)
    return settings


def _file(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML, too
    except FileNotFoundError:
        raise Wrong(f"{path.name}: no such file") from None
    except (OSError, UnicodeDecodeError):
        raise Wrong(f"{path.name}: cannot be read") from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise Wrong(f"{path.name}:{mark.line + 1 if mark else 1}: neither JSON nor YAML") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise Wrong(f"{path.name}: settings are names and values")
    return {str(name): value for name, value in content.items()}


def _from_text(name: str, value: str) -> Any:
    if name in {*OBJECTS, *LISTS}:
        try:
            return json.loads(value)
        except ValueError:
            if name in OBJECTS:
                raise Wrong(f"{name}: must be an object of JSON") from None
            return [word.strip() for word in value.split(",") if word.strip()]
    return value


def _fault(error: msgspec.ValidationError) -> str:
    """Return a line that names the setting and the rule; msgspec's messages name no value but that of an enumeration."""
    what, _, where = str(error).partition(" - at `$")
    name = re.sub(r"[`\[\].]+", ".", where).strip(".") or "settings"
    field = name.split(".")[0]
    if what.startswith("Invalid enum value"):
        options = next((setting.options for setting in SETTINGS if setting.name == field), ())
        what = f"must be one of {', '.join(options)}" if options else "is not allowed"
    if field == "today":
        what = "must be a date such as 2026-10-05"
    return f"{name}: {what[:1].lower()}{what[1:]}"


def _check(settings: Settings, known_inputs: Mapping[str, Any]) -> None:
    for what, given, known in (("input", settings.inputs, known_inputs), ("limit", settings.at_risk, limits())):
        unknown = next((name for name in given if name not in known), None)
        if unknown is not None:
            raise Wrong(f"no such {what}: {unknown}{nearest(unknown, known)}")
    try:
        ZoneInfo(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong("time_zone: no such time zone; name one as America/Chicago") from None
    missing = [name for name in NEEDED.get(settings.warehouse, ()) if not getattr(settings, name)]
    if missing:
        raise Wrong(f"{', '.join(missing)}: must be set for warehouse {settings.warehouse}")
    for name in ("oneroster_schema", *(["database"] if settings.warehouse != "duckdb" else [])):
        if re.search(r"[\"'`;{}\n]", getattr(settings, name)):
            raise Wrong(f"{name}: must be a plain name")
    for name in LISTS:
        if any(not re.fullmatch(r"[\w:. -]+", word) for word in getattr(settings, name)):
            raise Wrong(f"{name}: must be plain words")
