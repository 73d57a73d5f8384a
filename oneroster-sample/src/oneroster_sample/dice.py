"""Reproducible randomness: numbers drawn from a seed and the place of an entity, not from a sequence.

Every value of a district is a function of the seed and of its entity, so any part can be generated alone, in any order
and with any Python version, and has the same bytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_MASK = (1 << 64) - 1


def mix(seed: int, *place: int) -> int:
    """Return a well-mixed 64-bit number for a seed and a place (SplitMix64, one step for each part)."""
    value = seed
    for part in place:
        value = (value + part * 0xD1342543DE82EF95 + 0x9E3779B97F4A7C15) & _MASK
        value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & _MASK
        value = ((value ^ value >> 27) * 0x94D049BB133111EB) & _MASK
        value ^= value >> 31
    return value


@lru_cache(maxsize=16_384)
def root(seed: int, *place: int) -> int:
    """Return `mix(seed, *place)`, kept for the places of which many numbers are drawn: `mix(root(s, a), b) == mix(s, a, b)`."""
    return mix(seed, *place)


def salt(word: str) -> int:
    """Return a number for a word, so that two uses of one place draw different values."""
    return crc32(word.encode())


def pick(choices: Sequence[T], number: int) -> T:
    """Return one of the choices, by number."""
    return choices[number % len(choices)]


def uuid(number: int) -> UUID:
    """Return a UUID made from a number; it has the form of a random one."""
    return UUID(int=mix(number, 1) << 64 | mix(number, 2), version=4)
