"""Detect the version of the standard that a service supports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import requests

from .._core.errors import SetupError
from .._core.http.auth import NoToken
from .._core.model import Version
from ..source import FatalSourceError, SourceError
from .records.lenient import decode_leniently

if TYPE_CHECKING:
    from .._core.http.client import HttpClient
    from .._core.http.reply import Reply

_NEWEST_FIRST = (Version.V1_2, Version.V1_1)


def other_version(version: Version) -> Version:
    """Return 1.1 for 1.2, and 1.2 for 1.1."""
    return Version.V1_1 if version == Version.V1_2 else Version.V1_2


def find_version(
    http: HttpClient,
    address: Callable[[Version], str],
    log_in: Callable[[Version], None],
    versions: Sequence[Version] = _NEWEST_FIRST,
) -> Version:
    """Return the first version that answers with orgs; raise FatalSourceError if none does.

    Each version has its own scopes, so each is tried with its own credentials.
    """
    answers: list[str] = []
    refusals: list[NoToken] = []
    kind: type[FatalSourceError] = SetupError
    for version in versions:
        log_in(version)
        try:
            reply = http.get(address(version), f"orgs of {version.value}", few_tries=True)
        except NoToken as error:
            if not error.blames_scopes:  # the client itself is refused: a second sign-in would only help to lock it
                raise
            refusals.append(error)
            answers.append(f"{version.value}: {error}")
            continue
        except FatalSourceError:
            raise
        except SourceError as error:  # no connection, or a redirect: the same for both versions
            raise FatalSourceError(str(error)) from None
        if reply.ok and _has_orgs(reply):
            return version
        if reply.status >= 500 or reply.status == requests.codes.too_many_requests:
            kind = FatalSourceError  # a temporary error
        found = "no list of orgs in the answer" if reply.ok else f"status {reply.status}"
        answers.append(f"{version.value}: {found}")
    if len(refusals) == len(answers):
        first = refusals[0]
        if len(refusals) > 1:
            tried = " and as ".join(version.value for version in versions)
            raise NoToken(f"{first} (tried as {tried})")
        raise first
    raise kind(
        f"base_url: no OneRoster service answers there ({'; '.join(answers)}); check the address,"
        " or set oneroster_version"
    )


def _has_orgs(reply: Reply) -> bool:
    if reply.status == requests.codes.no_content:
        return True
    try:
        answer = decode_leniently(reply.body)
    except ValueError:
        return False
    if not isinstance(answer, dict):
        return False
    # Some services write an empty list as `{"orgs": null}`.
    return "orgs" in answer or any(isinstance(value, list) for value in answer.values())
