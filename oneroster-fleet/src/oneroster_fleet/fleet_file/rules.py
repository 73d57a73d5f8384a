"""Rules between districts: no two may share what must be one district's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..secrets import variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..district import District

PATHS = ("filepath", "output_path", "parquet_path", "destination_path")
SERVERS = ("host", "port", "database", "dbname", "account", "sqlalchemy_url", "project", "dataset")
Found = tuple[str, tuple[str | int, ...], str, str]


def across(districts: Iterable[District]) -> Iterator[Found]:
    """Yield for each fault: the second district, the key, the rule, and a text that names the first one."""
    taken: dict[Any, str] = {}
    for district in districts:
        for key, path, rule, text in [*_sources(district), *_places(district), *_variables(district)]:
            first = taken.setdefault(key, district.id)
            if first != district.id:
                yield district.id, path, rule, text.format(first=first)


def _sources(district: District) -> Iterator[tuple[Any, tuple[str, ...], str, str]]:
    tap, secrets = district.tap, district.secrets
    if address := tap.get("base_url"):
        client = tap.get("client_id") or _reference(district, "client_id") or _reference(district, "access_token")
        text = "has the base_url and the client of {first}; two districts would get the same records"
        if client or not secrets:
            yield ("source", str(address).rstrip("/").lower(), client), ("tap", "base_url"), "source", text
    if tap.get("mode") == "csv" and (path := tap.get("csv_path")):
        yield ("csv", str(path)), ("tap", "csv_path"), "source", "has the csv_path of {first}"


def _reference(district: District, setting: str) -> str:
    reference = district.secrets.get(setting, "")
    return f"env:{variable(district.id, setting)}" if reference == "env" else reference


def place(district: District) -> list[tuple[str, Any]]:
    """Return what identifies the district's output, with the setting of it."""
    loader = district.loader
    found: list[tuple[str, Any]] = [(name, loader[name]) for name in PATHS if loader.get(name)]
    if not found and loader.get("default_target_schema"):
        server = tuple(str(loader.get(name, _reference(district, name))) for name in SERVERS)
        found = [("default_target_schema", (*server, loader["default_target_schema"]))]
    if not found and loader.get("name") not in (None, "target-oneroster-duckdb"):
        found = [("name", "without a path or a schema")]
    return found


def _places(district: District) -> Iterator[tuple[Any, tuple[str, ...], str, str]]:
    if district.tap.get("tenant_isolated", True) is False:  # shared tables are meant
        return
    name = district.loader.get("name")
    for setting, value in place(district):
        text = f"{setting}: has the place of {{first}}; write {{{{district}}}} into it"
        yield ("place", name, setting, str(value)), ("loader", setting), "place", text


def _variables(district: District) -> Iterator[tuple[Any, tuple[str, ...], str, str]]:
    for setting, reference in district.secrets.items():
        if reference == "env" or reference.startswith("airflow:"):
            text = f"{setting}: has the variable of {{first}}; rename one of the districts, or write env:NAME"
            yield ("variable", variable(district.id, setting)), ("secrets", setting), "secret", text
