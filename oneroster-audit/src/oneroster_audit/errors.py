"""Errors of the audit; each message is one line, without a value of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class AuditError(Exception):
    """The command ends with `exit_code`, and the message is its last line."""

    exit_code = 1


class Unknown(AuditError):
    """The load could not be audited; nothing newer is released."""


class Wrong(AuditError):
    """The command line or the policy is wrong."""

    exit_code = 2


def in_use(path: Path) -> Unknown:
    """Return the error for a file that stays open elsewhere."""
    return Unknown(f"{path} is in use by another process. Run again when it has ended.")


def store_fault(path: Path, *, is_busy: bool) -> AuditError:
    """Return the error for a file of the audit that cannot be opened."""
    return in_use(path) if is_busy else Wrong(f"{path} cannot be opened as a store of oneroster-audit.")
