"""Pictures of the pages of the town, for the docs: `.marts/bin/python -m tests.marts.pictures` takes them anew.

Persons and schools are made up by the sample.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.browser import launched

if TYPE_CHECKING:
    from .warehouses import Desk

ASSETS = Path(__file__).parents[2] / "docs" / "assets"
WIDTHS = (320, 794, 1280)
PICTURES = {
    "marts-principal.png": ("school/00003.html", "light", 1280, 1000),
    "marts-principal-dark.png": ("school/00003.html", "dark", 1280, 700),
    "marts-principal-phone.png": ("school/00003.html", "light", 320, 1100),
    "marts-principal-print.png": ("school/00003.html", "print", 794, 1123),
    "marts-district.png": ("index.html", "light", 1280, 1000),
    "marts-licences.png": ("licences.html", "light", 1280, 1000),
    "marts-licences-phone.png": ("licences.html", "light", 320, 900),
    "marts-licences-print.png": ("licences.html", "print", 794, 1123),
    "marts-teachers.png": ("teachers.html", "light", 1280, 900),
    "marts-counsellor.png": ("counsellor/00003.html", "light", 1280, 900),
    "marts-counsellor-phone.png": ("counsellor/00003.html", "light", 320, 900),
    "marts-counsellor-print.png": ("counsellor/00003.html", "print", 794, 1123),
}
"""The page, how it is shown, width and height, by the picture's name."""


def take(browser: Any, desk: Desk, folder: Path) -> list[str]:
    """Take the pictures into a folder, and return their names; of the restricted pages with ids in place of names."""
    site = folder / "site"
    assert desk("pages", "--out", str(site), "--restricted") == 0, desk.err
    open_site = folder / "open"
    assert desk("pages", "--out", str(open_site)) == 0, desk.err
    for name, (path, mode, width, height) in PICTURES.items():
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if mode == "dark" else "light"
        )
        page = context.new_page()
        page.emulate_media(media="print" if mode == "print" else "screen")
        place = site if path.startswith("counsellor") else open_site
        page.goto((place / path).as_uri())
        page.screenshot(path=str(folder / name))
        context.close()
    return sorted(PICTURES)


def main() -> None:
    """Take the pictures of the docs."""
    import shutil

    from .town import make_town

    with tempfile.TemporaryDirectory() as place, launched() as browser:
        folder = Path(place)
        (folder / "town").mkdir()
        for name in take(browser, make_town(folder / "town", is_plain=True), folder):
            shutil.copy(folder / name, ASSETS / name)


if __name__ == "__main__":
    main()
