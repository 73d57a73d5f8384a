"""Runs of the tap over some streams, and bundles with one file changed."""

from __future__ import annotations

import json
import zipfile

from tap_oneroster import TapOneRoster

from tests.singer import run_tap


def select(config, *names, properties=()):
    """A catalog that selects some streams only, and leaves out some properties."""
    catalog = json.loads(json.dumps(TapOneRoster(config=dict(config)).catalog_dict))
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["stream"] in names
            elif entry["breadcrumb"][-1] in properties:
                entry["metadata"]["selected"] = False
    return catalog


def broken(path, bundle, name, change):
    """A copy of a bundle with one file changed."""
    with zipfile.ZipFile(bundle) as before, zipfile.ZipFile(path, "w") as after:
        for member in before.namelist():
            data = before.read(member)
            after.writestr(member, change(data) if member == name else data)
    return path


def settings(provider, **more):
    """Settings as the credential sheet gives them."""
    return {
        "mode": "rest",
        "base_url": provider.base_url,
        "token_url": provider.token_url,
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
        **more,
    }


def pull(provider, *streams, state=None, **more):
    """One run over a few streams."""
    config = settings(provider, **more)
    return run_tap(config, state=state, catalog=select(config, *streams))
