"""The address of the repository, and what follows from it: links, and what pip installs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from tools.project import ROOT

MEMBERS = {"target-oneroster-duckdb": "target-oneroster-csv"}
EXTRAS = {"oneroster-marts": "[duckdb,postgres,snowflake,mcp]"}
LOCK_OF = {"oneroster-marts": "oneroster-marts/requirements.lock"}


def repository() -> str:
    """Return the address of the repository from the root's pyproject.toml."""
    url: str = workspace()["repository"]
    return url


def workspace() -> dict[str, Any]:
    """Return the repository's section of the root's pyproject.toml."""
    says: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["oneroster"]
    return says


def move_repository(url: str) -> None:
    """Write the address of the repository to the place from which all derived files take it; pip installs from it then."""
    if "://" not in url:
        url = Path(url).resolve(strict=True).as_uri()
    path = ROOT / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    text = text.replace(f'repository = "{repository()}"', f'repository = "{url.rstrip("/")}"')
    text = text.replace('install_from = "checkout"', 'install_from = "repository"')
    path.write_text(text, encoding="utf-8", newline="\n")


def pip_url(member: str) -> str:
    """Return what pip installs a package from, in a project beside a checkout with the name that the README gives it."""
    extras, lock = EXTRAS.get(member, ""), LOCK_OF.get(member, "requirements.lock")
    places = {
        "checkout": f"-e ../oneroster/{member}{extras} --constraint ../oneroster/{lock}",
        "repository": f"{member}{extras} @ git+{repository()}#subdirectory={member}"
        if extras
        else f"git+{repository()}#subdirectory={member}",
        "index": f"{member}{extras}",
    }
    return places[workspace()["install_from"]]


def urls() -> dict[str, str]:
    """Return the addresses that the index page of a package links to."""
    url = repository()
    return {
        "Homepage": url,
        "Documentation": f"{url}/tree/main/docs",
        "Repository": url,
        "Issues": f"{url}/issues",
        "Changelog": f"{url}/blob/main/CHANGELOG.md",
    }


def project_urls(_: str) -> str:
    """Return the links beside the text of a package's index page."""
    return "".join(f'{name} = "{link}"\n' for name, link in urls().items())


def links(_: str) -> str:
    """Return the links in that text, which must be absolute there."""
    return " · ".join(f"[{name}]({link})" for name, link in urls().items() if name != "Homepage") + "\n"
