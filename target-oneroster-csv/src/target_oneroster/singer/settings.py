"""What the settings of both targets share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

if TYPE_CHECKING:
    from jsonschema import ValidationError

__all__ = ["REQUIRE_RECEIPTS", "config_fault"]

REQUIRE_RECEIPTS: th.Property[bool] = th.Property(
    "require_receipts",
    th.BooleanType(nullable=False),
    default=False,
    title="Require Receipts",
    description="Refuse input without the syncReceipts stream of tap-oneroster, which proves that the tap reached its end.",
)
"""Both targets have it."""


def config_fault(error: ValidationError) -> str:
    """A fault of the configuration in one sentence: it names the setting, never its value."""
    setting = ".".join(str(part) for part in error.absolute_path)
    rule: Any = error.validator_value
    given: Any = error.instance
    match error.validator:
        case "required":
            return f"Setting {', '.join(name for name in rule if name not in given)} is required."
        case "enum":
            return f"Setting {setting} takes one of: {', '.join(str(v) for v in rule)}."
        case "type":
            return f"Setting {setting} takes a value of type {' or '.join([rule] if isinstance(rule, str) else rule)}."
        case _:
            return f"Setting {setting} does not meet the rule {error.validator} {rule}."
