"""What holds for any district: nothing is lost on the way, and order has no meaning."""

from __future__ import annotations

import csv
import io
import random
import tempfile
import zipfile
from operator import itemgetter
from pathlib import Path
from typing import Any

import oneroster_core.model as model
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from tests.singer import Run, run_tap

from .conftest import Place, files_of

_QUICK = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # shrinking would take minutes
)
VERSIONS = [version.value for version in model.Version]
PARENTS = ("users", "enrollments", "results")
CHANGED = [f.name for f in model.FILES if f.name in PARENTS or (f.derived and f.derived.parent in PARENTS)]
# How the source is written, and the settings that write it again.
MODES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "bulk": ({}, {}),
    "delta": ({"mode": "delta", "since": 0}, {"file_mode": "delta"}),
    "mixed": ({"delta": CHANGED, "since": 0}, {"file_modes": dict.fromkeys(PARENTS, "delta")}),
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> dict[tuple[str, str], dict[str, bytes]]:
    """A handful of people after a few weeks of changes, as the files of a bundle, by version and mode."""
    district = District(seed=11, schools=2, students_per_school=20).changed(20)
    found = {}
    for version in VERSIONS:
        for mode, (written, _) in MODES.items():
            path = tmp_path_factory.mktemp("source") / version
            write_bundle(district, path, version=version, **written)
            found[version, mode] = files_of(path)
    return found


def optional(version: str) -> list[tuple[str, str]]:
    """Columns that may be empty; without its dates, one enrollment may clash with another."""
    v = model.Version(version)
    return [
        (file.name, field.header(v))
        for file in model.csv_files(v)
        for field in file.columns(v)
        if v not in field.required
        and not field.blank_in_bulk
        and (file.name, field.name[-4:]) != ("enrollments", "Date")
    ]


def free(version: str) -> list[tuple[str, str]]:
    """Columns that hold any text; an objective's is a URN, depending on its source."""
    v = model.Version(version)
    return [
        (file.name, field.header(v))
        for file in model.csv_files(v)
        for field in file.columns(v)
        if field.kind == model.Kind.STRING and not field.words and field.name != "learningObjectiveId"
    ]


# A line break becomes a space in a bundle, and white space alone is nothing.
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=30).filter(str.strip)


@st.composite
def mutations(draw: Any, version: str) -> Any:
    """A way to change a bundle that leaves it valid: any text in cells, optional ones emptied, rows in another order."""
    texts = draw(st.dictionaries(st.sampled_from(free(version)), TEXT, max_size=10))
    emptied = draw(st.sets(st.sampled_from(optional(version)), max_size=25))
    share = draw(st.sampled_from([0.0, 0.3, 1.0]))
    dice = random.Random(draw(st.integers(0, 2**32)))

    def change(files: dict[str, bytes], target: Path) -> None:
        with zipfile.ZipFile(target, "w") as archive:
            for name, data in files.items():
                if name != "manifest.csv":
                    header, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
                    columns = [i for i, column in enumerate(header) if (name[:-4], column) in emptied]
                    written = [(i, texts[name[:-4], c]) for i, c in enumerate(header) if (name[:-4], c) in texts]
                    for row in rows:
                        for i, text in written:
                            row[i] = text
                        for i in columns:
                            row[i] = "" if dice.random() <= share else row[i]
                    dice.shuffle(rows)
                    out = io.StringIO(newline="")
                    csv.writer(out).writerows([header, *rows])
                    data = out.getvalue().encode()  # noqa: PLW2901
                archive.writestr(name, data)

    return change


def read(path: Path) -> Run:
    settings = {"settle_seconds": 0, "include_passwords": True, "accept_orphan_delta": True}
    run = run_tap({"mode": "csv", "csv_path": str(path)} | settings)
    assert run.error is None
    return run


def write(folder: Path, messages: list[dict[str, Any]], name: str, version: str, **settings: Any) -> Path:
    place = Place(folder / name, folder / "report.json")
    kept = {"metadata": "keep", "include_passwords": True, "require_receipts": True}
    place.run(messages, oneroster_version=version, **kept, **settings)
    return place.output


def records(run: Run) -> dict[str, list[dict[str, Any]]]:
    """Every record of every stream, whole, by id."""
    found = {
        name: sorted(rows, key=itemgetter("sourcedId")) for name, rows in run.records.items() if name != "syncReceipts"
    }
    return {name: rows for name, rows in found.items() if rows}


def digests(run: Run) -> dict[str, tuple[str, str]]:
    """Mode and digest of each collection that was there."""
    return {
        name: (receipt["mode"], receipt["contentDigest"])
        for name, receipt in run.receipts.items()
        if receipt["mode"] != "absent"
    }


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("version", VERSIONS)
def test_any_district_survives(sources, version, mode) -> None:
    """What the tap reads from the target's bundle is, record by record, what it read from the source: deletes, too."""

    @_QUICK
    @given(mutations(version))
    def survives(change: Any) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            change(sources[version, mode], folder / "source.zip")
            source = read(folder / "source.zip")
            copy = read(write(folder, source.messages, "copy.zip", version, **MODES[mode][1]))
            assert records(copy) == records(source)
            assert digests(copy) == digests(source)
            assert len(digests(copy)) >= (3 if mode == "delta" else 10)
            statuses = {r["status"] for rows in records(copy).values() for r in rows}
            assert statuses == ({"active"} if mode == "bulk" else {"active", "tobedeleted"})

    survives()


def test_order_has_no_meaning(sources, tmp_path) -> None:
    """Streams interleaved, rows in any order, some of them twice: the same bytes."""
    with zipfile.ZipFile(tmp_path / "source.zip", "w") as archive:
        for name, data in sources["1.2", "bulk"].items():
            archive.writestr(name, data)
    messages = read(tmp_path / "source.zip").messages
    expected = write(tmp_path, messages, "expected.zip", "1.2").read_bytes()
    schemas = [m for m in messages if m["type"] == "SCHEMA"]
    receipts = [m for m in messages if m["type"] == "RECORD" and m["stream"] == "syncReceipts"]
    rows = [m for m in messages if m["type"] == "RECORD" and m["stream"] != "syncReceipts"]

    @_QUICK
    @given(st.integers(0, 2**32), st.sampled_from([0, 1, 50]))
    def same(seed: int, repeated: int) -> None:
        dice = random.Random(seed)
        mixed = rows + dice.choices(rows, k=repeated)
        dice.shuffle(mixed)
        with tempfile.TemporaryDirectory() as name:
            assert write(Path(name), [*schemas, *mixed, *receipts], "b.zip", "1.2").read_bytes() == expected

    same()
