"""Finding out which version of the standard a service speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import requests

from .._core.http.auth import NoToken
from .._core.model import Version
from ..source import FatalSourceError, SourceError

if TYPE_CHECKING:
    from .._core.http.client import HttpClient, Reply

__all__ = ["find_version"]


def find_version(http: HttpClient, address: Callable[[Version], str], log_in: Callable[[Version], None]) -> Version:
    """The newer version that answers with orgs; FatalSourceError where none does.

    Each version has scopes of its own, so each is tried with credentials for it.
    """
    answers: list[str] = []
    refusals: list[FatalSourceError] = []
    for version in (Version.V1_2, Version.V1_1):
        log_in(version)
        try:
            reply = http.get(address(version), f"orgs of {version.value}", few_tries=True)
        except NoToken as error:
            refusals.append(error)
            answers.append(f"{version.value}: {error}")
            continue
        except SourceError as error:  # no connection, or a redirect: the same for any version
            raise FatalSourceError(str(error)) from None
        if reply.status == requests.codes.ok and _has_orgs(reply):
            return version
        found = "no list of orgs in the answer" if reply.status == requests.codes.ok else f"status {reply.status}"
        answers.append(f"{version.value}: {found}")
    if len(refusals) == len(answers):
        raise refusals[0]
    raise FatalSourceError(
        f"base_url: no OneRoster service answers there ({'; '.join(answers)}); check the address,"
        " or set oneroster_version"
    )


def _has_orgs(reply: Reply) -> bool:
    try:
        answer = msgspec.json.decode(reply.body)
    except ValueError:  # no JSON, or no text at all
        return False
    return isinstance(answer, dict) and any(isinstance(value, list) for value in answer.values())
