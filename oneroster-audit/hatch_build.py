"""Build hook: the shared core must be inside the package."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CorePresent(BuildHookInterface):
    """Refuses to build a plugin without its core.

    `_core` is a symbolic link in the repository. A checkout or an archive that does not keep links
    leaves a small text file in its place, and a wheel made from that would install and then not run.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Look before anything is built, wheel, sdist or editable alike."""
        for package in Path(self.root, "src").iterdir():
            if package.is_dir() and not (package / "_core" / "__init__.py").is_file():
                message = (
                    f"{package.name}/_core is not a folder: the symbolic link to the core did not survive. "
                    "Clone with `git -c core.symlinks=true clone ...` (Windows: turn on developer mode first), "
                    "or install the published wheel."
                )
                raise RuntimeError(message)
