"""What holds for any district: nothing is lost on the way, and order has no meaning."""

from __future__ import annotations

import csv
import io
import random
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import oneroster_model as model
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from tests.singer import Run, run_tap

from .conftest import Place, files_of

_QUICK = settings(
    max_examples=6, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
VERSIONS = [version.value for version in model.Version]


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> dict[str, dict[str, bytes]]:
    """A handful of people, as the files of a bundle, by version."""
    district = District(seed=11, schools=2, students_per_school=4)
    found = {}
    for version in VERSIONS:
        path = tmp_path_factory.mktemp("source") / version
        write_bundle(district, path, version=version)
        found[version] = files_of(path)
    return found


def optional(version: str) -> list[tuple[str, str]]:
    """Columns that may be empty; without its dates, one enrollment may clash with another."""
    v = model.Version(version)
    return [
        (file.name, field.header(v))
        for file in model.csv_files(v)
        for field in file.columns(v)
        if v not in field.required and (file.name, field.name[-4:]) != ("enrollments", "Date")
    ]


@st.composite
def mutations(draw: Any, version: str) -> Any:
    """A way to change a bundle that leaves it valid: optional cells emptied, rows in another order."""
    emptied = draw(st.sets(st.sampled_from(optional(version)), max_size=25))
    share = draw(st.sampled_from([0.0, 0.3, 1.0]))
    dice = random.Random(draw(st.integers(0, 2**32)))

    def change(files: dict[str, bytes], target: Path) -> None:
        with zipfile.ZipFile(target, "w") as archive:
            for name, data in files.items():
                if name != "manifest.csv":
                    header, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
                    columns = [i for i, column in enumerate(header) if (name[:-4], column) in emptied]
                    for row in rows:
                        for i in columns:
                            row[i] = "" if dice.random() <= share else row[i]
                    dice.shuffle(rows)
                    out = io.StringIO(newline="")
                    csv.writer(out).writerows([header, *rows])
                    data = out.getvalue().encode()  # noqa: PLW2901
                archive.writestr(name, data)

    return change


def read(path: Path) -> Run:
    run = run_tap({"mode": "csv", "csv_path": str(path), "settle_seconds": 0, "include_passwords": True})
    assert run.error is None
    return run


def write(folder: Path, messages: list[dict[str, Any]], name: str, version: str) -> Path:
    place = Place(folder / name, folder / "report.json")
    place.run(messages, oneroster_version=version, metadata="keep", include_passwords=True, require_receipts=True)
    return place.output


def digests(run: Run) -> dict[str, str]:
    return {name: receipt["contentDigest"] for name, receipt in run.receipts.items() if receipt["mode"] != "absent"}


@pytest.mark.parametrize("version", VERSIONS)
def test_any_district_survives(sources, version) -> None:
    """What the tap reads from the target's bundle is, to the digest, what it read from the source."""

    @_QUICK
    @given(mutations(version))
    def survives(change: Any) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            change(sources[version], folder / "source.zip")
            source = read(folder / "source.zip")
            copy = read(write(folder, source.messages, "copy.zip", version))
            assert digests(copy) == digests(source)
            assert len(digests(copy)) > 10

    survives()


def test_order_has_no_meaning(sources, tmp_path) -> None:
    """Streams interleaved, rows in any order, some of them twice: the same bytes."""
    with zipfile.ZipFile(tmp_path / "source.zip", "w") as archive:
        for name, data in sources["1.2"].items():
            archive.writestr(name, data)
    messages = read(tmp_path / "source.zip").messages
    expected = write(tmp_path, messages, "expected.zip", "1.2").read_bytes()
    schemas = [m for m in messages if m["type"] == "SCHEMA"]
    receipts = [m for m in messages if m["type"] == "RECORD" and m["stream"] == "syncReceipts"]
    records = [m for m in messages if m["type"] == "RECORD" and m["stream"] != "syncReceipts"]

    @_QUICK
    @given(st.integers(0, 2**32), st.sampled_from([0, 1, 50]))
    def same(seed: int, repeated: int) -> None:
        dice = random.Random(seed)
        mixed = records + dice.choices(records, k=repeated)
        dice.shuffle(mixed)
        with tempfile.TemporaryDirectory() as name:
            assert write(Path(name), [*schemas, *mixed, *receipts], "b.zip", "1.2").read_bytes() == expected

    same()
