"""The MCP server, spoken to by a real client; and an attacker who asks two thousand questions and subtracts the answers."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from oneroster_marts import project
from oneroster_marts.answers.asked import Asked, CannotSay
from oneroster_marts.answers.metrics import DEMOGRAPHICS, metrics
from oneroster_marts.answers.query import Answers
from oneroster_marts.errors import Failed
from oneroster_marts.reader import open_reader
from oneroster_marts.server import tools
from oneroster_marts.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .warehouses import Desk

SMALL = 10
QUESTIONS = 1_000
"""Of each of the two districts."""


def in_a_session(desk: Desk, *calls: tuple[str, dict[str, Any]]) -> tuple[list[str], list[tuple[bool, str]], str]:
    """Start the server as an assistant does; return the names of its tools, the answers, and what it logged."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    desk("ask", "students")  # writes the settings
    program = Path(sys.executable).with_name("oneroster-marts")
    server = StdioServerParameters(
        command=str(program), args=["serve-mcp", "--config", str(desk.folder / "marts.json")], cwd=str(desk.folder)
    )

    async def talk() -> tuple[list[str], list[tuple[bool, str]]]:
        with (desk.folder / "mcp.log").open("w") as log:
            async with stdio_client(server, errlog=log) as (read, write), ClientSession(read, write) as session:
                await session.initialize()
                tools = await session.list_tools()
                found = []
                for name, arguments in calls:
                    result = await session.call_tool(name, arguments)
                    found.append((bool(result.isError), result.content[0].text))
                return [tool.name for tool in tools.tools], found

    names, found = asyncio.run(talk())
    return names, found, (desk.folder / "mcp.log").read_text(encoding="utf-8")


def test_a_client_asks_the_server(town: Desk) -> None:
    names, found, log = in_a_session(
        town,
        ("list_metrics", {}),
        ("describe_metric", {"metric": "class_size"}),
        ("dimension_values", {"dimension": "grade"}),
        ("query_metric", {"metric": "class_size", "by": ["grade"], "where": {"school": "00003"}}),
        ("compare", {"metric": "attendance", "dimension": "school", "a": "00002", "b": "00003"}),
        ("query_metric", {"metric": "salary"}),
        ("query_metric", {"metric": "students", "where": {"school": "no such"}}),
        ("query_metric", {"metric": "students", "where": {"student_id": "000200182"}}),
    )
    assert names == ["list_metrics", "describe_metric", "dimension_values", "query_metric", "compare"], (
        "no SQL, no rows"
    )
    assert [is_error for is_error, _ in found] == [False] * 5 + [True] * 3
    assert len(json.loads(found[0][1])["metrics"]) == len(metrics()) >= 30
    assert {its["value"] for its in json.loads(found[2][1])["values"]} >= {"KG", "01", "12"}
    answer = json.loads(found[3][1])
    assert [row["grade"] for row in answer["rows"]] == ["09", "10", "11", "12"]
    assert all(row.keys() == {"grade", "value", "n", "hidden"} for row in answer["rows"])
    assert {"rows", "sentence", "n", "load", "definition", "hidden"} <= answer.keys()
    assert "There is no metric salary" in found[5][1]
    assert all("Traceback" not in text for _, text in found)
    logged = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {"metric": "class_size", "by": ["grade"], "where": {"school": "00003"}, "since": ""} in logged


def test_a_mart_that_is_not_built_is_an_error_of_the_call(sample: Path, tmp_path: Path) -> None:
    """The server stays: the mart may be built while an assistant is open."""
    from .warehouses import duckdb_desk

    _, found, _ = in_a_session(
        duckdb_desk(tmp_path, sample), ("query_metric", {"metric": "students"}), ("list_metrics", {})
    )
    assert [is_error for is_error, _ in found] == [True, False]
    assert found[0][1].endswith("marts_path: no such file; run oneroster-marts build first")


