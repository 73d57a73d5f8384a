"""The baseline for REST: enrollments by a plain SDK RESTStream, one page after another."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import OAuthAuthenticator
from singer_sdk.pagination import BaseAPIPaginator
from typing_extensions import override

if TYPE_CHECKING:
    import requests

_REF = th.ObjectType(
    th.Property("href", th.StringType), th.Property("sourcedId", th.StringType), th.Property("type", th.StringType)
)


class Offsets(BaseAPIPaginator[int]):
    """Advances by the number of records received."""

    @override
    def get_next(self, response: requests.Response) -> int | None:
        offset: int = self.current_value + len(response.json()["enrollments"])
        return None if offset >= int(response.headers["X-Total-Count"]) else offset


class ClientCredentials(OAuthAuthenticator):
    """Gets a token with id and secret in the form."""

    @property
    @override
    def oauth_request_body(self) -> dict[str, Any]:
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }


class Enrollments(RESTStream[int]):
    """One collection."""

    name = "enrollments"
    path = "/ims/oneroster/rostering/v1p2/enrollments"
    primary_keys = ("sourcedId",)
    records_jsonpath = "$.enrollments[*]"
    schema = th.PropertiesList(
        *(
            th.Property(name, th.StringType)
            for name in ("sourcedId", "status", "dateLastModified", "role", "primary", "beginDate", "endDate")
        ),
        *(th.Property(name, _REF) for name in ("class", "school", "user")),
        th.Property("metadata", th.ObjectType()),
    ).to_dict()

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["base_url"])

    @cached_property
    def authenticator(self) -> ClientCredentials:
        """One token for the run."""
        return ClientCredentials(
            client_id=self.config["client_id"],
            client_secret=self.config["client_secret"],
            auth_endpoint=self.config["token_url"],
            oauth_scopes="",
            default_expiration=3600,
        )

    @override
    def get_new_paginator(self) -> Offsets:
        return Offsets(0)

    @override
    def get_url_params(self, context: Any, next_page_token: int | None) -> dict[str, Any]:
        return {"limit": self.config["page_size"], "offset": next_page_token or 0}


class MinimalRestTap(Tap):
    """A tap like that of the SDK's template."""

    name = "tap-minimal-rest"
    config_jsonschema = th.PropertiesList(
        *(th.Property(n, th.StringType) for n in ("base_url", "token_url", "client_id", "client_secret")),
        th.Property("page_size", th.IntegerType, default=1000),
    ).to_dict()

    @override
    def discover_streams(self) -> list[Enrollments]:
        return [Enrollments(self)]


if __name__ == "__main__":
    MinimalRestTap.cli()
