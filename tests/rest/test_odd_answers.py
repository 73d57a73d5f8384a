"""Answers in odd clothes are read, damaged records are left out and counted, and nothing is endless."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tap_oneroster._core.http import client, limits, reply
from tap_oneroster._core.model import file
from tap_oneroster.source import Request, SourceError

from tests.support.odd_service import Asked, Dressed, OddService

from .conftest import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

USERS = [{"sourcedId": f"u{n:03}", "username": f"name {n}", "givenName": "Zoë"} for n in range(25)]
IDS = [str(user["sourcedId"]) for user in USERS]
BOM = b"\xef\xbb\xbf"


@contextmanager
def reading(
    dress: Callable[[Asked, Dressed], None] | None = None,
    *,
    users: list[Any] = USERS,
    dress_token: Callable[[Asked, Dressed], None] | None = None,
    **settings: Any,
) -> Iterator[Reader]:
    """A reader of a service whose answers are dressed."""
    settings = {"oneroster_version": "1.2", "page_size": 10, **settings}
    with OddService({"users": users}, dress=dress, dress_token=dress_token) as service:
        reader = Reader(service, **settings)  # type: ignore[arg-type]
        try:
            yield reader
        finally:
            reader.source.close()


def claims(encoding: str, pack: Callable[[bytes], bytes] = bytes) -> Callable[[Asked, Dressed], None]:
    """Dress every answer with this Content-Encoding, and this way of packing."""

    def dress(asked: Asked, answer: Dressed) -> None:
        del asked
        if encoding:
            answer.headers["Content-Encoding"] = encoding
        answer.body = pack(answer.body)

    return dress


def bare_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


CLOTHES = {
    "utf-8": claims("utf-8"),
    "UTF-8, gzip": claims("UTF-8, gzip", gzip.compress),
    "none": claims("none"),
    "binary": claims("binary"),
    "aws-chunked": claims("aws-chunked"),
    "gzip claimed, plain": claims("gzip"),
    "x-gzip": claims("x-gzip", gzip.compress),
    "gzip, nothing claimed": claims("", gzip.compress),
    "gzip, something else claimed": claims("utf-8", gzip.compress),
    "gzip, claimed as deflate": claims("deflate", gzip.compress),
    "gzip twice": claims("gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
    "gzip in two members": claims("gzip", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])),
    "deflate": claims("deflate", zlib.compress),
    "deflate, bare": claims("deflate", bare_deflate),
    "deflate claimed, plain": claims("deflate"),
    "zlib, nothing claimed": claims("", zlib.compress),
    "a byte order mark": claims("", lambda body: BOM + body),
    "a byte order mark, twice": claims("", lambda body: BOM + BOM + body),
    "a byte order mark, compressed": claims("gzip", lambda body: gzip.compress(BOM + body)),
    "UTF-16 with its mark": claims("", lambda body: body.decode().encode("utf-16")),
}


@pytest.mark.parametrize("way", CLOTHES)
def test_pages_and_tokens_are_read_whatever_their_header_claims(way: str) -> None:
    """The bytes say how a body is packed; what the header says of it is often wrong."""
    with reading(CLOTHES[way], dress_token=CLOTHES[way]) as reader:
        pull = reader.read("users")
    assert pull.ids("users") == IDS
    assert pull.records["users"][0].givenName == "Zoë"
    assert pull.facts["users"].complete


PACKS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("gzip", lambda body: gzip.compress(body[:7]) + gzip.compress(body[7:])),
]


@settings(max_examples=200, deadline=None)
@given(
    names=st.lists(st.text(max_size=5), max_size=3),
    packs=st.lists(st.sampled_from(PACKS), max_size=2),
    marks=st.integers(0, 2),
    claim=st.sampled_from(["", "utf-8", "none", "binary", "gzip", "GZIP, identity", "deflate", "br", "as packed"]),
    text=st.sampled_from(["utf-8", "utf-16"]),
)
def test_any_clothes_of_a_body_come_off(names: list[str], packs: list[Any], marks: int, claim: str, text: str) -> None:
    """Packed once, twice or not, with marks, whatever the header claims."""
    plain = json.dumps({"users": [{"sourcedId": name} for name in names]}, ensure_ascii=False)
    plain = plain.encode("utf-8", errors="replace").decode()
    body = plain.encode(text) if text != "utf-8" else BOM * marks + plain.encode()
    for _, pack in packs:
        body = pack(body)
    header = claim if claim != "as packed" else ", ".join(name for name, _ in packs)
    assert reply.Reply(200, {"Content-Encoding": header} if header else {}, body).body == plain.encode()


@settings(max_examples=15, deadline=None)
@given(
    clothes=st.lists(st.sampled_from(sorted(CLOTHES)), min_size=1, max_size=4),
    statuses=st.lists(st.sampled_from([200, 200, 201, 203, 206]), min_size=1, max_size=3),
    last=st.sampled_from([b'{"users":[]}', b'{"users":null}', b""]),
    total=st.booleans(),
)
def test_a_service_whose_clothes_change_from_page_to_page_is_read(
    clothes: list[str], statuses: list[int], last: bytes, total: bool
) -> None:
    """Each page in others, the empty one behind the last as a list, null or 204."""

    def dress(asked: Asked, answer: Dressed) -> None:
        number = int(asked.query.get("offset", 0)) // 3
        if not total:
            answer.headers.clear()
        if int(asked.query.get("offset", 0)) >= len(USERS):
            answer.body, answer.status = last, 200 if last else 204
            return
        answer.status = statuses[number % len(statuses)]
        CLOTHES[clothes[number % len(clothes)]](asked, answer)

    with reading(dress, page_size=7) as reader:
        pull = reader.read("users")
    assert pull.ids("users") == IDS
    assert pull.facts["users"].complete


@pytest.mark.parametrize("status", [201, 203, 206])
def test_other_statuses_of_success_are_read_where_the_list_is_there(status: int) -> None:
    def dress(asked: Asked, answer: Dressed) -> None:
        answer.status = status

    with reading(dress, dress_token=dress, oneroster_version="auto") as reader:
        pull = reader.read("users")
    assert pull.ids("users") == IDS
    assert pull.facts["users"].deviations["a status of success other than 200"] == pull.facts["users"].pages


@pytest.mark.parametrize("status", [204, 200])
@pytest.mark.parametrize("totals", [{"X-Total-Count": "0"}, {}])
def test_an_empty_collection_may_come_as_204_or_null(status: int, totals: dict[str, str]) -> None:
    """Without a total of 0, null is not believed: it may be a fault."""

    def dress(asked: Asked, answer: Dressed) -> None:
        if asked.collection == "users":
            answer.status, answer.headers, answer.body = status, dict(totals), b'{"users": null}'

    with reading(dress) as reader:
        if status == 200 and not totals:
            with pytest.raises(SourceError, match="no list users in the answer"):
                reader.read("users")
            return
        pull = reader.read("users")
    assert pull.ids("users") == []
    assert pull.facts["users"].complete


def test_null_beside_a_total_of_0_is_an_empty_list() -> None:
    def dress(asked: Asked, answer: Dressed) -> None:
        if asked.collection == "users":
            answer.headers, answer.body = {}, b'{"users": null, "totalCount": 0}'

    with reading(dress) as reader:
        assert reader.read("users").facts["users"].deviations["null where a list belongs"]


@pytest.mark.parametrize("total", [True, False])
def test_null_after_the_last_page_is_an_empty_page(total: bool) -> None:
    """Services in Go write a list without elements like that."""

    def dress(asked: Asked, answer: Dressed) -> None:
        answer.body = answer.body.replace(b"[]", b"null")
        if not total:
            answer.headers.clear()

    with reading(dress) as reader:
        pull = reader.read("users")
    assert pull.ids("users") == IDS
    assert pull.facts["users"].complete


def test_null_on_the_first_page_of_a_collection_that_has_records_is_not_believed() -> None:
    def dress(asked: Asked, answer: Dressed) -> None:
        if asked.collection == "users":
            answer.body = b'{"users": null}'

    with reading(dress) as reader, pytest.raises(SourceError, match="no list users"):
        reader.read("users")


DAMAGED = {
    "a cut emoji": b'{"sourcedId":"bad","givenName":"\\ud83d"}',
    "the second half of an emoji": b'{"sourcedId":"bad","givenName":"x\\ude00y"}',
    "a cut emoji as bytes": b'{"sourcedId":"bad","givenName":"\xf0\x9f\x98"}',
    "Latin-1": b'{"sourcedId":"bad","givenName":"Zo\xeb"}',
    "a raw line break": b'{"sourcedId":"bad","givenName":"a\nb"}',
    "a raw NUL": b'{"sourcedId":"bad","givenName":"a\x00b"}',
    "NaN": b'{"sourcedId":"bad","metadata":{"gpa":NaN}}',
    "Infinity": b'{"sourcedId":"bad","metadata":{"gpa":-Infinity}}',
    "a number out of range": b'{"sourcedId":"bad","metadata":{"gpa":1e999}}',
    "nested without end": b'{"sourcedId":"bad","metadata":{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    "a comma too many": b'{"sourcedId":"bad","givenName":"a",}',
    "an unknown escape": b'{"sourcedId":"bad","givenName":"a\\qb"}',
}


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("sole", [False, True], ids=["among others", "alone on its page"])
def test_a_record_that_cannot_be_decoded_is_left_out_and_counted(damage: str, sole: bool) -> None:
    """The others arrive, the receipt is incomplete, and the run does not end well."""
    users = [*USERS[:7], DAMAGED[damage], *USERS[7:]]
    with reading(users=users, page_size=1 if sole else 10) as reader:
        one_pass = next(iter(reader.source.passes(Request(file("users"), (file("users"),)))))
        came: list[Any] = []
        with pytest.raises(SourceError, match=r"users: 1 records were left out .*on_invalid"):
            came.extend(batch.records for batch in one_pass)
        facts = one_pass.facts["users"]
    assert [record.sourcedId for records in came for record in records] == IDS
    assert facts.rejected == 1
    assert facts.deviations["record that cannot be decoded"] == 1
    assert not facts.complete
    assert not facts.snapshot


@pytest.mark.parametrize("brackets", [b"[]", b"{}"], ids=["lists", "objects"])
def test_metadata_that_are_nested_deeply_arrive_whole(brackets: bytes) -> None:
    """Their keys are joined down to a level; what is deeper stays nested."""
    opens, closes = (b"[" * 150, b"]" * 150) if brackets == b"[]" else (b'{"0":' * 150, b"}" * 150)
    users = [b'{"sourcedId":"deep","metadata":{"x":' + opens + b'"leaf"' + closes + b"}}", *USERS]
    with reading(users=users) as reader:
        pull = reader.read("users")
    assert sorted(pull.ids("users")) == sorted(["deep", *IDS])
    (deep,) = (record for record in pull.records["users"] if record.sourcedId == "deep")
    ((key, value),) = deep.metadata.items()
    levels = key.count(".")
    while isinstance(value, list | dict):
        value = value[0] if isinstance(value, list) else value["0"]
        levels += 1
    assert (levels, value) == (150, "leaf")
    assert key.count(".") < levels


def test_three_thousand_levels_arrive_whole_or_are_left_out_as_the_python_can_decode_them() -> None:
    users = [b'{"sourcedId":"deep","metadata":{"x":' + b"[" * 3000 + b'"leaf"' + b"]" * 3000 + b"}}", *USERS]
    with reading(users=users, on_invalid="accept") as reader:
        pull = reader.read("users")
    left_out = pull.facts["users"].rejected
    assert sorted(pull.ids("users")) == sorted(IDS if left_out else ["deep", *IDS])


def test_damaged_records_are_accepted_or_end_the_run_as_on_invalid_says() -> None:
    users = [DAMAGED["NaN"], *USERS]
    with reading(users=users, on_invalid="accept") as reader:
        pull = reader.read("users")
        assert pull.ids("users") == IDS
        assert pull.facts["users"].complete
        assert not pull.facts["users"].snapshot
    with reading(users=users, on_invalid="fail") as reader, pytest.raises(SourceError, match="cannot be decoded"):
        reader.read("users")


def test_a_damaged_first_org_does_not_hide_the_service() -> None:
    """Finding out the version reads one record, which may be the damaged one."""
    with OddService({"orgs": [DAMAGED["NaN"], {"sourcedId": "o"}]}) as service:
        reader = Reader(service, on_invalid="accept")  # type: ignore[arg-type]
        assert reader.read("orgs").ids("orgs") == ["o"]
        reader.source.close()


def test_where_nothing_tells_the_end_of_a_record_the_page_is_not_taken() -> None:
    """Quotation marks that are not escaped shift everything after them."""
    first, second = b'{"sourcedId":"a","n":"5" tall","m":1}', b'{"sourcedId":"c","n":"6" tall"}'
    with (
        reading(users=[first, {"sourcedId": "b"}, second]) as reader,
        pytest.raises(SourceError, match="not JSON, or was cut short"),
    ):
        reader.read("users")


ODD_TOTALS = ["-1", "25.0", "many", "", "1e30", "9" * 40, "9" * 5000, "1_000", "25, 25", "٢٥", "NaN"]


@pytest.mark.parametrize("total", ODD_TOTALS)
def test_totals_that_are_no_count_are_ignored_and_counted(total: str) -> None:
    def dress(asked: Asked, answer: Dressed) -> None:
        answer.headers["X-Total-Count"] = total.encode().decode("latin-1")

    with reading(dress) as reader:
        pull = reader.read("users")
    assert pull.ids("users") == IDS
    assert pull.facts["users"].expected is None
    assert pull.facts["users"].deviations["total that is no count, ignored"]


@pytest.mark.parametrize("total", ["-1", "25.0", '"many"', "1e30", "9" * 40, "[]", "true"])
def test_odd_totals_beside_the_records_are_ignored_and_counted(total: str) -> None:
    def dress(asked: Asked, answer: Dressed) -> None:
        answer.headers.clear()
        answer.body = answer.body[:-1] + b', "totalCount": %s}' % total.encode()

    with reading(dress) as reader:
        pull = reader.read("users")
    assert pull.ids("users") == IDS
    assert pull.facts["users"].deviations["total that is no count, ignored"]


@pytest.mark.parametrize("total", [2_000_000_000, 10**14])
def test_a_total_is_compared_and_never_allocated(total: int) -> None:
    """It is far from the truth, so the read fails; and no memory was set aside for it."""

    def dress(asked: Asked, answer: Dressed) -> None:
        answer.headers["X-Total-Count"] = str(total)

    with reading(dress) as reader:
        tracemalloc.start()
        try:
            with pytest.raises(SourceError):
                reader.read("users")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 100 << 20


def drip(first: bytes, again: bytes) -> Callable[[Any], None]:
    """Write something, and then something more in short intervals, for minutes."""

    def write(file: Any) -> None:
        file.write(first)
        file.flush()
        until = time.monotonic() + 240
        while time.monotonic() < until:
            time.sleep(0.02)
            file.write(again)
            file.flush()

    return write


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DRIPS = {
    "body": drip(HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
    "chunks": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "trailer": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"x: y\r\n"),
    "header": drip(HEAD + b"X-Slow: ", b"x"),
    "status line": drip(b"HTTP/1.1 200 ", b"x"),
    "100 Continue": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize(("which", "part"), [("token", "body"), *(("page", part) for part in DRIPS)])
def test_an_answer_that_never_ends_is_given_up(part: str, which: str) -> None:
    """`timeout_seconds` counts from byte to byte; the whole answer has a limit, too."""

    def dress(asked: Asked, answer: Dressed) -> None:
        answer.write = DRIPS[part]

    started = time.monotonic()
    page, token = (dress, None) if which == "page" else (None, dress)
    with (
        reading(page, dress_token=token, timeout_seconds=0.5) as reader,
        pytest.raises(SourceError, match=r"did not end within 1\.5 s, 2 times; raise timeout_seconds") as caught,
    ):
        reader.once("users")
    assert time.monotonic() - started < 200
    assert reader.provider.host in str(caught.value)  # type: ignore[attr-defined]


def test_a_slow_answer_that_ends_is_read() -> None:
    """Byte after byte, longer in all than the wait for the next one."""

    def dress(asked: Asked, answer: Dressed) -> None:
        body = answer.body

        def write(file: Any) -> None:
            file.write(HEAD + b"X-Total-Count: 25\r\nContent-Length: %d\r\n\r\n" % len(body))
            for start in range(0, len(body), len(body) // 8):
                file.flush()
                time.sleep(0.15)
                file.write(body[start : start + len(body) // 8])

        answer.write = write

    with reading(dress, timeout_seconds=1, max_concurrency=1, page_size=100) as reader:
        assert reader.read("users").ids("users") == IDS


def endless(file: Any) -> None:
    """A body without an end, of blanks."""
    file.write(HEAD + b"\r\n{")
    blanks(file)


def blanks(file: Any) -> None:
    while True:
        file.write(b" " * 65536)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that are soon reached."""
    monkeypatch.setattr(client, "MOST_BYTES", 4 << 20)
    monkeypatch.setattr(limits, "MOST_BYTES", 4 << 20)
    monkeypatch.setattr(reply, "MOST_BYTES", 4 << 20)


