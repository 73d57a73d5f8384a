"""The site in a browser, opened as files: axe finds no violation at 400 and at 1280 px, and nothing is wider than the screen."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tools.site import providers

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("site"), pytest.mark.timeout(1800)]
ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
AXE = "axe-playwright-python==0.1.8"
"""A package that carries axe (MPL 2.0); of the rest of it, nothing is used."""
WIDTHS = (400, 1280)
WHOLE = {"index.html", "model/rostering.html", "operations/index.html"}
"""Pages that are checked with header and navigation, which all pages have from one template."""
PAGE = """
<script src="AXE"></script>
<script>
addEventListener("load", async () => {
  const found = await axe.run(WHERE, {resultTypes: ["violations"]});
  const rules = found.violations.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.target.join(" ") + n.any.concat(n.all, n.none).flatMap(c => c.relatedNodes).slice(0, 1).map(r => " and " + r.target)).join(", "));
  const wide = document.documentElement.scrollWidth > innerWidth + 1;
  parent.postMessage({rules: rules.concat(wide ? ["wider than the screen"] : [])}, "*");
});
</script>
"""
FRAME = """<!doctype html><meta charset="utf-8"><body><script>
const work = WORK;
const next = () => {
  const [page, width, scheme] = work[0] || [];
  document.body.replaceChildren();
  if (!page) return fetch("ADDRESS", {method: "POST", mode: "no-cors", body: "null"});
  const frame = document.createElement("iframe");
  frame.width = width; frame.height = 900; frame.src = page;
  document.body.append(frame);
};
addEventListener("message", async ({data}) => {
  if (!data.rules) return;
  const [page, width] = work.shift();
  await fetch("ADDRESS", {method: "POST", mode: "no-cors", body: JSON.stringify({page, width, rules: data.rules})});
  next();
});
next();
</script></body>"""


@pytest.fixture(scope="module")
def browser() -> str:
    """A Chromium or Chrome of this machine."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)}. (Debian: apt-get install chromium)")
    return found


@pytest.fixture(scope="module")
def axe() -> str:
    """The script, installed where ./run installs what it needs."""
    script = ROOT / ".uv" / AXE / "axe_playwright_python" / "axe.min.js"
    if not script.exists():
        install = ("pip", "install", "--quiet", "--no-deps", "--target", ROOT / ".uv" / AXE, AXE)
        done = subprocess.run([ROOT / "run", "exec", "uv", *install], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"axe could not be installed: {done.stderr[-300:]}")
    return script.as_uri()


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


def pages(site: Path) -> list[str]:
    """All pages; of those of vendors, which one template makes, the first three."""
    made = {providers.path(p).replace(".md", ".html") for p in providers.read()[3:]}
    return sorted({p.relative_to(site).as_posix() for p in site.rglob("*.html")} - made - {"404.html"})


def test_axe_finds_nothing(built_site: Path, browser: str, axe: str, results, tmp_path: Path) -> None:
    """One browser, in which each page is opened from its file, in a frame of each width."""
    address, queue = results
    site = tmp_path / "site"
    shutil.copytree(built_site, site)
    work = []
    for page in pages(site):
        check = PAGE.replace("AXE", axe).replace("WHERE", "document" if page in WHOLE else "'.md-content'")
        text = (site / page).read_text(encoding="utf-8").replace("</body>", check + "</body>")
        (site / page).write_text(text, encoding="utf-8")
        work += [(page, width) for width in WIDTHS]
    frame = site / "frame.html"
    frame.write_text(FRAME.replace("WORK", json.dumps(work)).replace("ADDRESS", address), encoding="utf-8")
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
            for _ in work:
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
