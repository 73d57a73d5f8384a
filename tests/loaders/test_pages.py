"""The queries of docs/ on real databases, loaded as the pages say; and the stream maps of its page on security."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.provider import Provider
from tap_oneroster import TapOneRoster
from target_oneroster import views_command

from tests.singer import run_tap

from .pipe import ROOT, TAP, pipe
from .stores import DuckDB, Postgres

pytestmark = pytest.mark.slow

QUERY = re.compile(r'^```sql(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
ALL = ("target-oneroster-duckdb", "target-duckdb", "target-postgres")
on_all = pytest.mark.parametrize("name", ALL)


@pytest.fixture(scope="module")
def district():
    """A school, with everything in it that the standard knows."""
    return District(seed=7, schools=1, students_per_school=25)


@pytest.fixture(scope="module")
def drop(district, tmp_path_factory):
    """Its bundle."""
    path = tmp_path_factory.mktemp("pages") / "district.zip"
    write_bundle(district, path)
    return path


def example(page, opening):
    """A piece of a meltano.yml, by the line that opens it."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return yaml.safe_load(text.partition(f"\n{opening}\n")[2].partition("\n```\n")[0])["plugins"]["extractors"][0]


class Warehouse(DuckDB):
    """Our own loader, which is installed beside the tap."""

    loader = "target-oneroster-duckdb"

    def raw(self, stream):
        return self.query(f'select * from oneroster."{stream}"')


@pytest.fixture
def store(make_store, tmp_path):
    """An empty database of a loader."""

    def make(name, **settings):
        if name == Warehouse.loader:
            return Warehouse(TAP.with_name(name), tmp_path / "warehouse.duckdb", settings)
        return make_store(name, **settings)

    return make


def query(page, title=None):
    """A query of a page, by its title."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return next(sql for named, sql in QUERY.findall(text) if named == (title or ""))


def ask(store, sql):
    """Rows of the answer."""
    if isinstance(store, Postgres):
        return store.place.rows(f"({sql})")
    return store.query(sql)


def beside(store, **settings):
    """The same database, another schema."""
    return type(store)(store.executable, store.place, settings)


def by_rest(provider):
    """Settings as the credential sheet gives them."""
    sheet = {name: getattr(provider, name) for name in ("base_url", "token_url", "client_id", "client_secret")}
    return {"mode": "rest", **sheet}


def load(config, store, folder, **more):
    """One run; the state after it."""
    return pipe(config, store.executable, store.settings, folder, **more)


@pytest.fixture
def loaded(store, district, drop, tmp_path):
    """The district in one database, by REST and by CSV; in the CSV drop something may have been changed."""

    def make(name, change=None):
        rest = store(name, default_target_schema="by_rest")
        other = beside(rest, default_target_schema="by_csv")
        with Provider(district, version="1.2") as provider:
            load(by_rest(provider), rest, tmp_path)
        path = tmp_path / "drop.zip"
        with zipfile.ZipFile(drop) as old, zipfile.ZipFile(path, "w") as new:
            for member in old.namelist():
                rows = list(csv.reader(io.StringIO(old.read(member).decode(), newline="")))
                if change:
                    change(member.removesuffix(".csv"), rows)
                text = io.StringIO(newline="")
                csv.writer(text, lineterminator="\r\n").writerows(rows)
                new.writestr(member, text.getvalue())
        load({"mode": "csv", "csv_path": str(path)}, other, tmp_path)
        return rest

    return make


@on_all
def test_side_by_side_the_same_district_is_the_same(loaded, name):
    """No collection differs where service and bundle hold the same."""
    verdicts = {
        row["collection"]: row["verdict"] for row in ask(loaded(name), query("recipes/side-by-side.md", "side by side"))
    }
    assert {verdicts[n] for n in ("users", "enrollments", "classes", "orgs", "results")} == {"the same rows"}
    assert verdicts["roles"] == "as many rows"
    assert set(verdicts.values()) <= {"the same rows", "as many rows", "by REST only"}
    assert {n for n, v in verdicts.items() if v == "by REST only"} <= {"assessmentLineItems", "assessmentResults"}


@on_all
def test_side_by_side_a_difference_shows(loaded, name):
    """A row that is missing, and a title that differs: the verdicts tell them apart, the second query names the row."""
    gone = []

    def change(file, rows):
        if file == "enrollments":
            gone.append(rows.pop()[0])
        elif file == "courses":
            rows[1][rows[0].index("title")] += " II"

    store = loaded(name, change)
    verdicts = {
        row["collection"]: row["verdict"] for row in ask(store, query("recipes/side-by-side.md", "side by side"))
    }
    assert verdicts["enrollments"] == "another number of rows"
    assert verdicts["courses"] == "as many rows, other content"
    assert verdicts["users"] == "the same rows"
    found = ask(store, query("recipes/side-by-side.md", "which rows"))
    assert [(row["id"], row["where_it_is"]) for row in found] == [(gone[0], "by REST only")]


@on_all
def test_the_queries_over_receipts(store, district, tmp_path, name):
    """Two nights of a service that repeats itself in other words: what was lost, what deviated, when, and how it went on."""
    store = store(name)
    with Provider(district, version="1.2") as provider:
        state = load(by_rest(provider), store, tmp_path)
        provider.use(district.changed(1))
        load({**by_rest(provider), "full_refresh_days": 0}, store, tmp_path, state=state)
    page = "operations/receipts.md"
    assert ask(store, query(page, "lost")) == []
    kind = "PostgreSQL" if name == "target-postgres" else "DuckDB"
    assert all(row["rule"] and int(row["times"]) > 0 for row in ask(store, query(page, f"deviations ({kind})")))
    fresh = {row["collection"]: row for row in ask(store, query(page, "freshness"))}
    assert str(fresh["enrollments"]["read_until"]) > str(fresh["enrollments"]["read_whole_at"])
    trend = [row for row in ask(store, query(page, "trend")) if row["collection"] == "orgs"]
    assert len(trend) == 2
    assert trend[0]["change"] is None
    assert int(trend[1]["change"]) == int(trend[1]["distinct"]) - int(trend[0]["distinct"])
    ages = {row["collection"]: str(row["source_modified_at"]) for row in ask(store, query(page, "age"))}
    assert ages["orgs"] < str(fresh["orgs"]["read_until"])
    columns = [row for row in ask(store, query(page, "columns")) if row["collection"] == "enrollments"]
    assert int(columns[-1]["reads"]) > 0
    [first, *_] = ask(store, query(page, f"schools ({kind})"))
    assert int(first["number_of_rows"]) > 0
    if name == "target-postgres":
        make_views(store)
    if name != "target-duckdb":  # which deletes nothing, and has no views of present rows
        assert len(ask(store, query("model/index.md"))) > 5


@on_all
def test_the_alarm_rings_when_it_should_and_not_before(store, drop, tmp_path, name):
    """Silent after a good run, loud after one that did not reach its end, and when nothing ran for more than a day."""
    store = store(name)
    load({"mode": "csv", "csv_path": str(drop)}, store, tmp_path)
    alarm = query("operations/receipts.md", "alarm")
    missing = query("recipes/nightly-sftp.md", "no new bundle")
    assert ask(store, alarm) == []
    assert ask(store, missing) == []
    change(store, 'update oneroster."syncReceipts" set "complete" = false where "collection" = \'users\'')
    assert [row["collection"] for row in ask(store, alarm)] == ["users"]
    assert [row["collection"] for row in ask(store, query("operations/receipts.md", "lost"))] == ["users"]
    long_ago = (datetime.now(UTC) - timedelta(hours=31)).strftime("%Y-%m-%d %H:%M:%S")
    change(store, f'update oneroster."syncReceipts" set "complete" = true, "startedAt" = \'{long_ago}\'')
    assert len(ask(store, alarm)) > 15
    assert len(ask(store, missing)) == 1


def make_views(store, *options):
    """Make the views of present rows, by the SQL that `oneroster-views` prints."""
    done = CliRunner().invoke(views_command.main, ["--dialect", "postgres", *options])
    assert done.exit_code == 0
    for statement in done.output.splitlines():
        store.place.execute(statement)


def change(store, statement):
    """Make the receipts say something else."""
    if isinstance(store, Postgres):
        store.place.execute(statement)
        return
    import duckdb

    assert isinstance(store, DuckDB)
    with duckdb.connect(store.place) as database:
        database.execute(statement)


def test_shared_tables(make_store, drop, tmp_path):
    """Two districts with the same ids in one table: the join by tenant counts each by itself."""
    store = make_store("target-postgres")
    for tenant in ("north", "south"):
        load({"mode": "csv", "csv_path": str(drop), "tenant": tenant}, store, tmp_path)
    rows = ask(store, query("recipes/several-districts.md", "shared tables"))
    assert sorted(row["tenant"] for row in rows) == ["north", "south"]
    assert len({row["students"] for row in rows}) == 1
    make_views(store, "--tenant")
    assert len(ask(store, "select * from oneroster_current.users")) == len(list(store.raw("users")))


def test_hash_and_drop(drop):
    """The stream maps of the page on security: no address, no phone number and no birthday leaves the tap."""
    settings = example("security.md", '```yaml title="hash and drop"')["config"]
    config = {"mode": "csv", "csv_path": str(drop)}
    catalog = TapOneRoster(config=config).catalog_dict
    for stream in catalog["streams"]:
        next(m for m in stream["metadata"] if not m["breadcrumb"])["metadata"]["selected"] = True
    plain = run_tap(config, catalog=catalog)
    mapped = run_tap({**config, **settings, "stream_map_config": {"salt": "pepper"}}, catalog=catalog)
    assert mapped.error is None
    before = {user["sourcedId"]: user for user in plain.records["users"]}
    for user in mapped.records["users"]:
        email = before[user["sourcedId"]]["email"]
        assert user["email"] == (email and hashlib.sha256(f"pepper{email.lower()}".encode()).hexdigest())
        assert not {"sms", "phone"} & user.keys()
    assert {user["email"] for user in mapped.records["users"]} - {None}
    born = {row["sourcedId"]: row["birthDate"] for row in plain.records["demographics"]}
    assert {row["birthDate"] for row in mapped.records["demographics"]} == {
        d and f"{d[:4]}-01-01" for d in born.values()
    }
    assert mapped.receipts["users"]["contentDigest"] == plain.receipts["users"]["contentDigest"]


def test_taking_less(drop):
    """Columns that are not selected, and keys of metadata that are not named, do not leave the tap."""
    extractor = example("security.md", "```yaml")
    config = {"mode": "csv", "csv_path": str(drop), **extractor["config"]}
    catalog = TapOneRoster(config=config).catalog_dict
    without = [tuple(p[1:].split(".")) for p in extractor["select"] if p.startswith("!")]
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            column = entry["breadcrumb"][1] if entry["breadcrumb"] else "*"
            entry["metadata"]["selected"] = (stream["stream"], column) not in without
    run = run_tap(config, catalog=catalog)
    assert run.error is None
    assert not run.records["demographics"]
    assert run.records["users"]
    assert not {"sms", "phone", "middleName"} & set().union(*run.records["users"])
    assert "comment" not in set().union(*run.records["results"])
    assert not [r for records in run.records.values() for r in records if r.get("metadata")]


def test_pages_name_only_queries_that_run_here():
    """Each query with a title is asked above."""
    asked = Path(__file__).read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        for title, _ in QUERY.findall(page.read_text(encoding="utf-8")):
            assert title.partition(" (")[0] in asked, f"{page.name}: {title}"
