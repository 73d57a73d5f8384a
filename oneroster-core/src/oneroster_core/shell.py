"""Code that every command shares: exit codes, settings, files named on the command line, start and end."""

from __future__ import annotations

import gc
import io
import json
import os
import signal
import sys
from contextlib import contextmanager
from math import isfinite
from typing import IO, TYPE_CHECKING, Any, NoReturn, cast

import click

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from jsonschema import ValidationError

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
"""For each exit code of every command: its meaning, and what to do. The documentation is derived from it."""


def exit_code(codes: Iterable[int]) -> int:
    """Return the exit code of a run whose failures have these codes.

    If a retry may succeed for any collection, it is 1. Otherwise 3 (a person must check) takes precedence over 4 (wrong
    settings).
    """
    found = set(codes)
    return next((code for code in (INCOMPLETE, HELD, REFUSED) if code in found), INCOMPLETE if found else COMPLETE)


class Held(click.ClickException):
    """A safety limit held something back until a person has checked it."""

    exit_code = HELD


class Refused(click.ClickException):
    """The settings or the command line are wrong, or the source denies access; a retry would not help."""

    exit_code = REFUSED


FAILURES = {INCOMPLETE: click.ClickException, HELD: Held, REFUSED: Refused}
"""The exception to raise for each exit code."""


# --- settings ----------------------------------------------------------------------------------------------------

_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


WORDS = {
    "enum": "{setting}: must be one of {allowed}",
    "type": "{setting}: must be of type {first}",
    "minimum": "{setting}: the minimum is {allowed}",
    "maximum": "{setting}: the maximum is {allowed}",
    "format": "{setting}: must be a {allowed}",
    "required": "{setting}: must be set",
    "": "{setting}: not allowed ({rule})",
}
"""Messages for settings that break a rule of their schema."""


def setting_error(error: ValidationError, words: Mapping[str, str] = WORDS) -> str:
    """Return one line about a setting that the schema rejects: its name and the allowed values, never its value."""
    path = ".".join(str(part) for part in error.absolute_path)
    rule: Any = error.validator
    of: Any = error.validator_value
    listed = [of] if isinstance(of, str | int | float) else [word for word in of if word is not None]
    if rule == "required":
        path = ", ".join(f"{path}.{name}".lstrip(".") for name in listed if name not in cast("Any", error.instance))
    allowed = (" or " if rule == "type" else ", ").join(map(str, listed))
    text = words.get(rule) or words[""]
    return text.format(setting=path or "settings", allowed=allowed, first=(listed or [""])[0], rule=rule)


def read_settings(settings: dict[str, Any], schema: Mapping[str, Any]) -> None:
    """Convert settings in place to the types of their schema.

    Environment variables are text: numbers, booleans, lists (JSON, or words separated by commas) and objects (JSON).
    YAML reads an unquoted ``1.2`` as a number and ``true`` as a boolean, although both may be meant as words. A value
    that cannot be converted stays unchanged, so that the schema rejects it.
    """
    for name, its in schema["properties"].items():
        if name not in settings:
            continue
        value = _typed(settings[name], its)
        if value is None and isinstance(settings[name], str):
            del settings[name]  # an empty variable counts as not set
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
    """True if a setting is an object with fixed names, rather than names that users choose."""
    return bool(schema.get("properties")) and not isinstance(schema.get("additionalProperties"), dict)


def _without_defaults(validator: Any) -> Any:
    """Return a plain validator: the SDK's validator sets defaults while it runs, and fails if a value is not an object."""
    from jsonschema import Draft7Validator

    return Draft7Validator(validator.schema, format_checker=validator.format_checker)


