"""Alerts: one message, in the shapes of Slack, Teams, a plain webhook, and mail. No person's id, no name, no address."""

from __future__ import annotations

import logging
import smtplib
from email.message import EmailMessage
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ._core.webhook import post_json, was_taken
from .checks.catalogue import check
from .policy import resolved
from .words import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .policy import Alert, Policy
    from .report.contents import Contents, Row
    from .store import Store

MOST_POSTS, NAMED, SMALL = 4, 10, 10
_PERSONS = {"users", "enrollments", "roles", "demographics", "userProfiles", "results"}
_log = logging.getLogger("oneroster-audit")


def message(of: Contents, policy: Policy) -> Row:
    """Return what an alert says."""
    roots = [f for f in of.findings if not f["root"] and f["severity"] != "note"][:NAMED]
    commands = [f"oneroster-audit show {of.load['load']}"]
    if of.held:
        commands.insert(0, f"oneroster-audit approve {of.load['load']} --by NAME --reason TEXT")
    return {
        "verdict": of.load["verdict"],
        "district": of.load["district"] or "",
        "load": of.load["load"],
        "source": of.load["source"],
        "sentence": of.sentence,
        "findings": [_finding(of, f) for f in roots],
        "held_schools": [{"id": s, "name": of.schools[s]} for s in of.held[:NAMED]],
        "more_held_schools": max(0, len(of.held) - NAMED),
        "page_url": policy.report.url,
        "commands": commands,
    }


def _finding(of: Contents, row: Row) -> Row:
    hidden = row["file"] in _PERSONS
    school = row["school_id"]
    return {
        "check": row["check_id"],
        "sentence": check(row["check_id"]).sentence,
        "file": row["file"],
        "school": {"id": school, "name": of.schools.get(school, "")} if school not in ("", ALL) else None,
        "role": row["role"],
        "term": row["term_id"],
        "baseline": _count(row["before"], hidden=hidden),
        "now": _count(row["now"], hidden=hidden),
        "share": row["share"],
    }


def _count(value: int | None, *, hidden: bool) -> int | str | None:
    """Return a count; of persons, fewer than ten are not told exactly."""
    return f"fewer than {SMALL}" if hidden and value is not None and 0 < value < SMALL else value


def _lines(told: Row) -> list[str]:
    lines = []
    for finding in told["findings"]:
        where = [finding["file"]]
        if finding["school"]:
            where.append(f"{finding['school']['name']} ({finding['school']['id']})".strip())
        where += [finding[k] for k in ("role", "term") if finding[k] not in ("", ALL)]
        numbers = f": {finding['baseline']} before, {finding['now']} now" if finding["baseline"] is not None else ""
        lines.append(f"{finding['sentence']} ({', '.join(w for w in where if w) or 'the load'}){numbers}")
    if told["more_held_schools"]:
        lines.append(f"and {told['more_held_schools']} more schools are held")
    return lines


def shaped(kind: str, told: Row) -> Row:
    """Return the body of a post: Slack's, Teams', or the message itself."""
    title = f"{told['district'] or 'Roster audit'}, load {told['load']}: {told['sentence']}"
    lines = _lines(told)
    if kind == "slack":
        blocks: list[Row] = [{"type": "section", "text": {"type": "plain_text", "text": title[:2900]}}]
        if lines:
            blocks.append(
                {"type": "section", "text": {"type": "plain_text", "text": "\n".join(f"- {x}" for x in lines)[:2900]}}
            )
        if told["page_url"]:
            blocks.append({"type": "section", "text": {"type": "plain_text", "text": told["page_url"]}})
        blocks.append({"type": "context", "elements": [{"type": "plain_text", "text": c} for c in told["commands"]]})
        return {"text": title, "blocks": blocks}
    if kind == "teams":
        body = [{"type": "TextBlock", "text": text, "wrap": True} for text in (title, *lines, *told["commands"])]
        actions = (
            [{"type": "Action.OpenUrl", "title": "Open the page", "url": told["page_url"]}] if told["page_url"] else []
        )
        card = {"type": "AdaptiveCard", "version": "1.4", "body": body, "actions": actions}
        return {
            "type": "message",
            "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
        }
    return told


def send_alerts(store: Store, of: Contents, policy: Policy, environment: Mapping[str, str]) -> bool:
    """Tell those who asked for this verdict, and those who heard of trouble before that it is over.

    Each channel hears of a load and verdict once. Return False if a post failed.
    """
    verdict, load = of.load["verdict"], of.load["load"]
    told = message(of, policy)
    sent, fine = store.rows("alerts"), True
    for number, alert in [*enumerate(policy.alert)][:MOST_POSTS]:
        heard = sorted((a["load"], a["verdict"]) for a in sent if a["channel"] == number)
        is_clear = verdict in ("passed", "noted") and bool(heard) and heard[-1][1] in ("held", "unknown")
        if (
            (load, verdict) in heard
            or not (is_clear or verdict in alert.when)
            or (of.load["planned"] and verdict == "held")
        ):
            continue
        body = told | {"sentence": f"All clear. {told['sentence']}"} if is_clear else told
        if was_taken(partial(_send, alert, body, environment)):
            with store.transaction():
                store.add("alerts", [{"load": load, "channel": number, "verdict": verdict}])
        else:
            fine = False
            _log.warning("alert %d (%s) could not be sent", number + 1, alert.kind)
    return fine


def _send(alert: Alert, told: Row, environment: Mapping[str, str]) -> None:
    url = resolved(alert.url, environment)
    if alert.kind == "mail":
        _mail(url, alert, told, [resolved(to, environment) for to in alert.to])
    else:
        post_json(url, shaped(alert.kind, told))


def _mail(url: str, alert: Alert, told: Row, to: Sequence[str]) -> None:
    """Send by smtp://[USER:PASSWORD@]HOST[:PORT], with STARTTLS where the server offers it; smtps:// from the start."""
    parts = urlsplit(url)
    letter = EmailMessage()
    letter["Subject"] = f"Roster audit, load {told['load']}: {told['verdict']}"
    letter["From"], letter["To"] = alert.sender, ", ".join(to)
    letter.set_content("\n".join([told["sentence"], "", *_lines(told), "", told["page_url"], *told["commands"]]))
    connect: Callable[..., Any] = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    with connect(parts.hostname or "", parts.port or 0, timeout=10) as server:
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls()
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(letter)
