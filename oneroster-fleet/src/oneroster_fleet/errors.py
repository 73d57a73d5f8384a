"""Errors of the fleet; each message is one line, without a value of a record and without a secret."""

from __future__ import annotations


class FleetError(Exception):
    """The command ends with `exit_code`, and the message is its last line."""

    exit_code = 1


class Misconfigured(FleetError):
    """The fleet file, a secret or the command line is wrong; a retry is of no use."""

    exit_code = 4


class Busy(FleetError):
    """Another run of this district is alive."""

    exit_code = 75


class StoreDown(FleetError):
    """The store of states cannot be reached."""


class StateMoved(FleetError):
    """The stored state is not the one that this run began with."""


class Stopped(FleetError):
    """The run was stopped by a signal; `exit_code` is 128 and its number."""

    def __init__(self, number: int) -> None:
        super().__init__("stopped by a signal")
        self.exit_code = 128 + number
