"""Checks of a bundle before it is published, as SQL on whole tables."""

from .findings import Finding, Findings, Severity
from .package import check_package
from .run import check

__all__ = ["Finding", "Findings", "Severity", "check", "check_package"]
