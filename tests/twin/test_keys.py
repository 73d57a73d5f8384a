"""Pseudonyms: HMAC as the standard library computes it, by the published vectors, and names that never change."""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oneroster_core.twin import keys
from oneroster_core.twin.keys import Domain, KeyedIds, consumer_key, decode_key, key_check, new_key
from oneroster_core.twin.name_lists import names

from tests.support.twin import KEY, MASTER

PAGE = Path(__file__).parents[2] / "docs/twin-engineer.md"


def by_the_contract(master, consumer, epoch, domain, tenant, one):
    """Section 10 of the design, word by word, with nothing of ours."""
    extracted = hmac.new(bytes(32), master, hashlib.sha256).digest()
    info = b"oneroster-twin/1\x1f" + consumer.encode() + b"\x1f" + str(epoch).encode()
    key = hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()
    key = hmac.new(key, domain.encode(), hashlib.sha256).digest()
    mark = bytearray(hmac.new(key, tenant.encode() + b"\x1f" + one.encode(), hashlib.sha256).digest()[:16])
    mark[6] = mark[6] & 0x0F | 0x80
    mark[8] = mark[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(mark)))


@settings(max_examples=40, deadline=None)
@given(
    st.binary(min_size=32, max_size=64),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=250, max_size=250),
)
def test_marks_by_prepared_objects_are_those_of_hmac_digest(key, ids):
    """Forty times 250 ids: 10,000, of any characters."""
    assert Domain(key, "").marks(ids) == [hmac.digest(key, b"\x1f" + one.encode(), "sha256") for one in ids]


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text("abc-_é", max_size=5), st.integers(1, 99))
def test_a_pseudonym_is_what_the_contract_says(one, tenant, epoch):
    """Key, domain, tenant, id; version 8 and the variant of RFC 9562."""
    ids = KeyedIds(consumer_key(MASTER, "reading-app", epoch), tenant)
    expected = by_the_contract(MASTER, "reading-app", epoch, "users", tenant, one)
    assert ids.own("users", [one])[0] == ids.pseudonyms("users", [one]) == [expected]
    assert uuid.UUID(expected).version == 8
    assert uuid.UUID(expected).variant == uuid.RFC_4122


def test_the_page_for_engineers_has_vectors_that_hold():
    """A vendor can check an implementation by them."""
    rows = re.findall(
        r"^\| `([^`]+)` \| `([^`]*)` \| `([^`]+)` \| `([0-9a-f-]{36})` \|$", PAGE.read_text(), re.MULTILINE
    )
    assert len(rows) >= 5
    for domain, tenant, one, pseudonym in rows:
        assert by_the_contract(MASTER, "reading-app", 1, domain, tenant, one) == pseudonym
    assert KEY in PAGE.read_text()
    assert key_check(consumer_key(MASTER, "reading-app", 1)) in PAGE.read_text()


def test_references_are_found_again_after_the_memory_was_turned_over(monkeypatch):
    """The memory has an end; what it forgot comes out the same."""
    monkeypatch.setattr(keys, "_MOST_KEPT", 50)
    domain = Domain(b"k" * 32, "")
    ids = [f"id-{number % 130}" for number in range(1000)]
    expected = dict(zip(ids, keys.uuids(domain.marks(ids)), strict=True))
    for start in range(0, 1000, 40):
        part = ids[start : start + 40]
        assert domain.pseudonyms([*part, None]) == [*(expected[one] for one in part), None]


def test_a_key_is_of_32_bytes_or_more():
    """New ones are; others are refused without a word of what they are."""
    assert len(decode_key(new_key())) == 32
    assert new_key() != new_key()
    for bad in ("c2hvcnQ=", "no base64!", ""):
        with pytest.raises(ValueError, match="oneroster-twin key makes one") as error:
            decode_key(bad)
        assert bad not in str(error.value) or not bad


def test_the_lists_of_names_never_change():
    """Another list renames everybody; a new one gets a new number, and policies say which one they use."""
    given_names, family_names = names("given", 1), names("family", 1)
    assert (len(given_names), len(family_names)) == (2000, 5000)
    assert len(set(given_names)) == 2000
    assert len(set(family_names)) == 5000
    assert all(name.isascii() and name.isalpha() for name in (*given_names, *family_names))
    digest = hashlib.sha256("\n".join((*given_names, *family_names)).encode()).hexdigest()
    assert digest == "4354b7d45149243c9ac3547b27e20300d57650a154e1d8bf0bcee49733867e8a"
