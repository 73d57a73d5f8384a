"""One registry of readings: for each kind of the model, how CSV text or a JSON value becomes the warehouse's value.

A reading is a value and the rule that the source broke when it wrote the value, or None. A value that cannot be read
with certainty is null; nothing is guessed. A rule never quotes a value. The caller decides what happens to a value that
broke a rule: the tap counts it, a bundle rejects the row.
"""

from __future__ import annotations

from .column import Column
from .texts import Reading, is_loss, number_text
from .words import read_status

__all__ = ["Column", "Reading", "is_loss", "number_text", "read_status"]
