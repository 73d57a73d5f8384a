"""Bodies of pages made into REST records: typed at once where they fit, mended where they do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from ..._core.model import File, Kind
from ...source import SourceError
from .forms import UNKNOWN, Forms, struct_class
from .lenient import UNREADABLE, decode_leniently
from .mend import mend, spelt

__all__ = ["NoJson", "Page", "PageDecoder", "read_total", "spelling"]

_DAMAGED = "record that cannot be decoded"
_MOST_LEARNED = 40
_TOTAL = "totalCount"
"""Where some services put what belongs into the header X-Total-Count."""
_MOST_DIGITS = 15
_ID_FORM: Forms = {"sourcedId": Kind.STRING}


class NoJson(SourceError):
    """A body that is no JSON at all: cut short on its way, or not from the service."""


class Page:
    """The records of one page, as they came; `ids` has None where a record has no usable id."""

    def __init__(self, decoder: PageDecoder, records: list[Any], total: int | None = None, *, fits: bool) -> None:
        self._decoder = decoder
        self._records = records
        self._fits = fits
        self.total = total
        """What stands beside the records as their total."""
        self.ids: list[str | None] = [record.sourcedId for record in records] if fits else list(map(_raw_id, records))
        if not all(self.ids) or any(map(str.isspace, self.ids)):  # type: ignore[arg-type]
            self.ids = [one if one and not one.isspace() else None for one in self.ids]
        self.faults: dict[int, str] = {}
        """What is wrong with records that cannot be used, by their position; the others lack an id."""
        if not fits:
            self.faults = {row: _DAMAGED for row, record in enumerate(records) if record is UNREADABLE}

    def __len__(self) -> int:
        return len(self._records)

    def take(self, rows: Sequence[int], deviations: Counter[str]) -> list[Any]:
        """Records at these positions, in their form; what had to be mended is counted."""
        whole = len(rows) == len(self._records)
        chosen = self._records if whole else [self._records[row] for row in rows]
        return chosen if self._fits else self._decoder.mend(chosen, deviations)


def read_total(value: Any, deviations: Counter[str]) -> int | None:
    """Return a total as a service writes it, in digits or as a number; anything else is counted and ignored."""
    digits = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS:
        return int(digits)
    if value is not None:
        deviations["total that is no count, ignored"] += 1
    return None


def _raw_id(record: Any) -> str | None:
    if not isinstance(record, dict):
        return None
    value = record.get("sourcedId")
    if value is None:
        value = next((v for k, v in record.items() if k.lower() == "sourcedid"), None)
    found = mend({"sourcedId": value}, _ID_FORM, Counter())["sourcedId"]
    return found if isinstance(found, str) else None


class PageDecoder:
    """Decodes the pages of one collection, and remembers how this service writes them."""

    def __init__(self, file: File, forms: Forms) -> None:
        if file.collection is None:
            raise ValueError(file.name)
        self._file = file
        self._forms = forms
        self._wrapper = file.collection.wrapper
        path = file.collection.path.strip("/")
        self._aliases = (path, file.name, file.collection.single, "data")
        self.learned: tuple[str, ...] = ()
        """Keys that the standard does not have and this service sends."""
        self._has_listed = False
        self._shape_records()

    def _shape_records(self) -> None:
        self._record = struct_class(self._file.name, self._forms, self.learned)
        self._records = list[self._record]  # type: ignore[name-defined]
        envelope = msgspec.defstruct(
            "Envelope",
            [("records", self._records), ("total", Any, None)],
            rename={"records": self._wrapper, "total": _TOTAL},
            gc=False,
        )
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(envelope)

    def decode(
        self, body: bytes, deviations: Counter[str], *, total: int | None = None, last_try: bool = False
    ) -> Page:
        """Return the records of a page; raise NoJson or SourceError if the body is no page.

        `total` is what the header of the answer says. Unless this is the last try, a page on which no
        record can be decoded is taken for one that was damaged on its way.
        """
        try:
            answer = self._decoder.decode(body)
            self._has_listed = True
            return Page(self, answer.records, read_total(answer.total, deviations), fits=True)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # the slow way finds out what is the matter
        records, beside = self._any_records(body, deviations, total)
        if records and not last_try and all(record is UNREADABLE for record in records):
            raise NoJson(f"{self._file.name}: no record of the page can be decoded")
        self._learn(records)
        return Page(self, records, beside, fits=False)

    @property
    def nothing(self) -> bytes:
        """The body of a page without records, as the standard has it."""
        return msgspec.json.encode({self._wrapper: []})

    def _any_records(
        self, body: bytes, deviations: Counter[str], total: int | None = None
    ) -> tuple[list[Any], int | None]:
        name = self._file.name
        try:
            answer = decode_leniently(body)
        except ValueError:
            if body.lstrip()[:1] == b"<":
                raise SourceError(
                    f"{name}: the service answered with a web page where JSON should be;"
                    " check base_url (a log-in page means that the address is not the API's)"
                ) from None
            raise NoJson(f"{name}: the answer is not JSON, or was cut short on its way") from None
        keys = {key.lower(): key for key in reversed(answer)} if isinstance(answer, dict) else {}
        for alias in (self._wrapper, *self._aliases):
            key = keys.get(alias.lower())
            if key is None:
                continue
            beside = read_total(answer.get(_TOTAL), deviations)
            if answer[key] is None and (self._has_listed or 0 in (total, beside)):
                # How some services write an empty list. On a first page only a total of 0 proves it.
                deviations["null where a list belongs"] += 1
                return [], beside
            if not isinstance(answer[key], list):
                continue
            if key != self._file.collection.wrapper:  # type: ignore[union-attr]
                deviations["wrapper: another name than the standard's"] += 1
            if key != self._wrapper:
                self._wrapper = key
                self._shape_records()
            self._has_listed = True
            return answer[key], beside
        raise SourceError(
            f"{name}: status 200, but no list {self._wrapper} in the answer; nothing of it was"
            " taken; check base_url, and ask the vendor what this answer means"
        )

    def _learn(self, records: Sequence[Any]) -> None:
        """Take the keys that are new into the class, so that later pages fit at once."""
        keys = dict.fromkeys(key for one in records if isinstance(one, dict) for key in one)
        plain = (
            key
            for key in keys
            if spelt(key, self._forms) is None
            and key != UNKNOWN
            and key not in self.learned
            and key.isprintable()
            and not {'"', "\\"} & set(key)
        )
        new = tuple(plain)[: _MOST_LEARNED - len(self.learned)]
        if new:
            self.learned += new
            self._shape_records()

    def mend(self, records: Sequence[Any], deviations: Counter[str]) -> list[Any]:
        """Records as decoded without types, in their form."""
        learned = frozenset(self.learned)
        mended = [mend(one, self._forms, deviations, learned=learned) for one in records]
        return msgspec.convert(mended, self._records)


def spelling(body: bytes, deviations: Counter[str]) -> None:
    """Count how a page writes what is missing: seen on first pages only, since it is a habit."""
    deviations["null for what is missing, on the first page"] += body.count(b'":null') + body.count(b'": null')
    hrefs = body.count(b'"href"')
    good = body.count(b'"href":"http') + body.count(b'"href": "http')
    deviations["href: not an absolute address, on the first page"] += hrefs - good
    for rule in [rule for rule, times in deviations.items() if not times]:
        del deviations[rule]