def test_an_endless_body_is_given_up(small: None) -> None:
    def dress(asked: Asked, answer: Dressed) -> None:
        answer.write = endless

    with reading(dress) as reader, pytest.raises(SourceError, match="longer than 4 MiB; lower page_size"):
        reader.once("users")
    with reading(dress_token=dress) as reader, pytest.raises(SourceError, match=r"token_url: .* longer than 1 MiB"):
        reader.once("users")


@pytest.mark.parametrize(
    ("head", "says"),
    [(b"404 Not Found\r\n\r\n", "users: status 404"), (b"302 Found\r\nLocation: /x\r\n\r\n", "redirects in a circle")],
    ids=["404", "302"],
)
def test_an_endless_body_beside_another_status_is_not_read(head: bytes, says: str) -> None:
    def dress(asked: Asked, answer: Dressed) -> None:
        def write(file: Any) -> None:
            file.write(b"HTTP/1.1 " + head)
            blanks(file)

        answer.write = write

    with reading(dress) as reader, pytest.raises(SourceError, match=says):
        reader.once("users")


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, bare_deflate], ids=["gzip", "zlib", "deflate"])
@pytest.mark.parametrize("which", ["page", "token"])
def test_a_bomb_is_not_unpacked(small: None, pack: Callable[[bytes], bytes], which: str) -> None:
    """A few kilobytes that would become many megabytes."""
    bomb = pack(b'{"users":[' + b" " * (16 << 20) + b"]}")

    def dress(asked: Asked, answer: Dressed) -> None:
        answer.headers["Content-Encoding"] = "gzip" if pack is gzip.compress else "deflate"
        answer.body = bomb

    page, token = (dress, None) if which == "page" else (None, dress)
    with reading(page, dress_token=token) as reader:
        tracemalloc.start()
        try:
            with pytest.raises(SourceError, match=r"longer than \d MiB"):
                reader.once("users")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 14 << 20


def test_a_bomb_of_many_empty_parts_is_not_unpacked() -> None:
    body = gzip.compress(b"") * 100_000
    with pytest.raises(ValueError, match="too many parts"):
        _ = reply.Reply(200, {}, body).body


def test_the_bounds_are_far_from_what_services_send() -> None:
    """A page of 10,000 users with everything the standard has is a tenth of it."""
    user = {f"field{n}": "x" * 40 for n in range(40)}
    assert len(json.dumps(user)) * 10_000 * 10 < limits.MOST_BYTES
    assert limits.TIMES >= 3
