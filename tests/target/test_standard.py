"""The SDK's own suite, each case with a check of what came out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import target_tests
from singer_sdk.testing.config import SuiteConfig
from singer_sdk.testing.runners import TargetTestRunner
from singer_sdk.testing.templates import TargetTestTemplate
from target_oneroster.bundle.target import TargetOneRosterCSV

if TYPE_CHECKING:
    from pathlib import Path

CASES = [
    case
    for case in vars(target_tests).values()
    if isinstance(case, type) and issubclass(case, TargetTestTemplate) and getattr(case, "name", None)
    and case is not target_tests.TargetMultipleStateMessages
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_standard(case: Any, tmp_path: Path) -> None:
    """No stream of the suite is OneRoster: none makes a bundle, and a run that ends well hands its last state on."""
    output = tmp_path / "bundle"
    runner = TargetTestRunner(TargetOneRosterCSV, config={"output_path": str(output)})
    template = case()

    def validate() -> None:
        assert not output.exists()
        if runner.stdout is not None:
            states = [
                m["value"]
                for m in map(json.loads, template.singer_filepath.read_text().splitlines())
                if m["type"] == "STATE"
            ]
            assert [json.loads(s) for s in runner.stdout.splitlines()] == [s for s in states[-1:] if s]

    template.validate = validate
    try:
        template.run(SuiteConfig(), None, runner)
    finally:
        if runner._input is not None:  # the runner leaves it open
            runner._input.close()
