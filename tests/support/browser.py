"""Chromium, and Playwright with axe, for tests that look at pages: the browser is the machine's, the rest is installed."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_AXE = "axe-playwright-python==0.1.8"


def chromium() -> str:
    """A Chromium or Chrome of this machine; without one, the test is skipped."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)}. (Debian: apt-get install chromium)")
    return found


def get_playwright() -> Path:
    """Return a folder with Playwright and axe, installed if need be; they are no part of the environment, for their size."""
    place = ROOT / ".uv" / f"playwright-{sys.version_info.major}.{sys.version_info.minor}"
    if not (place / "axe_playwright_python").exists():
        install = ("exec", "uv", "pip", "install", "--quiet", "--target", place, _AXE)
        done = subprocess.run([ROOT / "run", *install], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"Playwright could not be installed: {done.stderr[-300:]}")
    return place


@contextmanager
def launched() -> Iterator[Any]:
    """A browser, for as long as it is needed; `axe_playwright_python` can be imported from then on."""
    path = chromium()
    sys.path.append(str(get_playwright()))
    with importlib.import_module("playwright.sync_api").sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
