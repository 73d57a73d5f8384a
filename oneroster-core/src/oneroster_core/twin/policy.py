"""The policy of one consumer: what may leave, how it is replaced, whom it is about, and until when."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from ..model import _vocabularies as vocabularies
from . import words
from .lined import Faults, Item, Keys, PolicyError, near, read_yaml

MODES = ("keyed", "crosswalk", "clear")
GUARDIANS = frozenset({"guardian", "parent", "relative"})
"""Roles of people who are in scope only as agents of a student who is."""
NAME_LISTS = (1,)
"""Numbers of the lists of names."""
_ROLES = {*vocabularies.USER_ROLES_1_1.words, *vocabularies.ROLES_1_2.words}
_CONSUMER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_CHECK = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True)
class Agreement:
    """The agreement with the consumer."""

    name: str = ""
    signed: date | None = None
    ends: date | None = None
    contact: str = ""


@dataclass(frozen=True)
class Scope:
    """Whom the twin is about; None means no limit."""

    schools: tuple[str, ...] | None = None
    grades: tuple[str, ...] | None = None
    users: tuple[str, ...] | None = None
    sessions: tuple[str, ...] | None = None
    current: bool = False


@dataclass(frozen=True)
class Treatment:
    """What happens to a field: a word of `words.MEANINGS`, with the keys of metadata."""

    word: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """A checked policy; `elements` holds every field that leaves, with its treatment, by stream."""

    name: str
    consumer: str
    mode: str = "keyed"
    epoch: int = 1
    key_check: str = ""
    agreement: Agreement | None = None
    scope: Scope | None = None
    elements: dict[str, dict[str, Treatment]] = field(default_factory=dict)
    email_domain: str = "twin.invalid"
    names: int = 1
    min_cell: int = 0
    crosswalk: str = ""
    sort: bool = False
    """True if rows leave in the order of their pseudonyms, whatever the loader."""
    lines: dict[str, int] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Checksum of what the policy does; comments, the agreement and the order of its lines do not change it."""
        what = asdict(self)
        for name in ("name", "agreement", "min_cell", "crosswalk", "sort", "lines", "key_check"):
            del what[name]
        return _digest(what)

    @property
    def scope_digest(self) -> str:
        """Checksum of the scope alone; empty without one."""
        return _digest(asdict(self.scope)) if self.scope else ""

    def fault(self, key: str, text: str) -> PolicyError:
        """Return the error at the line of a key."""
        return PolicyError([f"{self.name}:{self.lines.get(key, 1)}: {text}"])


def _digest(what: Any) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def read_policy(text: str, name: str, today: date) -> Policy:
    """Return the policy of a file; raise PolicyError with all its faults."""
    faults = Faults(name)
    return _Reader(read_yaml(text, faults), faults, today).policy()


