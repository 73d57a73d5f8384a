"""The page of licences: a bar a contract, what is unused and what it costs, and renewals that are near first."""

from __future__ import annotations

from collections import defaultdict
from math import floor
from typing import TYPE_CHECKING, Any

from .. import _figures as figures
from .._figures import Raw, element
from . import parts, words
from .parts import paragraph

if TYPE_CHECKING:
    from datetime import date

    from ..reader import Reader, Row
    from .contents import Contents

NEAR_DAYS = 90
LOW_MATCH = 95
PRODUCTS = 40
"""Products whose schools are shown; the others are in the mart."""
SCHOOLS = 60
BYTES = 300_000
"""Schools of a product that are shown, at most, and how large the schools of all products are together as they are written."""


def licences_page(reader: Reader, of: Contents) -> str:
    """Return the page. It is of what is shared, in a restricted site, too."""
    contracts = list(reader.rows(f"select * from {reader.table('shared.licence_gap')}"))
    left = {row["contract_id"]: (end - of.today).days for row in contracts if (end := _end(of, row))}
    near = {contract for contract, days in left.items() if 0 <= days <= NEAR_DAYS}
    over = {contract for contract, days in left.items() if days < 0}
    contracts.sort(
        key=lambda row: (
            row["contract_id"] in over,
            row["contract_id"] not in near,
            -(row["unused_seats"] or 0),
            row["contract_id"],
            row["school_id"] or "",
        )
    )
    sections = [
        ("", figures.section("seats", "Seats that nobody uses", *_seats(contracts, near, over))),
        ("", parts.not_given(of, ("licences", "vendor_activity"))),
        ("Contracts", _contracts(of, contracts, near, over)),
        ("By school", _by_school(reader, of)),
        ("How to read this", parts.reading(of, *READING)),
    ]
    line = f"As of {words.day(of.today)}. Used means: in the 30 days up to then."
    up = element("a", "All schools", href="index.html")
    return parts.framed("Licences - district page", "Licences", line, sections, over=up)


READING = (
    (
        "Entitled are the persons whom a contract is for and who are in a class today; accounts are those of them whom the vendor's list "
        "names; active are those who used the product in the last 30 days. These are three numbers, and what is not known is not 0."
    ),
    (
        "The match rate is the share of the vendor's accounts that name somebody of the roster. Below 95 % a gap may be a matching fault: mend the "
        "keys before you give seats back. Then no cost is shown."
    ),
)


def _end(of: Contents, row: Row) -> date | None:
    """Return the last day of a contract; none if it has no end."""
    return of.spans.get("contract", {}).get(row["contract_id"], (None, None))[1]


def _seats(all_of_them: list[Row], near: set[str], over: set[str]) -> list[object]:
    if not all_of_them:
        return [paragraph("No contract was given, so there is nothing to show.")]
    contracts = [row for row in all_of_them if row["contract_id"] not in over]
    unused = sum(row["unused_seats"] or 0 for row in contracts)
    cost = sum(row["cost_unused"] or 0 for row in contracts)
    seats = sum(row["seats"] or 0 for row in contracts)
    low = sum(1 for row in contracts if row["match_rate"] is not None and row["match_rate"] < LOW_MATCH)
    told = [
        element("strong", f"{words.count(unused)} of {words.count(seats)} seats are not used. "),
        f"Of contracts whose accounts match, the unused seats cost {cost:,.2f}. " if cost else "",
        f"{words.plural(len(near), 'contract ends', 'contracts end')} within {NEAR_DAYS} days. "
        if near
        else "No contract ends within 90 days. ",
        f"Of {words.plural(low, 'contract', 'contracts')} the gap may be a matching fault. " if low else "",
        f"{words.plural(len(over), 'contract that has ended is', 'contracts that have ended are')} not counted."
        if over
        else "",
    ]
    return [paragraph(*told)]


def _contracts(of: Contents, contracts: list[Row], near: set[str], over: set[str]) -> Raw:
    if not contracts:
        return figures.section("contracts", "Contracts", paragraph("None."))
    largest = max(max(row["seats"] or 0, row["entitled"] or 0) for row in contracts)
    lines = [
        _contract(of, row, largest, is_near=row["contract_id"] in near, is_over=row["contract_id"] in over)
        for row in contracts
    ]
    heads = [
        "Contract",
        "Seats",
        "Entitled",
        "Accounts",
        "Active",
        "Seats, entitled, active",
        "Unused",
        "Too few",
        "Unused cost",
        "Ends on",
        "What to do",
    ]
    table = parts.folded(
        "Contracts: those that end within 90 days first, then those with most unused seats; those that have ended last",
        heads,
        lines,
        (1, 2, 3, 4, 6, 7, 8, 9),
        "contracts",
    )
    going = [row for row in contracts if row["contract_id"] not in over]
    worst = max(going, key=lambda row: row["unused_seats"] or 0, default=None)
    sentence = (
        f"Most seats are unused of {_name(of, worst)}: {words.count(worst['unused_seats'])} of {words.count(worst['seats'])}."
        if worst
        else "Every contract has ended."
    )
    return figures.section("contracts", "Contracts", paragraph(sentence), table)


