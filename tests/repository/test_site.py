"""The site of docs/: it builds strictly, nothing of it lies elsewhere, and what it says about settings and columns holds."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import shlex
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema
import oneroster_core.model as model
import pytest
import yaml
from mkdocs.exceptions import PluginError
from oneroster_audit.policy import Policy
from oneroster_core.twin.policy import Policy as TwinPolicy
from oneroster_fleet.fleet_file import values as fleet_values
from oneroster_marts.settings import SETTINGS as MARTS_SETTINGS
from tap_oneroster._core.http.presets import PRESETS
from tap_oneroster.singer.config_check import combination_errors

from benchmarks import all as benchmarks
from tests.support.benchmarks import options_of
from tools import project
from tools.derived.addresses import pip_url, repository
from tools.derived.definitions import about, properties
from tools.derived.tables import settings_table
from tools.site import diagram, hook, messages, providers
from tools.site import model as site_model

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
TAP, TARGET = "tap-oneroster", "target-oneroster-csv"
# Pages whose own tests hold them: they also show other plugins, and files that are no pieces of a meltano.yml.
WITH_TESTS_OF_THEIR_OWN = {
    *("airbyte.md", "batch.md", "checks.md", "loaders.md", "meltano.md", "python.md"),
    *("loaders/duckdb.md", "recipes/sis-database.md"),
}


def own_pages() -> dict[str, str]:
    """Pages as they are in the repository, by their path."""
    pages = {path.relative_to(DOCS).as_posix(): path for path in sorted(DOCS.rglob("*.md"))}
    return {
        name: path.read_text(encoding="utf-8") for name, path in pages.items() if name not in WITH_TESTS_OF_THEIR_OWN
    }


class Page(HTMLParser):
    """What a page of the site refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        its = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.anchors |= {its[name] for name in ("id", "name") if name in its}
        if tag == "a" and "href" in its:
            self.links.append(its["href"])
        elif tag in {"script", "img", "link", "iframe", "source", "object"}:
            self.loads += [its[name] for name in ("src", "href", "data") if name in its]


@pytest.fixture(scope="module")
def site(built_site: Path) -> dict[str, Page]:
    """The pages of the site, by their path in it."""
    pages = built_site.rglob("*.html")
    return {p.relative_to(built_site).as_posix(): Page(p.read_text(encoding="utf-8")) for p in pages}


def test_every_page_is_there_and_in_the_navigation(site: dict[str, Page]) -> None:
    """A page that no other one leads to is not read. The build itself fails on one that is not in the navigation."""
    written = {p.relative_to(DOCS).with_suffix(".html").as_posix() for p in DOCS.rglob("*.md")}
    made = {providers.path(p).replace(".md", ".html") for p in providers.read()}
    assert set(site) == written | made | {"404.html"}
    navigation = {resolved("index.html", link)[0] for link in site["index.html"].links}
    one_step = {resolved(page, link)[0] for page in navigation if page in site for link in site[page].links}
    assert written | made <= navigation | one_step


def resolved(page: str, link: str) -> tuple[str, str]:
    """Page and anchor that a link of a page means."""
    parts = urlsplit(link)
    path = (Path("/") / page).parent / unquote(parts.path) if parts.path else Path("/") / page
    steps: list[str] = []
    for step in path.parts[1:]:
        steps = steps[:-1] if step == ".." else steps if step == "." else [*steps, step]
    return "/".join(steps) or "index.html", parts.fragment


def test_every_link_leads_somewhere(site: dict[str, Page]) -> None:
    """Also those in the diagrams, which mkdocs does not look at."""
    lost = []
    for name, page in site.items():
        if name == "404.html":
            continue
        for link in page.links:
            if urlsplit(link).scheme:
                continue
            where, anchor = resolved(name, link)
            if where not in site or (anchor and anchor not in site[where].anchors):
                lost.append(f"{name}: {link}")
    assert not lost


def test_nothing_is_fetched_from_elsewhere(site: dict[str, Page]) -> None:
    """No fonts, scripts, styles or pictures of other hosts, and no diagram that a script from elsewhere would draw."""
    for name, page in site.items():
        assert not [place for place in page.loads if urlsplit(place).netloc], name
    assert not [p for p in DOCS.rglob("*.md") if "```mermaid" in p.read_text(encoding="utf-8")]


