"""What every command of this project shares: exit codes, settings, files named on the command line, start and end."""

from __future__ import annotations

import gc
import io
import json
import os
import sys
from contextlib import contextmanager
from difflib import get_close_matches
from math import isfinite
from typing import IO, TYPE_CHECKING, Any, NoReturn, cast

import click

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from jsonschema import ValidationError

__all__ = [
    "COMPLETE",
    "EXIT_CODES",
    "FAILURES",
    "HELD",
    "INCOMPLETE",
    "REFUSED",
    "Held",
    "Refused",
    "built_in_settings",
    "check_settings",
    "command_line",
    "config_files",
    "exit_code",
    "importing",
    "is_under_meltano",
    "json_object",
    "read_settings",
    "refusing",
    "run",
    "setting_error",
    "settings_from_environment",
    "stop",
    "unknown_settings",
    "unreadable",
]

# --- exit codes --------------------------------------------------------------------------------------------------

COMPLETE, INCOMPLETE, HELD, REFUSED = 0, 1, 3, 4

EXIT_CODES: dict[int, tuple[str, str]] = {
    COMPLETE: ("Complete.", "Nothing."),
    INCOMPLETE: ("Not complete.", "Run it again; if it stays, read the last line of the log."),
    HELD: ("Held by a brake: more is gone than the settings allow.", "Someone has to look. Another run ends the same."),
    REFUSED: (
        "Misconfigured or refused: settings, command line, sign-in or scopes.",
        "Correct what the last line names. Another run is of no use, and may lock the account.",
    ),
    130: ("Stopped by SIGINT.", "Run it again."),
    143: ("Stopped by SIGTERM.", "Run it again."),
}
"""For each exit code of every command: what it means, and what to do. The documentation is derived from it."""


def exit_code(codes: Iterable[int]) -> int:
    """Return the code of a run with failures of these codes.

    If another try may bring more of any collection, it is worth one (1). Otherwise a brake that someone has to look at
    (3) comes before what the settings refuse (4).
    """
    found = set(codes)
    return next((code for code in (INCOMPLETE, HELD, REFUSED) if code in found), INCOMPLETE if found else COMPLETE)


class Held(click.ClickException):
    """A brake held something back: someone has to look."""

    exit_code = HELD


class Refused(click.ClickException):
    """The settings or the command line are wrong, or the source refuses us: another try is of no use."""

    exit_code = REFUSED


FAILURES = {INCOMPLETE: click.ClickException, HELD: Held, REFUSED: Refused}
"""What to raise to end with each code."""


# --- settings ----------------------------------------------------------------------------------------------------

_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


def setting_error(error: ValidationError) -> str:
    """Return one line about a setting that the schema refuses: its name and what it may be, never its value."""
    setting = ".".join(str(part) for part in error.absolute_path)
    allowed: Any = error.validator_value
    match error.validator:
        case "enum":
            return f"{setting}: must be one of {', '.join(str(word) for word in allowed if word is not None)}"
        case "type":
            return f"{setting}: must be of type {allowed if isinstance(allowed, str) else allowed[0]}"
        case "minimum" | "maximum":
            return f"{setting}: the {error.validator} is {allowed}"
        case "format":
            return f"{setting}: must be a {allowed}"
        case "required":
            inside = f"{setting}." if setting else ""
            missing = [inside + name for name in allowed if name not in cast("dict[str, Any]", error.instance)]
            return f"{', '.join(missing)}: must be set"
        case _:
            return f"{setting or 'settings'}: not allowed ({error.validator})"


def read_settings(settings: dict[str, Any], schema: Mapping[str, Any]) -> None:
    """Give settings the types of their schema, in place, where they came in another form.

    Environment variables are text: numbers, booleans, lists (JSON, or words with commas between them) and objects
    (JSON). YAML reads an unquoted ``1.2`` as a number and ``true`` as a boolean, where both may be meant as words.
    What cannot be read stays as it is, for the schema to refuse.
    """
    for name, its in schema["properties"].items():
        if name not in settings:
            continue
        value = _typed(settings[name], its)
        if value is None and isinstance(settings[name], str):
            del settings[name]  # an empty variable: not set
        else:
            settings[name] = value
        if isinstance(value, dict) and _has_known_names(its):
            read_settings(value, its)


def _typed(value: Any, schema: Mapping[str, Any]) -> Any:
    if isinstance(value, bool | int | float):
        word = json.dumps(value)
        return word if word in schema.get("enum", ()) else value
    types = schema.get("type", ())
    types = {types} if isinstance(types, str) else set(types)
    if not isinstance(value, str) or not types:
        return value
    text = value.strip()
    if "string" in types and not ("array" in types and text.startswith("[")):
        return value
    if not text:
        return None
    if "boolean" in types and text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    if "array" in types and not text.startswith("["):
        return [word.strip() for word in text.split(",") if word.strip()]
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return value
    kind = {bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}.get(type(found), "")
    fits = kind in types or (kind == "integer" and "number" in types)
    return found if fits and not (kind == "number" and not isfinite(found)) else value


def _has_known_names(schema: Mapping[str, Any]) -> bool:
    """Return True if a setting is an object whose settings have names, and not one of names that users choose."""
    return bool(schema.get("properties")) and not isinstance(schema.get("additionalProperties"), dict)


