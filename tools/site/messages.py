"""The error messages of tap and target, extracted from their code, so that the page is always up to date."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tools.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

# Classes whose text is the last line of a run.
ERRORS = {
    "TargetError",
    "ClickException",
    "CollectionMoved",
    "FatalSourceError",
    "MissingKey",
    "NoToken",
    "RecordBeforeSchema",
    "SetupError",
    "SourceError",
    "StoreError",
}
ERRORS |= {"kind"}  # a variable that holds one of them
_GATHERED = {"errors", "faults"}
_ADVISES = re.compile(r"[;.:] ")
_IS_CODE = re.compile(r'["{}<>=|]|SELECT|ELSE|… rows')
CORE = ROOT / "oneroster-core/src/oneroster_core"
SOURCES = {
    "tap-oneroster": [ROOT / "tap-oneroster/src/tap_oneroster", CORE],
    "target-oneroster-csv": [ROOT / "target-oneroster-csv/src/target_oneroster"],
}


def text_of(node: ast.expr) -> str | None:
    """Return a text of the code, with … in place of names and numbers of a run; None if it is not a text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join((text_of(part) or "…") if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = text_of(node.left), text_of(node.right)
        return None if None in parts else "".join(filter(None, parts))
    return None


def _said(node: ast.AST) -> str | None:
    """Return the text of an error that is raised, collected (`errors.append`), or returned to be raised elsewhere."""
    if isinstance(node, ast.Return):
        text = text_of(node.value) if node.value else None
        return text if text and _ADVISES.search(text) and not _IS_CODE.search(text) else None
    if not isinstance(node, ast.Call) or not node.args:
        return None
    called = node.func
    if isinstance(called, ast.Name):
        return text_of(node.args[0]) if called.id in ERRORS else None
    if isinstance(called, ast.Attribute) and called.attr == "append" and isinstance(called.value, ast.Name):
        return text_of(node.args[0]) if called.value.id in _GATHERED else None
    return None


def _advised(module: ast.Module) -> Iterator[str]:
    """Yield the faults in a module's table `_ADVICE`, each with its advice."""
    named = {ast.unparse(n.targets[0]): n.value for n in module.body if isinstance(n, ast.Assign)}
    table = named.get("_ADVICE")
    if isinstance(table, ast.Dict):
        for fault, advice in zip(table.keys, table.values, strict=True):
            said = text_of(named.get(ast.unparse(fault), fault)) if fault else None
            yield f"{said}. {text_of(advice)}"


def messages(plugin: str) -> list[str]:
    """Return all messages of a plugin in alphabetical order."""
    found: set[str] = set()
    for path in sorted(path for folder in SOURCES[plugin] for path in folder.rglob("*.py")):
        if "_core" not in path.parts:
            module = ast.parse(path.read_text(encoding="utf-8"))
            said = [*map(_said, ast.walk(module)), *_advised(module)]
            found |= {" ".join(text.split()) for text in said if text and len(text.replace("…", "").split()) > 2}
    return sorted(found, key=lambda text: re.sub(r"\W", "", text).lower())


def table(plugin: str) -> str:
    """Return a table of messages and advice, split where the message itself splits them."""
    rows = ["| It says | and goes on |", "| --- | --- |"]
    for text in messages(plugin):
        said, advice = _parted(text)
        rows.append(f"| {_shown(said)} | {_shown(advice)} |")
    return "\n".join(rows) + "\n"


def _parted(text: str) -> tuple[str, str]:
    """Split a message from its advice, which follows a semicolon (the tap) or is a separate sentence (the target)."""
    for mark in ("; ", ". "):
        said, found, advice = text.partition(mark)
        if found:
            return said, advice.rstrip(".")
    return text.rstrip("."), ""


def _shown(text: str) -> str:
    """Escape a text for a cell, in which characters such as < and | have a meaning."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", r"\|").replace("*", r"\*").replace("_", r"\_")
