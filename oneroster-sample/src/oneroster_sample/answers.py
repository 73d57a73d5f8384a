"""Answers of a service: data, and errors and warnings in the form of each version."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ._core.model import Version

__all__ = ["Answer", "Refused", "status_info", "unauthorized", "warning"]

# Status: word of 1.1, word of 1.2. Neither standard is consistent with itself; these are the tables' words.
_CODES = {
    400: ("invalid data", "invaliddata"),
    401: ("unauthorized", "unauthorisedrequest"),
    403: ("forbidden", "forbidden"),
    404: ("unknown object", "unknownobject"),
    429: ("server_busy", "server_busy"),
    503: ("server_busy", "server_busy"),
}
_FAULT = ("invalid data", "internal_server_error")


@dataclass
class Answer:
    """Status, headers and body; `closed` stands for a connection that just ends."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    closed: bool = False
    cut: bool = False
    """The connection ends in the middle of the body."""


class Refused(Exception):
    """Not a fault but an answer: a status, what it is about, and headers; status 0 closes the connection."""

    def __init__(
        self, status: int, description: str, code: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.status, self.description, self.code, self.headers = status, description, code, headers or {}


def unauthorized() -> Refused:
    """The answer to a request without a good token."""
    return Refused(401, "A valid token is needed", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def status_info(version: Version, status: int, description: str, code: str | None = None) -> dict[str, Any]:
    """The body of an error; `code` says it more closely than the status does."""
    old, new = _CODES.get(status, _FAULT)
    if version == Version.V1_1:
        return {"statusInfoSet": [_item("failure", "error", description, code or old)]}
    return {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": description,
        "imsx_CodeMinor": {
            "imsx_codeMinorField": [
                {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": code or new}
            ]
        },
    }


def warning(description: str, code: str) -> list[dict[str, Any]]:
    """The statusInfoSet that 1.1 puts next to data which is not quite what was asked for."""
    return [_item("success", "warning", description, code)]


def _item(major: str, severity: str, description: str, code: str) -> dict[str, Any]:
    return {
        "imsx_codeMajor": major,
        "imsx_severity": severity,
        "imsx_messageRefIdentifier": "0",
        "imsx_operationRefIdentifier": "0",
        "imsx_description": description,
        "imsx_codeMinor": code,
    }
