"""Which version of each row is released when some schools are held: SQL over what differs between the loads only.

What stands unchanged at every load that is read is released as it is, and never looked at. The rest (the delta) is
chosen here: `<name>_chosen` has the version of each id, and the load `k` as of which it was chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.errors import FatalSourceError
from .._core.model import FILES, file
from .._core.sql import quoted
from .completion import Completion
from .places import Place, by_school, by_user, ordered, parent, person, references

if TYPE_CHECKING:
    from .._core.model import File
    from .database import Database
    from .plan import Plan

_OF_PERSONS = ("username", "identifier", "userMasterIdentifier", "email", "givenName", "familyName", "userIds")
_MORE = {"users": _OF_PERSONS, "enrollments": ("role", "endDate")}
_HANDED_OVER = ("enrollments", "results", "roles")
"""Files whose rows keep their id when a person gets another."""
_ROUNDS = 6


class Choice:
    """The chosen rows of one release; nothing is chosen if no school is held."""

    def __init__(self, database: Database, plan: Plan) -> None:
        self._database, self._plan = database, plan
        self._files = [of for of in ordered() if database.has(of.name)]
        self._loads = {"newest": plan.newest.number, "added": plan.added, "oldest": plan.oldest}
        self._day = plan.newest.loaded_at.date()
        if plan.held:
            self._choose()

    def rows(self, of: File, columns: str) -> str:
        """Return a query of the released rows of a file."""
        name = of.name
        if not self._plan.held:
            return f"SELECT {columns} FROM {name}_versions WHERE stands(first, ended, {self._plan.newest.number})"
        return (
            f"SELECT {columns} FROM {name}_versions WHERE {self._unchanged()} "
            f"UNION ALL SELECT {columns} FROM {name}_versions WHERE row IN (SELECT row FROM {name}_chosen)"
        )

    def count(self, of: File) -> int:
        """Return how many rows are released."""
        return self._database.number(f"SELECT count(*) FROM ({self.rows(of, 'row')})")

    def earlier(self, of: File) -> int:
        """Return how many of them are not of the newest load."""
        if not self._plan.held:
            return 0
        return self._database.number(
            f"SELECT count(*) FROM {of.name}_delta WHERE NOT stands(first, ended, {self._plan.newest.number}) "
            f"AND row IN (SELECT row FROM {of.name}_chosen)"
        )

    def _unchanged(self) -> str:
        return f"first <= {self._plan.oldest} AND (ended IS NULL OR ended > {self._plan.added})"

    def _run(self, text: str) -> None:
        self._database.run(text, **self._loads, day=self._day)

    def _choose(self) -> None:
        self._tables()
        self._persons()
        for _ in range(_ROUNDS):
            self._database.script("moved", **self._loads)
            self._run("INSERT INTO moments SELECT DISTINCT k FROM frozen WHERE k NOT IN (FROM moments)")
            for of in self._files:
                self._database.run(f"CREATE OR REPLACE TABLE {of.name}_chosen (row BIGINT, id VARCHAR, k BIGINT)")
                if by_school(of):
                    self._by_school(of)
                elif by_user(of) or of.name == "users":
                    self._by_person(of)
                else:
                    self._shared(of)
            Completion(self._files, self._database, self._unchanged(), self._loads).run()
            if not self._insist():
                return
        raise FatalSourceError(
            "as_of: persons of held schools came back under other ids so often that no release keeps them apart; approve"
            " the held schools, or set as_of to approved"
        )

    def _insist(self) -> bool:
        """Keep the old id of persons of whom a held school needs the old one, and another row the new one."""
        both = (
            "SELECT l.old, l.new, o.until - 1 AS k FROM lines l JOIN users_chosen a ON a.id = l.old "
            "JOIN users_chosen b ON b.id = l.new JOIN spans o ON o.id = l.old "
            "QUALIFY row_number() OVER (PARTITION BY l.new ORDER BY o.first) = 1"
        )
        found = self._database.number(f"SELECT count(*) FROM ({both})")
        self._run(f"INSERT INTO insisted FROM ({both})")
        return bool(found)

    def _tables(self) -> None:
        """Create the schools that are held, the loads that are read, and what differs between them."""
        plan, run = self._plan, self._database.run
        run("CREATE TABLE held (school VARCHAR, load BIGINT, additive BOOLEAN)")
        schools = list(plan.held)
        run(
            "INSERT INTO held SELECT unnest($schools), unnest($loads), unnest($additive)",
            schools=schools,
            loads=list(plan.held.values()),
            additive=[school in plan.additive for school in schools],
        )
        moments = sorted({*plan.held.values(), plan.newest.number, plan.added} - {0})
        run("CREATE TABLE moments AS SELECT unnest($moments) AS k", moments=moments)
        run("CREATE TABLE insisted (old VARCHAR, new VARCHAR, k BIGINT)")
        for of in FILES:
            names = dict.fromkeys(its.name for its in references(of) if its.name != "sourcedId")
            names |= dict.fromkeys([*([of.school] if of.school else []), *_MORE.get(of.name, ())])
            columns = "".join(f", {quoted(name)}" for name in names)
            self._run(
                f'CREATE TABLE {of.name}_delta AS SELECT row, "sourcedId" AS id, "sourcedId", first, ended{columns} '
                f"FROM {of.name}_versions WHERE first <= $added AND (ended IS NULL OR ended > $oldest) "
                f"AND NOT ({self._unchanged()})"
            )

    def _persons(self) -> None:
        """Decide about persons first: who waits, who stays under the old id, and who moved into a held school."""
        own = [f"SELECT {quoted(its.name)} FROM {of.name}_delta" for of in FILES if by_user(of) and (its := person(of))]
        self._run(f"CREATE TABLE persons (id) AS {' UNION '.join(['SELECT id FROM users_delta', *own])}")
        self._database.script("people", **self._loads)
        links = [
            f"SELECT o.{column} AS old, n.{column} AS new FROM {name}_delta o JOIN {name}_delta n ON n.id = o.id "
            f"AND n.first >= o.ended AND n.{column} <> o.{column}"
            for name in _HANDED_OVER
            if (its := person(file(name))) and (column := quoted(its.name))
        ]
        self._run(f"CREATE TABLE handed_over AS {' UNION ALL '.join(links)}")
        self._database.script("reissued", **self._loads)
        seats = self._seats("enrollments_delta")
        self._run(
            f"CREATE TABLE movers AS SELECT DISTINCT person FROM ({seats}) WHERE stands(first, ended, $newest) "
            "AND is_live AND load IS NOT NULL AND NOT additive"
        )
        movers = "(SELECT person FROM movers UNION SELECT id FROM roots SEMI JOIN movers USING (person))"
        those = f'(SELECT * FROM enrollments_versions WHERE "userSourcedId" IN {movers})'
        self._run(f"CREATE TABLE places AS {self._seats(those)}")

    def _seats(self, rows: str) -> str:
        """Return a query of students' enrollments: person, school, the load of a held school, and whether they run."""
        where = Place(file("enrollments"), "least(coalesce(x.ended, $newest + 1) - 1, $newest)")
        return (
            f'SELECT coalesce(r.person, x."userSourcedId") AS person, x."userSourcedId" AS id, {where.school} AS school, {where.load} AS load, '
            f"{where.additive} AS additive, x.first, x.ended, "
            'x."endDate" IS NULL OR x."endDate" > $day AS is_live '
            f"FROM {rows} x {' '.join(where.joins)} LEFT JOIN roots r ON r.id = x.\"userSourcedId\" WHERE x.role = 'student'"
        )

    def _by_school(self, of: File) -> None:
        """Choose rows as of the load of their school; as of another one where their person waits."""
        where, who, link = Place(of, "m.k"), person(of), parent(of)
        joins, waits, wants, frozen = list(where.joins), "false", [where.load], "NULL"
        if who:
            column = f"x.{quoted(who.name)}"
            joins.append(
                f"LEFT JOIN frozen f ON f.person = {column} AND (f.school IS NULL OR f.school = {where.school})"
            )
            waits = f"{column} IN (SELECT new FROM reissued)"
            if of.name == "userResources":
                joins.append(f"LEFT JOIN decisions d ON d.id = {column} AND {where.school} IS NULL")
                wants.append("d.k")
            frozen = "f.k"
        elif link and link.refers_to != "classes":  # where its own parent stayed behind, it does, too
            name = link.refers_to
            joins.append(f"LEFT JOIN {name}_chosen c ON c.id = x.{quoted(link.name)}")
            wants.insert(0, "c.k")
            waits = f"c.id IS NULL AND x.{quoted(link.name)} IN (SELECT id FROM {name}_delta)"
        want = f"least(coalesce({', '.join([*wants, '$newest'])}), {frozen})"
        self._run(
            f"CREATE OR REPLACE TABLE candidates AS SELECT DISTINCT x.row, x.id, m.k, {want} AS want, "
            f"{where.load} AS load, {where.additive} AS additive FROM {of.name}_delta x "
            f"JOIN moments m ON stands(x.first, x.ended, m.k) {' '.join(joins)} WHERE NOT coalesce({waits}, false)"
        )
        added = (
            f"(c.k = $added AND c.additive AND NOT EXISTS (SELECT 1 FROM {of.name}_delta b "
            "WHERE b.id = c.id AND stands(b.first, b.ended, c.load)))"
        )
        self._run(
            f"INSERT INTO {of.name}_chosen SELECT arg_max(row, k), id, max(k) FROM candidates c "
            f"WHERE c.k = c.want OR {added} GROUP BY id"
        )
        # What moved into a held school stays where it was.
        self._run(
            f"INSERT INTO {of.name}_chosen SELECT arg_max(b.row, c.load), b.id, max(c.load) FROM candidates c "
            f"JOIN {of.name}_delta b ON b.id = c.id AND stands(b.first, b.ended, c.load) "
            f"WHERE c.k = $newest AND c.load IS NOT NULL AND c.id NOT IN (SELECT id FROM {of.name}_chosen) GROUP BY b.id"
        )

    def _by_person(self, of: File) -> None:
        """Choose rows of persons: as of the load of the person, or as they were while a guardian's new id waits."""
        column = person(of)
        who = "x.id" if of.name == "users" or column is None else f"x.{quoted(column.name)}"
        if column and column.name == "sourcedId":
            who = "x.id"
        k = "d.k"
        joins = f"JOIN decisions d ON d.id = {who}"
        if of.name == "users":
            joins += (
                ' LEFT JOIN (SELECT x.id, min(r.k) AS k FROM users_delta x JOIN reissued r ON list_contains(x."agentSourcedIds", '
                "r.new) WHERE stands(x.first, x.ended, $newest) GROUP BY 1) g ON g.id = x.id AND d.k = $newest "
                "AND EXISTS (SELECT 1 FROM users_delta b WHERE b.id = x.id AND stands(b.first, b.ended, g.k))"
            )
            k = "coalesce(g.k, d.k)"
        self._run(
            f"INSERT INTO {of.name}_chosen SELECT x.row, x.id, {k} FROM {of.name}_delta x {joins} "
            f"WHERE stands(x.first, x.ended, {k})"
        )

    def _shared(self, of: File) -> None:
        """Choose the newest rows of what belongs to everybody, and what additions bring."""
        self._run(
            f"INSERT INTO {of.name}_chosen SELECT row, id, $newest FROM {of.name}_delta WHERE stands(first, ended, $newest)"
        )
        if self._plan.additive:
            self._run(
                f"INSERT INTO {of.name}_chosen SELECT row, id, $added FROM {of.name}_delta "
                f"WHERE stands(first, ended, $added) AND id NOT IN (SELECT id FROM {of.name}_chosen)"
            )
