"""What tonight's load would meet at each consumer of the policy, on a first night too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._core.model import FILES
from .._core.model import file as file_named
from .._core.sql import literal, quoted
from ..errors import Wrong
from ..words import ALL, Cell, Finding, Severity
from .kinds import CountBetween, Files, Forbids, References
from .profiles import read_profiles
from .rules import GIVEN, Test, column_of, counts_rows, file_of, ids_query, source, test_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..cells import Counts
    from ..night import Night
    from ..policy import Policy
    from ..warehouse import Warehouse
    from .kinds import Rule
    from .profiles import Profile

ACCEPTED, LOSSES, REFUSED, HOLD = "accepted", "accepted with losses", "refused", "would hold"
ROOTS_FIRST = ("orgs", "academicSessions", "courses", "classes", "users", "roles", "enrollments")
"""An org that is refused explains its classes, and a class its enrollments."""
_SEVERITY = {"stop": Severity.WARN, "row": Severity.WARN, "value": Severity.WARN, "note": Severity.NOTE}
_LOST = "lost_at_a_consumer"


@dataclass(slots=True)
class Broken:
    """A rule that the load breaks."""

    rule: Rule
    count: int
    """Rows that break it; files; or, of a limit on changes, rows that changed."""
    follows: int = 0
    """Other rows that go with them, because they name them."""
    root: str = ""
    """Id of the rule whose rows took all of these with them."""
    share: float | None = None


@dataclass(slots=True)
class Judged:
    """What one consumer would do."""

    profile: Profile
    broken: list[Broken] = field(default_factory=list)

    @property
    def result(self) -> str:
        """One of the four results."""
        stops = [b for b in self.broken if b.rule.severity == "stop"]
        if any(b.share is None for b in stops):
            return REFUSED
        if stops:
            return HOLD
        return LOSSES if any(b.rule.severity in ("row", "value") for b in self.broken) else ACCEPTED

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each broken rule. None of them holds a school: the consumer alone is concerned."""
        ids: dict[str, str] = {}
        for broken in self.broken:
            rule = broken.rule
            found = Finding(
                f"consumer.{self.profile.name}.{rule.id}",
                _SEVERITY[rule.severity],
                Cell(file_of(rule), ALL, ALL, ALL),
                column_of(rule),
                now=broken.count,
                count=broken.count if counts_rows(rule) else 0,
                share=broken.share,
                root=ids.get(broken.root, ""),
            )
            ids[rule.id] = found.id
            yield found


def judge_consumers(night: Night) -> list[Judged]:
    """Judge the load for each consumer that the policy names."""
    profiles = read_profiles(night.policy.consumers, night.policy.path("."))
    found = judge_profiles(night.warehouse, night.load.number, profiles, night.counts)
    for judged in found:
        night.findings += judged.findings()
    return found


def judge_profiles(
    warehouse: Warehouse, load: int, profiles: Sequence[Profile], counts: Mapping[Cell, Counts]
) -> list[Judged]:
    """Judge a load; `counts` say what changed since the baseline. Equal tests of several consumers run once."""
    if not profiles:
        return []
    warehouse.run(GIVEN)
    tests = {id(rule): test_of(rule) for p in profiles for rule in p.rules if counts_rows(rule)}
    numbers = _numbers(warehouse, load, set(tests.values()))
    there = _files_with_rows(warehouse, load)
    found = []
    for profile in profiles:
        judged = Judged(profile)
        for rule in profile.rules:
            if broken := None if id(rule) in tests else _whole(rule, there, counts):
                judged.broken.append(broken)
        missing = {name for b in judged.broken if isinstance(b.rule, Files) for name in b.rule.files} - there
        for rule in profile.rules:
            # Where a whole file is missing, what names its rows is no news.
            if id(rule) in tests and _other(rule) not in missing and (count := numbers[tests[id(rule)]]):
                judged.broken.append(Broken(rule, count))
        judged.broken.sort(key=lambda b: (b.rule.severity != "stop", _place(file_of(b.rule))))
        _follow(warehouse, load, judged, {b.rule.id: tests[id(b.rule)] for b in judged.broken if id(b.rule) in tests})
        found.append(judged)
    return found


def _other(rule: Rule) -> str | None:
    """Return the other file whose rows a rule asks for."""
    if isinstance(rule, References):
        return file_named(rule.file).field(rule.column).refers_to
    return rule.of if isinstance(rule, CountBetween) else None


def _place(file: str) -> int:
    return ROOTS_FIRST.index(file) if file in ROOTS_FIRST else len(ROOTS_FIRST)


def _numbers(warehouse: Warehouse, load: int, tests: set[Test]) -> dict[Test, int]:
    """Count the rows that each test finds; all conditions on one file take one pass."""
    found: dict[Test, int] = {}
    for file in sorted({test.file for test in tests if test.condition}):
        its = sorted(test for test in tests if test.condition and test.file == file)
        counts = ", ".join(f"count(*) FILTER (WHERE {test.condition})" for test in its)
        row = warehouse.run(f"SELECT {counts} FROM {source(file)} x", load=load)[0]
        found |= dict(zip(its, row, strict=True))
    for test in sorted(tests - set(found)):
        found[test] = warehouse.run(test.counted or f"SELECT count(*) FROM ({test.query})", load=load)[0][0]
    return found


