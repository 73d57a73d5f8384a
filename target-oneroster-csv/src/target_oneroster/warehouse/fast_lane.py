"""The quick way in: blocks of record lines are put on disk as they came, and DuckDB reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .._core.codec import record_class

if TYPE_CHECKING:
    from .staging import Stage

__all__ = ["RawLane"]


class RawLane:
    """Takes record lines of one stream in the model's own shape.

    Lines of a tap that is not `trusted` are decoded once to see that they hold nothing that the
    table has no column for; a block with anything else in it is refused whole, and its lines go
    the SDK's way one by one.
    """

    def __init__(self, stage: Stage, *, trusted: bool) -> None:
        self._stage = stage
        self._decoder: msgspec.json.Decoder[Any] | None = None
        if not trusted:
            record = record_class(stage.table.file, tenant=stage.table.tenant, secrets=True, strict=True)
            message = msgspec.defstruct("Message", [("record", record), ("version", int | None, None)], gc=False)
            self._decoder = msgspec.json.Decoder(message)

    def take(self, block: bytes, lines: int) -> bool:
        """Stage the lines of a block; False, and nothing staged, where they are not all as expected."""
        if block.count(b"\n") != lines:
            return False
        if self._decoder:
            try:
                messages = self._decoder.decode_lines(block)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return False
            if len(messages) != lines:
                return False
        self._stage.add_lines(block, lines)
        return True
