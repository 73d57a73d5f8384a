"""The pages of one collection: requested over HTTP, decoded, and opened with the options that the service accepts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...source import FatalSourceError, MissingCollection, SourceError
from ..records.decode import NoJson, PageDecoder, read_total, spelling
from .answers import Answer, Refused
from .links import next_link
from .order import NO_KEY
from .walk import Walk
from .window import Window, Workers

if TYPE_CHECKING:
    from ..._core.http.client import HttpClient
    from ..._core.http.reply import Reply
    from ..._core.model import File

_REFUSALS = {400, 405, 406, 409, 414, 422, 500, 501}
"""Statuses with which services reject a filter or a sort that they do not support."""
_CUT_SHORT_TRIES = 4
_TOP_ROWS = 100
"""Rows to request when only the last of the order is needed; some may be hidden."""
NOTHING = "dateLastModified>='2100-01-01T00:00:00.000Z'"
"""A filter that matches no record."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How to read a service: from the settings or a preset."""

    page_size: int
    max_concurrency: int = 4
    supports_filter: str = "auto"
    supports_sort: str = "auto"
    on_total_mismatch: str = "fail"


class Pages:
    """Gets the pages of one collection."""

    def __init__(
        self,
        file: File,
        decoder: PageDecoder,
        http: HttpClient,
        workers: Workers[Reply],
        address: Callable[[dict[str, str]], str],
        habits: Habits,
        filter_text: str | None = None,
        known: set[str] | None = None,
    ) -> None:
        self._name = file.name
        self._decoder = decoder
        self._http = http
        self._address = address
        self._habits = habits
        self._filter = filter_text
        self._query: dict[str, str] = {}
        self._query_before: dict[str, str] = {}
        self._base: dict[str, str] = {}
        # A service that refuses two conditions may still accept one.
        self.known = known if known is not None and filter_text is None else set(known or ())
        self._window = Window(workers, self._get)
        self._few_tries: set[int] = set()
        self._opened: dict[int, Answer] = {}
        self.deviations: Counter[str] = Counter()
        self.filtered = False
        """True if the filter was sent and not refused."""
        self.count = 0

    def open(self) -> Walk:
        """Get the first page, with filter and order if the service accepts them."""
        wants = self._filter is not None and self._habits.supports_filter != "false"
        sorts = self._habits.supports_sort != "false"
        ways = [(wants, sorts), (wants, False), (False, sorts), (False, False)]
        ways = list(dict.fromkeys(ways))
        for number, (filtered, ordered) in enumerate(ways):
            self._query = {"limit": str(self._habits.page_size)}
            if filtered:
                self._query["filter"] = self._filter or ""
            if ordered:
                self._query |= {"sort": "sourcedId", "orderBy": "asc"}
            may_fail = number < len(ways) - 1
            try:
                first = self(0, few_tries=may_fail)
            except Refused as error:
                if not may_fail or error.status not in _REFUSALS:
                    raise self._missing(error) from None
                continue
            self._few_tries.clear()
            self.filtered = filtered
            self._opened[0] = first
            self._base = self._query
            if self._habits.supports_filter == "false" or (wants and not filtered):
                self.known.add(NO_KEY)
            self._count_refused(wants and not filtered, sorts and not ordered)
            return Walk(
                self._name,
                self,
                self._habits.page_size,
                ordered=ordered,
                width=self._habits.max_concurrency,
                deviations=self.deviations,
            )
        raise AssertionError

    def _count_refused(self, filter_: bool, sort: bool) -> None:
        if filter_:
            self._demand("supports_filter", "the filter")
            self.deviations["filter refused by the service"] += 1
        if sort:
            self._demand("supports_sort", "to sort")
            self.deviations["sort refused by the service"] += 1

    def _demand(self, setting: str, what: str) -> None:
        if getattr(self._habits, setting) == "true":
            raise SourceError(f"{self._name}: the service refuses {what}, and {setting} is true: set it to auto")

    def _missing(self, error: Refused) -> SourceError:
        match error.status:
            case 404:
                check = "the service does not offer it there; check base_url and oneroster_version"
            case 403:
                check = "the account may not read it; check scopes and what the vendor granted"
            case _:
                return error
        return MissingCollection(
            f"{self._name}: status {error.status}: {check}; deselect the stream, or set missing_collections to accept"
        )

    def __call__(self, offset: int, ahead: Sequence[int] = (), *, few_tries: bool = False) -> Answer:
        """Return the decoded page at an offset; a truncated body is requested again."""
        if opened := self._opened.pop(offset, None):
            return opened
        if few_tries:
            self._few_tries.add(offset)
        return self._read(lambda: self._window.get(offset, ahead), self._url(offset), f"offset {offset}")

    def follow(self, url: str) -> Answer:
        """Return the page at an address from a link."""
        place = f"page {self.count + 1}"
        return self._read(lambda: self._http.get(url, f"{self._name}, {place}"), url, place)

    def smallest(self) -> Answer:
        """Return the first page with a limit of one record, for its total."""
        return self.follow(self._address({**self._query, "limit": "1", "offset": "0"}))

    def last(self) -> Answer | None:
        """Return the first page in descending order; None if the service refuses it."""
        limit = min(self._habits.page_size, _TOP_ROWS)
        return self._try({**self._base, "limit": str(limit), "orderBy": "desc"})

    def after(self, last: str) -> Answer | None:
        """Return the first page of the records after an id; offsets then count from there."""
        condition = "sourcedId>'{}'".format(last.replace("'", "''"))
        if filter_ := self._base.get("filter"):
            condition = f"{filter_} AND {condition}"
        query = {**self._base, "filter": condition}
        if answer := self._try(query):
            self._query_before, self._query = self._query, query
            self._window.close()
        return answer

    def back(self) -> None:
        """Undo the effect of the last call of `after` on offsets."""
        self._query = self._query_before

    def total_of_nothing(self) -> int | None:
        """Return the total of a page whose filter matches nothing; None if the service does not filter."""
        if not self.filtered:
            return None
        answer = self._try({**self._base, "limit": "1", "filter": NOTHING})
        return None if answer is None or len(answer.page) else answer.total

    def _try(self, query: dict[str, str]) -> Answer | None:
        """Return the first page of another query; None if the service refuses it."""
        url = self._address({**query, "offset": "0"})
        place = "offset 0 of a further query"
        try:
            return self._read(lambda: self._http.get(url, f"{self._name}, {place}", few_tries=True), url, place)
        except FatalSourceError:
            raise
        except SourceError:
            return None

    def _read(self, get: Callable[[], Reply], url: str, place: str) -> Answer:
        for left in reversed(range(_CUT_SHORT_TRIES)):
            reply = get()
            if not reply.ok:
                raise Refused(self._refusal(reply.status, place), reply.status)
            if reply.status != 200:
                self.deviations["a status of success other than 200"] += 1
            total = read_total(reply.headers.get("X-Total-Count"), self.deviations)
            try:
                body = self._body(reply)
                page = self._decoder.decode(body, self.deviations, total=total, last_try=not left)
            except NoJson:
                if not left:
                    raise
                self._http.pace.sleep(0.2)
                continue
            link = next_link(reply.headers, url)
            if not self.count:
                spelling(body, self.deviations)
                if page.total and not total:
                    self.deviations["total beside the records, not in the header"] += 1
                if link and link.fault:
                    self.deviations[f"Link to the next page: {link.fault}"] += 1
            self.count += 1
            total = total if total or page.total is None else page.total
            return Answer(page, total, reply.headers.get("x-perm-rev"), link)
        raise AssertionError

    def _body(self, reply: Reply) -> bytes:
        try:
            return reply.body or (self._decoder.nothing if reply.status == 204 else b"")
        except ValueError as error:
            raise NoJson(f"{self._name}: {error}") from None

    def _url(self, offset: int) -> str:
        return self._address({**self._query, "offset": str(offset)})

    def _get(self, offset: int) -> Reply:
        return self._http.get(self._url(offset), f"{self._name}, offset {offset}", few_tries=offset in self._few_tries)

    def _refusal(self, status: int, place: str) -> str:
        match status:
            case 401:
                check = "check client_id, client_secret, token_url and scopes"
            case 403:
                check = "check scopes and what the vendor granted"
            case 429:
                check = "the service asks for a longer pause than a run can make; set requests_per_minute"
            case _ if status >= 500:
                check = "the service is down or cannot do it; try later, or ask the vendor"
            case _:
                check = "check base_url, oneroster_version and page_size"
        return f"{self._name}, {place}: status {status}: {check}"

    def close(self) -> None:
        """Drop the pages that were requested ahead."""
        self._window.close()
