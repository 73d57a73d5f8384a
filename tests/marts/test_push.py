"""The lists on which others act: messages by the specification, into target-jsonl and target-postgres, with ids and never names."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from oneroster_marts.push import STREAMS

from tests.support.loaders import executable_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .warehouses import Desk, Server

SINCE = ("--since", "2026-10-01")
RESTRICTED = ("seats_to_provision", "seats_to_take_back", "movers", "worklist")
RECIPES = Path(__file__).parents[2] / "docs" / "marts-actions.md"


def messages(desk: Desk, *arguments: str) -> list[dict[str, Any]]:
    assert desk("push", *arguments) == 0, desk.err
    return [json.loads(line) for line in desk.out.splitlines()]


def records(found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    by_stream: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for message in found:
        if message["type"] == "RECORD":
            by_stream[message["stream"]].append(message["record"])
    return by_stream


def test_messages_are_those_of_singer(town: Desk) -> None:
    """A schema before its records, with keys that each record has once; a state at the end."""
    found = messages(town, "--restricted", *SINCE)
    assert [message["type"] for message in found[-1:]] == ["STATE"]
    assert found[-1]["value"] == {"since": "2026-11-16"}
    schemas = {message["stream"]: message for message in found if message["type"] == "SCHEMA"}
    assert list(schemas) == [stream.name for stream in STREAMS]
    seen: set[str] = set()
    for message in found[:-1]:
        if message["type"] == "SCHEMA":
            seen.add(message["stream"])
            continue
        assert message["stream"] in seen
        assert message["record"].keys() == schemas[message["stream"]]["schema"]["properties"].keys()
    for name, its in records(found).items():
        keys = schemas[name]["key_properties"]
        assert keys
        values = [tuple(record[key] for key in keys) for record in its]
        assert len(set(values)) == len(values) > 0
        assert not [value for value in values if None in value]
        kinds = schemas[name]["schema"]["properties"]
        names = {type(None): "null", str: "string", int: "integer", float: "number", bool: "boolean"}
        for record in its:
            assert all(names[type(value)] in kinds[column]["type"] for column, value in record.items())


def test_by_default_it_holds_no_person(town: Desk) -> None:
    found = messages(town)
    assert {message.get("stream", "licence_gaps") for message in found} == {"licence_gaps"}
    assert found[1]["record"].keys().isdisjoint({"user_id", "student_id"})


def test_there_are_ids_and_never_names(town: Desk) -> None:
    messages(town, "--restricted", *SINCE)
    with duckdb.connect(town.settings["filepath"], read_only=True) as connection:
        query = 'select "familyName", "givenName", email from oneroster.users'
        names = {text for row in connection.execute(query).fetchall() for text in row if text and len(text) > 6}
    assert len(names) > 500
    assert [name for name in names if name in town.out] == []


def test_seats_are_those_of_enrollments_that_began_and_ended(town: Desk) -> None:
    """Of those who moved on 5 October: a seat in each new class, and one less in each old one; today nothing changed."""
    found = records(messages(town, "--restricted", *SINCE))
    moved = town.rows("restricted.transfer", where="kind = 'transfer'")
    assert {record["student_id"] for record in found["movers"]} >= {row["student_id"] for row in moved}
    (row, *_) = moved
    given = [record for record in found["seats_to_provision"] if record["user_id"] == row["student_id"]]
    taken = [record for record in found["seats_to_take_back"] if record["user_id"] == row["student_id"]]
    assert given
    assert taken
    assert {record["school_id"] for record in given} == {row["to_school_id"]}
    assert {record["school_id"] for record in taken} == {row["from_school_id"]}
    assert {record["class_id"] for record in given}.isdisjoint(record["class_id"] for record in taken)
    today = records(messages(town, "--restricted"))
    assert not {"seats_to_provision", "seats_to_take_back", "movers"} & today.keys()
    assert len(today["worklist"]) == len(town.rows("restricted.worklist"))


def piped(desk: Desk, loader: Path, settings: dict[str, Any], folder: Path) -> None:
    """Run `oneroster-marts push | a target` as a shell does."""
    desk("push")  # writes the settings
    (folder / "target.json").write_text(json.dumps(settings))
    program = Path(sys.executable).with_name("oneroster-marts")
    command: list[str | Path] = [program, "push", "--config", desk.folder / "marts.json", "--restricted", *SINCE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=desk.folder) as source:
        target: list[str | Path] = [loader, "--config", folder / "target.json"]
        sink = subprocess.run(target, stdin=source.stdout, capture_output=True, text=True, cwd=folder)
    assert source.returncode == 0
    assert sink.returncode == 0, sink.stderr[-2000:]


def test_target_jsonl_keeps_every_record(town: Desk, tmp_path: Path) -> None:
    wanted = records(messages(town, "--restricted", *SINCE))
    settings = {"destination_path": str(tmp_path), "do_timestamp_file": False}
    piped(town, executable_of("target-jsonl"), settings, tmp_path)
    for name, its in wanted.items():
        lines = (tmp_path / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines] == its


def test_target_postgres_keeps_every_record_once(town: Desk, server: Server, tmp_path: Path) -> None:
    """Also if the lists are pushed twice."""
    wanted = records(messages(town, "--restricted", *SINCE))
    database = server.database()
    url = database.url.replace("postgresql://", "postgresql+psycopg://")
    settings = {"sqlalchemy_url": url, "default_target_schema": "lists", "load_method": "upsert"}
    for _ in range(2):
        piped(town, executable_of("target-postgres"), settings, tmp_path)
    for name, its in wanted.items():
        found = database.rows(f'lists."{name}"')
        plain = [{key: value for key, value in row.items() if key in its[0]} for row in found]
        assert sorted(plain, key=str) == sorted(its, key=str)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "October"), "--since: must be a date such as 2026-10-05"),
        (("--since", "2026-11-16"), "--since: must be before 2026-11-16, the day that was built"),
    ],
)
def test_a_wrong_day_is_one_line(town: Desk, arguments: tuple[str, ...], said: str) -> None:
    assert town("push", *arguments) == 2
    assert town.err == f"oneroster-marts: {said}\n"
    assert town.out == ""


def test_a_reader_that_ends_is_one_line(town: Desk) -> None:
    town("push")
    program = Path(sys.executable).with_name("oneroster-marts")
    command: list[str | Path] = [program, "push", "--config", town.folder / "marts.json", "--restricted", *SINCE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as source:
        source.stdout.close()
        said = source.stderr.read()
    assert source.returncode == 1
    assert said == "oneroster-marts: the program that reads from this one has ended before all was said\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("arguments", [("push",), ("ask", "class size by grade")], ids=lambda its: its[0])
def test_a_disk_that_is_full_is_one_line(arguments: tuple[str, ...], town: Desk) -> None:
    """And no success: the messages, or the answer, did not arrive."""
    town("push")  # writes the settings
    program = Path(sys.executable).with_name("oneroster-marts")
    name, *rest = arguments
    command: list[str | Path] = [program, name, "--config", town.folder / "marts.json", *rest]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "oneroster-marts: stdout: No space left on device\n"


def test_the_page_of_recipes_names_every_stream_with_its_keys() -> None:
    text = RECIPES.read_text(encoding="utf-8")
    for stream in STREAMS:
        (line,) = [its for its in text.splitlines() if its.startswith(f"| `{stream.name}` ")]
        assert all(f"`{key}`" in line for key in stream.keys)
    for place in PLACES:
        assert f"\n## {place}\n" in text


Recipe = Callable[[str], list[dict[str, Any]]]
PLACES = ("Salesforce", "HubSpot", "Slack", "monday.com", "HiBob", "Exact Online")


@pytest.fixture(scope="module")
def in_postgres(town: Desk, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """Asks the lists as target-postgres keeps them."""
    folder = tmp_path_factory.mktemp("lists")
    database = server.database()
    url = database.url.replace("postgresql://", "postgresql+psycopg://")
    piped(town, executable_of("target-postgres"), {"sqlalchemy_url": url, "default_target_schema": "lists"}, folder)
    return lambda query: [
        json.loads(line) for line in database.execute(f"select row_to_json(its.*) from ({query}) its")
    ]


@pytest.fixture(scope="module")
def in_files(town: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recipe]:
    """Asks the lists as target-jsonl keeps them, by the views of the page's second block."""
    folder = tmp_path_factory.mktemp("files")
    settings = {"destination_path": str(folder), "do_timestamp_file": False}
    piped(town, executable_of("target-jsonl"), settings, folder)
    views = RECIPES.read_text(encoding="utf-8").split("create schema lists;\n")[1].split("```")[0]
    with duckdb.connect() as connection:
        connection.execute("create schema lists")
        connection.execute(views.replace("from '", f"from '{folder}/"))

        def ask(query: str) -> list[dict[str, Any]]:
            found = connection.execute(f"select to_json(its) from ({query}) its").fetchall()
            return [json.loads(line) for (line,) in found]

        yield ask


