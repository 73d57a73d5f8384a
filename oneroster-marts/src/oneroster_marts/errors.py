"""Errors of the marts; each message is one line, without a value of a row."""

from __future__ import annotations


class MartsError(Exception):
    """The command ends with `exit_code`, and the message is its last line."""

    exit_code = 1


class Failed(MartsError):
    """A model or a test failed, or something is missing in the warehouse."""


class Wrong(MartsError):
    """The command line or the settings are wrong."""

    exit_code = 2
