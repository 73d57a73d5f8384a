"""The site in a browser, opened as files: axe finds no violation at 400 and at 1280 px, and nothing is wider than the screen."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browser import chromium, get_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ROOT = Path(__file__).parents[2]
WIDTHS = (1280, 400)
WHOLE = {"index.html", "model/rostering.html", "operations/index.html", "recipes/consumers.html"}
"""Pages that are checked with header and navigation, which all pages have from one template, and in dark colours, too."""
PAGE = """
<style>* { transition: none !important }</style>
<script src="AXE"></script>
<script>
addEventListener("message", async ({data: width}) => {
  if (typeof width !== "number") return;
  while (innerWidth !== width) await new Promise(requestAnimationFrame);
  const found = await axe.run(WHERE, {resultTypes: ["violations"]});
  if (WHERE === document) {
    document.body.dataset.mdColorScheme = "slate";
    const dark = await axe.run(document, {resultTypes: ["violations"], runOnly: ["color-contrast"]});
    document.body.dataset.mdColorScheme = "default";
    found.violations.push(...dark.violations);
  }
  const near = n => n.any.concat(n.all, n.none).flatMap(c => c.relatedNodes).slice(0, 1).map(r => " and " + r.target);
  const rules = found.violations.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.target + near(n)).join(", "));
  const wide = document.documentElement.scrollWidth > width ? ["wider than the screen: " + document.documentElement.scrollWidth] : [];
  parent.postMessage({width, rules: rules.concat(wide)}, "*");
});
</script>
"""
FRAME = """<!doctype html><meta charset="utf-8"><body><script>
const pages = PAGES, widths = WIDTHS;
const post = (result) => fetch("ADDRESS", {method: "POST", mode: "no-cors", body: JSON.stringify(result)});
const answer = () => new Promise((resolve) =>
  addEventListener("message", function once({data}) { if (data.rules) { removeEventListener("message", once); resolve(data); } }));
(async () => {
  for (const page of pages) {
    const frame = document.createElement("iframe");
    frame.height = 900; frame.style.border = 0; frame.src = page; frame.width = widths[0];
    document.body.replaceChildren(frame);
    await new Promise((resolve) => { frame.onload = resolve; });
    for (const width of widths) {
      frame.width = width;
      frame.contentWindow.postMessage(width, "*");
      await post({page, ...await answer()});
    }
  }
})();
</script></body>"""


@pytest.fixture(scope="module")
def browser() -> str:
    """A Chromium or Chrome of this machine."""
    return chromium()


@pytest.fixture(scope="module")
def axe() -> str:
    """The address of the script, installed where ./run installs what it needs."""
    return (get_playwright() / "axe_playwright_python" / "axe.min.js").as_uri()


@pytest.fixture(scope="module")
def results() -> Iterator[tuple[str, Queue[Any]]]:
    """A place to which the browser sends what it found."""
    queue: Queue[Any] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            queue.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", queue
        server.shutdown()


def kinds(page: Path) -> set[tuple[str, ...]]:
    """The kinds of elements in the text of a page: their tags and classes."""
    _, _, text = page.read_text(encoding="utf-8").partition("<article")
    return set(re.findall(r'<(\w+)(?: class="([^"]*)")?', text.partition("</article>")[0]))


def pages(site: Path) -> list[str]:
    """Pages that together have every kind of element: the others are made of the same."""
    seen: set[tuple[str, ...]] = set()
    chosen = []
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site).as_posix()
        new = kinds(path) - seen
        if name in WHOLE or any(tag != "span" for tag, _ in new):
            chosen.append(name)
            seen |= new
    return chosen


def test_axe_finds_nothing(built_site: Path, browser: str, axe: str, results, tmp_path: Path) -> None:
    """One browser, in which each page is opened from its file, in a frame of each width."""
    address, queue = results
    site = tmp_path / "site"
    shutil.copytree(built_site, site)
    names = pages(site)
    for page in names:
        check = PAGE.replace("AXE", axe).replace("WHERE", "document" if page in WHOLE else "'.md-content'")
        text = (site / page).read_text(encoding="utf-8").replace("</body>", check + "</body>")
        (site / page).write_text(text, encoding="utf-8")
    frame = site / "frame.html"
    frame.write_text(
        FRAME.replace("PAGES", json.dumps(names)).replace("WIDTHS", json.dumps(WIDTHS)).replace("ADDRESS", address),
        encoding="utf-8",
    )
    options = (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--window-size=1400,1000",
        f"--user-data-dir={tmp_path / 'profile'}",
    )
    found = defaultdict(list)
    with subprocess.Popen(
        [browser, *options, frame.as_uri()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            for _ in range(len(names) * len(WIDTHS)):
                while True:
                    try:
                        result = queue.get(timeout=5)
                        break
                    except Empty:
                        assert process.poll() is None, "the browser ended"
                for rule in result["rules"]:
                    found[rule.partition(":")[0]].append(f"{result['page']} at {result['width']} px: {rule}")
        finally:
            process.terminate()
    assert not found, "\n".join(line for lines in found.values() for line in lines[:5])
