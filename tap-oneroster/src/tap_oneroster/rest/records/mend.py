"""Convert records that do not match their form; every repair is counted.

A value that cannot be repaired with certainty becomes null, or the list element is left out. Nothing is guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

from ..._core.coerce.shapes import Shaper
from ..._core.model import Kind
from .forms import SKIPPED, UNKNOWN, Form, Forms, NestedForm

_MISSPELT = {
    # A typing error in a definition from which many services were generated.
    "americanIndianOrAlsakaNative": "americanIndianOrAlaskaNative"
}
_SECRET = re.compile(r"(?i)(.*\.)?(pass(word|wd|code|phrase)?|pwd|secret)\Z")


def spelt(key: str, forms: Forms) -> str | None:
    """Return the standard's key that matches regardless of case; None if there is none."""
    if key in forms:
        return key
    wanted = _MISSPELT.get(key, key).lower()
    return next((known for known in forms if known.lower() == wanted), None)


def is_secret(key: str) -> bool:
    """True if an unknown key has a name like that of a password."""
    return _SECRET.match(key) is not None


def _mend_value(key: str, value: Any, form: Form, deviations: Counter[str]) -> Any:
    shaper = Shaper(key, deviations, rest=True)
    if isinstance(form, NestedForm):
        return shaper.objects(value, partial(mend, forms=form.forms, deviations=deviations))
    if not isinstance(form, Kind):
        return None
    found = shaper.fit(form, value)
    # Structs of references hold the id under its key.
    if form == Kind.REF:
        return None if found is None else {"sourcedId": found}
    if form == Kind.REFS:
        return [{"sourcedId": one} for one in found] if found else None
    return found


def mend(
    record: Mapping[str, Any], forms: Forms, deviations: Counter[str], *, learned: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return the record in its form. Keys that the standard does not have go under `UNKNOWN`.

    Keys in `learned` stay where they are.
    """
    fitting: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for key, value in record.items():
        if key in forms:
            if forms[key] is not SKIPPED:
                fitting[key] = _mend_value(key, value, forms[key], deviations)
        elif key in learned:
            fitting[key] = value
        else:
            meant = spelt(key, forms)
            if meant:
                others[meant] = value
                deviations[f"{meant}: key in another spelling"] += 1
            elif value is not None:
                unknown[key] = value
    for key, value in others.items():
        if fitting.get(key) is None and forms[key] is not SKIPPED:
            fitting[key] = _mend_value(key, value, forms[key], deviations)
    if unknown:
        fitting[UNKNOWN] = unknown
    return fitting
