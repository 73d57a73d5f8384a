"""`tap-oneroster-probe`: what a service grants and how it behaves, from its credential sheet alone.

It reads a page or two of each collection and prints numbers and words of the standard only, so
that its report can go to the vendor; at the end stand the settings to use, secrets left out.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from singer_sdk.exceptions import ConfigValidationError

from .._core.http.pace import http_date
from .._core.http.presets import GENERIC, filled_in
from .._core.model import FILES, File, Version
from .._core.shell import COMPLETE, FAILURES, command_line, config_files, exit_code, refusing, run
from ..source import SourceError
from .paging.order import looks_sorted
from .paging.pages import NOTHING
from .records.decode import read_total
from .records.lenient import decode_leniently
from .source import RestSource

_STYLES = ("basic", "body", "query")
_FAR = 10_000_000
_LEGEND = """\
What the words mean:
  rows, total    records on the first page; what the service says there are in all
  wrapper        name of the list in the answer
  far page       a page far beyond the last one: it should be empty, or the end of a collection cannot be told
  unknown id     answer to an id that nobody has: it should be status 404
  filter, sort   a filter that nothing matches, and an order by sourcedId: "IGNORED" if the answer is as without it"""


@dataclass(slots=True)
class ProbeResult:
    """Results for one collection."""

    name: str
    status: int
    rows: int = 0
    total: str = "none"
    wrapper: str = ""
    far: str = ""
    unknown_id: int = 0
    filter: str = ""
    sort: str = ""
    skew_seconds: float | None = None

    def __str__(self) -> str:
        if self.status != 200:
            return f"{self.name:<22} status {self.status}"
        return (
            f"{self.name:<22} {self.rows:>6} rows, total {self.total:>8}, wrapper {self.wrapper}, far page {self.far},"
            f" unknown id status {self.unknown_id}, filter {self.filter}, sort {self.sort}"
        )


@dataclass(slots=True)
class _Asker:
    """Requests one collection in several ways."""

    source: RestSource
    file: File
    page_size: int

    def _get(self, path: str = "", **query: str) -> tuple[int, Mapping[str, str], str, list[Any]]:
        collection = self.file.collection
        if collection is None:
            raise ValueError(self.file.name)
        reply = self.source.ask(self.file.service, collection.path + path, query, self.file.name)
        try:
            answer = decode_leniently(reply.body)
        except ValueError:
            answer = None
        lists = {k: v for k, v in answer.items() if isinstance(v, list)} if isinstance(answer, dict) else {}
        wrapper = collection.wrapper if collection.wrapper in lists else next(iter(lists), "")
        return 200 if reply.ok else reply.status, reply.headers, wrapper, lists.get(wrapper, [])

    def ask(self) -> ProbeResult:
        """Return all facts that a few requests can find out."""
        limit = str(self.page_size)
        status, headers, wrapper, rows = self._get(limit=limit, offset="0")
        stated = headers.get("X-Total-Count")
        total = read_total(stated, Counter())
        said = "none" if stated is None else "unusable" if total is None else str(total)
        found = ProbeResult(self.file.name, status, len(rows), said, wrapper)
        if date := http_date(headers.get("Date", "")):
            found.skew_seconds = (date - datetime.now(UTC)).total_seconds()
        if status != 200:
            return found
        status, _, _, far = self._get(limit=limit, offset=str(_FAR))
        found.far = f"status {status}" if status != 200 else ("empty" if not far else "NOT EMPTY, offset ignored?")
        found.unknown_id = self._get("/no-such-id")[0]
        status, _, _, kept = self._get(limit=limit, offset="0", filter=NOTHING)
        found.filter = f"status {status}" if status != 200 else ("works" if not kept else "IGNORED")
        status, _, _, ordered = self._get(limit=limit, offset="0", sort="sourcedId", orderBy="asc")
        ids = [str(one.get("sourcedId", "")) for one in ordered if isinstance(one, dict)]
        found.sort = f"status {status}" if status != 200 else ("works" if looks_sorted(ids) else "IGNORED")
        return found


def probe(config: Mapping[str, Any], *, demographics: bool = False) -> Generator[str, None, int]:
    """Yield the lines of the report for the tap's settings with their defaults; return the exit code.

    Demographics are read only if they are asked for: they are off by default in the tap, too.
    """
    config = filled_in(config)
    files = [f for f in FILES if f.collection and (demographics or f.name != "demographics")]
    streams = frozenset(f.name for f in files)
    styles = dict.fromkeys((config["token_auth_style"], *_STYLES)) if config["auth_method"] == "oauth2" else ["basic"]
    problems: list[str] = []
    codes: list[int] = []
    for style in styles:
        settings = {**config, "token_auth_style": style}
        source = RestSource.from_config(settings, streams=streams, user_agent="tap-oneroster-probe")
        try:
            version = source.version
            findings = [_Asker(source, f, config["page_size"]).ask() for f in files if f.exists_in(version)]
        except SourceError as error:
            problems.append(f"token style {style}: {error}")
            codes.append(error.exit_code)
            continue
        finally:
            source.close()
        yield from problems
        yield f"OneRoster {version.value}, token style {style}"
        yield from map(str, findings)
        yield _LEGEND
        if not demographics:
            yield "demographics: not read (option --demographics)"
        yield from _conclusions(settings, version, findings)
        return COMPLETE
    yield from problems
    yield "no way in was found"
    return exit_code(codes)


def _conclusions(settings: Mapping[str, Any], version: Version, findings: list[ProbeResult]) -> Iterator[str]:
    answered = [finding for finding in findings if finding.status == 200]
    skews = [finding.skew_seconds for finding in answered if finding.skew_seconds is not None]
    if skews:
        yield f"clock: {max(skews, key=abs):+.0f} s against ours"
    refused = [finding.name for finding in findings if finding.status == 403]
    if refused:
        yield f"not granted (ask the vendor for their scopes): {', '.join(refused)}"
    lacking = [finding.name for finding in findings if finding.status == 404]
    if lacking:
        yield f"not offered: {', '.join(lacking)}"
    clamps = {f.rows for f in answered if f.total.isdigit() and f.rows < min(int(f.total), settings["page_size"])}
    if clamps:
        yield f"pages are capped at {max(clamps)} rows, though {settings['page_size']} were asked for"
    yield "settings to use (meltano.yml, secrets left out):"
    advised = {
        "mode": "rest",
        "oneroster_version": version.value,
        "provider": settings.get("provider", GENERIC.name),
        "base_url": settings["base_url"],
        "auth_method": settings["auth_method"],
    }
    if settings["auth_method"] == "oauth2":
        advised |= {"token_url": settings["token_url"], "token_auth_style": settings["token_auth_style"]}
    advised["page_size"] = max(clamps) if clamps else settings["page_size"]
    for setting, value in (("supports_filter", "filter"), ("supports_sort", "sort")):
        if answered and all(getattr(finding, value) != "works" for finding in answered if finding.rows):
            advised[setting] = "false"
    for name, value in advised.items():
        yield f"  {name}: {json.dumps(value)}"


def _given(path: str) -> dict[str, Any] | None:
    """Return the settings of a file; None for ``ENV``, which stands for the environment."""
    if path == "ENV":
        return None
    given: Any = json.loads(Path(path).read_text(encoding="utf-8"))
    return {"mode": "rest", **given}


def _settings(given: dict[str, Any] | None) -> Mapping[str, Any]:
    """Return the settings after the tap's own checks."""
    from ..singer.tap import TapOneRoster

    return TapOneRoster(config=given or {"mode": "rest"}, parse_env_config=given is None, setup_mapper=False).config


def main() -> None:
    """Probe the service that the tap's settings describe, and print the results."""
    parser = command_line(prog="tap-oneroster-probe", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--config", required=True, help="file with the tap's settings, or ENV for the environment")
    parser.add_argument("--demographics", action="store_true", help="read demographics, too, which are off by default")
    options = parser.parse_args()
    run(lambda **_: _report(options.config, demographics=options.demographics))


def _report(path: str, *, demographics: bool) -> int:
    """Print the report, and return the exit code."""
    with config_files():
        given = _given(path)
    with refusing(ConfigValidationError):
        config = _settings(given)
    lines = probe(config, demographics=demographics)
    try:
        while True:
            sys.stdout.write(next(lines) + "\n")
    except StopIteration as end:
        return int(end.value)
    except SourceError as error:
        raise FAILURES[error.exit_code](str(error)) from None


if __name__ == "__main__":
    main()
