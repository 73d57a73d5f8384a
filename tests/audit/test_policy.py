"""The policy: what is wrong in it is named with its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from oneroster_audit.calendar import emptying, limit, rule_of
from oneroster_audit.errors import Wrong
from oneroster_audit.policy import Rule, read_policy
from oneroster_audit.words import Cell


def read(folder: Path, text: str, **environment: str):
    path = folder / "policy.yml"
    path.write_text(text, encoding="utf-8")
    return read_policy(path, environment, alerts=True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("warehouse: w\nwarehous: x\n", "policy.yml:2: no such key: warehous"),
        ("limits:\n  lost: 3\n", "policy.yml:2: no such key: lost"),
        ("limits:\n  schools:\n    a: {lost_percent: 5, reason: r, until: 2027-01-01}\n    b: {lost_percent: 5, reason: r, until: 2027-01-01, x: 1}\n", "policy.yml:4: no such key: x"),
        ("calendar:\n- {from: 2027-01-02, to: 2027-01-01, rule: blackout}\n", "policy.yml:2: to is before from"),
        ("calendar:\n- {from: 2027-01-01, to: 2027-01-02, rule: freeze}\n", "policy.yml:2: calendar.0.rule: invalid enum value 'freeze'"),
        ("limits:\n  schools:\n    a: {lost_percent: 5}\n", "policy.yml:3: "),
        ("limits:\n  lost_percent: 120\n", "policy.yml:2: limits.lost_percent: expected `float` <= 100.0".replace("`", "")),
        ("small: 20\nsmall: 30\n", "policy.yml:2: small stands here twice"),
        ("time_zone: Mars/Olympus\n", "policy.yml:1: no such time zone"),
        ("small: [\n", "policy.yml:2: not YAML"),
        ("- a\n", "policy.yml:1: a policy is a list of keys and values"),
        ("digest: x\n", "policy.yml:1: no such key: digest"),
        ("alert:\n- kind: slack\n  url: $NOT_SET\n", "policy.yml:3: the variable NOT_SET is not set"),
    ],
)  # fmt: skip
def test_a_fault_names_its_line(tmp_path: Path, text: str, fault: str) -> None:
    """File, line, key and what to do; exit code 2."""
    with pytest.raises(Wrong) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(fault)
    assert error.value.exit_code == 2


def test_a_policy_that_says_nothing(tmp_path: Path) -> None:
    """All keys have defaults, and paths are relative to the file."""
    policy = read(tmp_path, "")
    assert (policy.limits.lost_percent, policy.small, policy.lookback_days) == (20, 20, 7)
    assert policy.path(policy.store) == tmp_path / "audit.duckdb"


def test_the_policy_of_the_docs_is_one(tmp_path: Path) -> None:
    """The example is read without a fault."""
    text = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]
    policy = read(tmp_path, example, SLACK_WEBHOOK="x", SMTP_URL="x", REGISTRAR="x")
    assert [rule.rule for rule in policy.calendar] == ["blackout", "additions_only", "rollover"]
    assert [alert.kind for alert in policy.alert] == ["slack", "mail"]


def test_settings_of_meltano_take_precedence(tmp_path: Path) -> None:
    """Meltano passes settings as variables."""
    policy = read(tmp_path, "warehouse: a\n", ONEROSTER_AUDIT_WAREHOUSE="b", ONEROSTER_AUDIT_REPORT_PATH="r.html")
    assert (policy.warehouse, policy.report.path) == ("b", "r.html")


DAY = date(2027, 6, 20)


def rule(kind: Any, first: date = date(2027, 6, 1), last: date = date(2027, 6, 30), **more: Any) -> Rule:
    return Rule(first, last, kind, **more)


def test_the_narrower_rule_wins_and_of_two_as_wide_the_stricter() -> None:
    """A school's before the district's, then what names more; blackout before additions only before normal."""
    cell = Cell("enrollments", "s1", "student", "t1")
    district, school = rule("blackout"), rule("normal", schools=["s1"])
    assert rule_of([district, school], DAY, cell) is school
    assert rule_of([district, school], DAY, Cell("enrollments", "s2")) is district
    term = rule("rollover", schools=["s1"], terms=["t1"])
    assert rule_of([term, school], DAY, cell) is term
    strict = rule("additions_only")
    assert rule_of([strict, district], DAY, Cell()) is district
    assert rule_of([rule("normal"), strict], DAY, Cell()) is strict


@pytest.mark.parametrize(
    ("day", "holds"),
    [(date(2028, 2, 28), False), (date(2028, 2, 29), True), (date(2028, 3, 1), True), (date(2028, 3, 2), False)],
)
def test_days_are_inclusive_on_a_leap_day_too(day: date, holds: bool) -> None:
    """From 29 February to 1 March are two days."""
    leap = rule("blackout", date(2028, 2, 29), date(2028, 3, 1))
    assert (rule_of([leap], day, Cell()) is leap) is holds


def test_a_rollover_lets_its_term_empty_and_no_other() -> None:
    """Its limit is its own, 100 where it names none; outside of its days and terms it is the normal one."""
    over = rule("rollover", terms=["t1"])
    inside, outside = Cell("enrollments", "s1", "student", "t1"), Cell("enrollments", "s1", "student", "t2")
    assert limit(rule_of([over], DAY, inside), 20) == 100
    assert limit(rule_of([over], DAY, outside), 20) == 20
    assert limit(rule_of([over], date(2027, 7, 1), inside), 20) == 20
    assert emptying([over], [DAY], inside)
    assert not emptying([over], [DAY], outside)
    assert limit(rule("rollover", lost_percent=60), 20) == 60
