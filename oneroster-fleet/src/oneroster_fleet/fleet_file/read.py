"""Find the fleet file, and read it in any of its forms: one mapping of settings, and the entries of the districts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..district import Fault
from ..errors import Misconfigured
from ..secrets import has_password
from .sources import Source, csv_entries, read_yaml, table_entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE = "ONEROSTER_FLEET_FILE"
SETTINGS = {"file": "The fleet file, or a folder of such files. Without it: fleet.yml in the working folder."}
"""Settings that a variable ONEROSTER_FLEET_<NAME> sets; Meltano passes them so."""


def find_file(given: str | None = None, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the fleet file, or the folder: the argument, the variable, or fleet.yml in the working folder."""
    return Path(given or environment.get(FILE) or "fleet.yml")


class Whole:
    """What stands in the fleet file, before defaults are applied: settings by key, providers, entries, faults."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self.path, self._environment = path, environment
        self.keys: dict[str, Source] = {}
        """Each key of the top level, with the file that it stands in; its value is `values[key]`."""
        self.providers: dict[str, Source] = {}
        self.entries: list[Source] = []
        self.faults: list[Fault] = []
        self.has_districts = False
        """True if a file has the key; what is wrong with its value is a fault of its own."""

    def add(self, source: Source, folder: Path) -> None:
        """Add one file."""
        for key, value in source.values.items():
            if key == "providers" and isinstance(value, dict):
                for name in value:
                    self._once(self.providers, str(name), source.inner("providers"), f"providers.{name}")
            elif key == "providers":
                text = "must hold the name of each provider, and its limits: infinite_campus: {concurrent: 4}"
                self.faults.append(Fault(source.file, source.line(key), "", "providers", text))
            elif key == "districts":
                self.has_districts = True
                self._add_districts(source, value, folder)
            else:
                self._once(self.keys, str(key), source, str(key))

    def _once(self, known: dict[str, Source], name: str, source: Source, shown: str) -> None:
        if name in known:
            self.faults.append(Fault(source.file, source.line(name), "", "key", f"{shown} stands in two files"))
        else:
            known[name] = source

    def _add_districts(self, source: Source, value: Any, folder: Path) -> None:
        def wrong(text: str) -> None:
            self.faults.append(Fault(source.file, source.line("districts"), "", "districts", text))

        if isinstance(value, list):
            for number, entry in enumerate(value):
                if isinstance(entry, dict):
                    self.entries.append(source.inner("districts", number))
                else:
                    line = source.line("districts", number)
                    self.faults.append(
                        Fault(source.file, line, "", "districts", "a district is a list of keys and values")
                    )
        elif isinstance(value, dict) and set(value) == {"csv"} and isinstance(value["csv"], str):
            self._take(csv_entries(folder / value["csv"]))
        elif (
            isinstance(value, dict)
            and set(value) == {"table", "query"}
            and all(isinstance(v, str) for v in value.values())
        ):
            if has_password(value["table"]):
                wrong("a password in clear; write env:NAME, and put the address into that variable")
            else:
                self._take(table_entries(value["table"], value["query"], self._environment))
        else:
            wrong("must be a list, or {csv: FILE}, or {table: ADDRESS, query: SQL}")

    def _take(self, entries: Iterable[Source]) -> None:
        self.entries.extend(entries)


def read_whole(path: Path, environment: Mapping[str, str]) -> Whole:
    """Read a fleet file, or each `*.yml` of a folder.

    Raises:
        Misconfigured: There is no file, or one is not YAML.
    """
    whole = Whole(path, environment)
    if path.is_dir():
        files = sorted(path.glob("*.yml"))
        if not files:
            raise Misconfigured(f"{path.name}: no *.yml in this folder")
    else:
        files = [path]
    for file in files:
        whole.add(read_yaml(file), file.resolve().parent)
    return whole
