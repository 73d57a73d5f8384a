"""Pictures of the board of a bad night, for the docs: `python -m tests.fleet.pictures` takes them anew.

The districts are the sample's: six of twenty have a fault, one is on hold, one has a mistake in the fleet file, one never ran.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from oneroster_sample.fleet import SampleFleet

from tests.support.browser import launched
from tests.support.fleet import FLEET

ASSETS = Path(__file__).parents[2] / "docs" / "assets"
FAULTS = {3: "down", 6: "down", 9: "down", 12: "down", 7: "wrong-secret", 14: "login-page"}
PICTURES = {
    "fleet-board.png": ("light", 1280, 1000),
    "fleet-board-phone.png": ("light", 320, 900),
    "fleet-board-print.png": ("print", 794, 1123),
}
"""How the board is shown, width and height, by the picture's name."""


def bad_night(folder: Path) -> Path:
    """Run a night of the sample's fleet in a folder, and return the board's page."""
    with SampleFleet(20, vendors=3, faults=FAULTS) as fleet:
        fleet.write(folder)
        path = folder / "fleet.yml"
        names = iter(NAMES)
        text = re.sub(r"name: District \d+", lambda _: f"name: {next(names)}", path.read_text(encoding="utf-8"))
        for number, vendor in enumerate(("aeries", "infinite_campus", "skyward"), 1):
            text = text.replace(f"vendor-{number}", vendor)
        path.write_text(
            text + "- {id: d0021, name: Newfield Unified, provider: aeries, colour: red}\n", encoding="utf-8"
        )
        environment = {**os.environ, **fleet.secrets(), "FLEET_STATE": f"file://{folder}/states"}

        def run(*arguments: str, now: str = "2026-08-11T04:00:00-05:00") -> None:
            environment["ONEROSTER_FLEET_NOW"] = now
            done = subprocess.run([FLEET, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
            assert done.returncode in (0, 1, 2), done.stdout + done.stderr

        run("hold", "d0017", "--why", "rollover; asked by the district on 08-07", "--until", "2026-08-14")
        run("run", *(f"d{n:04}" for n in range(1, 20)), "--jobs", "4")
        run("board", "--out", "board", now="2026-08-11T07:00:00-05:00")
    return folder / "board/index.html"


def take(browser: Any, page_of_board: Path, folder: Path) -> list[str]:
    """Take the pictures into a folder, and return their names."""
    for name, (mode, width, height) in PICTURES.items():
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if mode == "dark" else "light"
        )
        page = context.new_page()
        page.emulate_media(media="print" if mode == "print" else "screen")
        page.goto(page_of_board.as_uri())
        page.screenshot(path=str(folder / name))
        context.close()
    return sorted(PICTURES)


NAMES = (
    "Alder Creek Unified", "Birch Valley ISD", "Cedar County", "Dune City Schools", "Elm Grove USD", "Fern Hill ISD",
    "Granite Bay Unified", "Harbor Schools", "Ironwood ISD", "Juniper USD", "Kestrel County", "Lakeside Unified",
    "Maple Ridge ISD", "North Fork USD", "Oak Plains", "Pine Island Schools", "Quarry Hills ISD", "Riverbend USD",
    "Stone Bridge", "Tamarack County",
)  # fmt: skip


def main() -> None:
    """Take the pictures of the docs."""
    import shutil

    with tempfile.TemporaryDirectory() as place, launched() as browser:
        folder = Path(place)
        for name in take(browser, bad_night(folder), folder):
            shutil.copy(folder / name, ASSETS / name)


if __name__ == "__main__":
    main()
