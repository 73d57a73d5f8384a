"""The warehouse as a source: each collection is one pass over the rows that are released."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.errors import SourceError
from ..source import Facts, Pass, Records, Request, SilentPass
from .choice import Choice
from .database import Database
from .plan import hold, make_plan
from .rows import RowReader
from .settings import BY_SCHOOL, NEWEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .._core.model import File
    from ..policy import Policy
    from .plan import Plan

_NAMED = 10
"""A receipt names so many held schools; further ones are counted."""


class WarehouseSource:
    """The file of target-oneroster-duckdb as of one load, or with some schools as of earlier ones."""

    stands_still = True
    problems: tuple[str, ...] = ()

    def __init__(self, config: Mapping[str, Any], policy: Policy, say: Callable[[str], None] = lambda _: None) -> None:
        """`config` holds checked settings with all defaults."""
        self._path, self._schema = Path(config["warehouse_path"]), config["warehouse_schema"]
        self._store, self._as_of, self._tenant = config.get("store_path"), config["as_of"], config.get("tenant")
        self._policy, self._say = policy, say

    @cached_property
    def _database(self) -> Database:
        return Database(self._path, self._schema, self._tenant)

    @cached_property
    def _plan(self) -> Plan:
        database, loads = self._database, self._database.loads()
        verdicts = None if self._as_of == NEWEST else database.verdicts(Path(self._store or ""))
        plan = make_plan(self._as_of, loads, verdicts)
        if verdicts and self._as_of == BY_SCHOOL:
            added = verdicts.audited if verdicts.additive else plan.newest.number
            schools = database.run(
                'SELECT "sourcedId" FROM orgs_versions WHERE "type" = \'school\' AND stands(first, ended, $load)',
                load=added,
            )
            plan = hold(plan, verdicts, [school for (school,) in schools])
        self._tell(plan)
        return plan

    def _tell(self, plan: Plan) -> None:
        if plan.note:
            self._say(plan.note)
        self._say(f"load {plan.newest.number} of {self._path.name} is read")
        if plan.held:
            names = ", ".join(f"{school} (load {load})" for school, load in sorted(plan.held.items())[:10])
            more = f" and {len(plan.held) - 10:,} more" if len(plan.held) > 10 else ""
            self._say(f"held schools, read as of the load that was released for them: {names}{more}")

    @cached_property
    def _choice(self) -> Choice:
        return Choice(self._database, self._plan)

    def passes(self, request: Request) -> Iterator[Pass]:
        """Yield one pass for each stream: the rows that are released."""
        for of in request.streams:
            version = self._see_whether_whole(of)
            if not self._database.has(of.name):
                yield SilentPass({of.name: Facts(self._path.name, "absent", version, complete=True)})
                continue
            yield WarehousePass(of, self._facts(of, version), self._database, self._choice, self._policy)

    def _see_whether_whole(self, of: File) -> str | None:
        """Return the version of the source; raise SourceError if the rows of a load that is read are not all there."""
        plan, database = self._plan, self._database
        version, complete = database.receipt(of.name, plan.newest)
        if self._as_of == NEWEST and (not complete or of.name in plan.newest.left):
            raise SourceError(
                f"{of.name}: load {plan.newest.number} did not bring all of it, so it is not delivered; load again, or set"
                " as_of to approved"
            )
        for load in {*plan.held.values()} - {0} if database.has(of.name) else ():
            total = database.total(of.name, load)
            stood = database.number(f"SELECT count(*) FROM {of.name}_versions WHERE stands(first, ended, $k)", k=load)
            if total is not None and stood < total:
                raise SourceError(
                    f"{of.name}: the warehouse does not keep load {load} any more, which is the newest that was released for"
                    " a held school; look at the school and approve, and set history_keep_days higher"
                )
        return version

    def _facts(self, of: File, version: str | None) -> Facts:
        plan, deviations = self._plan, Counter[str]()
        if earlier := self._choice.earlier(of):
            held = sorted(plan.held)
            more = f" and {len(held) - _NAMED:,} more" if held[_NAMED:] else ""
            deviations[f"rows as of an earlier load, held: {', '.join(held[:_NAMED])}{more}"] = earlier
        return Facts(
            self._path.name,
            "warehouse",
            version,
            expected=self._choice.count(of),
            revision=f"load {plan.newest.number}",
            deviations=deviations,
            modified=plan.newest.loaded_at,
            unique=True,
            approved=self._as_of != NEWEST,
        )

    def close(self) -> None:
        """Release the files."""
        if "_database" in self.__dict__:
            self._database.close()


class WarehousePass:
    """One pass over the released rows of a file."""

    bookmark = None

    def __init__(self, of: File, facts: Facts, database: Database, choice: Choice, policy: Policy) -> None:
        self.facts = {of.name: facts}
        self._own, self._database = facts, database
        self._reader = RowReader(of, database.columns(of.name), policy)
        self._rows = choice.rows(of, self._reader.select)

    def __iter__(self) -> Iterator[Records]:
        for rows in self._database.stream(self._rows):
            yield self._reader.read(rows)
        self._own.complete = True
        self._own.snapshot = True
