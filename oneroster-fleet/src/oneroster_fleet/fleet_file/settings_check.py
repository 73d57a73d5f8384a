"""Settings of taps and loaders, compared with what the plugins say of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import Misconfigured
from ..plugins import about, own_settings, owner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..district import District

Found = tuple[tuple[str | int, ...], str, str]


def check_settings_of(district: District, *, types: bool) -> Iterator[Found]:
    """Yield the key, the rule and the text of each fault in a district's settings and secrets."""
    if not isinstance(district.loader.get("name"), str):
        return
    missing = [*_missing(district)]
    yield from missing
    if missing:
        return
    schemas = [about(district.tap_command), about(district.loader_command)]
    for which, schema in zip(("tap", "loader"), schemas, strict=True):
        for name in getattr(district, which):
            if schema["properties"].get(name, {}).get("secret"):
                yield (which, name), "secret", f"{name}: stands in clear; put a reference under secrets"
    for name in district.secrets:
        if not owner(name, *schemas)[0]:
            text = f"{name}: neither {district.tap_command} nor {district.loader_command} has such a setting"
            yield ("secrets", name), "secret", text
    if types:
        yield from _types(district)


def _missing(district: District) -> Iterator[Found]:
    for which, command in (("tap", district.tap_command), ("loader", district.loader_command)):
        try:
            about(command)
        except Misconfigured as error:
            yield (which,), which, str(error)


def _types(district: District) -> Iterator[Found]:
    from .._core.shell import read_settings, setting_error, unknown_settings

    commands = (district.tap_command, district.loader_command)
    for which, command, values in zip(("tap", "loader"), commands, own_settings(district), strict=True):
        schema = about(command)
        known = {name: its for name, its in values.items() if name in schema["properties"]}
        read_settings(known, schema)
        given = {*known, *(name.rpartition(".")[2] for name in district.secrets)}
        for name in set(schema["required"]) - given:
            yield (which,), "setting", f"{name}: must be set for {command}"
        for error in _validator(command).iter_errors(known):
            text = setting_error(error)
            yield (which, *(str(part) for part in error.absolute_path)), "setting", text
        for text in unknown_settings(values, schema)[0]:
            if text.partition(":")[0] != "tenant":
                yield (which, text.partition(":")[0]), "setting", text


@cache
def _validator(command: str) -> Any:
    from jsonschema import Draft7Validator

    return Draft7Validator({"properties": about(command)["properties"]})


def warnings_of(district: District) -> Iterator[str]:
    """Yield what may be meant, but is likely not."""
    loader = district.loader
    is_incremental = district.tap.get("mode", "rest") == "rest" or district.tap.get("csv_file_mode") == "delta"
    if (
        loader.get("name") == "target-oneroster-csv"
        and is_incremental
        and loader.get("load_method", "overwrite") == "overwrite"
        and loader.get("file_mode", "bulk") == "bulk"
    ):
        yield "loader: an incremental source with load_method overwrite: the second night is refused; upsert is meant"
