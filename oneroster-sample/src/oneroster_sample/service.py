"""The responses of a OneRoster service, computed from path, token, query and knobs."""

from __future__ import annotations

import gzip
import time
from collections import Counter, OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlencode

import msgspec

from ._core.model import BASE_PATHS, FILES, VIEWS, Collection, File, Version, View
from .answers import Answer, Refused, status_info, unauthorized, warning
from .links import link_header, start_of
from .query import FilterError, known_field, only_fields, parse_filter
from .store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

    from .district import District
    from .knobs import Knobs
    from .tokens import TokenDesk

_encode = msgspec.json.encode
_decode = msgspec.json.decode
_LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Please sign in</form></body></html>"
_KEPT_PAGES = 512


class Endpoint(NamedTuple):
    """A collection, or one record of it."""

    name: str
    file: File
    view: View | None
    collection: Collection
    single: str | None


class Service:
    """One district in one version of the standard, at one address."""

    def __init__(self, district: District, version: Version, root: str, desk: TokenDesk) -> None:
        self.version, self.root, self.desk = version, root, desk
        self.revision = 1
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = Lock()
        self._compressed: OrderedDict[tuple[int, str], bytes] = OrderedDict()
        self._endpoints = self._all_endpoints()
        self.use(district)

    def use(self, district: District) -> None:
        """Serve another district from now on, such as the same one a day later."""
        self.store = Store(district, self.version, self.root)
        self.revision += 1

    def _all_endpoints(self) -> dict[str, tuple[str, File, View | None, Collection]]:
        bases = BASE_PATHS[self.version]
        files = {its.name: its for its in FILES if its.exists_in(self.version)}
        endpoints: dict[str, tuple[str, File, View | None, Collection]] = {
            bases[its.service] + its.collection.path: (its.name, its, None, its.collection)
            for its in files.values()
            if its.collection
        }
        for view in VIEWS:
            its = files[view.parent]
            endpoints[bases[its.service] + view.collection.path] = (view.name, its, view, view.collection)
        return endpoints

    def endpoint(self, path: str) -> Endpoint | None:
        """Return the endpoint of a path; None if the version has none there."""
        if found := self._endpoints.get(path):
            return Endpoint(*found, single=None)
        collection, _, last = path.rpartition("/")
        if last and (found := self._endpoints.get(collection)):
            return Endpoint(*found, single=unquote(last))
        return None

    def answer(
        self, path: str, query: Mapping[str, str], headers: Message[str, str], knobs: Knobs, *, trusted: bool = False
    ) -> Answer:
        """Return the response to a read; a `trusted` request needs no token."""
        try:
            end = self._endpoint_of(path)
            self._misbehave(end, knobs)
            if not trusted:
                self._check_token(end, headers)
            if knobs.html_instead_of_json:
                return Answer(200, _LOGIN_PAGE, content_type="text/html; charset=utf-8")
            answer = self._single(end, query) if end.single else self._page(end, path, query, knobs)
        except Refused as refused:
            if refused.status == 0:
                return Answer(0, closed=True)
            body = _encode(status_info(self.version, refused.status, refused.description, refused.code))
            return Answer(refused.status, body, refused.headers)
        if knobs.revision_header:
            answer.headers[knobs.revision_header] = str(self.revision)
        if knobs.gzip and "gzip" in headers.get("Accept-Encoding", "") and len(answer.body) > 1000:
            answer.body = self._compress(f"{path}?{urlencode(query)}", answer.body)
            answer.headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return answer

    def _endpoint_of(self, path: str) -> Endpoint:
        if end := self.endpoint(path):
            return end
        raise Refused(404, "There is no such endpoint")

    def _check_token(self, end: Endpoint, headers: Message[str, str]) -> None:
        refusal = self.desk.refusal(headers.get("Authorization"), end.collection.scopes(self.version))
        if refusal == 401:
            raise unauthorized()
        if refusal:
            raise Refused(refusal, "The token lacks the scope for this")

    def _count(self, end: Endpoint, what: str) -> int:
        with self._lock:
            self._counts[end.name, what] += 1
            return self._counts[end.name, what]

    def _misbehave(self, end: Endpoint, knobs: Knobs) -> None:
        """Apply the faults that occur before the request is examined."""
        if knobs.latency_seconds:
            time.sleep(knobs.latency_seconds)
        if knobs.die_after_pages is not None and self._counts[end.name, "pages"] >= knobs.die_after_pages:
            raise Refused(0, "closed")
        if knobs.fail_first_n and self._count(end, "failures") <= knobs.fail_first_n:
            headers = {"Retry-After": knobs.retry_after} if knobs.retry_after else {}
            raise Refused(knobs.fail_status, "Come back later", headers=headers)
        if knobs.redirect_to:
            raise Refused(302, "Elsewhere", headers={"Location": knobs.redirect_to})
        if knobs.status_401_once and self._count(end, "unauthorized") == 1:
            raise unauthorized()

    def _single(self, end: Endpoint, query: Mapping[str, str]) -> Answer:
        records = self.store.records(end.file)
        position = records.position.get(end.single or "")
        if position is None or (end.view and position not in set(records.views[end.view.name])):
            raise Refused(404, "There is no such record")
        body = records.bodies[position]
        names, _ = self._fields(end, query)
        if names:
            body = _encode(only_fields(_decode(body), names))
        return Answer(200, b'{"%b":%b}' % (end.collection.single.encode(), body))

    def _page(self, end: Endpoint, path: str, query: Mapping[str, str], knobs: Knobs) -> Answer:
        limit, offset = _whole(query, "limit", knobs.default_limit, 1), _whole(query, "offset", 0, 0)
        if knobs.page_cap:
            limit = min(limit, knobs.page_cap)
        number = self._count(end, "pages")
        if number <= len(knobs.page_lengths):
            limit = min(limit, knobs.page_lengths[number - 1])
        if knobs.before_page:
            knobs.before_page(number - 1)
        names, warnings = self._fields(end, query)
        store = self.store  # the same store for the whole page, even if `use` is called meanwhile
        chosen = self._chosen(store, end, query, knobs, warnings)
        total, hidden = len(chosen), _positions(store, end, knobs.hidden)
        start = start_of(query, offset, knobs)
        cut = chosen[start : start + limit] if _is_within(start, knobs) else []
        bodies = store.records(end.file).bodies
        page = [bodies[n] for n in cut if n not in hidden]
        if names:
            page = [_encode(only_fields(_decode(body), names)) for body in page]
        if knobs.spelling:
            page = [_encode(knobs.spelling(_decode(body))) for body in page]
        array = b"[%b]" % b",".join(page)
        wrapper = (knobs.wrapper_alias or end.collection.wrapper).encode()
        extra = b',"statusInfoSet":%b' % _encode(warnings) if warnings else b""
        if knobs.body_totals:
            totals = {"totalCount": total, "pageCount": -(-total // max(limit, 1)), "offset": start}
            extra += b"," + _encode(totals)[1:-1]
        answer = Answer(200, array if knobs.drop_envelope else b'{"%b":%b%b}' % (wrapper, array, extra))
        if knobs.total_header is not False:
            shown = sum(n not in hidden for n in chosen) if hidden else total
            everything = len(store.records(end.file).bodies)
            counts = {"zero": 0, "page": len(page), "hidden": total, "unfiltered": everything}
            counts["window"] = min(shown, knobs.window or shown)
            answer.headers["X-Total-Count"] = str(counts.get(str(knobs.total_header), shown))
        if knobs.link_header:
            place = offset if knobs.ignore_offset else start
            answer.headers["Link"] = link_header(
                self.root + path, query, knobs, limit=max(limit, 1), start=place, total=total
            )
        if knobs.cut_first_n and self._count(end, "cuts") <= knobs.cut_first_n:
            answer.cut = True
        return answer

    def _chosen(self, store: Store, end: Endpoint, query: Mapping[str, str], knobs: Knobs, warnings: list[Any]) -> Any:
        condition, sort = None, query.get("sort")
        if text := query.get("filter"):
            if isinstance(knobs.refuse_filter, int):
                raise Refused(knobs.refuse_filter, "Filters are not supported")
            if knobs.refuse_filter is None:
                try:
                    condition = parse_filter(text, end.file, self.version)
                except FilterError as error:
                    raise Refused(400, str(error), "invalid_filter_field") from None
        if sort and isinstance(knobs.refuse_sort, int):
            raise Refused(knobs.refuse_sort, "Sorting is not supported")
        if knobs.refuse_sort is not None:
            sort = None
        if sort and not known_field(end.file, sort, self.version):
            # Return the data in the service's own order; 1.1 adds a warning, 1.2 has no place for one.
            if self.version == Version.V1_1:
                warnings += warning("Unknown field to sort by", "invalid_sort_field")
            sort = None
        descending = query.get("orderBy", "asc").lower() == "desc"
        chosen = store.select(end.file, end.view, condition, sort, descending=descending)
        if knobs.without:
            gone = _positions(store, end, knobs.without)
            chosen = [n for n in chosen if n not in gone]
        return [*chosen, *chosen[: knobs.duplicate_rows]] if knobs.duplicate_rows else chosen

    def _fields(self, end: Endpoint, query: Mapping[str, str]) -> tuple[list[str], list[Any]]:
        """Return the fields to include (empty: all), and warnings."""
        if "fields" not in query:
            return [], []
        names = [name.strip() for name in query["fields"].split(",") if name.strip()]
        old = self.version == Version.V1_1
        if not names:
            code = "invalid_blank_selection_field" if old else "invalid_selection_field"
            raise Refused(400, "No fields are named", code)
        if all(known_field(end.file, name, self.version) for name in names):
            return names, []
        if old:
            return [], warning("Unknown field to return", "invalid_selection_field")
        raise Refused(400, "Unknown field to return", "invalid_selection_field")

    def _compress(self, url: str, body: bytes) -> bytes:
        """Return the compressed body from a cache, because compression is the most expensive step."""
        key = (hash(body), url)
        with self._lock:
            known = self._compressed.get(key)
        if known is None:
            known = gzip.compress(body, 1, mtime=0)
            with self._lock:
                self._compressed[key] = known
                if len(self._compressed) > _KEPT_PAGES:
                    self._compressed.popitem(last=False)
        return known


def _is_within(start: int, knobs: Knobs) -> bool:
    """True if an offset is inside the window; raise `Refused` if the knobs say so."""
    within = knobs.window is None or start < knobs.window
    if not within and knobs.window_status:
        raise Refused(knobs.window_status, "The offset is too large")
    return within


def _positions(store: Store, end: Endpoint, ids: set[str]) -> set[int]:
    position = store.records(end.file).position if ids else {}
    return {position[one] for one in ids if one in position}


def _whole(query: Mapping[str, str], name: str, default: int, least: int) -> int:
    try:
        value = int(query.get(name, default))
    except ValueError:
        value = least - 1
    if value < least:
        raise Refused(400, f"{name} is a whole number from {least}")
    return value
