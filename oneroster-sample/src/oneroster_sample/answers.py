"""Responses of a service: data, and errors and warnings in the format of each version."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ._core.model import Version

# Status: code of 1.1, code of 1.2. Both standards contradict themselves; these are the codes of their tables.
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
    """Status, headers and body; `closed` means that the connection ends without a response."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    closed: bool = False
    cut: bool = False
    """True if the connection ends in the middle of the body."""


class Refused(Exception):
    """An error response: a status, its description, and headers; status 0 closes the connection."""

    def __init__(
        self, status: int, description: str, code: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.status, self.description, self.code, self.headers = status, description, code, headers or {}


def unauthorized() -> Refused:
    """Return the error for a request without a valid token."""
    return Refused(401, "A valid token is needed", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def status_info(version: Version, status: int, description: str, code: str | None = None) -> dict[str, Any]:
    """Return the body of an error; `code` is more specific than the status."""
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
    """Return the statusInfoSet that 1.1 adds if the data differ from the request."""
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
