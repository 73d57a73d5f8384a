"""The fast path: blocks of record lines are decoded into typed records and staged by a compiled template."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from .._core.codec import record_class
from .._core.model import Kind
from .._core.model.schema import TENANT
from ..records.typed_values import TypedValues
from .staging import SEPARATOR, BundleStaging, FileStage
from .templates import compile_render

if TYPE_CHECKING:
    from collections.abc import Callable

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1e\x7f]")


class FastLane:
    """Takes record lines of one stream in the model's own shape.

    Types are checked while decoding. A block with anything unexpected is rejected as a whole, and its lines are
    processed by the SDK one by one, which names each fault.
    """

    def __init__(
        self,
        staging: BundleStaging,
        stage: FileStage,
        count: Callable[[int], None],
        *,
        tenant: bool = False,
        trusted: bool = False,
    ) -> None:
        """With `trusted`, the tap has already read the values by the same rules."""
        record = record_class(stage.file, tenant=tenant, secrets=True, strict=True)
        message = msgspec.defstruct("Message", [("record", record), ("version", int | None, None)], gc=False)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(message)
        self._render = compile_render(stage.fields)
        self._separators = len(stage.fields)
        self._staging = staging
        self._count = count
        self._tenant = tenant
        self._stage = stage
        self._dates = {field.name for field in stage.fields if field.kind == Kind.DATE}
        self._values = None if trusted else TypedValues(stage.fields, stage.zone)

    def take(self, block: bytes, lines: int) -> bool:
        """Stage the lines of a block; stage nothing and return False if any line is unexpected."""
        try:
            messages = self._decoder.decode_lines(block)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        if len(messages) != lines or len({m.version for m in messages}) != 1:
            return False
        records = [m.record for m in messages]
        odd: Counter[str] = Counter()
        if self._values:
            changed = self._values.read(records, odd)
            if changed is None or not self._dates.isdisjoint(changed):
                return False
            for name, values in changed.items():
                for record, value in zip(records, values, strict=True):
                    setattr(record, name, value)
        ids = [r.sourcedId for r in records]
        if None in ids or "" in ids:
            return False
        stage = self._stage
        rendered = self._render(records, stage.first_number(lines))
        if b"\\" in block and not self._clean(rendered):
            return False
        if self._tenant:
            self._staging.note_tenants({getattr(r, TENANT) for r in records} - {None})
        stage.at_version(messages[0].version)
        stage.deviations.update(odd)
        stage.add_lines(rendered, ids)
        self._count(lines)
        return True

    def _clean(self, rendered: list[str]) -> bool:
        """True if no cell contains a control character (JSON can only hold one after a backslash)."""
        text = "".join(rendered)
        return (
            text.count("\n") == len(rendered)
            and text.count(SEPARATOR) == len(rendered) * self._separators
            and not _CONTROL.search(text)
        )