def unknown_settings(
    settings: Mapping[str, Any], schema: Mapping[str, Any], prefix: str = "", without_effect: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """Return two lists with a line for each unknown setting: mistakes, and settings `without_effect`.

    A line names the most similar known setting, never a value.
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
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), list(known), 1)
    advice = f"did you mean {near[0]}?" if near else "--about lists all settings"
    return f"{' '.join(name.split())[:80]}: no such setting; {advice}"


def settings_from_environment(environment: Mapping[str, str], prefix: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of variables that begin with `prefix` and name a setting, or nearly name one.

    Other variables belong to other programs, such as Meltano or the log.
    """
    variables = {prefix + name.upper().replace("-", "_"): name for name in schema["properties"]}
    found = {name: environment[variable] for variable, name in variables.items() if variable in environment}
    for variable in environment.keys() - variables.keys():
        name = variable.removeprefix(prefix).lower()
        if variable.startswith(prefix) and not name.startswith("_") and _is_near(name, schema["properties"]):
            found[name] = environment[variable]
    return found


def _is_near(name: str, known: Iterable[str]) -> bool:
    from difflib import get_close_matches

    return bool(get_close_matches(name, list(known)))


def built_in_settings(definitions: object) -> frozenset[str]:
    """Return the names of all settings that the SDK adds to plugins; `definitions` is the module that defines them."""
    return frozenset(
        name for key, its in vars(definitions).items() if key.endswith("_CONFIG") for name in its["properties"]
    )


def check_settings(
    settings: dict[str, Any],
    validator: Any,
    *,
    without_effect: Collection[str],
    warn: Callable[[str], None],
    words: Mapping[str, str] = WORDS,
) -> list[str]:
    """Read the settings in place, and return one line for each error that `validator` (of jsonschema) finds.

    An unknown setting is an error. Under Meltano, which also passes settings of its own, it is a warning.
    """
    read_settings(settings, validator.schema)
    errors = list(_without_defaults(validator).iter_errors(settings)) or validator.iter_errors(settings)
    faults = list(dict.fromkeys(setting_error(error, words) for error in errors))
    mistakes, idle = unknown_settings(settings, validator.schema, without_effect=without_effect)
    for line in [*idle, *(mistakes if is_under_meltano() else ())]:
        warn(line)
    return faults + ([] if is_under_meltano() else mistakes)


def is_under_meltano() -> bool:
    """True if Meltano runs this command; Meltano passes all settings of its project file, including its own extras."""
    return "MELTANO_EXTRACTOR_NAME" in os.environ or "MELTANO_LOADER_NAME" in os.environ


@contextmanager
def refusing(kind: type[Exception]) -> Iterator[None]:
    """Turn an exception of this kind, whose `errors` lists faults in settings, into one line and exit code 4."""
    try:
        yield
    except kind as error:
        raise Refused("; ".join(cast("Any", error).errors)) from None


# --- files that the command line names ---------------------------------------------------------------------------


def unreadable(option: str, error: Exception) -> Refused:
    """Return the error for a file that an option names and that could not be read."""
    if isinstance(error, FileNotFoundError):
        return Refused(f"{option} names a file that is not there")
    if isinstance(error, OSError):
        return Refused(f"{option} names a file that cannot be opened")
    return Refused(f"{option} names a file that is not JSON with one object in it")


@contextmanager
def config_files() -> Iterator[None]:
    """Turn a failure to read the files of ``--config`` into one line."""
    try:
        yield
    except (OSError, TypeError, ValueError, RecursionError) as error:
        raise unreadable("--config", error) from None


def json_object(option: str, file: IO[str] | None) -> io.StringIO | None:
    """Return the text of a file again after checking that it is a JSON object."""
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
    """Import what a command needs; until the plugin sets handlers of its own, a signal ends the process with its code.

    Garbage collection is off during imports: it would find nothing, and takes a fifth of the start time.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda signum, _: stop(signum))
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def command_line(prog: str, description: str) -> argparse.ArgumentParser:
    """Return a parser that exits with this project's exit code if the command line is wrong; subcommands do the same."""
    import argparse  # 13 ms, which the commands of click need not wait for

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            self.print_usage(sys.stderr)
            self.exit(REFUSED, f"{self.prog}: error: {message}\n")

    return Parser(prog=prog, description=description)


def run(command: Callable[..., Any]) -> NoReturn:
    """Run a click command, and exit with a code of `EXIT_CODES`. An expected error prints one line."""
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
    """End the process at once with the exit code of a signal: unfinished output must not look finished."""
    os._exit(128 + signum)
