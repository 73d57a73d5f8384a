"""What can be wrong with a district of a sample fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .knobs import Knobs

if TYPE_CHECKING:
    from collections.abc import Sequence

WRONG_SECRET = "wrong-secret"  # noqa: S105
FAULTS = {
    WRONG_SECRET: "the secret in fleet.env is another",
    "down": "every read is answered with 503",
    "breaks-off": "connections end without an answer after three short pages",
    "login-page": "answers are a page of HTML",
    "forbidden": "the client may read no scope but one",
}
"""Each kind of fault, and what it means."""


def knobs_of(kind: str | None, latency_seconds: float) -> Knobs:
    """Return the behaviour of a provider with such a fault, or without one."""
    return Knobs(
        latency_seconds=latency_seconds,
        fail_first_n=1_000_000 if kind == "down" else 0,
        page_cap=10 if kind == "breaks-off" else None,
        die_after_pages=3 if kind == "breaks-off" else None,
        html_instead_of_json=kind == "login-page",
    )


def parse_faults(given: Sequence[str], districts: int) -> dict[int, str]:
    """Return the kind of fault by the number of the district. Raise ValueError for another kind or number."""
    found = {}
    for text in given:
        kind, _, number = text.partition(":")
        if kind not in FAULTS:
            raise ValueError(f"no such fault: {kind}; known are {', '.join(FAULTS)}")
        if not number.isdigit() or not 1 <= int(number) <= districts:
            raise ValueError(f"fault {kind}: must name a district from 1 to {districts}")
        found[int(number)] = kind
    return found
