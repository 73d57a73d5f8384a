"""Errors of the audit; each message is one line, without a value of a row."""

from __future__ import annotations

__all__ = ["AuditError", "Unknown", "Wrong"]


class AuditError(Exception):
    """The command ends with `exit_code`, and the message is its last line."""

    exit_code = 1


class Unknown(AuditError):
    """The load could not be audited; nothing newer is released."""


class Wrong(AuditError):
    """The command line or the policy is wrong."""

    exit_code = 2
