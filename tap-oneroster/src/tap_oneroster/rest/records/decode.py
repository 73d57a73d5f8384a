"""Decode the bodies of pages: typed if they match the expected form, otherwise generically and then mended."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ..._core.coerce import Column
from ..._core.model import File, Kind
from ..._core.model import file as file_named
from ...source import SourceError
from .forms import SKIPPED, UNKNOWN, Forms, struct_class
from .lenient import UNREADABLE, decode_leniently
from .mend import mend, spelt

if TYPE_CHECKING:
    from .keys import SeenKeys

_DAMAGED = "record that cannot be decoded"
_MOST_LEARNED = 40
_TOTAL = "totalCount"
"""Some services put the total here instead of in the header X-Total-Count."""
_MOST_DIGITS = 15
_ID = Column(file_named("orgs").field("sourcedId"))
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""NUL in its JSON escape; JSON cannot contain it literally."""
_ID_FORM: Forms = {"sourcedId": Kind.STRING}


class NoJson(SourceError):
    """A body that is not JSON: truncated, or not from the service."""


class Page:
    """The decoded records of one page; `ids` has None for a record without a usable id."""

    def __init__(self, decoder: PageDecoder, records: list[Any], total: int | None = None, *, fits: bool) -> None:
        self._decoder = decoder
        self._records = records
        self.fits = fits
        """True if all records have the expected form."""
        self.total = total
        """The total in the body, if any."""
        ids = [record.sourcedId for record in records] if fits else list(map(_raw_id, records))
        self.ids: list[str | None] = list(_ID.read(ids, Counter()))
        self.faults: dict[int, str] = {}
        """Why records cannot be used, by position; other records without an id just lack one."""
        if not fits:
            self.faults = {row: _DAMAGED for row, record in enumerate(records) if record is UNREADABLE}

    def __len__(self) -> int:
        return len(self._records)

    def refuse_nul(self) -> None:
        """Reject records with a NUL character in a text, because databases do not accept it."""
        for row, record in enumerate(self._records):
            if _NUL.search(msgspec.json.encode(record)):
                self.ids[row], self.faults[row] = None, "row with a NUL character"

    def take(self, rows: Sequence[int], deviations: Counter[str], seen: SeenKeys | None = None) -> list[Any]:
        """Return the records at these positions, which ascend, in their form; repairs are counted.

        `seen` takes the keys of records that did not have their form.
        """
        if rows and rows[-1] - rows[0] == len(rows) - 1:
            chosen = self._records[rows[0] : rows[-1] + 1]
        else:
            chosen = [self._records[row] for row in rows]
        if self.fits:
            return chosen
        if seen:
            seen.as_written(chosen, self._decoder.skipped)
        return self._decoder.mend(chosen, deviations)


def read_total(value: Any, deviations: Counter[str]) -> int | None:
    """Return a total from digits or a number; anything else is counted and ignored."""
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
    """Decodes the pages of one collection, and adapts to the way the service writes them."""

    def __init__(self, file: File, forms: Forms) -> None:
        if file.collection is None:
            raise ValueError(file.name)
        self._file = file
        self._forms = forms
        self.skipped = {key.lower() for key, form in forms.items() if form is SKIPPED}
        self._wrapper = file.collection.wrapper
        path = file.collection.path.strip("/")
        self._aliases = (path, file.name, file.collection.single, "data")
        self.learned: tuple[str, ...] = ()
        """Keys that the service sends but the standard does not have."""
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
        """Return the records of a page; raise NoJson or SourceError if the body is not a page.

        `total` is the total in the response header. If no record can be decoded, the page counts as damaged in transit,
        unless this is the last try.
        """
        try:
            answer = self._decoder.decode(body)
            self._has_listed = True
            page = Page(self, answer.records, read_total(answer.total, deviations), fits=True)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # The slow path finds the cause.
            records, beside = self._any_records(body, deviations, total)
            if records and not last_try and all(record is UNREADABLE for record in records):
                raise NoJson(f"{self._file.name}: no record of the page can be decoded") from None
            self._learn(records)
            page = Page(self, records, beside, fits=False)
        # Most bodies have no escapes, and a single byte is found ten times as fast.
        if b"\\" in body and b"\\u0000" in body and _NUL.search(body):
            page.refuse_nul()
        return page

    @property
    def nothing(self) -> bytes:
        """The body of a page without records, as the standard defines it."""
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
                # Some services write an empty list like this. On a first page only a total of 0 proves it.
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
        """Add new keys to the record class, so that later pages match it."""
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
        """Return generically decoded records in their form."""
        learned = frozenset(self.learned)
        mended = [mend(one, self._forms, deviations, learned=learned) for one in records]
        return msgspec.convert(mended, self._records)


def spelling(body: bytes, deviations: Counter[str]) -> None:
    """Count how a first page writes missing values; other pages of a service do the same."""
    deviations["null for what is missing, on the first page"] += body.count(b'":null') + body.count(b'": null')
    hrefs = body.count(b'"href"')
    good = body.count(b'"href":"http') + body.count(b'"href": "http')
    deviations["href: not an absolute address, on the first page"] += hrefs - good
    for rule in [rule for rule, times in deviations.items() if not times]:
        del deviations[rule]
