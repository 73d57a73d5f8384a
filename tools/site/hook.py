"""The hook that mkdocs calls: adds pages of vendors, generates lines from code, and rewrites links that leave docs/.

In a page, a line ``<!-- made: receipts -->`` or ``<!-- made: settings of tap-oneroster -->`` is replaced by the result
of the function in `MADE`; an unknown mark fails the build.
"""

from __future__ import annotations

import posixpath
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # mkdocs loads this file by its path
    sys.path.insert(0, str(ROOT))

from mkdocs.exceptions import PluginError  # noqa: E402
from mkdocs.structure.files import File, Files  # noqa: E402

from tools.derived import addresses, tables  # noqa: E402
from tools.site import diagram, messages, model, providers, twin  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

MADE: dict[str, Callable[[str], str]] = {
    "settings": tables.settings_table,
    "streams": tables.streams_table,
    "providers": providers.overview,
    "diagram": diagram.of_service,
    "tables": model.tables_of,
    "receipts": model.receipts_table,
    "personal columns": model.personal_table,
    "loader facts": model.loader_facts,
    "loader settings": model.loader_settings,
    "messages": messages.table,
    "policy": twin.policy_text,
    "elements": twin.element_list,
}
MARK = re.compile(r"^<!-- made: (?P<what>[a-z ]+?)(?: of (?P<argument>[a-z-]+))? -->$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)\s:]*?)(?P<anchor>#[^)\s]*)?\)")
# Pages of the site with the content of README.md.
INSTEAD = {
    "README.md": "start.md",
    "README.md#what-arrives": "model/index.md",
    "README.md#settings": "settings.md",
    "README.md#reading-a-failure": "operations/failures.md",
    "tap-oneroster/README.md": "settings.md",
    "target-oneroster-csv/README.md": "settings.md",
    "tap-oneroster/README.md#vendors": "providers/index.md",
}


def on_config(config: MkDocsConfig) -> None:
    """Add the pages of vendors to the navigation; version and repository to the footer.

    The theme's own link to a repository would ask its host for numbers each time a page is opened.
    """
    address = addresses.repository()
    config.copyright = f'Version {version("tap-oneroster")} · <a href="{address}">{address.partition("://")[2]}</a>'
    for entry in config.nav or []:
        if "Providers" in entry:
            entry["Providers"] += [{p["title"]: providers.path(p)} for p in providers.read()]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of vendors."""
    for provider in providers.read():
        files.append(File.generated(config, providers.path(provider), content=providers.page(provider)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Insert generated lines, and redirect links that leave docs/ to pages of the site."""
    return turned(filled(markdown, page.file.src_uri), page.file.src_uri)


def on_page_content(html: str, **_: Any) -> str:
    """Return a page whose tables have no empty headings: the corner above the first column is a cell."""
    return html.replace("<th></th>", "<td></td>")


def filled(markdown: str, place: str) -> str:
    """Return a page with its generated lines."""

    def make(mark: re.Match[str]) -> str:
        if mark["what"] not in MADE:
            raise PluginError(f"{place}: nothing makes {mark['what']!r}")
        return MADE[mark["what"]](mark["argument"] or "")

    return MARK.sub(make, markdown)


def turned(markdown: str, place: str) -> str:
    """Return a page whose links to files outside docs/ lead to the site's own page, or are plain text."""

    def turn(link: re.Match[str]) -> str:
        inside = posixpath.normpath(posixpath.join("docs", posixpath.dirname(place), link["target"] or "."))
        if not link["target"] or inside.startswith("docs/"):
            return link[0]
        where = INSTEAD.get(inside + (link["anchor"] or "")) or INSTEAD.get(inside)
        if where is None:
            return f"{link['text']} (`{inside}`)" if inside not in link["text"] else link["text"]
        return f"[{link['text']}]({posixpath.relpath(where, posixpath.dirname(place) or '.')})"

    return LINK.sub(turn, markdown)
