"""One store opener: tap and target say the same about a store that cannot be opened, but for the names of their settings."""

from __future__ import annotations

import re
import sys

import pytest
from fsspec.registry import _registry
from tap_oneroster.bundle.locate.stores import store_at
from tap_oneroster.source import FatalSourceError
from target_oneroster.bundle.remote import RemoteStore
from target_oneroster.errors import TargetError

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKOUSDl1kPqpbBsUgGDqHRYXwEGwEBTOxa+nF0oHPEkI"


@pytest.mark.parametrize(
    ("url", "options", "missing"),
    [
        ("http://example.org/b.zip", {}, None),
        ("s3://drop/b.zip", {"client_kwargs": {"endpoint_url": "HTTP://example.org:9000"}}, None),
        ("sftp://127.0.0.1:9/b.zip", {"host_key": KEY, "username": "u", "password": "hush"}, None),
        ("sftp://127.0.0.1:9/b.zip", {"known_hosts": None}, None),
        ("sftp://127.0.0.1:9/b.zip", {"known_hosts": "/nowhere"}, None),
        ("floppy://a/b.zip", {}, None),
        ("sftp://h/b.zip", {}, "sshfs"),
        ("s3://h/b.zip", {}, "s3fs"),
        ("gs://h/b.zip", {}, "gcsfs"),
        ("abfs://h/b.zip", {}, "adlfs"),
    ],
)
def test_only_the_names_of_the_settings_differ(monkeypatch, url, options, missing):
    if missing:
        # fsspec remembers the classes it has met.
        monkeypatch.delitem(_registry, url.partition(":")[0], raising=False)
        monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(FatalSourceError) as read:
        store_at(url, options)
    with pytest.raises(TargetError) as written:
        RemoteStore(url, options)
    own = (
        str(read.value)
        .replace("csv_storage_options", "storage_options")
        .replace("tap-oneroster", "target-oneroster-csv")
    )
    assert letters(own.replace("csv_path", "output_path")) == letters(written.value.message)
    assert "hush" not in own


def letters(text):
    """A message without what is a matter of its author's style."""
    return re.findall(r"[\w:/]+", text.lower())
