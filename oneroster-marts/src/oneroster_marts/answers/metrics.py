"""The metrics, as metrics.yml describes them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec
import yaml
from msgspec import Struct

DIMENSIONS = ("school", "grade", "course", "term", "week", "sex", "race_ethnicity", "product")
DEMOGRAPHICS = ("sex", "race_ethnicity")


class Metric(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A number that may be asked for; metrics.yml says what each field is for."""

    name: str
    label: str
    sentence: str
    definition: str
    synonyms: tuple[str, ...]
    mart: str
    how: Literal["sum", "mean", "share", "change"]
    value: str
    n: str
    unit: str
    dimensions: dict[str, str]
    weight: str = ""
    persons: bool = False
    one_term: bool = False
    from_hundred: bool = False
    now: Literal["", "day", "week"] = ""
    where: dict[str, str] = {}
    where_not: dict[str, str] = {}
    where_set: str = ""
    totals: dict[str, str] = {}
    family: str = ""
    guard: Literal["", "complement"] = ""

    @property
    def has_since(self) -> bool:
        """True if a time can be asked for."""
        return self.how == "change" or "week" in self.dimensions

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the mart that are read."""
        also: tuple[str, ...] = ("demographic",) if set(DEMOGRAPHICS) & self.dimensions.keys() else ()
        also += ("vendor",) if "product" in self.dimensions else ()
        found = (
            *self.dimensions.values(),
            *self.where,
            *self.where_not,
            *self.totals,
            *also,
            self.value,
            self.n,
        )
        return tuple(dict.fromkeys(filter(None, (*found, self.weight, self.where_set, self.now))))


@cache
def metrics() -> dict[str, Metric]:
    """Return the metrics by name."""
    text = files(__package__ or __name__).joinpath("metrics.yml").read_text(encoding="utf-8")
    return {metric.name: metric for metric in msgspec.convert(yaml.safe_load(text)["metrics"], list[Metric])}
