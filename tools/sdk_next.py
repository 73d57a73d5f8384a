"""Run tests with the next singer-sdk, pre-releases among them, in an environment of their own (.uv/sdk-next).

    ./run test-sdk-next [ARGS]    ARGS go to pytest; without any, the tests of the tap and of the targets

Needs `uv` on the path, and its settings in the environment, as `run` provides both.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".uv" / "sdk-next"
PYTHON = HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
NEXT = "singer-sdk>=0.55.0b0,<0.56"
PACKAGES = ("oneroster-core", "tap-oneroster", "target-oneroster-csv", "oneroster-sample")
TESTS = ("tests/tap", "tests/rest", "tests/csv", "tests/target", "tests/warehouse")


def uv(*arguments: str) -> None:
    """Run uv, and end where it fails."""
    done = subprocess.run(["uv", *arguments], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def install() -> None:
    """Make the environment anew: the locked packages, this project's own, and the next SDK in place of the locked one."""
    uv("venv", "--quiet", "--clear", "--python", sys.executable, str(HOME))
    pip = ("pip", "install", "--quiet", "--python", str(PYTHON))
    uv(*pip, "--require-hashes", "-r", "requirements.lock")
    uv(*pip, "--no-deps", "--no-build-isolation", *(word for name in PACKAGES for word in ("-e", name)))
    uv(*pip, "--prerelease", "allow", NEXT)


def main() -> None:
    """Install, then test."""
    install()
    command = [str(PYTHON), "-m", "pytest", *(sys.argv[1:] or ["-n", "auto", *TESTS])]
    sys.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
