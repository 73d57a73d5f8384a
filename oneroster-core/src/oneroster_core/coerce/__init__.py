"""One registry of readings: for each kind of the model, how CSV text or a JSON value becomes the value of the warehouse.

A reading is a value and the rule that the source broke in writing it, or None. What cannot be
read with certainty is null; nothing is guessed. A rule never quotes a value. What happens to a
value that broke a rule is decided by the caller: the tap counts it, a bundle refuses the row.
"""

from __future__ import annotations

from .column import Column
from .texts import Reading, is_loss, number_text
from .words import read_status

__all__ = ["Column", "Reading", "is_loss", "number_text", "read_status"]
