"""The board as a page: one file of HTML, in the words and the look of the audit's."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import quote

from .. import _figures as figures
from .._figures import Raw, escape
from ..words import NEEDS_A_PERSON, Word

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from .contents import Contents, Line

OPEN_LINES = 200
NAMED = 5
DIFFERENT = 0.1
MEANINGS = {
    Word.HELD: "a brake or a person stopped it; someone has to look",
    Word.MISCONFIGURED: "settings, secrets or scopes are wrong; another run ends the same",
    Word.FAILED: "the last run did not end well",
    Word.RUNNING: "a run is alive",
    Word.LATE: "no run has ended well since its schedule, or the last one is too old",
    Word.NEVER: "no run has ended well yet",
    Word.FRESH: "the last run ended well, and in time",
}


def page(of: Contents) -> str:
    """Return the whole page."""
    needing = of.needing
    counted = " ".join(f'<span class="word {word}">{n:,} {word}</span>' for word, n in of.counts.items())
    look = "held" if needing else "passed"
    sentence = (
        f"{len(needing):,} of {len(of.lines):,} districts need a person." if needing else "Nothing needs a person."
    )
    others = [line for line in of.lines if line.word not in NEEDS_A_PERSON]
    parts = [
        '<header><p class="soft">Roster fleet</p><h1>Are all districts in?</h1></header><main id="main">',
        '<section aria-labelledby="s1"><h2 id="s1">Verdict</h2>',
        f'<div class="verdict {look}"><p>{escape(sentence)}</p>',
        f"<p>{counted}</p></div><p>{escape(_time(of.at, of))}.</p></section>",
        '<section aria-labelledby="s2"><h2 id="s2">What needs you</h2>',
    ]
    if not needing:
        parts.append("<p>Nothing.</p>")
    else:
        groups = provider_sentences(of)
        parts.append(
            '<ol class="findings">' + "".join(f"<li><p>{_worded(w)} {escape(t)}</p></li>" for w, t in groups) + "</ol>"
        )
        parts.append(_table(of, "Districts that need a person", needing[:OPEN_LINES]))
        if len(needing) > OPEN_LINES:
            parts.append(_folded("more districts that need a person", of, needing[OPEN_LINES:]))
    parts.append('</section><section aria-labelledby="s3"><h2 id="s3">The others</h2>')
    parts.append(_table(of, "Districts that need nobody", others) if 0 < len(others) <= NAMED else "")
    parts.append(
        _folded("districts that need nobody", of, others) if len(others) > NAMED else "" if others else "<p>None.</p>"
    )
    parts.append('</section><section aria-labelledby="s4"><h2 id="s4">What came</h2>')
    parts.append(_came(of))
    parts.append('</section><section aria-labelledby="s5"><h2 id="s5">How to read this</h2>')
    rows = [[_worded(word), text] for word, text in MEANINGS.items()]
    parts.append(figures.table("The words, the first that holds", ["Word", "Meaning"], rows))
    parts.append(
        "<p>Records are compared with the median of the 14 nights before. This page holds no names and no ids of persons.</p>"
    )
    parts.append("</section></main>")
    return figures.page(f"{len(needing)} need a person - roster fleet", Raw("\n".join(parts)))


def provider_sentences(of: Contents) -> list[tuple[Word, str]]:
    """Return what is wrong, said once for each provider and word: a vendor's outage is one line."""
    found = []
    for word in (w for w in Word if w in NEEDS_A_PERSON):
        for provider, lines in of.providers.items():
            its = [line for line in lines if line.word == word]
            if its:
                since = min((line.row.words.since for line in its if line.row.words.since), default=None)
                when = f" since {_time(since, of)}" if since else ""
                names = ", ".join(line.district.name or line.district.id for line in its[:NAMED])
                more = f" and {len(its) - NAMED:,} more" if len(its) > NAMED else ""
                found.append(
                    (word, f"{provider or 'No provider'}: {len(its):,} of {len(lines):,} {word}{when}: {names}{more}.")
                )
    return found


def _time(at: datetime, of: Contents) -> str:
    return f"{at.astimezone(of.zone):%Y-%m-%d %H:%M} {of.board.time_zone}"


def _worded(word: str) -> Raw:
    return Raw(f'<span class="word {escape(word)}">{escape(word)}</span>')


def _folded(what: str, of: Contents, lines: list[Line]) -> Raw:
    counted = Counter(line.word for line in lines)
    words = ", ".join(f"{n:,} {word}" for word, n in counted.items())
    return Raw(
        f"<details><summary>{len(lines):,} {escape(what)}: {words}</summary>{_table(of, what.capitalize(), lines)}</details>"
    )


def _table(of: Contents, caption: str, lines: Iterable[Line]) -> Raw:
    rows: list[list[object]] = []
    for line in lines:
        its = line.district
        name = (
            Raw(f"{escape(its.name)}<br><code>{escape(its.id)}</code>")
            if its.name
            else Raw(f"<code>{escape(its.id)}</code>")
        )
        link = (
            Raw(f'<a href="{escape(quote(line.log))}" aria-label="Log of {escape(its.id)}">log</a>') if line.log else ""
        )
        since = _time(line.row.words.since, of).removesuffix(f" {of.board.time_zone}") if line.row.words.since else ""
        notes = [
            f"credentials end {line.expires}" if line.expires else "",
            f"audit: {line.verdict}" if line.verdict else "",
        ]
        notes.append(f"{len(line.shrunk)} schools shrank: {', '.join(line.shrunk[:NAMED])}" if line.shrunk else "")
        rows.append(
            [
                name,
                _worded(line.word),
                its.provider,
                Raw(f"<time>{escape(since)}</time>") if since else "",
                Raw(f'<div class="why">{escape(line.row.words.why)}</div>'),
                "; ".join(filter(None, notes)),
                link,
            ]
        )
    heads = ["District", "Word", "Provider", f"Since ({of.board.time_zone})", "Why", "Also", "Log"]
    return figures.table(caption, heads, rows)


def _came(of: Contents) -> Raw:
    rows: list[list[object]] = []
    for line in sorted((i for i in of.lines if i.trend), key=lambda i: -abs(_share(i.records, i.usual))):
        parted = [(abs(_share(n, usual)), name, n, usual) for name, n, usual in line.streams]
        words = ", ".join(
            f"{name} {_percent(n, usual)}"
            for share, name, n, usual in sorted(parted, reverse=True)
            if share >= DIFFERENT
        )
        drawn = figures.sparkline(line.trend) if len(line.trend) > 1 else ""
        rows.append(
            [line.district.name or line.district.id, line.whole_read_at, f"{line.records:,}", _percent(line.records, line.usual), words, drawn]
        )  # fmt: skip
    if not rows:
        return Raw("<p>No run has ended well yet.</p>")
    heads = [
        "District",
        "Last whole read (UTC)",
        "Records",
        "Against the median",
        "Collections that differ by 10 %",
        "Nights",
    ]
    shown = figures.table("Records of the newest night that ended well", heads, rows[:NAMED], numbers=(2, 3))
    if len(rows) <= NAMED:
        return shown
    more = figures.table("Records of the newest night that ended well, the others", heads, rows[NAMED:], numbers=(2, 3))
    return Raw(f"{shown}<details><summary>{len(rows) - NAMED:,} more districts</summary>{more}</details>")


def _share(n: float, usual: float) -> float:
    return (n - usual) / usual if usual else float(bool(n))


def _percent(n: float, usual: float) -> str:
    return f"{_share(n, usual) * 100:+.0f} %".replace("-", "\N{MINUS SIGN}")
