"""Alerts: who is told what, once, without anything about a person; and what no output may hold."""

from __future__ import annotations

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_audit._core import webhook

from tests.audit.nights import district, lost_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.audit.conftest import Desk

CANARY = "Kanarienvogel"


class Channel:
    """A webhook that keeps what it is told."""

    def __init__(self) -> None:
        self.posts: list[Any] = []
        self.status = 200
        channel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                channel.posts.append(json.loads(body))
                self.send_response(channel.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/secret-token"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Channel]:
    made = Channel()
    monkeypatch.setenv("HOOK", made.url)
    monkeypatch.setattr(webhook, "WAIT_SECONDS", 0.0)
    yield made
    made.server.shutdown()
    made.server.server_close()


POLICY = "max_age_hours: 1000000\ndistrict: Unified\nreport: {path: p.html, json: p.json, url: 'https://example.org/p'}\nalert:\n"


@pytest.mark.parametrize("kind", ["slack", "teams", "webhook"])
def test_one_alert_and_one_all_clear(desk: Desk, channel: Channel, kind: str) -> None:
    """A held load is told once, and the first good one after it once."""
    desk.policy(POLICY + f'- {{kind: {kind}, url: "$HOOK"}}\n')
    rows = district(8)
    desk.audit(rows)
    assert channel.posts == []
    desk.audit(lost_from(rows, "s2", 78), code=3)
    desk("run")
    assert len(channel.posts) == 1
    text = json.dumps(channel.posts[0])
    assert "oneroster-audit approve 2" in text
    assert "School 2" in text
    if kind == "slack":
        assert channel.posts[0].keys() == {"text", "blocks"}
    if kind == "webhook":
        assert (channel.posts[0]["load"], channel.posts[0]["verdict"]) == (2, "held")
        assert channel.posts[0]["page_url"] == "https://example.org/p"
        assert channel.posts[0]["held_schools"] == [{"id": "s2", "name": "School 2"}]
    desk.audit(rows)
    desk.audit(rows)
    assert len(channel.posts) == 2
    assert "All clear" in json.dumps(channel.posts[1])


def test_what_was_planned_alerts_nobody(desk: Desk, channel: Channel) -> None:
    """A blackout holds everything, and was planned."""
    desk.policy(
        POLICY + '- {kind: webhook, url: "$HOOK"}\ncalendar:\n- {from: 2026-09-14, to: 2026-09-20, rule: blackout}\n'
    )
    desk.audit(district(1))
    assert channel.posts == []


def test_a_post_that_fails(desk: Desk, channel: Channel, caplog: pytest.LogCaptureFixture) -> None:
    """It is tried three times and logged without its address; only --alert-must makes it an exit code."""
    desk.policy(POLICY + '- {kind: webhook, url: "$HOOK", when: [passed, noted, held]}\n')
    channel.status = 500
    with caplog.at_level(logging.DEBUG):
        desk.audit(district(1, students=3, classes=1))
    assert len(channel.posts) == 3
    assert "could not be sent" in caplog.text
    desk.house.load(district(1, students=3, classes=1))
    assert desk("run", "--alert-must") == 1
    assert "secret-token" not in caplog.text + desk.out + desk.err


def test_mail(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """By SMTP, with the account of the address, to those that the policy names."""
    letters: list[Any] = []

    class Server:
        def __init__(self, host: str, port: int, timeout: float) -> None:
            letters.append((host, port))

        def __enter__(self) -> Server:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def has_extn(self, _: str) -> bool:
            return False

        def login(self, user: str, password: str) -> None:
            letters.append((user, password))

        def send_message(self, letter: Any) -> None:
            letters.append(letter)

    monkeypatch.setattr("smtplib.SMTP", Server)
    monkeypatch.setenv("SMTP_URL", "smtp://me:p%40ss@mail.example:2525")
    desk.policy(POLICY + '- {kind: mail, url: "$SMTP_URL", to: [ada@example.org], when: [noted]}\n')
    desk.audit(district(1, students=3, classes=1))
    assert letters[:2] == [("mail.example", 2525), ("me", "p@ss")]
    assert letters[2]["To"] == "ada@example.org"
    assert "First night" in letters[2].get_content()


def test_fewer_than_ten_persons_are_not_told_exactly(desk: Desk, channel: Channel) -> None:
    """Counts of persons below ten are `fewer than 10`; those of courses are told."""
    desk.policy(POLICY + '- {kind: webhook, url: "$HOOK"}\n')
    rows = district(8)
    desk.audit(rows)
    desk.audit(lost_from(rows, "s2", 149), code=3)
    told = channel.posts[0]["findings"]
    assert {f["now"] for f in told if f["check"] == "brake.lost" and f["school"]} == {"fewer than 10"}


def test_no_person_in_any_output(desk: Desk, channel: Channel, caplog: pytest.LogCaptureFixture) -> None:
    """Names, ids, usernames and addresses of persons are in no page, JSON, alert, log, error or store."""
    desk.policy(POLICY + '- {kind: webhook, url: "$HOOK", when: [noted, held, unknown]}\n')
    rows: Any = district(4)
    for name in ("users", "roles", "enrollments"):
        for key, row in list(rows[name].items()):
            for column in ("sourcedId", "userSourcedId", "username", "givenName", "familyName", "identifier", "email"):
                if column in row:
                    row[column] = f"{CANARY}{row[column]}"
            rows[name][f"{CANARY}{key}"] = rows[name].pop(key)
    for row in rows["users"].values():
        row |= {"phone": CANARY, "sms": CANARY, "middleName": CANARY, "pronouns": CANARY, "agentSourcedIds": [CANARY]}
    desk.audit(rows)
    gone = lost_from(rows, "s2", 78)
    for n in range(30):  # ids that are reused, orphans, words that are none
        key = f"{CANARY}s1-p{n}"
        gone["users"] = gone["users"] | {
            key: rows["users"][key]
            | {"givenName": "X" + CANARY, "familyName": "Y" + CANARY, "identifier": CANARY, "role": CANARY}
        }
    outputs = []
    with caplog.at_level(logging.DEBUG):
        desk.audit(gone, code=3)
        outputs += [desk.out, desk.err]
        desk("show")
        outputs += [desk.out, desk.err, caplog.text, json.dumps(channel.posts)]
    assert len(channel.posts) == 2
    for path in desk.folder.iterdir():
        if path.name != "warehouse.duckdb":
            outputs.append(path.read_bytes().decode("utf-8", "replace"))
    for table in ("loads", "counts", "findings", "columns", "reasons", "arrivals", "schools", "approvals", "released"):
        outputs.append(str(desk.store(f'SELECT * FROM "{table}"')))
    assert not [text[:80] for text in outputs if CANARY in text]
