"""A folder with a fleet file, and a tap and a loader of the shell whose behaviour the file says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oneroster_fleet import __main__ as program

if TYPE_CHECKING:
    import pytest

FLEET = Path(sys.executable).with_name("oneroster-fleet")
HEAD = """\
version: 1
state: file://{folder}/states
defaults:
  time_zone: America/Chicago
  tap: {{name: tap-fake}}
  loader: {{name: target-fake, filepath: 'out/{{district}}'}}
providers:
  aeries: {{concurrent: 2, per_host: 1}}
districts:
"""
TEXT = {"type": ["string", "null"]}
NUMBER = {"type": ["integer", "null"]}
TAP_SETTINGS = {
    **dict.fromkeys(
        ("base_url", "token_url", "client_id", "mode", "csv_path", "tenant", "dump", "bookmark", "before"), TEXT
    ),
    "max_shrink_percent": NUMBER,
    "code": NUMBER,
    "sleep": TEXT,
    "records": NUMBER,
    "tenant_isolated": {"type": ["boolean", "null"]},
    "client_secret": {**TEXT, "secret": True},
}
TARGET_SETTINGS = {
    **dict.fromkeys(("filepath", "default_target_schema", "dump", "silent", "sleep"), TEXT),
    "code": NUMBER,
    "password": {**TEXT, "secret": True},
}
TAP = """\
[ -n "$TAP_FAKE_DUMP" ] && { env; echo "ARGS $*"; [ "$2" = --state ] && echo "STATE $(cat $3)"; } > "$TAP_FAKE_DUMP"
n=0; while [ $n -lt ${TAP_FAKE_RECORDS:-1} ]; do n=$((n+1)); echo "{\\"type\\":\\"RECORD\\",\\"n\\":$n}"; done
[ -n "$TAP_FAKE_SLEEP" ] && read -rt $TAP_FAKE_SLEEP <> <(:)
echo "{\\"bookmarks\\":{\\"users\\":{\\"at\\":\\"${TAP_FAKE_BOOKMARK:-1}\\"}}}"
echo "the tap's last line" >&2
exit ${TAP_FAKE_CODE:-0}
"""
TARGET = """\
[ -n "$TARGET_FAKE_DUMP" ] && env > "$TARGET_FAKE_DUMP"
mkdir -p "$(dirname "$TARGET_FAKE_FILEPATH")"; state=; : > "$TARGET_FAKE_FILEPATH.new"
while read -r line; do case $line in *bookmarks*) state=$line;; *) echo "$line" >> "$TARGET_FAKE_FILEPATH.new";; esac; done
[ -n "$TARGET_FAKE_SLEEP" ] && read -rt $TARGET_FAKE_SLEEP <> <(:)
if [ -n "$state" ] && [ -z "$TARGET_FAKE_SILENT" ]; then mv "$TARGET_FAKE_FILEPATH.new" "$TARGET_FAKE_FILEPATH"; echo "$state"; fi
echo "the target's last line" >&2
exit ${TARGET_FAKE_CODE:-0}
"""


def fake_plugins(folder: Path) -> str:
    """Write a tap and a loader of the shell, which do what their settings say; return a PATH with them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, settings, body in (("tap-fake", TAP_SETTINGS, TAP), ("target-fake", TARGET_SETTINGS, TARGET)):
        about = json.dumps({"version": "1", "settings": {"properties": settings}})
        script = f"#!/bin/bash\nif [ \"$1\" = --about ]; then echo '{about}'; exit; fi\n{body}"
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


class Desk:
    """A working folder in which commands run."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._patch, self._capsys = folder, monkeypatch, capsys
        self.set("PATH", fake_plugins(folder / "bin"))
        self.set("XDG_CACHE_HOME", str(folder / "cache"))
        monkeypatch.delenv("ONEROSTER_FLEET_FILE", raising=False)
        monkeypatch.chdir(folder)

    def set(self, name: str, value: str) -> None:
        """Set a variable."""
        self._patch.setenv(name, value)

    def file(self, districts: str, head: str = HEAD) -> Path:
        """Write fleet.yml: the usual head, and these districts."""
        path = self.folder / "fleet.yml"
        path.write_text(head.format(folder=self.folder) + districts, encoding="utf-8")
        return path

    def __call__(self, *arguments: str) -> tuple[int, list[str], str]:
        """Run a command in this process: code, lines of its output, its stderr."""
        from oneroster_fleet import plugins

        plugins.find.cache_clear()
        plugins.about.cache_clear()
        self._capsys.readouterr()
        code = program.command(arguments)
        out, err = self._capsys.readouterr()
        return code, out.splitlines(), err

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run `oneroster-fleet run` as a process."""
        return subprocess.run([FLEET, "run", *arguments], cwd=self.folder, capture_output=True, text=True, **options)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `oneroster-fleet run`."""
        return subprocess.Popen(
            [FLEET, "run", *arguments], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def record(self, district: str, name: str = "last.json") -> dict[str, Any]:
        """A record of a district."""
        found: dict[str, Any] = json.loads((self.folder / "states/.fleet" / district / name).read_text())
        return found

    def put(self, district: str, name: str = "last.json", /, **content: Any) -> None:
        """Write a record of a district, as a run would."""
        path = self.folder / "states/.fleet" / district / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))

    def state(self, district: str) -> dict[str, Any]:
        """The stored state document of a district."""
        found: dict[str, Any] = json.loads((self.folder / "states" / district / "state.json").read_text())
        return found


def alive(word: str) -> list[int]:
    """The ids of processes whose environment or command line holds a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            text = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
            is_dead = (path / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
        except OSError:
            continue
        if word.encode() in text and int(path.name) != os.getpid() and not is_dead:
            found.append(int(path.name))
    return found


def until(is_so: Any, seconds: float = 60) -> Any:
    """Wait until something is so; return it."""
    end = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < end, "not so after a minute"
        time.sleep(0.02)
    return found


def most_at_once(rows: list[dict[str, Any]], key: Any) -> int:
    """The most runs that were between their first and their last request at the same time, of one key.

    Rows are those of the services' log. A run begins with its district's first request, and with each request for a token.
    """
    spans: dict[tuple[str, int], tuple[float, float, Any]] = {}
    tokens: dict[str, int] = {}
    for row in sorted(rows, key=lambda row: row["began"]):
        its = row["district"]
        tokens[its] = tokens.get(its, 0) + row["path"].endswith("/token")
        began, _, of = spans.get((its, tokens[its]), (row["began"], 0, key(row)))
        spans[its, tokens[its]] = began, row["ended"], of
    events = sorted((at, step, of) for began, ended, of in spans.values() for at, step in ((began, 1), (ended, -1)))
    now: dict[Any, int] = {}
    most = 0
    for _, step, of in events:
        now[of] = now.get(of, 0) + step
        most = max(most, now[of])
    return most