def unknown_settings(
    settings: Mapping[str, Any], schema: Mapping[str, Any], prefix: str = "", without_effect: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """Return one line for each setting that the schema does not know: mistakes, and settings `without_effect`.

    A line names the nearest setting that is known, never a value.
    """
    known = schema["properties"]
    mistakes, idle = [], []
    for name, value in settings.items():
        if name in known:
            if isinstance(value, dict) and _has_known_names(known[name]):
                inner = unknown_settings(value, known[name], f"{prefix}{name}.")
                mistakes += inner[0]
                idle += inner[1]
        elif name in without_effect:
            idle.append(f"{prefix}{name}: has no effect here")
        else:
            mistakes.append(prefix + _no_such(name, known))
    return mistakes, idle


def _no_such(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name.lower(), list(known), 1)
    advice = f"did you mean {near[0]}?" if near else "--about lists all settings"
    return f"{' '.join(name.split())[:80]}: no such setting; {advice}"


def settings_from_environment(environment: Mapping[str, str], prefix: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the texts of the variables that begin with `prefix` and name a setting, or almost one.

    What is far from any setting is somebody else's, as are the variables of Meltano and of the log.
    """
    variables = {prefix + name.upper().replace("-", "_"): name for name in schema["properties"]}
    found = {name: environment[variable] for variable, name in variables.items() if variable in environment}
    for variable in environment.keys() - variables.keys():
        name = variable.removeprefix(prefix).lower()
        if variable.startswith(prefix) and not name.startswith("_") and get_close_matches(name, schema["properties"]):
            found[name] = environment[variable]
    return found


def built_in_settings(definitions: object) -> frozenset[str]:
    """Return the names of all settings that the SDK gives to plugins of some kind; `definitions` is its module of these."""
    return frozenset(
        name for key, its in vars(definitions).items() if key.endswith("_CONFIG") for name in its["properties"]
    )


def check_settings(
    settings: dict[str, Any],
    validator: Any,
    *,
    without_effect: Collection[str],
    warn: Callable[[str], None],
) -> list[str]:
    """Read the settings, in place, and return one line for each fault that `validator` (of jsonschema) finds in them.

    A setting that is not known is a fault; under Meltano, which passes whatever its project file holds, a warning.
    """
    read_settings(settings, validator.schema)
    faults = list(dict.fromkeys(map(setting_error, validator.iter_errors(settings))))
    mistakes, idle = unknown_settings(settings, validator.schema, without_effect=without_effect)
    for line in [*idle, *(mistakes if is_under_meltano() else ())]:
        warn(line)
    return faults + ([] if is_under_meltano() else mistakes)


def is_under_meltano() -> bool:
    """Return True if Meltano runs this command: it passes whatever its project file holds, also extras of its own."""
    return "MELTANO_EXTRACTOR_NAME" in os.environ or "MELTANO_LOADER_NAME" in os.environ


@contextmanager
def refusing(kind: type[Exception]) -> Iterator[None]:
    """Turn an exception of this kind, which has a list of `errors` about settings, into one line and exit code 4."""
    try:
        yield
    except kind as error:
        raise Refused("; ".join(cast("Any", error).errors)) from None


# --- files that the command line names ---------------------------------------------------------------------------


def unreadable(option: str, error: Exception) -> Refused:
    """Return what to say of a file that an option names and that could not be read."""
    if isinstance(error, FileNotFoundError):
        return Refused(f"{option}: no such file")
    if isinstance(error, OSError):
        return Refused(f"{option}: the file cannot be opened")
    return Refused(f"{option}: not a file with one JSON object in it")


@contextmanager
def config_files() -> Iterator[None]:
    """Turn a failure to read the files of ``--config`` into one line."""
    try:
        yield
    except (OSError, TypeError, ValueError, RecursionError) as error:
        raise unreadable("--config", error) from None


def json_object(option: str, file: IO[str] | None) -> io.StringIO | None:
    """Return the same text again, once it is known to be a JSON object."""
    if file is None:
        return None
    try:
        text = file.read()
        found = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(option, error) from None
    if not isinstance(found, dict):
        raise unreadable(option, TypeError())
    return io.StringIO(text)


# --- start and end -----------------------------------------------------------------------------------------------


@contextmanager
def importing() -> Iterator[None]:
    """Import without the collector: nothing that is imported is garbage, and looking for it takes a fifth of the start."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def command_line(prog: str, description: str) -> argparse.ArgumentParser:
    """Return a parser that ends with the project's own code where the line is wrong; its subcommands are as it is."""
    import argparse  # 13 ms, which the commands of click need not wait for

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            self.print_usage(sys.stderr)
            self.exit(REFUSED, f"{self.prog}: error: {message}\n")

    return Parser(prog=prog, description=description)


def run(command: Callable[..., Any]) -> NoReturn:
    """Run a command of click, and exit with a code of `EXIT_CODES`. What fails as expected is one line."""
    try:
        code = command(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        code = REFUSED
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = 130
    sys.exit(code if isinstance(code, int) else COMPLETE)


def stop(signum: int) -> NoReturn:
    """End the process at once, as a signal asks for: what is half written must not look finished."""
    os._exit(128 + signum)
