"""The policy: one YAML file with limits, calendar, consumers, and who is told."""

from __future__ import annotations

import os
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct, field

from ._core.lined_file import LinedFile
from .consumers.profiles import read_profiles
from .errors import Wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    file = _PolicyFile(path.name, text, Wrong)
    policy = file.policy()
    read_profiles(policy.consumers, path.parent, lambda index, what: file.fault(("consumers", index), what))
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


class _PolicyFile(LinedFile):
    """The policy with the line of each key."""

    def policy(self) -> Policy:
        """Convert the content, and check what the types do not say."""
        if not isinstance(self.content, dict):
            raise self.fault((), "a policy is a list of keys and values")
        for name in OWN & set(self.content):
            raise self.fault((name,), f"no such key: {name}")
        policy = self.convert(Policy)
        for index, rule in enumerate(policy.calendar):
            if rule.to < rule.from_:
                raise self.fault(("calendar", index, "to"), "to is before from")
        if _no_zone(policy.time_zone):
            raise self.fault(("time_zone",), "no such time zone")
        return policy


def _no_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return True
    return False