TAGS = re.compile(
    "a|article|body|button|circle|code|defs|div|em|footer|form|h[1-3]|head|header|html|img|input|label|li|link|main|marker|meta"
    "|nav|ol|p|path|pre|rect|script|span|strong|style|svg|table|tbody|td|text|th|thead|title|tr|ul"
)


def test_no_word_in_angle_brackets_is_taken_for_html(site: dict[str, Page]) -> None:
    """`<schema>_current` in a description would vanish from the page, and `<table>` begin a table."""
    assert not [tag for page in site.values() for tag in page.tags if not TAGS.fullmatch(tag)]
    for plugin in (TAP, TARGET, "target-oneroster-duckdb"):
        assert "<" not in settings_table(plugin)


def test_every_page_names_the_version_and_the_repository(site: dict[str, Page], built_site: Path) -> None:
    """In its footer; the address is the one that the packages link to."""
    for name, page in site.items():
        assert repository() in page.links, name
        assert re.search(r"Version \d+\.\d+", (built_site / name).read_text(encoding="utf-8")), name


FIGURES = re.compile(r"^\|.*\b(records a second|records/s|[Ww]all s|CPU s|[Pp]eak MB)\b.*\|$", re.MULTILINE)


def test_every_table_of_figures_is_written_by_its_benchmark() -> None:
    """A figure that was typed would stay when the code has become slower, and nobody could measure it again."""
    measured = list(benchmarks.blocks())
    assert len(measured) > 3
    for page in benchmarks.pages():
        text = page.read_text(encoding="utf-8")
        tables = "\n\n".join(block.table for block in measured if block.page == page)
        for found in FIGURES.finditer(text):
            assert found[0] in tables, f"{page}: {found[0]}"


