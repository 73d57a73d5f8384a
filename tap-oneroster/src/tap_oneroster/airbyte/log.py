"""The tap's log as Airbyte messages."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from typing_extensions import override

from . import messages

if TYPE_CHECKING:
    from .writer import AirbyteWriter

_LEVELS = {logging.WARNING: "WARN", logging.CRITICAL: "FATAL"}


class _Messages(logging.Handler):
    def __init__(self, writer: AirbyteWriter) -> None:
        super().__init__()
        self._writer = writer

    @override
    def emit(self, record: logging.LogRecord) -> None:
        level = _LEVELS.get(record.levelno, record.levelname)
        self._writer.emit(messages.log(level, record.getMessage()))


def log_to(writer: AirbyteWriter) -> None:
    """Send the log to standard output, where Airbyte reads it, but not the SDK's metrics, which the messages contain."""
    handler = _Messages(writer)
    handler.addFilter(lambda record: record.name != "singer_sdk.metrics")
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
