"""The policy: one YAML file with limits, calendar, consumers, and who is told."""

from __future__ import annotations

import os
import re
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import yaml
from msgspec import Meta, Struct, field

from .errors import Wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "SECRET_SETTINGS",
    "SETTINGS",
    "Alert",
    "Limit",
    "Limits",
    "Policy",
    "Report",
    "Rule",
    "RuleKind",
    "read_policy",
]

Percent = Annotated[float, Meta(ge=0, le=100)]
Text = Annotated[str, Meta(min_length=1)]
Ids = Annotated[list[str], Meta(min_length=1)]
RuleKind = Literal["normal", "additions_only", "blackout", "rollover"]
When = Literal["passed", "noted", "held", "unknown"]


class Limit(Struct, forbid_unknown_fields=True, frozen=True):
    """The limit of one school: an exception, with a reason and an end."""

    lost_percent: Percent
    reason: Text
    until: date


class Limits(Struct, forbid_unknown_fields=True, frozen=True):
    """How much may be lost."""

    lost_percent: Percent = 20
    schools: dict[str, Limit] = {}


class Rule(Struct, forbid_unknown_fields=True, frozen=True):
    """A rule of the calendar: inclusive days, for all or for what it names."""

    from_: date = field(name="from")
    to: date
    rule: RuleKind
    lost_percent: Percent | None = None
    schools: Ids | None = None
    roles: Ids | None = None
    terms: Ids | None = None
    files: Ids | None = None


class Report(Struct, forbid_unknown_fields=True, frozen=True):
    """Where the page is written; `url` is where others find it."""

    path: str = ""
    json: str = ""
    nights: Annotated[int, Meta(ge=1)] = 30
    url: str = ""


class Alert(Struct, forbid_unknown_fields=True, frozen=True):
    """Who is told. `url` and `to` may name a variable of the environment: $NAME."""

    kind: Literal["slack", "teams", "webhook", "mail"]
    url: Text
    when: tuple[When, ...] = ("held", "unknown")
    to: list[str] = []
    sender: str = "oneroster-audit@localhost"


class Policy(Struct, forbid_unknown_fields=True, frozen=True):
    """The whole file; its paths are relative to it."""

    warehouse: str = "warehouse.duckdb"
    schema: Text = "oneroster"
    store: str = "audit.duckdb"
    time_zone: str = "UTC"
    tenant: str = ""
    district: str = ""
    small: Annotated[int, Meta(ge=0)] = 20
    lookback_days: Annotated[int, Meta(ge=1)] = 7
    max_age_hours: Annotated[float, Meta(gt=0)] = 26
    max_source_age_days: Annotated[float, Meta(gt=0)] = 7
    limits: Limits = Limits()
    calendar: list[Rule] = []
    second: str = ""
    """The same night from another source: FILE or FILE:SCHEMA."""
    consumers: list[str] = []
    report: Report = Report()
    alert: list[Alert] = []
    digest: str = ""
    folder: str = "."

    @property
    def zone(self) -> ZoneInfo:
        """The district's zone: days of the calendar and of the page."""
        return ZoneInfo(self.time_zone)

    def path(self, name: str) -> Path:
        """Return a path of the policy, which is relative to its file."""
        return Path(self.folder) / name


OWN = {"digest", "folder"}
SETTINGS = {
    "policy": "The policy file. All other settings take precedence over it.",
    "warehouse": "The DuckDB file that target-oneroster-duckdb keeps with history.",
    "schema": "Schema of the tables in the warehouse.",
    "store": "The audit's own DuckDB file.",
    "tenant": "The district, if the warehouse holds several.",
    "report_path": "Where the page is written.",
    "alert_url": "Address of a channel, for a policy that names it as $ONEROSTER_AUDIT_ALERT_URL.",
}
"""Settings that a variable ONEROSTER_AUDIT_<NAME> sets; Meltano passes them so."""
SECRET_SETTINGS = frozenset({"alert_url"})