def recipe(place: str) -> str:
    """The query of a section of the page."""
    section = RECIPES.read_text(encoding="utf-8").split(f"\n## {place}\n")[1].split("\n## ")[0]
    return section.split("```sql\n")[1].split("```")[0].strip().rstrip(";")


@pytest.mark.parametrize("place", [*PLACES, "Provision and take back"])
def test_each_recipe_runs_over_the_streams(place: str, in_postgres: Recipe, in_files: Recipe) -> None:
    """On the tables of target-postgres and on the files of target-jsonl: the same rows, without a null in what names them.

    No teacher of the sample changes classes, so of HiBob there are none; whoever leaves a class is in another one.
    """
    rows, same = in_postgres(recipe(place)), in_files(recipe(place))
    assert sorted(map(str, map(in_words, same))) == sorted(map(str, map(in_words, rows)))
    assert rows or place in ("HiBob", "Provision and take back")
    assert all(next(iter(row.values())) for row in rows)


def in_words(row: dict[str, Any]) -> dict[str, str]:
    """A row with numbers alike, of whichever kind the database has made them."""
    return {name: f"{value:.4f}" if isinstance(value, int | float) else str(value) for name, value in row.items()}


@pytest.mark.parametrize("place", ["HiBob", "Provision and take back"])
def test_recipes_that_are_empty_here_find_what_they_are_for(place: str) -> None:
    """A teacher who changes classes, and a student who leaves the only one."""
    with duckdb.connect() as connection:
        connection.execute("create schema lists")
        for name in ("seats_to_provision", "seats_to_take_back"):
            connection.execute(f"create table lists.{name} (user_id text, class_id text, role text)")
        connection.execute("insert into lists.seats_to_provision values ('t', 'a', 'teacher'), ('s', 'a', 'student')")
        connection.execute(
            "insert into lists.seats_to_take_back values ('t', 'b', 'teacher'), ('s', 'b', 'student'), ('u', 'b', 'student')"
        )
        found = connection.execute(recipe(place)).fetchall()
    assert found == ([("t", 2)] if place == "HiBob" else [("u",)])
