"""`tap-oneroster | a loader`, as two processes, the way a shell or Meltano runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.project import plugins

ROOT = Path(__file__).parents[2]
TAP = Path(sys.executable).with_name("tap-oneroster")


def defaults(loader: str) -> dict[str, Any]:
    """The settings that meltano.yml gives a loader; the tables in docs/loaders.md are about these."""
    return {s["name"]: s["value"] for s in plugins("loaders")[loader]["settings"] if "value" in s}


def catalog(config: dict[str, Any], folder: Path, *streams: str) -> Path:
    """A catalog in which only these streams are selected."""
    from tap_oneroster import TapOneRoster

    entries = TapOneRoster(config=config).catalog_dict
    for stream in entries["streams"]:
        root = next(m["metadata"] for m in stream["metadata"] if not m["breadcrumb"])
        root["selected"] = stream["stream"] in streams
    path = folder / "catalog.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def pipe(
    tap: dict[str, Any],
    loader: Path,
    settings: dict[str, Any],
    folder: Path,
    *,
    state: Any = None,
    catalog: Path | None = None,
) -> Any:
    """Run both to their end, which has to be a good one; the state that the loader acknowledged last."""
    command: list[str | Path] = [TAP]
    for option, content in (("--config", tap), ("--state", state)):
        if content is not None:
            path = folder / f"tap{option}.json"
            path.write_text(json.dumps(content), encoding="utf-8")
            command += [option, path]
    if catalog:
        command += ["--catalog", catalog]
    config = folder / "loader.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    with (
        (folder / "tap.log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as source,
    ):
        sink = subprocess.run(
            [loader, "--config", config], stdin=source.stdout, capture_output=True, text=True, cwd=folder
        )
    assert source.returncode == 0, (folder / "tap.log").read_text()[-1000:]
    assert sink.returncode == 0, sink.stderr[-2000:]
    return json.loads(sink.stdout.splitlines()[-1])


def feed(messages: list[dict[str, Any]], loader: Path, settings: dict[str, Any], folder: Path) -> None:
    """Give a loader these messages."""
    config = folder / "loader.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    text = "".join(json.dumps(message) + "\n" for message in messages)
    sink = subprocess.run([loader, "--config", config], input=text, capture_output=True, text=True, cwd=folder)
    assert sink.returncode == 0, sink.stderr[-2000:]
