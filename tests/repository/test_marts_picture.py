"""The picture of the marts shows each of them, and what its columns refer to; that it is up to date, test_derived.py says."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import yaml

from tools import marts_picture
from tools.marts_picture import DIMENSIONS, MODELS, OWN, REFERS, marts, svg

SVG = "{http://www.w3.org/2000/svg}"


def columns(path: str) -> list[str]:
    """The columns of a model, as its file describes them."""
    (model, *_) = yaml.safe_load((MODELS / f"{path}.yml").read_text(encoding="utf-8"))["models"]
    return [column["name"] for column in model["columns"]]


def test_each_mart_is_shown_with_its_key() -> None:
    shown = [text.text for text in ET.fromstring(svg()).iter(f"{SVG}text") if text.get("class") in {"head", "key"}]
    for mart in marts():
        at = shown.index(mart.name)
        assert mart.key, mart.name
        assert shown[at + 1 : at + 1 + len(mart.key)] == list(mart.key)
    assert len(marts()) == len(list((MODELS / "marts").glob("*.sql")))


def test_each_id_of_a_mart_refers_to_a_column_that_is_there() -> None:
    titles = {path[0].text for path in ET.fromstring(svg()).iter(f"{SVG}path") if len(path)}
    due = set()
    for mart in marts():
        for name in columns(f"marts/{mart.name}"):
            if name.endswith("_id") and name not in OWN:
                model, column = REFERS[name]
                assert column in columns(f"core/{model}"), (mart.name, name)
                due.add(f"{mart.name}.{name}: {model}.{column}")
    assert titles == due
    assert {model for model, _ in REFERS.values()} == set(DIMENSIONS)


def test_no_line_runs_behind_a_dimension() -> None:
    """Lines of the first row lie below the boxes of the dimensions."""
    dots = [float(dot.get("cy", 0)) for dot in ET.fromstring(svg()).iter(f"{SVG}circle")]
    lowest = 10 + marts_picture.HEAD + 2 * marts_picture.LINE + 6
    assert min(dots) > lowest + 4