def read_policy(path: Path, environment: Mapping[str, str] = os.environ, *, alerts: bool = False) -> Policy:
    """Read a policy. Raise Wrong, naming file and line. `alerts`: the variables that alerts name must be set."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Wrong(f"{path.name}: no such file. Make one: oneroster-audit init") from None
    except (OSError, UnicodeDecodeError):
        raise Wrong(f"{path.name}: cannot be read") from None
    file = _File(path.name, text)
    policy = file.policy()
    for index, alert in enumerate(policy.alert if alerts else ()):
        for name in filter(None, map(_variable, (alert.url, *alert.to))):
            if not environment.get(name):
                raise file.fault(("alert", index, "url"), f"the variable {name} is not set")
    given: dict[str, Any] = {}
    for name in SETTINGS.keys() - {"policy", "alert_url"}:
        if value := environment.get(f"ONEROSTER_AUDIT_{name.upper()}"):
            given[name] = value
    if report := given.pop("report_path", ""):
        given["report"] = msgspec.structs.replace(policy.report, path=report)
    digest = sha256(text.encode()).hexdigest()[:12]
    return msgspec.structs.replace(policy, digest=digest, folder=str(path.parent), **given)


def _variable(text: str) -> str:
    return text[1:].strip("{}") if text.startswith("$") else ""


def resolved(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return a text of an alert, or the value of the variable that it names."""
    name = _variable(text)
    return environment[name] if name else text


class _File:
    """The YAML with the line of each key."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self.lines: dict[tuple[str | int, ...], int] = {(): 1}
        try:
            loader = yaml.SafeLoader(text)
            node = loader.get_single_node()
            for path, line in self._walk(node, ()):
                self.lines[path] = line
            self.content: Any = loader.construct_document(node) if node else {}
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise Wrong(f"{name}:{line}: not YAML ({error.problem})") from None
        except (yaml.YAMLError, ValueError):
            raise Wrong(f"{name}:1: not YAML") from None

    def _walk(self, node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], int]]:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*path, str(key.value))
                if inner in self.lines:
                    raise Wrong(f"{self._name}:{key.start_mark.line + 1}: {key.value} stands here twice")
                yield inner, key.start_mark.line + 1
                yield from self._walk(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                yield (*path, index), value.start_mark.line + 1
                yield from self._walk(value, (*path, index))

    def fault(self, path: tuple[str | int, ...], text: str) -> Wrong:
        """Return the error at a path, or at the nearest line above it."""
        while path not in self.lines:
            path = path[:-1]
        return Wrong(f"{self._name}:{self.lines[path]}: {text}")

    def policy(self) -> Policy:
        """Convert the content, and check what the types do not say."""
        if not isinstance(self.content, dict):
            raise self.fault((), "a policy is a list of keys and values")
        for name in OWN & set(self.content):
            raise self.fault((name,), f"no such key: {name}")
        try:
            policy = msgspec.convert(self.content, Policy, builtin_types=(date,))
        except msgspec.ValidationError as error:
            raise self._convert_fault(str(error)) from None
        for index, rule in enumerate(policy.calendar):
            if rule.to < rule.from_:
                raise self.fault(("calendar", index, "to"), "to is before from")
        if _no_zone(policy.time_zone):
            raise self.fault(("time_zone",), "no such time zone")
        return policy

    def _convert_fault(self, text: str) -> Wrong:
        what, _, where = text.partition(" - at `")
        path: list[str | int] = []
        for name, index in re.findall(r"\.([^.\[\]`]+)|\[([^\]]*)\]", where):
            path.append(name or (int(index) if index.isdigit() else index))
        unknown = re.search(r"unknown field `(.+)`", what)
        tail = (*(p for p in path if p not in ("...", "$")), *((unknown[1],) if unknown else ()))
        line = next((known for known in self.lines if _fits(known, path, unknown[1] if unknown else None)), tuple(tail))
        if unknown:
            return self.fault(line, f"no such key: {unknown[1]}")
        return self.fault(line, f"{'.'.join(map(str, tail)) or 'policy'}: {what[0].lower()}{what[1:]}".replace("`", ""))


def _fits(known: tuple[str | int, ...], path: list[str | int], last: str | None) -> bool:
    """True if a place in the file is the one that msgspec names; it writes `[...]` for a key of a mapping."""
    wanted = [*path, *([last] if last is not None else [])]
    return len(known) == len(wanted) and all(w in ("...", k) for k, w in zip(known, wanted, strict=True))


def _no_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return True
    return False