class _Reader(Keys):
    """Reads the keys of a policy one by one, and notes what is wrong with each."""

    def __init__(self, top: Mapping[str, Item], faults: Faults, today: date) -> None:
        super().__init__(top, faults)
        self._today = today
        self._mode = ""

    def policy(self) -> Policy:
        known = ("version", "consumer", *_OPTIONAL)
        self._unknown(self._top, known)
        if (version := self._text("version")) != "1":
            self._fault("version", "version must be 1" if version is not None else "version: 1 must be set")
        consumer = self._matching("consumer", _CONSUMER, "letters, digits, dots, hyphens; at most 64 of them")
        if "consumer" not in self._top:
            self._fault("consumer", "consumer must be set: it is part of the key")
        self._mode = mode = self._word("mode", MODES, "keyed")
        epoch = self._number("epoch", 1)
        check = self._matching("key_check", _CHECK, "8 hexadecimal digits, which oneroster-twin key shows")
        if mode == "keyed" and "key_check" not in self._top:
            self._fault("key_check", "key_check must be set in mode keyed; oneroster-twin key --policy shows it")
        crosswalk = self._text("crosswalk") or ""
        if mode == "crosswalk" and not crosswalk:
            self._fault("crosswalk", "crosswalk must name a file in mode crosswalk")
        names = self._number("names", 1)
        if names not in NAME_LISTS:
            self._fault("names", f"names must be one of: {', '.join(map(str, NAME_LISTS))}")
        found = Policy(
            name=self._faults.name,
            consumer=consumer,
            mode=mode,
            epoch=epoch,
            key_check=check,
            agreement=self._agreement(),
            scope=self._scope(),
            elements=self._elements(clear=mode == "clear"),
            email_domain=self._matching("email_domain", _DOMAIN, "the name of a domain") or "twin.invalid",
            names=names,
            min_cell=self._number("min_cell", 0),
            crosswalk=crosswalk,
            sort=self._sort(mode),
            lines={key: item.line for key, item in self._top.items()},
        )
        self._faults.raise_any()
        return found

    # --- parts of a policy --------------------------------------------------------------------------------------------

    def _sort(self, mode: str) -> bool:
        wanted = self._word("sort", ("true", "false"), "false") == "true"
        if wanted and mode == "clear":
            self._fault("sort", "sort is of no use in mode clear, where the ids are those of the source")
        return wanted

    def _agreement(self) -> Agreement | None:
        inner = self._mapping("agreement", ("name", "signed", "ends", "contact"))
        if inner is None:
            return None
        days = {key: self._day(inner[key]) for key in ("signed", "ends") if key in inner}
        ends = days.get("ends")
        if ends and ends < self._today:
            self._faults.add(inner["ends"].line, "the agreement has ended: nothing may leave until there is a new one")
        name, contact = (inner[key].text or "" if key in inner else "" for key in ("name", "contact"))
        return Agreement(name, days.get("signed"), ends, contact)

    def _scope(self) -> Scope | None:
        inner = self._mapping("scope", ("schools", "grades", "users", "sessions"))
        if inner is None:
            return None
        if not inner:
            self._fault("scope", "an empty scope keeps nobody; leave the key out to have no limit")
        lists = {key: self._texts(key, item) for key, item in inner.items() if item.text != "current"}
        current = "sessions" in inner and inner["sessions"].text == "current"
        for key, item in inner.items():
            if item.text == "current" and key != "sessions":
                self._faults.add(item.line, "current is a word for sessions only")
        for role in lists.get("users", ()):
            if role not in _ROLES and not role.startswith("ext:"):
                self._faults.add(
                    inner["users"].line, f"users: a role that the standard does not have{near(role, _ROLES)}"
                )
        return Scope(
            lists.get("schools"), lists.get("grades"), lists.get("users"), lists.get("sessions"), current=current
        )

    def _elements(self, *, clear: bool) -> dict[str, dict[str, Treatment]]:
        inner = self._mapping("elements", None)
        if not inner:
            self._fault("elements", "elements must name what may leave: a stream, and its fields")
            return {}
        known = words.streams()
        found = {}
        for stream, item in inner.items():
            if stream not in known:
                self._faults.add(item.line, f"elements: no such stream{near(stream, known)}")
            else:
                found[stream] = self._fields(stream, item, clear=clear)
        return found

    def _fields(self, stream: str, item: Item, *, clear: bool) -> dict[str, Treatment]:
        known = words.fields_of(stream)
        found = {name: Treatment(words.choice_of(stream, known[name], clear=clear).default) for name in words.ALWAYS}
        if item.text is None and not isinstance(item.value, list):
            self._faults.add(item.line, f"{stream}: must be '*' or a list of fields")
            return found
        named: dict[str, Treatment | None] = {}
        for one in item.value if isinstance(item.value, list) else [item]:
            pairs = one.value.items() if isinstance(one.value, dict) else [(one.text, None)]
            for name, value in pairs:
                if name == "*":
                    if value is not None:
                        self._faults.add(one.line, f"{stream}: '*' takes no treatment")
                    starred = [f for f in known.values() if words.is_by_star(f)]
                    found |= {f.name: Treatment(words.choice_of(stream, f, clear=clear).default) for f in starred}
                elif name in named:
                    self._faults.add(one.line, f"{stream}.{name}: stands here twice; name each field once")
                elif name in known:
                    named[name] = self._treatment(stream, name, value, one.line, clear=clear)
                elif name is not None and "password" in name.lower():
                    self._faults.add(one.line, f"{stream}: a password never leaves, whatever a policy says")
                else:
                    self._faults.add(one.line, f"{stream}: no such field{near(name or '', known)}")
        # What is named comes before what '*' means, in whatever order the two stand.
        whole = found | {name: treatment or Treatment("drop") for name, treatment in named.items()}
        return {name: treatment for name, treatment in whole.items() if treatment.word != "drop"}

    def _treatment(self, stream: str, name: str, value: Item | None, line: int, *, clear: bool) -> Treatment | None:
        choice = words.choice_of(stream, words.fields_of(stream)[name], clear=clear)
        if value is None:
            return Treatment(choice.default) if name != "metadata" else Treatment("drop")
        if name == "metadata" and isinstance(value.value, list):
            return Treatment("keys", self._texts(f"{stream}.metadata", value))
        word = {"pseudonym": "keyed", "keyed": "pseudonym"}.get(value.text or "", "")
        allowed = [
            word for word in choice.words if word != "hmac" or self._mode != "crosswalk"
        ]  # it is made of the address
        for candidate in (value.text, word):
            if candidate in allowed:
                return Treatment(candidate)
        why = choice.why or f"must be one of: {', '.join(allowed)}"
        if clear and value.text in words.MEANINGS:
            why += " (other treatments need a key, and mode clear has none)"
        self._faults.add(value.line or line, f"{stream}.{name}: {why}")
        return None


_OPTIONAL = (
    "agreement",
    "mode",
    "epoch",
    "key_check",
    "scope",
    "elements",
    "min_cell",
    "email_domain",
    "names",
    "crosswalk",
    "sort",
)
