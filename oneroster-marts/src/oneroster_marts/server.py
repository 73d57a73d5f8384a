"""An MCP server that answers in metrics: for any assistant that speaks the protocol. No SQL, no rows of persons, nothing is written."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from .answers.ask import ABOUT_PERSONS
from .answers.asked import LIMIT
from .answers.metrics import metrics
from .answers.query import Answers, asked_from
from .errors import Failed, MartsError
from .reader import open_reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from .settings import Settings

INSTRUCTIONS = (
    "Numbers of a school district, by metric and dimension. Small numbers are hidden, and so are those that would tell them: say so, and "
    f"do not estimate them. {ABOUT_PERSONS} Call list_metrics first."
)


def tools(settings: Settings) -> dict[str, Callable[..., dict[str, Any]]]:
    """Return the tools by name; each opens what was built for the time of a call, so that a build is not kept from it."""

    def with_answers(ask: Callable[[Answers], dict[str, Any]]) -> dict[str, Any]:
        with open_reader(settings) as reader:
            return ask(Answers(reader, settings.small_cell))

    def list_metrics() -> dict[str, Any]:
        """List the metrics: name, label, and the dimensions by which each is known."""
        found = [{"name": m.name, "label": m.label, "dimensions": list(m.dimensions)} for m in metrics().values()]
        return {"metrics": found}

    def describe_metric(metric: str) -> dict[str, Any]:
        """Say what a metric counts, in which unit, by which dimensions, and whether it can be asked `since` a date."""

        def describe(answers: Answers) -> dict[str, Any]:
            its = answers.metric(metric)
            return {
                "name": its.name, "label": its.label, "definition": its.definition, "unit": its.unit,
                "dimensions": list(its.dimensions), "since": its.has_since, "synonyms": list(its.synonyms),
            }  # fmt: skip

        return with_answers(describe)

    def dimension_values(dimension: str) -> dict[str, Any]:
        """List the values of a dimension (school, grade, course, term, week, sex, race_ethnicity, product), each with its name."""

        def values(answers: Answers) -> dict[str, Any]:
            found = answers.values(dimension)
            return {"dimension": dimension, "values": [{"value": key, "name": name} for key, name in found.items()]}

        return with_answers(values)

    def query_metric(
        metric: str,
        by: list[str] | None = None,
        where: dict[str, Any] | None = None,
        since: str = "",
        limit: int = LIMIT,
    ) -> dict[str, Any]:
        """Answer with a metric by two dimensions at most; `where` holds values (ids or names), `since` a date such as 2026-10-05."""
        asked = asked_from(metric, by or (), where, since, limit)
        print(json.dumps({"metric": metric, "by": by or [], "where": where or {}, "since": since}), file=sys.stderr)
        return with_answers(lambda answers: answers.query(asked))

    def compare(metric: str, dimension: str, a: str, b: str) -> dict[str, Any]:
        """Compare a metric of two values of a dimension."""
        print(json.dumps({"metric": metric, "compare": dimension, "values": [a, b]}), file=sys.stderr)
        return with_answers(lambda answers: answers.compare(metric, dimension, a, b))

    return {its.__name__: its for its in (list_metrics, describe_metric, dimension_values, query_metric, compare)}


def serve(settings: Settings) -> None:
    """Serve the tools on stdin and stdout, until stdin ends.

    Raises:
        Failed: The package `mcp` is not installed.
    """
    try:
        from mcp.server.fastmcp import FastMCP
        from mcp.server.fastmcp.exceptions import ToolError
    except ImportError:
        raise Failed("mcp is not installed here; install oneroster-marts[mcp]") from None
    import functools

    # Of a message that cannot be read the package logs what stood in it; the client is told without.
    server = FastMCP("oneroster-marts", instructions=INSTRUCTIONS, log_level="CRITICAL")
    for name, tool in tools(settings).items():

        def told(*arguments: Any, its: Any = tool, **named: Any) -> Any:
            try:
                return its(*arguments, **named)
            except MartsError as reason:
                raise ToolError(str(reason)) from None

        server.add_tool(functools.wraps(tool)(told), name=name, structured_output=False)
    server.run()
