"""The policies of the pages about twins, as they stand in examples/twin, and what leaves by them."""

from __future__ import annotations

from datetime import date

from oneroster_core.twin.elements import as_markdown, elements
from oneroster_core.twin.policy import read_policy

from tools.project import ROOT

POLICIES = ROOT / "examples/twin"
_DAY = date(2026, 9, 1)


def policy_text(name: str) -> str:
    """Return a policy as a block to copy."""
    return f'```yaml title="{name}.yml"\n{(POLICIES / f"{name}.yml").read_text(encoding="utf-8")}```\n'


def element_list(name: str) -> str:
    """Return the table of what leaves by a policy."""
    text = (POLICIES / f"{name}.yml").read_text(encoding="utf-8")
    return as_markdown(elements(read_policy(text, f"{name}.yml", _DAY)))
