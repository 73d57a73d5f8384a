"""Which links to the next page are followed, and why others are not."""

from __future__ import annotations

import pytest
from tap_oneroster.rest.paging.links import next_link

HERE = "https://sis.example/ims/users?limit=100&sort=sourcedId&orderBy=asc&offset=100"


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        (HERE[:-3] + "200", None),
        (HERE[:-3] + "0100", None),
        (HERE.replace("limit=100", "limit=50")[:-3] + "200", None),
        (HERE + "&page=2", None),
        ("/ims/users?sort=sourcedId&orderBy=asc&offset=200", None),
        (HERE, "the same page again"),
        (HERE[:-3] + "0200" + "&offset=100", "the same page again"),
        (HERE.replace("sis.", "other.")[:-3] + "200", "another host"),
        (HERE.replace("https", "http")[:-3] + "200", "another host"),
        (HERE.replace("ims/", "ims/v2/")[:-3] + "200", "another path"),
        (HERE.replace("&sort=sourcedId", "")[:-3] + "200", "sort left out"),
        (HERE.replace("asc", "desc")[:-3] + "200", "orderBy left out"),
        ("https://sis.example:port/ims/users?offset=200", "not an address"),
        ("~", "not an address"),
    ],
)
def test_a_link_is_followed_if_it_leads_to_another_page_of_the_same_collection(target: str, fault: str | None) -> None:
    """The usual link, which differs in its offset only, is no exception."""
    for text in (f'<{target}>; rel="next"', f'<{HERE}>; rel="first", <{target}>; rel="next"; title="x"'):
        link = next_link({"Link": text}, HERE)
        assert link is not None
        assert link.fault == fault


def test_the_sort_must_be_kept_though_it_ends_with_a_digit() -> None:
    """Only an offset may differ in its digits."""
    here = "https://sis.example/users?offset=1&sort=1"
    link = next_link({"Link": f'<{here[:-1]}2>; rel="next"'}, here)
    assert link is not None
    assert link.fault == "sort left out"


def test_a_header_without_a_next_page_names_none() -> None:
    assert next_link({"Link": f'<{HERE}>; rel="last"'}, HERE) is None
    assert next_link({}, HERE) is None
