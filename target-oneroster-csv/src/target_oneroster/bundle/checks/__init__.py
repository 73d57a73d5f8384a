"""Everything that must hold before a bundle is published, checked in the tables, row by row never."""

from .findings import Finding, Findings, Severity
from .package import check_package
from .run import check

__all__ = ["Finding", "Findings", "Severity", "check", "check_package"]
