"""A district as the fleet knows it, after defaults and provider are applied; and the fleet that it is in."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct, field

from .clock import Window, duration, last_time, zone

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

TAP = "tap-oneroster"


class Fault(Struct, frozen=True):
    """A mistake in the fleet file: where it is, whose it is, the rule, and what to do. It never holds a value."""

    file: str
    line: int
    district: str
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.district or 'fleet'}: {self.rule}: {self.text}"


class Hold(Struct, frozen=True, omit_defaults=True):
    """Runs do not start while a hold is in force; `until` is the first free day on the district's calendar."""

    why: str
    until: date | None = None
    who: str = ""
    when: str = ""

    def is_in_force(self, at: datetime, its_zone: ZoneInfo) -> bool:
        """True if a run at that time would be held back."""
        return self.until is None or at.astimezone(its_zone).date() < self.until


class Provider(Struct, frozen=True):
    """The limits of a vendor's machines, in runs at the same time."""

    concurrent: int
    per_host: int | None = None


class Board(Struct, frozen=True, omit_defaults=True):
    """What the board does beside its page: `digest_at` is a time of day in `time_zone`."""

    digest_at: str = ""
    time_zone: str = "UTC"


class District(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One district. Texts are those of the file; the properties say what they mean."""

    id: str
    name: str = ""
    provider: str = ""
    agency: str = ""
    schedule: str = "15 3 * * *"
    time_zone: str = "UTC"
    window: str | None = None
    blackout: list[str] = field(default_factory=list)
    fresh_within: str = "26h"
    grace: str = "1h"
    retries: int = 3
    retry_delay: str = "10m"
    timeout: str = "2h"
    tap: dict[str, Any] = field(default_factory=dict)
    loader: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    select: list[str] = field(default_factory=list)
    pass_to_loader: list[str] = field(default_factory=list)
    hold: Hold | None = None
    secrets_expire: date | None = None
    audit: str = ""
    faults: list[str] = field(default_factory=list)
    """Lines of the faults that were found when a generated file was made; a run of such a district ends with 4."""

    @property
    def zone(self) -> ZoneInfo:
        """Its time zone."""
        return zone(self.time_zone)

    @property
    def tap_command(self) -> str:
        """The command that reads it."""
        return str(self.tap.get("name", TAP))

    @property
    def loader_command(self) -> str:
        """The command that loads it."""
        return str(self.loader["name"])

    @property
    def host(self) -> str:
        """The host and port that its runs ask; empty if it reads files of this machine."""
        parts = urlsplit(str(self.tap.get("base_url") or ""))
        if not parts.hostname:
            parts = urlsplit(str(self.tap.get("csv_path") or ""))
        return parts.netloc.rpartition("@")[2].lower()

    def is_open(self, at: datetime) -> bool:
        """True if a run may start then: inside the window, and outside all blackouts."""
        its_zone = self.zone
        inside = self.window is None or Window.parse(self.window).holds(at, its_zone)
        return inside and not any(Window.parse(text).holds(at, its_zone) for text in self.blackout)

    def last_due(self, at: datetime) -> datetime | None:
        """The newest time of its schedule that is not after `at`."""
        return last_time(self.schedule, at, self.zone)

    def length(self, name: str) -> timedelta:
        """The length of one of its durations, by name."""
        return duration(getattr(self, name))


class Fleet(Struct, frozen=True):
    """A fleet file, read whole. `districts` are those that can run; `faults` are all mistakes in it."""

    file: str
    folder: Path
    """Paths in the file are relative to this folder."""
    state: str
    log_dir: Path
    board: Board
    providers: dict[str, Provider]
    districts: dict[str, District]
    faults: list[Fault]
    warnings: list[Fault]
    faults_of: dict[str, list[Fault]]
    """The faults of each district that has some, by its id; those of its provider are among them."""
    whole: list[Fault]
    """The faults that concern all districts: with one of these nothing runs."""
