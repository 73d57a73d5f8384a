"""What the report says of consumers: the lines of the text and the table of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _figures as figures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._figures import Raw
    from .contents import Contents, Row

SHOWN = 5


def consumer_lines(of: Contents) -> Iterator[str]:
    """Yield the lines of the text: a line for each consumer, and one for each of its first broken rules."""
    if not of.consumers:
        return
    yield ""
    yield f"{len(of.consumers):,} consumers"
    for consumer in of.consumers:
        yield f"  {consumer['consumer']:<18}{consumer['result']}"
        rules = _roots(consumer)
        yield from (
            f"    {rule['severity']:<7}{rule['rule']}: {_count(rule)}. {rule['says']}" for rule in rules[:SHOWN]
        )
        if len(rules) > SHOWN:
            yield f"    and {len(rules) - SHOWN:,} more: oneroster-audit show --json"


def consumer_table(of: Contents) -> Raw | str:
    """Return the table of the page, with a row for each consumer; empty if the policy names none."""
    if not of.consumers:
        return ""
    lines: list[list[object]] = []
    for consumer in of.consumers:
        rules = _roots(consumer)
        more = f" And {len(rules) - SHOWN:,} more." if len(rules) > SHOWN else ""
        what = " ".join(f"{_count(rule)} ({rule['severity']}): {rule['says']}" for rule in rules[:SHOWN]) + more
        lines.append([consumer["title"], consumer["result"], what])
    heads = ["Consumer", "Result", "Rules that are broken, roots first"]
    return figures.table("What each consumer of the policy would do with this load", heads, lines)


def _roots(consumer: Row) -> list[Row]:
    """Return the broken rules whose rows did not go with those of another one."""
    return [rule for rule in consumer["rules"] if not rule["root"]]


def _count(rule: Row) -> str:
    count = rule["count"]
    what = "row" if rule["file"] or rule["severity"] == "row" else "file"
    text = f"{count:,} {what}{'' if count == 1 else 's'}" + (f" of {rule['file']}" if rule["file"] else "")
    return text + (f", and {rule['follows']:,} that name them" if rule["follows"] else "")
