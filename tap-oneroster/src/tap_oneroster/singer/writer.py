"""Write Singer messages to standard output in blocks of lines; flush after messages that a reader may wait for."""

from __future__ import annotations

import os
import sys

from click import ClickException
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers._batch import SDKBatchMessage
from singer_sdk.singerlib import Message, StateMessage
from typing_extensions import override


class BlockWriter(MsgSpecWriter):
    """Writes messages without a flush after each record, and encoded lines unchanged."""

    @override
    def write_message(self, message: Message) -> None:
        self.write_lines(self.format_message(message))
        if isinstance(message, StateMessage | SDKBatchMessage):
            self.flush()

    def write_lines(self, lines: bytes | bytearray) -> None:
        """Write complete lines, even if the operating system accepts only a part at a time."""
        view = memoryview(lines)
        try:
            # With PYTHONUNBUFFERED the buffer is a raw file, which may write less than requested.
            while view:
                view = view[sys.stdout.buffer.write(view) :]
        except BrokenPipeError:
            raise _broken_pipe() from None
        finally:
            view.release()

    def flush(self) -> None:
        """Flush everything written so far."""
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            raise _broken_pipe() from None


def _broken_pipe() -> ClickException:
    # The remaining buffer has no reader; redirect the flush at exit to the null device.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ClickException("the target stopped reading; look at its log for the cause")