def test_a_warehouse_that_is_busy_is_an_error_of_the_call(
    town: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oneroster_marts._core.sql.PATIENCE_SECONDS", 0.0)
    copy = str(shutil.copy(town.settings["marts_path"], tmp_path))
    (tmp_path / "marts.json").write_text(json.dumps(town.settings | {"marts_path": copy}))
    ask = tools(read_settings(tmp_path / "marts.json", project.inputs(), {}))["query_metric"]
    with duckdb.connect(copy), pytest.raises(Failed, match="is open in another program"):
        ask("students")
    assert ask("students")["rows"], "a call opens the file for itself, so it sees when it is free"


def test_what_is_no_message_is_refused_and_the_next_is_answered(town: Desk) -> None:
    """Garbage on stdin: no value of it is in the log, and the server goes on."""
    town("ask", "students")  # writes the settings
    program = Path(sys.executable).with_name("oneroster-marts")
    start = {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    asked: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": start},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "list_metrics", "arguments": {}}},
    ]
    garbage = [
        b"canary-in-no-json",
        b'{"canary": 1}',
        b"\xff\xfe\x00",
        b"[]",
        b'{"jsonrpc": "2.0", "id": 9, "method": "canary"}',
    ]
    lines = [*garbage, *(json.dumps(its).encode() for its in asked)]
    with subprocess.Popen(
        [program, "serve-mcp", "--config", town.folder / "marts.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as server:
        server.stdin.write(b"".join(line + b"\n" for line in lines))
        server.stdin.flush()
        answers: dict[Any, Any] = {}
        while 2 not in answers:
            answer = json.loads(server.stdout.readline())
            answers[answer.get("id")] = answer
        _, log = server.communicate()
    assert server.returncode == 0
    assert "students" in answers[2]["result"]["content"][0]["text"]
    assert b"canary" not in log
    assert b"Traceback" not in log


def test_nothing_of_persons_is_answered(town: Desk) -> None:
    """Each metric by each dimension, and each dimension's values."""
    with duckdb.connect(town.settings["filepath"], read_only=True) as connection:
        query = 'select "sourcedId", username, email, "familyName", identifier from oneroster.users'
        canaries = {text for row in connection.execute(query).fetchall() for text in row if text and len(text) > 6}
    calls = [("query_metric", {"metric": name, "by": [its]}) for name, m in metrics().items() for its in m.dimensions]
    calls += [
        ("dimension_values", {"dimension": name}) for name in ("school", "grade", "course", "term", "week", "product")
    ]
    _, found, log = in_a_session(town, *calls)
    text = log + "".join(its for _, its in found)
    assert len(canaries) > 1000
    assert [canary for canary in canaries if canary in text] == []


@pytest.fixture(scope="module", params=["small schools", "one small grade"])
def attacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """Schools of which most grades are small; and schools of which one grade is, so that the whole would tell it."""
    name = "duckdb_desk" if request.param == "small schools" else "town"
    desk: Desk = request.getfixturevalue(name)
    folder = tmp_path_factory.mktemp("attacked")
    copy = str(shutil.copy(desk.settings["marts_path"], folder))
    if name == "town":
        with duckdb.connect(copy) as connection:
            for school, grade in (("00001", "07"), ("00002", "KG")):
                place = f"school_id = '{school}' and class_type = 'all'"
                connection.execute(
                    f"update shared.enrollment_count set students = 6 where {place} and grade = '{grade}'"
                )
                total = f"select sum(students) from shared.enrollment_count where {place} and grade <> 'all' and day = its.day"
                connection.execute(
                    f"update shared.enrollment_count as its set students = ({total}) where {place} and grade = 'all'"
                )
    (folder / "marts.json").write_text(json.dumps(desk.settings | {"marts_path": copy}))
    settings = read_settings(folder / "marts.json", project.inputs(), {})
    with open_reader(settings) as reader:
        yield Answers(reader, SMALL)


def questions(answers: Answers, count: int, seed: int) -> Iterator[Asked]:
    """Questions that a program may send: a metric, by none to two dimensions, with some values, at times since a day."""
    draw = random.Random(seed)
    values = {name: list(answers.values(name)) for name in {its for m in metrics().values() for its in m.dimensions}}
    for _ in range(count):
        metric = draw.choice(list(metrics().values()))
        names = list(metric.dimensions)
        draw.shuffle(names)
        by = tuple(names[: draw.randint(0, 2)])
        where: dict[str, tuple[str, ...]] = {}
        for name in names[len(by) : len(by) + draw.randint(0, 2)] or names[: draw.randint(0, 1)]:
            if values[name]:
                where[name] = tuple(draw.sample(values[name], min(len(values[name]), draw.choice((1, 1, 2, 5)))))
        since = (
            draw.choice(("2026-09-01", "2026-11-10"))
            if metric.how == "change" or (metric.has_since and draw.random() < 0.3)
            else ""
        )
        if not set(DEMOGRAPHICS) <= {*by, *where}:
            yield Asked(metric.name, by, where, since)


def test_questions_yield_no_small_cell_also_by_subtraction(attacked: Answers) -> None:
    asked = answered = shown = subtracted = 0
    for question in questions(attacked, QUESTIONS, 3):
        asked += 1
        metric = metrics()[question.metric]
        try:
            answer = attacked.query(question)
        except CannotSay:
            continue
        answered += 1
        for row in answer["rows"]:
            if row["hidden"]:
                assert row["value"] is None
                assert row["n"] is None
                continue
            if row["value"] is None:
                continue
            shown += 1
            assert row["n"] >= SMALL
            if metric.persons:
                assert abs(row["value"]) >= SMALL or (metric.how == "change" and row["value"] == 0)
        if metric.persons and metric.how == "sum":
            subtracted += subtract(attacked, question, answer)
    assert asked > 0.9 * QUESTIONS
    assert answered > 0.7 * QUESTIONS
    assert shown > 500
    assert subtracted > 20


def subtract(answers: Answers, question: Asked, answer: dict[str, Any]) -> int:
    """Subtract from each number its parts by one dimension more; what is left is nothing or not small."""
    done = 0
    for name in metrics()[question.metric].dimensions:
        if name in question.by or len(question.by) > 1 or name in question.where:
            continue
        if name == "term" and metrics()[question.metric].one_term:
            continue  # a teacher of two terms counts in both, and once in the whole
        parts = answers.query(Asked(question.metric, (*question.by, name), question.where, question.since))
        for row in answer["rows"]:
            if row["hidden"]:
                continue
            key = [row[dimension] for dimension in question.by]
            its = [part for part in parts["rows"] if [part[dimension] for dimension in question.by] == key]
            rest = row["value"] - sum(part["value"] for part in its if not part["hidden"])
            assert rest == 0 or rest >= SMALL, (question, row, its)
            assert not its or rest == 0 or sum(part["hidden"] for part in its) != 1, (
                "one hidden cell is all that is left"
            )
            done += 1
    return done


@pytest.mark.parametrize("attacked", ["one small grade"], indirect=True)
def test_the_attack_finds_a_small_grade_where_the_whole_is_told(
    attacked: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the attack can fail: without the rule for the whole, subtraction recovers a grade of six."""
    from oneroster_marts.answers.cells import Hidden

    found = attacked._cells.hidden(attacked.today)
    whole = Hidden(found.grades, set())
    assert found.schools == {"00001", "00002"}
    question = Asked("students", ("school",))
    monkeypatch.setattr(attacked._cells, "hidden", lambda day: whole)
    answer = attacked.query(question)
    with pytest.raises(AssertionError):
        subtract(attacked, question, answer)
