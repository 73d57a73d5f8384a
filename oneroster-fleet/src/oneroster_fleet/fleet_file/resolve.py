"""From what stands in the fleet file to districts: district before provider before defaults, and all faults on the way."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..clock import Window, has_a_time_in
from ..district import Board, District, Fault, Fleet, Hold, Provider
from ..secrets import has_password, reference_fault
from .read import read_whole
from .rules import across
from .settings_check import check_settings_of, warnings_of
from .values import BOARD, DISTRICT, HOLD, LEVELS, PROVIDER, TOP

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .read import Whole
    from .sources import Source
    from .values import Key

MERGED = ("tap", "loader", "secrets")
"""Keys whose names are merged one by one."""


def read_fleet(
    path: Path,
    environment: Mapping[str, str] = os.environ,
    *,
    only: Collection[str] | None = None,
    types: bool = False,
    plugins: bool = True,
) -> Fleet:
    """Read a fleet file and resolve its districts; faults are collected, and do not stop it.

    `only` names the districts whose settings are compared with their plugins' (default: all), `types` says whether also
    the types of values are, which takes long to import and which the plugins do themselves when they run. Without
    `plugins` none is asked.

    Raises:
        Misconfigured: There is no file, or it is not YAML.
    """
    reader = _Reader(read_whole(path, environment))
    return reader.fleet(only, types=types, plugins=plugins)


class _Reader:
    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        self._faults = whole.faults
        self._faults_of: dict[str, list[Fault]] = {}
        self._shared: dict[str, list[Fault]] = {}
        """Faults of each provider, which are faults of its districts, too."""
        self._told: set[str] = set()
        """Districts of a generated file whose faults were found when it was made, and whose settings are not in it."""

    def fleet(self, only: Collection[str] | None, *, types: bool, plugins: bool) -> Fleet:
        whole = self._whole
        top = self._top()
        defaults: dict[str, Any] = {}
        if "defaults" in top:
            source = whole.keys["defaults"].inner("defaults")
            defaults = self._values(source, source.values, LEVELS, "")
            self._check_references(source, defaults, "")
        board = {}
        if "board" in top:
            source = whole.keys["board"].inner("board")
            board = self._values(source, source.values, BOARD, "")
        providers = self._providers()
        folder = whole.path.resolve() if whole.path.is_dir() else whole.path.resolve().parent
        districts: dict[str, District] = {}
        sources: dict[str, Source] = {}
        for entry in whole.entries:
            self._district(entry, defaults, providers, districts, sources)
        chosen = (districts.keys() if only is None else districts.keys() & set(only)) - self._told
        for id_ in sorted(chosen) if plugins else ():
            for key, rule, text in check_settings_of(districts[id_], types=types):
                self._fault(sources[id_], key, id_, rule, text)
        for id_, path, rule, text in across(its for its in districts.values() if its.id not in self._told):
            self._fault(sources[id_], path, id_, rule, text)
        warnings = [
            Fault(sources[id_].file, sources[id_].line("loader"), id_, "warning", text)
            for id_ in districts
            for text in warnings_of(districts[id_])
        ]
        generated = top.get("generated", {})
        folder = Path(str(generated.get("folder", folder)))
        return Fleet(
            file=whole.path.name,
            folder=folder,
            state=str(top.get("state", "")),
            log_dir=folder / str(top.get("log_dir", "logs")),
            board=Board(**board),
            providers={
                name: Provider(its["concurrent"], its.get("per_host"))
                for name, its in providers.items()
                if "concurrent" in its
            },
            districts=districts,
            faults=sorted(dict.fromkeys(self._faults), key=lambda f: (f.file, f.line)),
            warnings=warnings,
            faults_of=self._faults_of,
            whole=[f for f in self._faults if not f.district and not any(f in its for its in self._shared.values())],
        )

    def _top(self) -> dict[str, Any]:
        """Return the settings of the whole fleet."""
        top: dict[str, Any] = {}
        keys = self._whole.keys
        for name, source in keys.items():
            top |= self._values(source, {name: source.values[name]}, TOP, "")
        if not self._whole.has_districts:
            self._fault(self._first(), (), "", "districts", "must be set: a list with the id of each district")
        elif not self._whole.entries and not any(f.rule == "districts" for f in self._faults):
            self._fault(self._first(), (), "", "districts", "there is none; a night without districts would look well")
        for name, example in (("version", "version: 1"), ("state", "state: file:///srv/fleet")):
            if name not in top and not any(f.rule == name for f in self._faults):
                self._fault(self._first(), (name,), "", name, f"must be set, as {example}")
        if has_password(str(top.get("state", ""))):
            text = "a password in clear; write env:NAME, and put the address there"
            self._fault(keys["state"], ("state",), "", "state", text)
        return top

    def _first(self) -> Source:
        from .sources import Source

        return next(iter(self._whole.keys.values()), Source(self._whole.path.name, {}, {}))

    def _fault(self, source: Source, path: tuple[str | int, ...], district: str, rule: str, text: str) -> Fault:
        fault = Fault(source.file, source.line(*path), district, rule, text)
        self._faults.append(fault)
        if district:
            self._faults_of.setdefault(district, []).append(fault)
        return fault

    def _values(
        self, source: Source, values: Mapping[Any, Any], keys: Mapping[str, Key], district: str
    ) -> dict[str, Any]:
        """Return the values that are right; the others are faults."""
        found = {}
        for name, value in values.items():
            if str(name) not in keys:
                self._fault(
                    source, (str(name),), district, "key", f"no such key: {_shown(name)}{_near(str(name), keys)}"
                )
            elif value is not None:
                try:
                    found[str(name)] = keys[str(name)].read(value)
                except ValueError as error:
                    self._fault(source, (str(name),), district, str(name), str(error))
        return found

    def _providers(self) -> dict[str, dict[str, Any]]:
        found = {}
        for name, its in self._whole.providers.items():
            before = len(self._faults)
            if not isinstance(its.values[name], dict):
                self._fault(its, (name,), "", "provider", f"{_shown(name)}: must be a list of names and values")
                values: dict[str, Any] = {}
            else:
                source = its.inner(name)
                values = self._values(source, source.values, PROVIDER, "")
                self._check_references(source, values, "")
                if "concurrent" not in source.values:
                    self._fault(its, (name,), "", "provider", f"{_shown(name)}: concurrent must be set")
            found[name] = values
            self._shared[name] = self._faults[before:]
        return found

    def _check_references(self, source: Source, values: dict[str, Any], district: str) -> None:
        for name, reference in values.get("secrets", {}).items():
            if text := reference_fault(reference):
                self._fault(source, ("secrets", name), district, "secret", f"{_shown(name)}: {text}")
        if "secrets" in values:
            values["secrets"] = {n: r for n, r in values["secrets"].items() if not reference_fault(r)}

    def _district(
        self,
        entry: Source,
        defaults: Mapping[str, Any],
        providers: Mapping[str, Mapping[str, Any]],
        districts: dict[str, District],
        sources: dict[str, Source],
    ) -> None:
        named = entry.values.get("id")
        id_ = named if isinstance(named, str) and named.isprintable() else ""
        own = self._values(entry, entry.values, DISTRICT, id_ or "?")
        if entry.values.get("id") is None:
            self._fault(entry, ("id",), "?", "id", "must be set")
        if "id" not in own:
            return
        if id_ in districts:
            self._fault(entry, (), id_, "id", f"stands twice; the first is in line {sources[id_].line()}")
            return
        if given := own.pop("faults", None):
            self._told.add(id_)
            for text in given:
                self._fault(entry, (), id_, "generated", str(text))
        self._check_references(entry, own, id_)
        provider = own.get("provider", "")
        if provider and provider not in providers:
            self._fault(entry, ("provider",), id_, "provider", f"no such provider{_near(provider, providers)}")
        for fault in self._shared.get(provider, ()):
            self._faults_of.setdefault(id_, []).append(fault)
        values = merged(defaults, providers.get(provider, {}), own)
        if hold := values.get("hold"):
            its = self._values(entry.inner("hold"), hold, HOLD, id_)
            if "why" not in its and "why" not in hold:
                self._fault(entry, ("hold",), id_, "hold", "why must be set")
            values["hold"] = Hold(its.get("why", ""), its.get("until"))
        district = _filled_in(values)
        self._check(entry, district)
        districts[id_], sources[id_] = district, entry

    def _check(self, entry: Source, district: District) -> None:
        def wrong(key: str, text: str, *path: str) -> None:
            self._fault(entry, path or (key,), district.id, key, text)

        if not isinstance(district.loader.get("name"), str):
            wrong("loader", "name must be set: the loader's command")
        for which in ("tap", "loader"):
            if "tenant" in getattr(district, which):
                wrong("tenant", "is set from id; leave it out", which, "tenant")
        window = Window.parse(district.window) if district.window else None
        blackouts = [Window.parse(text) for text in district.blackout]
        if not has_a_time_in(district.schedule, window, blackouts):
            wrong(
                "window", "no time of the schedule is inside the window and outside the blackouts; it would never run"
            )


def merged(*levels: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of which later levels take precedence; settings of another loader do not carry over."""
    found: dict[str, Any] = {}
    for level in levels:
        for name, value in level.items():
            if name not in MERGED:
                found[name] = value
                continue
            before = found.get(name, {})
            if "name" in value and name != "secrets" and value["name"] != before.get("name", value["name"]):
                before = {}
            found[name] = {**before, **value}
    for name in ("concurrent", "per_host"):
        found.pop(name, None)
    return found


def _filled_in(values: dict[str, Any]) -> District:
    for name in ("tap", "loader"):
        values[name] = _replaced(values.get(name, {}), values["id"])
    if "audit" in values:
        values["audit"] = _replaced(values["audit"], values["id"])
    return District(**values)


def _replaced(value: Any, district: str) -> Any:
    if isinstance(value, str):
        return value.replace("{district}", district)
    if isinstance(value, dict):
        return {name: _replaced(its, district) for name, its in value.items()}
    return [_replaced(its, district) for its in value] if isinstance(value, list) else value


def _shown(name: object) -> str:
    return " ".join(str(name).split())[:60]


def _near(name: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
