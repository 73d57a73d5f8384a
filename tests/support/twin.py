"""Policies, keys and runs for the tests of twins."""

from __future__ import annotations

import base64
import csv
import io
import json
import zipfile
from collections import defaultdict

from oneroster_core.model import FILES
from oneroster_core.twin.keys import consumer_key, key_check

from tests.singer import run_tap

MASTER = bytes(range(32))
KEY = base64.b64encode(MASTER).decode()
TODAY = "2026-10-01"

# Every stream, and every field that is not free text.
EVERYTHING = {
    f.name: [
        "'*'",
        *(field.name for field in f.fields if field.personal and not field.secret and field.name != "metadata"),
    ]
    for f in FILES
}


def check_of(consumer="reading-app", epoch=1, master=MASTER):
    """The key_check of a consumer's key."""
    return key_check(consumer_key(master, consumer, epoch))


def write(folder, elements, *, consumer="reading-app", epoch=1, mode="keyed", more=(), name="policy.yml", check=None):
    """A policy in a folder; `elements` maps streams to YAML text, or to a list of it; `more` are further lines."""
    lines = ["version: 1", f"consumer: {consumer}", f"mode: {mode}", f"epoch: {epoch}"]
    if mode == "keyed":
        lines.append(f"key_check: '{check or check_of(consumer, epoch)}'")
    lines += more
    lines.append("elements:")
    for stream, fields in elements.items():
        lines.append(f"  {stream}: {fields if isinstance(fields, str) else '[' + ', '.join(fields) + ']'}")
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def rest_settings(provider, **more):
    """Settings as a credential sheet gives them."""
    return {
        "mode": "rest",
        "base_url": provider.base_url,
        "token_url": provider.token_url,
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
        **more,
    }


def by_csv(path, **more):
    """Settings for a bundle."""
    return {"mode": "csv", "csv_path": str(path), "settle_seconds": 0, **more}


def twin_run(config, policy, *, state=None, key=KEY, catalog=None):
    """One run of a twin, over all streams that the policy names."""
    given = {"twin": str(policy), **({"twin_key": key} if key else {})}
    return run_tap({**config, **given}, state=state, catalog=catalog)


def cells(bundle, name):
    """Rows of a file of a bundle (zip)."""
    with zipfile.ZipFile(bundle) as archive:
        text = archive.read(f"{name}.csv").decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def rewritten(path, bundle, change):
    """A copy of a bundle in which `change(name, row)` changed each row in place; it returns False for a row that goes."""
    with zipfile.ZipFile(bundle) as before, zipfile.ZipFile(path, "w") as after:
        for member in before.namelist():
            data = before.read(member)
            name = member.removesuffix(".csv")
            if name != "manifest":
                reader = csv.DictReader(io.StringIO(data.decode(), newline=""))
                out = io.StringIO(newline="")
                rows = [row for row in reader if change(name, row) is not False]
                header = list(dict.fromkeys([*(reader.fieldnames or []), *(rows[0] if rows else [])]))
                writer = csv.DictWriter(out, header)
                writer.writeheader()
                writer.writerows(rows)
                data = out.getvalue().encode()
            after.writestr(member, data)
    return path


def lines_of(run):
    """The records of a run as sorted lines, by stream."""
    found = defaultdict(list)
    for stream, records in run.records.items():
        found[stream] = sorted(json.dumps(record, sort_keys=True) for record in records)
    return found
