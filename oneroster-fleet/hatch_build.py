"""Build hook: the shared core and the figures must be inside the package."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CorePresent(BuildHookInterface):
    """Refuses to build the package without its core and figures.

    Both are symbolic links in the repository. A checkout or an archive that does not keep links
    leaves small text files in their place, and a wheel made from that would install and then not run.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Look before anything is built, wheel, sdist or editable alike."""
        for name in ("_core", "_figures"):
            if not Path(self.root, "src", "oneroster_fleet", name, "__init__.py").is_file():
                message = (
                    f"oneroster_fleet/{name} is not a folder: the symbolic link did not survive. "
                    "Clone with `git -c core.symlinks=true clone ...` (Windows: turn on developer mode first), "
                    "or install the published wheel."
                )
                raise RuntimeError(message)
