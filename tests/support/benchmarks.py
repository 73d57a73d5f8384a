"""What the benchmarks can do, without running them."""

from __future__ import annotations

import io
import re
import sys
from contextlib import redirect_stdout, suppress
from importlib import import_module
from unittest.mock import patch


def options_of(module: str) -> set[str]:
    """Return the options that a benchmark's help names. Raise ImportError if there is no such module."""
    text = io.StringIO()
    with patch.object(sys, "argv", [module, "--help"]), redirect_stdout(text), suppress(SystemExit):
        import_module(module).main()
    return set(re.findall(r"--[\w-]+", text.getvalue()))
