"""The board: the page and board.json of a bad night, and what is told to a webhook."""

from __future__ import annotations

import importlib
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browser import launched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.fleet import Desk

AT = "2026-08-11T10:00:00-05:00"
GOOD: dict[str, Any] = {
    "exit": 0,
    "why": "",
    "started": "2026-08-11T08:15:00Z",
    "finished": "2026-08-11T08:20:00Z",
    "run": "r1",
}
DOWN = GOOD | {"exit": 1, "why": "base_url: status 503", "last_success": "2026-08-10T08:20:00Z"}


def bad_night(desk: Desk) -> None:
    """Twelve districts of a vendor that is down, and some others with each word."""
    lines = [f"- {{id: aeries-{n:02}, name: Aeries {n}, provider: aeries}}\n" for n in range(12)]
    others = ("held", "refused", "late", "new", "good")
    lines += [f"- {{id: {id_}, name: '{id_.title()} <ISD>', secrets_expire: 2026-08-20}}\n" for id_ in others]
    desk.file("".join(lines))
    for n in range(12):
        desk.put(f"aeries-{n:02}", **(DOWN if n < 9 else GOOD))
    desk.put("held", **GOOD | {"exit": 3, "why": "users: 40 % fewer than before"})
    desk.put("refused", **GOOD | {"exit": 4, "why": "token_url: status 401: invalid_client"})
    desk.put("late", **GOOD | {"finished": "2026-08-10T08:20:00Z"})
    desk.put("good", **GOOD)
    night: dict[str, Any] = {"finished": "2026-08-11T08:20:00Z", "whole_read_at": "2026-08-11T08:16:00Z"}
    nights = [night | {"records": {"users": 100, "orgs": 3}, "schools": {"s1": 50, "s2": 40}}] * 14
    nights.append(night | {"records": {"users": 60, "orgs": 3}, "schools": {"s1": 50, "s2": 10}})
    desk.put("good", "nights.json", nights=nights)
    log = desk.folder / "logs/held/r1.log"
    log.parent.mkdir(parents=True)
    log.write_text("tap: x\n")
    desk.set("ONEROSTER_FLEET_NOW", AT)


def test_board_json(desk: Desk) -> None:
    """Generated when, how many of each word, and each district; exit 2 because something needs a person."""
    bad_night(desk)
    code, lines, _ = desk("board", "--out", "board", "--json")
    found = json.loads((desk.folder / "board/board.json").read_text())
    assert code == 2
    assert json.loads("\n".join(lines)) == found
    assert set(found) == {"generated", "counts", "districts"}
    assert found["generated"] == "2026-08-11T15:00:00Z"
    assert found["counts"] == {"held": 1, "misconfigured": 1, "failed": 9, "late": 1, "never": 1, "fresh": 4}
    its = {district["id"]: district for district in found["districts"]}
    assert its["held"] == {
        "id": "held", "name": "Held <ISD>", "provider": "", "word": "held", "since": "2026-08-11T08:20:00Z",
        "why": "users: 40 % fewer than before", "log": "../logs/held/r1.log",
    }  # fmt: skip
    assert its["new"]["since"] is its["new"]["log"] is None
    assert (desk.folder / "board" / its["held"]["log"]).is_file()


def test_all_fresh_is_exit_0(desk: Desk) -> None:
    desk.file("- {id: a}\n- {id: b}\n")
    desk.set("ONEROSTER_FLEET_NOW", AT)
    for id_ in "ab":
        desk.put(id_, **GOOD)
    assert desk("board", "--out", "board")[0] == 0
    assert "Nothing needs a person." in (desk.folder / "board/index.html").read_text()


def test_the_page_says_a_vendor_s_outage_once(desk: Desk) -> None:
    """By provider, then each district with why; against the median of fourteen nights; nothing from elsewhere."""
    bad_night(desk)
    desk("board", "--out", "board")
    page = (desk.folder / "board/index.html").read_text()
    assert (
        page.count(
            "aeries: 9 of 12 failed since 2026-08-11 08:20 UTC: Aeries 0, Aeries 1, Aeries 2, Aeries 3, Aeries 4 and 4 more."
        )
        == 1
    )
    assert "Held &lt;ISD&gt;" in page
    assert "users \N{MINUS SIGN}40 %" in page
    assert "1 schools shrank: s2" in page
    assert "credentials end 2026-08-20 (in 9 days)" in page
    assert 'href="../logs/held/r1.log"' in page
    assert not re.search(r"(src|href)=\"(?!#|\.\./)", page)
    assert "<script" not in page


