"""What tap and target say when they fail, read out of their code: the page cannot part from it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tools.derive import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ERRORS", "SOURCES", "messages", "table", "text_of"]

# Classes whose text is the line that a run ends with.
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
    """A text of the code, with … where a run puts a name or a number."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join((text_of(part) or "…") if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = text_of(node.left), text_of(node.right)
        return None if None in parts else "".join(filter(None, parts))
    return None


def _said(node: ast.AST) -> str | None:
    """The text of an error that is raised, gathered (`errors.append`), or returned to be raised elsewhere."""
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
    """Faults that a module names at its top, with the advice that its table `_ADVICE` has for each."""
    named = {ast.unparse(n.targets[0]): n.value for n in module.body if isinstance(n, ast.Assign)}
    table = named.get("_ADVICE")
    if isinstance(table, ast.Dict):
        for fault, advice in zip(table.keys, table.values, strict=True):
            said = text_of(named.get(ast.unparse(fault), fault)) if fault else None
            yield f"{said}. {text_of(advice)}"


def messages(plugin: str) -> list[str]:
    """All messages of a plugin, in the order of the alphabet."""
    found: set[str] = set()
    for path in sorted(path for folder in SOURCES[plugin] for path in folder.rglob("*.py")):
        if "_core" not in path.parts:
            module = ast.parse(path.read_text(encoding="utf-8"))
            said = [*map(_said, ast.walk(module)), *_advised(module)]
            found |= {" ".join(text.split()) for text in said if text and len(text.replace("…", "").split()) > 2}
    return sorted(found, key=lambda text: re.sub(r"\W", "", text).lower())


def table(plugin: str) -> str:
    """What it says and what to do, parted where the message itself parts them."""
    rows = ["| It says | and goes on |", "| --- | --- |"]
    for text in messages(plugin):
        said, advice = _parted(text)
        rows.append(f"| {_shown(said)} | {_shown(advice)} |")
    return "\n".join(rows) + "\n"


def _parted(text: str) -> tuple[str, str]:
    """Messages end with what to do, after a semicolon (the tap) or in a sentence of its own (the target)."""
    for mark in ("; ", ". "):
        said, found, advice = text.partition(mark)
        if found:
            return said, advice.rstrip(".")
    return text.rstrip("."), ""


def _shown(text: str) -> str:
    """Text for a cell; < and | would be read as something else."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", r"\|").replace("*", r"\*").replace("_", r"\_")
