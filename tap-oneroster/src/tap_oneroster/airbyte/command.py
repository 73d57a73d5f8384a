"""`source-oneroster`: the commands of the Airbyte protocol."""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from click import ClickException
from singer_sdk.exceptions import ConfigValidationError

from .._core.shell import INCOMPLETE, REFUSED, Refused, command_line, unreadable
from ..source import SourceError
from . import messages
from .catalog import airbyte_catalog, read_choice, select
from .check import check
from .log import log_to
from .settings import misspelt, specification, tap_settings
from .state import bookmarks
from .tap import AirbyteTap
from .writer import AirbyteWriter


def main(arguments: list[str] | None = None) -> None:
    """Run one command; an error becomes a message of one line and an exit code other than 0."""
    options = _parser().parse_args(arguments)
    writer = AirbyteWriter()
    log_to(writer)
    try:
        match options.command:
            case "spec":
                _let_go()
                writer.emit({"type": "SPEC", "spec": specification()})
            case "check":
                _check(writer, options.config)
            case "discover":
                _discover(writer, options.config)
            case _:
                _read(writer, options)
    except (ClickException, ConfigValidationError) as error:
        code = error.exit_code if isinstance(error, ClickException) else REFUSED
        writer.emit(messages.error(_line(error), "system_error" if code == INCOMPLETE else "config_error"))
        _end(_line(error), code)
    except Exception as error:
        # Report the place of the error but not its message, which may contain personal data.
        frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
        message = f"unexpected {type(error).__name__}; this is a fault of the source, please report it"
        writer.emit(messages.error(message, "system_error", trace=frames))
        _end(message, INCOMPLETE)


def _end(message: str, code: int) -> NoReturn:
    sys.stderr.write(message + "\n")
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = command_line(prog="source-oneroster", description="OneRoster as an Airbyte source")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("spec", help="print which settings there are")
    for name, does in (
        ("check", "see whether the source answers"),
        ("discover", "print which streams there are"),
        ("read", "read the streams of a configured catalog"),
    ):
        command = commands.add_parser(name, help=does)
        command.add_argument("--config", required=True, help="file with the settings")
        if name == "read":
            command.add_argument("--catalog", required=True, help="file with the configured catalog")
            command.add_argument("--state", help="file with the states of the last read")
    return parser


def _load(option: str, path: str) -> Any:
    try:
        return msgspec.json.decode(Path(path).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(option, error) from None


def _settings(config: str) -> dict[str, Any]:
    told = _load("--config", config)
    if not isinstance(told, dict):
        raise unreadable("--config", TypeError())
    for line in misspelt(told):
        AirbyteTap.logger.warning(line)
    return tap_settings(told)


def _tap(writer: AirbyteWriter, settings: dict[str, Any], **more: Any) -> AirbyteTap:
    return AirbyteTap(config=dict(settings), message_writer=writer, **more)


def _let_go() -> None:
    """Restore the default SIGTERM handler: all output that matters is written."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _check(writer: AirbyteWriter, config: str) -> None:
    word = "FAILED"
    try:
        message = check(_tap(writer, _settings(config)))
        word = "SUCCEEDED"
    except (ClickException, ConfigValidationError, SourceError) as error:
        message = _line(error)
    _let_go()
    writer.emit({"type": "CONNECTION_STATUS", "connectionStatus": {"status": word, "message": message}})


def _discover(writer: AirbyteWriter, config: str) -> None:
    tap = _tap(writer, _settings(config), setup_mapper=False)
    _let_go()
    writer.emit({"type": "CATALOG", "catalog": airbyte_catalog(tap.streams.values())})


def _read(writer: AirbyteWriter, options: argparse.Namespace) -> None:
    try:
        chosen = read_choice(_load("--catalog", options.catalog))
    except ValueError:
        raise Refused("--catalog: not a configured catalog") from None
    if not chosen:
        raise Refused("--catalog: no stream is chosen in it")
    try:
        state = bookmarks(_load("--state", options.state) if options.state else None, chosen)
    except ValueError:
        raise Refused("--state: not a list of states as this source wrote them") from None
    settings = _settings(options.config)
    offered = _tap(writer, settings, setup_mapper=False).catalog_dict
    tap = _tap(writer, settings, catalog=select(offered, chosen), state=state)
    writer.streams = frozenset(one.name for one in chosen)
    writer.overwritten = frozenset(one.name for one in chosen if one.overwrites)
    for name in sorted(writer.streams - tap.streams.keys()):
        tap.run.fail(f"{name}: not offered with these settings; have the streams discovered again", name)
    try:
        tap.sync_all()
    except ClickException:
        if not tap.run.failures:
            raise
        sys.exit(tap.run.exit_code)  # each failure was reported when it happened
    finally:
        writer.close()


def _line(error: Exception) -> str:
    match error:
        case ConfigValidationError():
            return "; ".join(error.errors)
        case ClickException():
            return error.message
        case _:
            return str(error)