def test_the_audit_s_verdict_stands_on_the_board(desk: Desk) -> None:
    desk.file("- {id: a, audit: 'audits/{district}.json'}\n- {id: b, audit: nowhere.json}\n")
    (desk.folder / "audits").mkdir()
    (desk.folder / "audits/a.json").write_text(json.dumps({"load": 3, "verdict": "held", "held_schools": []}))
    desk("board", "--out", "board")
    page = (desk.folder / "board/index.html").read_text()
    assert "audit: held" in page
    assert "audit: not audited" in page


class Channel:
    """A webhook that keeps what it is told, or refuses it."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.status = 200
        channel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if channel.status == 200:
                    channel.told.append(body)
                self.send_response(channel.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def new(self) -> list[str]:
        """What was told since the last time."""
        found = [body["text"] for body in self.told]
        self.told.clear()
        return found


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Channel]:
    from oneroster_fleet._core import webhook

    monkeypatch.setattr(webhook, "WAIT_SECONDS", 0.0)
    channel = Channel()
    yield channel
    channel.server.shutdown()
    channel.server.server_close()


def test_changes_are_told_once_and_by_provider(desk: Desk, channel: Channel) -> None:
    bad_night(desk)
    board = ("board", "--out", "board", "--webhook", channel.url)
    assert desk(*board)[0] == 2
    aeries, others = channel.new()
    assert aeries.startswith("aeries: 9 of 12 districts changed\n- 9 failed: Aeries 0, Aeries 1,")
    assert "base_url: status 503" in aeries
    assert "No provider: 3 of 5 districts changed" in others
    desk(*board)
    assert channel.new() == [], "each change is told once"
    desk.put("aeries-00", **GOOD)
    desk.put("held", **GOOD)
    desk.set("ONEROSTER_FLEET_NOW", "2026-08-11T10:09:00-05:00")
    desk(*board)
    assert channel.new() == [], "a provider is not told of twice in ten minutes"
    desk.set("ONEROSTER_FLEET_NOW", "2026-08-11T10:10:00-05:00")
    desk(*board)
    assert channel.new() == [
        "aeries: 1 of 12 districts changed\n- 1 fresh: Aeries 0 (was failed)",
        "No provider: 1 of 5 districts changed\n- 1 fresh: Held <ISD> (was held)",
    ]


def test_a_webhook_that_takes_nothing_is_told_the_next_time(desk: Desk, channel: Channel) -> None:
    """Exit 1, without the address, and the page is written all the same."""
    bad_night(desk)
    channel.status = 500
    board = ("board", "--out", "board", "--webhook", "env:HOOK")
    desk.set("HOOK", channel.url)
    code, _, error = desk(*board)
    assert code == 1
    assert "2 of the posts were not taken" in error
    assert channel.url not in error
    assert (desk.folder / "board/index.html").exists()
    channel.status = 200
    assert desk(*board)[0] == 2
    assert len(channel.new()) == 2


def test_the_digest(desk: Desk, channel: Channel) -> None:
    """Once a day, from `digest_at` on, on the board's clocks."""
    bad_night(desk)
    path = desk.folder / "fleet.yml"
    path.write_text("board: {digest_at: '07:30', time_zone: America/Chicago}\n" + path.read_text())
    told = []
    for moment in ("11T07:29", "11T07:30", "11T12:00", "12T07:29", "12T09:00"):
        desk.set("ONEROSTER_FLEET_NOW", f"2026-08-{moment}:00-05:00")
        desk("board", "--out", "board", "--webhook", channel.url)
        told.append([text for text in channel.new() if text.startswith("17 districts: ")])
    assert [len(texts) for texts in told] == [0, 1, 0, 0, 1]
    assert "These need a person: Held <ISD> (held), Refused <ISD> (misconfigured), Aeries 0 (failed)" in told[1][0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["light", "dark", "print", "320 px"])
def test_in_a_browser(desk: Desk, browser: Any, mode: str) -> None:
    """Axe finds nothing, nothing is fetched, nothing is wider than a phone, and the verdict is on the first screen."""
    bad_night(desk)
    desk("board", "--out", "board")
    scheme = "dark" if mode == "dark" else "light"
    axe = importlib.import_module("axe_playwright_python.sync_playwright")
    size = {"width": 320 if mode == "320 px" else 1280, "height": 900}
    with browser.new_context(color_scheme=scheme, viewport=size, bypass_csp=True) as context:  # for axe's own script
        page = context.new_page()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.emulate_media(media="print" if mode == "print" else "screen", color_scheme=scheme)
        address = (desk.folder / "board/index.html").as_uri()
        page.goto(address)
        rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = axe.Axe().run(page, options={"runOnly": rules})
        assert not [(v["id"], v["nodes"][0]["target"]) for v in found.response["violations"]]
        assert requests == [address]
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        assert page.locator(".verdict .word").first.bounding_box()["y"] < 300