@pytest.mark.parametrize("block", list(benchmarks.blocks()), ids=lambda block: block.command)
def test_the_command_of_a_table_exists_and_stands_beside_it(block: benchmarks.Block) -> None:
    module, *options = shlex.split(block.command)
    assert {option for option in options if option.startswith("--")} <= options_of(f"benchmarks.{module}")
    sections = re.split(r"^## ", block.page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    section = next(section for section in sections if f"<!-- measured: {block.command} -->" in section)
    assert f"./run python -m benchmarks.{block.command}" in section


def test_a_mark_that_nothing_makes_stops_the_build() -> None:
    """A misspelt mark would leave a hole in the page."""
    with pytest.raises(PluginError, match="nothing makes 'receipt'"):
        hook.filled("<!-- made: receipt -->", "x.md")


def test_links_out_of_docs_lead_to_the_site() -> None:
    """Pages are read in the repository, too, where links go to README.md."""
    assert (
        hook.turned("[x](../README.md#settings) [y](loaders.md#z)", "python.md") == "[x](settings.md) [y](loaders.md#z)"
    )
    assert hook.turned("[x](../../tests/csv)", "recipes/delta.md") == "x (`tests/csv`)"
    assert hook.turned("[x](../../README.md)", "recipes/delta.md") == "[x](../start.md)"


# --- what the pages say ------------------------------------------------------------------------------------------


def filled_out(value: Any) -> Any:
    """A snippet with its placeholders as a reader would fill them in."""
    if isinstance(value, dict):
        return {key: filled_out(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled_out(inner) for inner in value]
    return re.sub(r"<[^>]+>", "x", value) if isinstance(value, str) else value


def problems(plugin: str, config: dict[str, Any]) -> list[str]:
    """What the plugin would say of these settings; and settings it does not have."""
    schema = about(plugin)["settings"]
    known = {name for name, _, _ in properties(schema)} | set(schema["properties"])
    found = [f"{name}: no such setting" for name in config if name not in known]
    return found + [e.message for e in jsonschema.Draft7Validator(schema).iter_errors(config)]


def complete(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of the tap with its defaults, as it gets them."""
    schema = about(TAP)["settings"]["properties"]
    return {name: its["default"] for name, its in schema.items() if "default" in its} | config


ways = [(p["name"], number, config) for p in providers.read() for number, config in enumerate(providers.snippets(p))]


@pytest.mark.parametrize(("provider", "number", "config"), ways, ids=[f"{name}-{n}" for name, n, _ in ways])
def test_settings_of_a_vendor_would_start_the_tap(provider: str, number: int, config: dict[str, Any]) -> None:
    """With the secret set and the placeholders filled in, the tap has nothing to complain about."""
    config = filled_out(config)
    assert not problems(TAP, config)
    assert not combination_errors(complete(config))


@pytest.mark.parametrize("provider", providers.read(), ids=lambda p: p["name"])
def test_a_page_of_a_vendor_says_how_it_is_known_and_what_is_not(provider: dict[str, Any]) -> None:
    """Each fact has its evidence, each value a setting that exists, and something is always unknown."""
    settings = {name for name, _, _ in properties(about(TAP)["settings"])}
    assert provider["unknown"]
    for way in providers.ways(provider):
        named = {setting for value in way["values"].values() for setting in value.split()}
        assert named <= settings
        facts = [*provider.get("odd", ()), *way.get("facts", ())]
        assert {kind for fact in facts for kind in fact} <= set(providers.EVIDENCE)
        streams = {pattern.partition(".")[0].lstrip("!") for pattern in way.get("select", ())}
        assert streams - {"*"} <= {file.name for file in model.FILES}


@pytest.mark.parametrize("provider", providers.read(), ids=lambda p: p["name"])
def test_a_page_of_a_vendor_names_its_sources(provider: dict[str, Any]) -> None:
    """It ends with the pages that its facts come from and the day on which they were read; `another` states no facts."""
    page = providers.page(provider)
    if provider["name"] == "another":
        assert "## Sources" not in page
        return
    head, _, end = page.partition("## Sources")
    assert "## Unknown" in head
    assert "## " not in end
    read = re.search(r"^Read on (\d{4}-\d\d-\d\d):$", end, re.MULTILINE)
    assert read
    assert date.fromisoformat(read[1]) >= date(2026, 11, 1)
    listed = re.findall(r"^- <?(.+?)>?$", end, re.MULTILINE)
    assert listed == provider["sources"]
    assert all(isinstance(source, str) and len(source) > 5 for source in listed)
    if provider.get("listed") == "microsoft":
        assert "Microsoft School Data Sync, list of OneRoster providers" in listed


def test_every_preset_has_a_page() -> None:
    """Who sets `provider` finds what it does."""
    named = {way.get("preset") for p in providers.read() for way in providers.ways(p)}
    assert {preset.name for preset in PRESETS} - {"generic"} == named - {None}


def snippets() -> list[tuple[str, dict[str, Any]]]:
    """Pieces of a meltano.yml on the pages written by hand; the others have files of theirs, which their tests read."""
    found = []
    for page, content in own_pages().items():
        if page in {"audit.md", "consumers.md", "fleet.md", "marts.md", "marts-inputs.md", "marts-questions.md"}:
            continue
        for indent, language, text in BLOCK.findall(content):
            if language == "yaml":
                found.append((page, yaml.safe_load(re.sub(rf"^{indent}", "", text, flags=re.MULTILINE))))
    return found


def project_loaders() -> dict[str, set[str]]:
    """The settings of each loader in this repository's meltano.yml."""
    return {name: {s["name"] for s in loader["settings"]} for name, loader in project.plugins("loaders").items()}


def test_pieces_of_meltano_yml_are_right() -> None:
    """Each plugin and setting in them exists; what only Meltano reads is valid by the schema that it ships."""
    from importlib.resources import files

    schema = json.loads(files("meltano").joinpath("schemas/meltano.schema.json").read_text(encoding="utf-8"))
    loaders = project_loaders()
    pieces = snippets()
    assert len(pieces) > 10
    for page, piece in pieces:
        jsonschema.validate(piece, schema)
        for kind, plugins in piece.get("plugins", {}).items():
            for plugin in plugins:
                name = plugin.get("inherit_from", plugin["name"])
                config = filled_out(plugin.get("config", {}))
                if "pip_url" in plugin:
                    assert re.sub(r"\[\w+\]", "", plugin["pip_url"]) == pip_url(name), page
                if kind == "extractors":
                    assert name == TAP, page
                    assert not problems(TAP, config), page
                    if "mode" in config:
                        secret = {"client_secret": "..."} if config["mode"] == "rest" else {}
                        assert not combination_errors(complete(config | secret)), page
                    selected = {p.partition(".")[0].lstrip("!") for p in plugin.get("select", ())}
                    assert selected - {"*"} <= {f.name for f in model.FILES}, page
                    columns = {tuple(p.lstrip("!").split(".")) for p in plugin.get("select", ())}
                    for stream, column in columns:
                        assert "*" in (stream, column) or model.file(stream).field(column), page
                elif name == TARGET:
                    assert not problems(TARGET, config), page
                else:
                    assert set(config) <= loaders[name], page


def test_json_on_the_pages_is_settings() -> None:
    """Files to copy are files that the plugin takes."""
    for page, content in own_pages().items():
        for _, language, text in BLOCK.findall(content):
            if language == "json":
                config = json.loads(text)
                assert not problems(TAP if "mode" in config else TARGET, config), page


def test_names_of_settings_in_the_text_exist() -> None:
    """`name: value` in code is a setting of the tap, of the target, of a loader, or of Meltano."""
    known = {name for plugin in (TAP, TARGET) for name, _, _ in properties(about(plugin)["settings"])}
    known |= {name for settings in project_loaders().values() for name in settings}
    known |= {"pip_url", "select", "provider", *Policy.__struct_fields__}
    known |= {setting.name for setting in MARTS_SETTINGS}
    known |= {field.name for field in dataclasses.fields(TwinPolicy)}
    known |= {*fleet_values.TOP, *fleet_values.DISTRICT, *fleet_values.PROVIDER, "districts"}
    pages = [*own_pages().values(), *map(providers.page, providers.read())]
    named = {name for page in pages for name in re.findall(r"`([a-z_]+): [^`]+`", page)}
    assert len(named) > 10
    assert named <= known
    named = {name for page in pages for name in re.findall(r"\b((?:TAP_ONEROSTER|TARGET_ONEROSTER_CSV)_[A-Z_]+)", page)}
    variables = {f"{plugin.upper().replace('-', '_')}_{name.upper()}" for plugin in (TAP, TARGET) for name in known}
    assert len(named) > 5
    assert named <= variables


def texts_of_the_code() -> str:
    """Every text that stands in the code of tap and target."""
    found = []
    for folder in {folder for folders in messages.SOURCES.values() for folder in folders}:
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant | ast.JoinedStr):
                    found += [" ".join((messages.text_of(node) or "").split())]
    return "\n".join(found)


def test_messages_that_are_explained_are_messages_of_the_code() -> None:
    """A message that was reworded is reworded on the page."""
    code = texts_of_the_code()
    page = (DOCS / "operations/failures.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert len(explained) > 30
    for message in explained:
        for part in filter(None, (piece.strip(" ();") for piece in message.split("…"))):
            assert part in code, message


def test_the_page_of_all_messages_has_them() -> None:
    """Raised, gathered, or returned to be raised: those that users meet most are among them."""
    tap, target = messages.messages(TAP), messages.messages(TARGET)
    assert len(tap) > 80
    assert len(target) > 40
    for text in ("run once with accept_shrink", "no token was given", "only a delta is there"):
        assert [m for m in tap if text in m], text
    for text in ("the run broke off", "rows would have to go"):
        assert [m for m in target if text in m], text


# --- what is made from the model ---------------------------------------------------------------------------------


@pytest.mark.parametrize("service", diagram.LAYOUT)
def test_a_diagram_shows_every_table_and_every_reference(service: str) -> None:
    """A reference that the model gets is a line in the diagram, or the drawing fails."""
    drawn = diagram.svg(service)
    for file in model.FILES:
        if file.service.value != service:
            continue
        assert '<text class="head" x="' in drawn
        assert f">{file.name}</text>" in drawn
        for field in file.fields:
            if field.refers_to and field.refers_to != file.name:
                assert f"<title>{file.name}.{field.name} refers to {field.refers_to}</title>" in drawn


@pytest.mark.parametrize("service", diagram.LAYOUT)
def test_no_line_of_a_diagram_runs_through_a_table(service: str) -> None:
    """Boxes do not overlap, and a line only touches the boxes at its ends."""
    drawing = diagram.Drawing(service)
    boxes = list(drawing.boxes.values())
    for number, one in enumerate(boxes):
        assert one.x + one.width <= drawing.width
        for other in boxes[number + 1 :]:
            apart = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y
    for line in drawing.lines():
        points = [tuple(map(float, p.split())) for p in re.split(" ?[ML]", re.findall(r' d="([^"]+)"', line)[0]) if p]
        for (x1, y1), (x2, y2) in pairwise(points):
            assert x1 == x2 or y1 == y2
            for box in boxes:
                crosses_x = min(x1, x2) < box.x + box.width - 0.5 and max(x1, x2) > box.x + 0.5
                crosses_y = min(y1, y2) < box.y + box.height - 0.5 and max(y1, y2) > box.y + 0.5
                assert not (crosses_x and crosses_y), (line, box.file.name)


def test_every_column_about_persons_is_classified() -> None:
    """A new column of these streams asks for a decision; `sourcedId`, status and date of the others say nothing of their own."""
    neutral = {"sourcedId", "status", "dateLastModified"}
    for stream, kinds in site_model.kinds_of_data().items():
        listed = [column for columns in kinds.values() for column in columns]
        assert len(listed) == len(set(listed)), stream
        columns = {field.name for field in model.file(stream).fields}
        assert set(listed) <= columns, stream
        if any(field.refers_to == "users" for field in model.file(stream).fields):
            assert columns - set(listed) <= neutral, stream


def test_every_stream_that_refers_to_users_is_among_them() -> None:
    """What hangs on a user is about a person."""
    about_persons = {file.name for file in model.FILES for field in file.fields if field.refers_to == "users"}
    assert about_persons | {"users"} <= set(site_model.kinds_of_data())


def test_every_field_of_a_receipt_is_explained() -> None:
    """The page has one line for each."""
    table = site_model.receipts_table()
    assert list(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == [f.name for f in model.RECEIPTS.fields]


def test_a_page_of_a_loader_has_its_column_of_the_comparison(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One place says what a loader makes of a district; a loader that is not compared yet says so."""
    (tmp_path / "docs").mkdir()
    table = "| | one-csv 1 | x-target-csv 2 | meltanolabs-target-csv 0.5 ¹ |\n| --- | --- | --- | --- |\n| Dates | a | b | [c](#d) |\n"
    (tmp_path / "docs/loaders.md").write_text(
        f"# Loaders\n\n{table}\n| A | B | C | D |\n| --- | --- | --- | --- |\n| no | n | n | n |\n"
    )
    monkeypatch.setattr(site_model, "ROOT", tmp_path)
    assert site_model.loader_facts("target-csv").splitlines()[2:] == ["| Dates | [c](../loaders.md#d) |"]
    assert "does not speak of it yet" in site_model.loader_facts("target-jsonl")
    monkeypatch.undo()
    for name in ("target-jsonl", "target-csv", "target-duckdb", "target-postgres"):
        assert len(site_model.loader_facts(name).splitlines()) > 10


# Providers that the founding documents name, by the word that a reader looks for.
FOUNDING = [
    "Aequitas Q",
    "Aeries",
    "Arbor",
    "Blackbaud Education Management",
    "Bubblecon",
    "ClassLink",
    "Classter",
    "Edge Learning",
    "Educate by Community Brands",
    "Edulife Connect",
    "eSchoolData",
    "eSchooling",
    "Eum School SIS",
    "Eventful",
    "FACTS",
    "Focus School Software",
    "Follett Aspen",
    "Furlong SchoolBase",
    "INACAP",
    "Infinitas Learning",
    "Infinite Campus",
    "inLogic",
    "iSAMS by IRIS",
    "IST",
    "LIBRUS Synergia",
    "MySchool",
    "PowerSchool",
    "Rediker TeacherPlus",
    "SIMS",
    "Skool",
    "Skyward",
    "SmartSchool",
    "Synergy SIS",
    "Trivium",
    "Vigilo",
    "Visma InSchool",
    "VULCAN UONET+",
]


def test_every_provider_that_the_founding_documents_name_has_a_page() -> None:
    """A reader who looks for one by its name, also by an older one, finds it in the index."""
    index = providers.overview()
    assert len(FOUNDING) == 37
    assert not [name for name in FOUNDING if name not in index]
