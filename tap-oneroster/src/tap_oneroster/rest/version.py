"""Finding out which version of the standard a service speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from .._model import Version
from ..source import FatalSourceError, SourceError

if TYPE_CHECKING:
    from .http import HttpClient

__all__ = ["find_version"]


def find_version(http: HttpClient, address: Callable[[Version], str], log_in: Callable[[Version], None]) -> Version:
    """The newer version that answers with orgs; FatalSourceError where none does.

    Each version has scopes of its own, so each is tried with credentials for it.
    """
    answers = []
    for version in (Version.V1_2, Version.V1_1):
        try:
            log_in(version)
            reply = http.get(address(version), f"orgs of {version.value}", few_tries=True)
        except FatalSourceError as error:
            if not str(error).startswith("token_url: status 4"):
                raise
            answers.append(f"{version.value}: {error}")
            continue
        except SourceError as error:
            answers.append(f"{version.value}: {error}")
            continue
        if reply.status == 200 and _has_orgs(reply.body):
            return version
        what = "no list of orgs in the answer" if reply.status == 200 else f"status {reply.status}"
        answers.append(f"{version.value}: {what}")
    raise FatalSourceError(
        f"base_url: no OneRoster service answers there ({'; '.join(answers)}); check the address,"
        " or set oneroster_version"
    )


def _has_orgs(body: bytes) -> bool:
    try:
        answer = msgspec.json.decode(body)
    except ValueError:  # of which msgspec's is one
        return False
    return isinstance(answer, dict) and any(isinstance(value, list) for value in answer.values())
