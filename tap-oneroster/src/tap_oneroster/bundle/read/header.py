"""The header of a CSV file, matched to the standard's columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...source import SourceError
from .encoding import INVISIBLE

if TYPE_CHECKING:
    from collections import Counter

    from ..._core.model import File

_METADATA = "metadata."
_UNSEEN = dict.fromkeys(map(ord, INVISIBLE))
_SEPARATOR = re.compile(r"(?i)sep=.?")

# Headers of earlier releases, in lower case by file, and the field that replaced each.
_OLD: dict[str, dict[str, str]] = {
    "classes": {"grade": "grades", "termsourcedid": "termSourcedIds"},
    "courses": {"grade": "grades", "schoolyearid": "schoolYearSourcedId"},
    "demographics": {"usersourcedid": "sourcedId"},
    "users": {"agents": "agentSourcedIds"},
}

# A column of 1.2.0 that later became a file: its values are rows of that stream, not metadata.
_MOVED: dict[str, dict[str, str]] = {"users": {"resourcesourcedids": "resourceSourcedIds"}}


@dataclass(frozen=True, slots=True)
class Header:
    """Positions of the standard's columns and of the metadata keys in a row."""

    names: tuple[str, ...]
    """The names as the source wrote them."""
    columns: dict[str, int]
    """Position by the field's name in the warehouse shape."""
    metadata: dict[str, int]
    """Position by metadata key, including columns that the standard does not have."""
    moved: dict[str, int]
    """Positions of columns whose values are now rows of another stream."""

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.names)

    @classmethod
    def match(cls, file: File, names: list[str], where: str, deviations: Counter[str]) -> Header:
        """Match a header row to the file's columns; raise SourceError if that is impossible."""
        header = cls(tuple(names), {}, {}, {})
        known = _names(file)
        old, moved = _OLD.get(file.name, {}), _MOVED.get(file.name, {})
        for position, written in enumerate(names):
            name = written.translate(_UNSEEN).strip()
            if name != written.strip():
                deviations["invisible character in a header"] += 1
            lower = name.lower()
            if lower in known:
                column, spellings = known[lower]
                if name not in spellings:
                    deviations["header in another case"] += 1
                place = header.columns
            elif lower in old:
                column, place = old[lower], header.columns
                deviations["header of OneRoster 1.0"] += 1
            elif lower in moved:
                column, place = moved[lower], header.moved
                deviations["column of OneRoster 1.2.0"] += 1
            else:
                column, place = _metadata_key(name, position, deviations), header.metadata
            if place.setdefault(column, position) != position:
                raise SourceError(f"{where}: column {position + 1} of the header is there twice")
        if "sourcedId" not in header.columns:
            raise SourceError(f"{where}: the header lacks sourcedId, so no row of it can be known; {_hint(names)}")
        return header


def plain_names(row: list[str]) -> list[str]:
    """Return the names of a header row in lower case, without blanks, quotes and invisible characters at their ends."""
    return list(map(_plain_name, row))


def _plain_name(cell: str) -> str:
    return cell.translate(_UNSEEN).strip(' \t\r\n"').lower()


def is_preamble(row: list[str]) -> bool:
    """True for a row that may precede the header: a blank one, or Excel's ``sep=,``."""
    return not any(map(_plain_name, row)) or (len(row) <= 2 and _SEPARATOR.fullmatch(",".join(row)) is not None)


def _names(file: File) -> dict[str, tuple[str, tuple[str | None, ...]]]:
    """Map every known header, in lower case, to its field and its spellings."""
    columns = [field for field in file.fields if field.csv]
    return {
        name.lower(): (field.name, (field.name, field.was))
        for field in columns
        for name in (field.name, field.was)
        if name
    }


def _metadata_key(name: str, position: int, deviations: Counter[str]) -> str:
    """Return the `metadata` key of a column that is not in the standard."""
    if name.lower().startswith(_METADATA):
        return name[len(_METADATA) :]
    if name:
        deviations["column that the standard does not have"] += 1
        return name
    deviations["column without a name"] += 1
    return f"column {position + 1}"


def _hint(names: list[str]) -> str:
    """Return advice for a header without sourcedId: its cells may have another separator."""
    for separator, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if any(separator in name for name in names):
            return f"its cells are separated by {word}; ask for commas"
    return "ask for the file with its header row"