def _files_with_rows(warehouse: Warehouse, load: int) -> set[str]:
    kept = [f.name for f in FILES if warehouse.has(f.name)]
    asked = ", ".join(f"EXISTS (SELECT 1 FROM {quoted(name + '_at')}($load))" for name in kept)
    return {
        name for name, is_there in zip(kept, warehouse.run(f"SELECT {asked}", load=load)[0], strict=True) if is_there
    }


def _whole(rule: Rule, there: set[str], counts: Mapping[Cell, Counts]) -> Broken | None:
    """Judge a rule about whole files, or about what changed."""
    if isinstance(rule, Files):
        missing = [name for name in rule.files if name not in there]
        is_fine = not missing or (rule.together and len(missing) == len(rule.files))
        return None if is_fine else Broken(rule, len(missing))
    if isinstance(rule, Forbids):
        surplus = there.intersection(rule.files)
        return Broken(rule, len(surplus)) if surplus else None
    if isinstance(rule, CountBetween):
        cells = [counts.get(Cell(rule.file, ALL, role, ALL)) for role in rule.roles or (ALL,)]
        before = sum(cell.before for cell in cells if cell)
        moved = sum(getattr(cell, rule.change) for cell in cells if cell)
        if rule.most is not None and before and moved * 100 > before * rule.most:
            return Broken(rule, moved, share=moved / before)
    return None


def _follow(warehouse: Warehouse, load: int, judged: Judged, tests: Mapping[str, Test]) -> None:
    """Find the rows that go with those that are refused: what names them, as far as the profile's references say."""
    rules = sorted(judged.profile.rules, key=lambda rule: _place(file_of(rule)))
    links = [rule for rule in rules if isinstance(rule, References) and rule.severity == "row"]
    losing = [b for b in judged.broken if b.rule.severity == "row" and tests.get(b.rule.id, Test("")).file]
    if not losing or not links:
        return
    targets = {file_named(link.file).field(link.column).refers_to for link in links}
    warehouse.run(f"CREATE OR REPLACE TEMP TABLE {_LOST} (rule VARCHAR, file VARCHAR, id VARCHAR, is_along BOOLEAN)")
    for broken in losing:
        rule, file = broken.rule, tests[broken.rule.id].file
        ids = ids_query(tests[rule.id])
        known = f"SELECT id FROM {_LOST} WHERE file = {literal(file)}"
        along, root = warehouse.run(
            f"SELECT count(*), min(rule) FROM {_LOST} WHERE is_along AND file = {literal(file)} AND id IN (SELECT id FROM ({ids}))",
            load=load,
        )[0]
        if along == broken.count:
            broken.root = root
        elif file in targets:
            name = literal(rule.id)
            add = (
                f"INSERT INTO {_LOST} SELECT {name}, {literal(file)}, id, false FROM ({ids}) WHERE id NOT IN ({known})"
            )
            warehouse.run(add, load=load)
            broken.follows = sum(_take_along(warehouse, load, rule.id, link) for link in links)


def _take_along(warehouse: Warehouse, load: int, rule_id: str, link: References) -> int:
    """Add the rows that name a lost one; return how many."""
    of = file_named(link.file).field(link.column)
    value = f"unnest(x.{quoted(of.name)})" if of.kind.is_list else f"x.{quoted(of.name)}"
    found: int = warehouse.run(
        f"""INSERT INTO {_LOST} SELECT DISTINCT {literal(rule_id)}, {literal(link.file)}, id, true
        FROM (SELECT x."sourcedId" AS id, {value} AS ref FROM {source(link.file)} x)
        WHERE ref IN (SELECT id FROM {_LOST} WHERE file = {literal(of.refers_to or "")} AND rule = {literal(rule_id)})
        AND id NOT IN (SELECT id FROM {_LOST} WHERE file = {literal(link.file)})""",
        load=load,
    )[0][0]
    return found


def rows_behind(warehouse: Warehouse, policy: Policy, check: str, load: int) -> list[tuple[str]]:
    """Return the ids of the rows behind a finding; raise Wrong if the policy does not name the consumer any more."""
    _, name, rule_id = check.split(".", 2)
    profiles = {p.name: p for p in read_profiles(policy.consumers, policy.path("."))}
    rule = profiles[name].rule(rule_id) if name in profiles else None
    if rule is None:
        raise Wrong(f"the policy's consumers have no rule {name}.{rule_id} any more")
    warehouse.run(GIVEN)
    return warehouse.run(f"SELECT id FROM ({ids_query(test_of(rule))}) ORDER BY 1", load=load)


def store_rows(load: int, judged: Sequence[Judged]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the rows of the store: a row for each consumer, and one for each rule that is broken."""
    yield (
        "consumers",
        [{"load": load, "consumer": j.profile.name, "title": j.profile.title, "result": j.result} for j in judged],
    )
    yield (
        "consumer_rules",
        [
            {
                "load": load, "consumer": j.profile.name, "rule": b.rule.id, "severity": b.rule.severity,
                "file": file_of(b.rule), "count": b.count, "follows": b.follows, "root": b.root or None, "says": b.rule.says,
            }
            for j in judged
            for b in j.broken
        ],
    )  # fmt: skip