def _name(of: Contents, row: Row) -> str:
    school = f", {of.name('school', row['school_id'])}" if row["school_id"] else ""
    return f"{row['vendor']} {row['product']}{school}"


def _contract(of: Contents, row: Row, largest: float, *, is_near: bool, is_over: bool) -> list[object]:
    end = _end(of, row)
    bars = Raw("".join(figures.bar(row[name] or 0, largest, 100, 5) for name in ("seats", "entitled", "active_30")))
    return [
        _name(of, row),
        *(words.count(row[name]) for name in ("seats", "entitled", "matched", "active_30")),
        bars,
        words.count(row["unused_seats"]),
        words.count(row["over_use"]),
        words.NONE if row["cost_unused"] is None else f"{row['cost_unused']:,.2f}",
        Raw(f'<span class="word">{words.day(end)}</span>') if is_near else words.day(end),
        _advice(row, is_near=is_near, is_over=is_over),
    ]


def _advice(row: Row, *, is_near: bool, is_over: bool) -> str:
    if row["suppressed"]:
        return "Hidden: of few persons."
    if is_over:
        return "The contract has ended."
    if row["entitled"] is None:
        return "The roster does not have the school of the contract."
    if row["matched"] is None:
        return "No account of the product was given."
    if row["match_rate"] is not None and row["match_rate"] < LOW_MATCH:
        return f"Mend the keys first: {floor(10 * row['match_rate']) / 10:.1f} % of the accounts match."
    if row["over_use"]:
        return "More persons use it than seats are paid for."
    if row["unused_seats"] and is_near:
        return "Renew fewer seats."
    return "Offer the seats to those who are entitled." if row["unused_seats"] else "Nothing."


def _by_school(reader: Reader, of: Contents) -> Raw:
    gaps = reader.table("shared.activity_gap")
    rows: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    query = f"select vendor, product, school_id, enrolled, matched, active_30, suppressed from {gaps} where grade = 'all' and class_id = 'all'"
    for row in reader.rows(query):
        rows[row["vendor"], row["product"]].append(row)
    parts_of: list[object] = []
    products = sorted(rows.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:PRODUCTS]
    for (vendor, product), its in products:
        parts_of.append(_product(of, f"{vendor} {product}", its, BYTES // len(products)))
    if not parts_of:
        return figures.section("by-school", "Use by school", paragraph("No activity of vendors was given."))
    if len(rows) > PRODUCTS:
        parts_of.append(paragraph(f"{words.count(len(rows) - PRODUCTS)} more products are in mart activity_gap."))
    return figures.section("by-school", "Use by school", *parts_of)


def _product(of: Contents, name: str, its: list[Row], most: int) -> Raw:
    shown = [row for row in its if not row["suppressed"] and row["enrolled"]]
    hidden = len(its) - len(shown)
    shown.sort(key=lambda row: ((row["active_30"] or 0) / row["enrolled"], row["school_id"]))
    every: list[list[Any]] = [
        [
            of.name("school", row["school_id"]),
            words.count(row["enrolled"]),
            words.count(row["active_30"]),
            words.percent(100 * (row["active_30"] or 0) / row["enrolled"]),
            figures.bar(row["active_30"] or 0, row["enrolled"]),
        ]
        for row in shown[:SCHOOLS]
    ]
    lines = parts.fitting(every, most)
    left = len(shown) - len(lines)
    told = f"{words.plural(hidden, 'school is', 'schools are')} hidden. " if hidden else ""
    more = f"{words.count(left)} more schools are in mart activity_gap." if left else ""
    heads = ["School", "For whom it is", "Active", "Share", "Share, drawn"]
    inner = figures.table(f"Use of {name} by school, the least first", heads, lines, numbers=(1, 2, 3)) if lines else ""
    total, active = (sum(row[key] or 0 for row in shown) for key in ("enrolled", "active_30"))
    summary = f"{figures.escape(name)}: {words.percent(100 * active / total) if total else words.NONE} of {words.count(total)} are active"
    return Raw(f"<details><summary>{summary}</summary>{inner}{paragraph(told + more) if told + more else ''}</details>")
