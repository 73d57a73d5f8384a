"""The fast path: blocks of record lines are written to disk unchanged, and DuckDB reads them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from .._core.codec import record_class
from ..records.typed_values import TypedValues

if TYPE_CHECKING:
    from .staging import Stage


class RawLane:
    """Takes record lines of one stream in the model's own shape.

    If the tap is not `trusted`, lines are decoded once to check that the table has a column for each property, and that
    the registry would not change a value. A block that fails the check is rejected as a whole, and its lines are
    processed by the SDK one by one.
    """

    def __init__(self, stage: Stage, *, trusted: bool) -> None:
        self._stage = stage
        self._decoder: msgspec.json.Decoder[Any] | None = None
        if not trusted:
            record = record_class(stage.table.file, tenant=stage.table.tenant, secrets=True, strict=True)
            message = msgspec.defstruct("Message", [("record", record), ("version", int | None, None)], gc=False)
            self._decoder = msgspec.json.Decoder(message)
            self._values = TypedValues(stage.fields, stage.zone)

    def take(self, block: bytes, lines: int) -> bool:
        """Stage the lines of a block; stage nothing and return False if any line is unexpected."""
        if block.count(b"\n") != lines:
            return False
        if self._decoder:
            try:
                messages = self._decoder.decode_lines(block)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return False
            if len(messages) != lines or b"\\u0000" in block:
                return False
            if self._values.read([message.record for message in messages], Counter()) != {}:
                return False
        self._stage.add_lines(block, lines)
        return True
