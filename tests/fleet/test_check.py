"""`check`: all faults of a fleet file at once, each with file, line, district and rule; never a value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from oneroster_fleet.fleet_file import read_fleet

if TYPE_CHECKING:
    from tests.support.fleet import Desk

GOOD = """\
- id: north-usd
  provider: aeries
  tap: {base_url: 'https://north.example/ims', client_id: n}
  secrets: {client_secret: env}
- id: south-esd
  tap: {base_url: 'https://south.example/ims'}
  secrets: {client_id: env, client_secret: 'airflow:south'}
"""
FAULTS = {
    "duplicate id": ("- {id: north-usd}\n", "17: north-usd: id: stands twice; the first is in line 10"),
    "unknown key": ("- id: a\n  colour: red\n", "18: a: key: no such key: colour"),
    "unknown key, nearly right": ("- id: a\n  shedule: 1 2 * * *\n", "18: a: key: no such key: shedule; did you mean schedule?"),
    "bad id": ("- {id: North_USD}\n", "17: North_USD: id: must be 1 to 63 of a-z, 0-9 and -, and begin with a letter or a digit"),
    "no id": ("- {name: North}\n", "17: ?: id: must be set"),
    "an id without a value": ("- name: North\n  id:\n", "18: ?: id: must be set"),
    "secret in clear": (
        "- id: a\n  tap: {client_secret: hunter2}\n",
        "18: a: secret: client_secret: stands in clear; put a reference under secrets",
    ),
    "secret as its own reference": (
        "- id: a\n  secrets: {client_secret: hunter2}\n",
        "18: a: secret: client_secret: must be env, env:NAME, file:/path or airflow:CONNECTION; a secret itself does not belong here",
    ),
    "a secret of nobody": (
        "- id: a\n  secrets: {pin: env}\n",
        "18: a: secret: pin: neither tap-fake nor target-fake has such a setting",
    ),
    "one source twice": (
        "- id: a\n  tap: {base_url: 'https://NORTH.example/ims/', client_id: n}\n",
        "18: a: source: has the base_url and the client of north-usd; two districts would get the same records",
    ),
    "a window without a schedule time": (
        "- id: a\n  schedule: '15 3 * * *'\n  window: '04:00-06:00'\n",
        "19: a: window: no time of the schedule is inside the window and outside the blackouts; it would never run",
    ),
    "a blackout over the schedule": (
        "- id: a\n  blackout: ['03:00-03:30']\n",
        "17: a: window: no time of the schedule is inside the window and outside the blackouts; it would never run",
    ),
    "unknown provider": ("- {id: a, provider: aries}\n", "17: a: provider: no such provider; did you mean aeries?"),
    "tenant by hand": ("- id: a\n  tap: {tenant: b}\n", "18: a: tenant: is set from id; leave it out"),
    "one place twice": (
        "- id: a\n  loader: {filepath: out/north-usd}\n",
        "18: a: place: filepath: has the place of north-usd; write {district} into it",
    ),
    "wrong setting": ("- id: a\n  tap: {max_shrink_percent: many}\n", "18: a: setting: max_shrink_percent: must be of type integer"),
    "unknown setting": ("- id: a\n  tap: {base_uri: x}\n", "18: a: setting: base_uri: no such setting; did you mean base_url?"),
    "wrong schedule": ("- id: a\n  schedule: nightly\n", "18: a: schedule: must be a cron expression of five fields, such as 15 3 * * *"),
    "wrong zone": ("- id: a\n  time_zone: Chicago\n", "18: a: time_zone: no such time zone; name one as America/Chicago"),
    "wrong duration": ("- id: a\n  timeout: 2 hours\n", "18: a: timeout: must be a duration such as 30s, 10m, 2h or 7d"),
    "wrong window": ("- id: a\n  window: 2-6\n", "18: a: window: must be a window such as 02:00-06:00"),
    "wrong type": ("- id: a\n  retries: three\n", "18: a: retries: must be a whole number, at least 0"),
    "hold without why": ("- id: a\n  hold: {until: 2026-08-20}\n", "18: a: hold: why must be set"),
    "no such loader": (
        "- id: a\n  loader: {name: target-nowhere, filepath: x}\n",
        "18: a: loader: target-nowhere: no such command beside oneroster-fleet or on PATH; install it",
    ),
    "one variable of two districts": (
        "- {id: x, secrets: {tap.client_secret: env}}\n- {id: x-tap, secrets: {client_secret: env}}\n",
        "18: x-tap: secret: client_secret: has the variable of x; rename one of the districts, or write env:NAME",
    ),
}  # fmt: skip


def test_a_good_file_has_no_mistakes(desk: Desk) -> None:
    desk.file(GOOD)
    assert desk("check") == (0, ["fleet.yml: 2 districts, no mistakes"], "")


@pytest.mark.parametrize("name", FAULTS)
def test_each_mistake_is_a_line(desk: Desk, name: str) -> None:
    """File, line, district, rule, and what to do; exit 4."""
    text, expected = FAULTS[name]
    desk.file(GOOD + text)
    code, lines, _ = desk("check")
    assert (code, lines) == (4, [f"fleet.yml:{expected}"])
    assert "hunter2" not in "\n".join(lines)


def test_all_mistakes_are_told_at_once(desk: Desk) -> None:
    """Also several of one district, and those of the head; in the order of the file."""
    head = "version: 2\nstate: postgresql://me:hunter2@host/fleet\nproviders:\n  slow: {{per_host: 1}}\ndistricts:\n"
    desk.file("- {id: a, schedule: x, window: y}\n- {id: b, provider: slow, colour: red}\n- c\n", head)
    code, lines, error = desk("check")
    assert code == 4
    assert [line.split(": ")[:3] for line in lines] == [
        ["fleet.yml:1", "fleet", "version"],
        ["fleet.yml:2", "fleet", "state"],
        ["fleet.yml:4", "fleet", "provider"],
        ["fleet.yml:6", "a", "schedule"],
        ["fleet.yml:6", "a", "window"],
        ["fleet.yml:6", "a", "loader"],
        ["fleet.yml:7", "b", "key"],
        ["fleet.yml:7", "b", "loader"],
        ["fleet.yml:8", "fleet", "districts"],
    ]
    assert "slow: concurrent must be set" in lines[2]
    assert "hunter2" not in "\n".join(lines) + error


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", "1: fleet: districts: must be set: a list with the id of each district"),
        ("districts: []\n", "1: fleet: districts: there is none; a night without districts would look well"),
        ("districts:\n", "3: fleet: districts: must be a list, or {csv: FILE}, or {table: ADDRESS, query: SQL}"),
        (
            "districts: [{id: a, loader: {name: target-fake, filepath: a}, tap: {name: tap-fake}}]\nproviders: [aeries]\n",
            "4: fleet: providers: must hold the name of each provider, and its limits: infinite_campus: {concurrent: 4}",
        ),
    ],
)
def test_a_file_that_would_run_nothing(desk: Desk, more: str, expected: str) -> None:
    """A key that was forgotten, or indented wrongly, is no fleet without districts."""
    (desk.folder / "fleet.yml").write_text(f"version: 1\nstate: file:///srv/fleet\n{more}")
    assert desk("check")[:2] == (4, [f"fleet.yml:{expected}"])


@pytest.mark.parametrize(
    "districts",
    [
        "districts: &a [*a]\n",
        "a: &a [x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{two}: &{two} [{', '.join([f'*{one}'] * 8)}]\n" for one, two in zip("abcdefg", "bcdefgh", strict=True)
        )
        + "districts: *h\n",
        f"districts: {'[' * 5000}{']' * 5000}\n",
    ],
    ids=["a list in itself", "aliases of aliases", "lists without an end"],
)
def test_yaml_that_no_memory_holds(desk: Desk, districts: str) -> None:
    """One line, soon."""
    (desk.folder / "fleet.yml").write_text(f"version: 1\nstate: file:///srv/fleet\n{districts}")
    code, lines, error = desk("check")
    assert (code, lines) == (4, [])
    assert error.startswith("oneroster-fleet: fleet.yml:")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "fleet.yml: no such file"), ("a: [", "fleet.yml:2: not YAML"), ("- 1\n", "fleet.yml:1: a fleet file is a list of keys")],
)  # fmt: skip
def test_a_file_that_is_none(desk: Desk, content: str | None, expected: str) -> None:
    if content is not None:
        (desk.folder / "fleet.yml").write_text(content)
    code, lines, error = desk("check")
    assert (code, lines) == (4, [])
    assert error.startswith(f"oneroster-fleet: {expected}")
    assert error.count("\n") == 1


def test_the_file_is_the_argument_or_the_variable_or_fleet_yml(desk: Desk) -> None:
    desk.file(GOOD)
    (desk.folder / "other.yml").write_text((desk.folder / "fleet.yml").read_text() + "- {id: third}\n")
    assert "2 districts" in desk("check")[1][0]
    assert "3 districts" in desk("check", "other.yml")[1][0]
    desk.set("ONEROSTER_FLEET_FILE", "other.yml")
    assert "3 districts" in desk("check")[1][0]


def test_a_folder_is_merged(desk: Desk) -> None:
    """Each `*.yml` of it; what stands in two files is a mistake of the second one."""
    desk.file(GOOD)
    folder = desk.folder / "fleet"
    folder.mkdir()
    (desk.folder / "fleet.yml").rename(folder / "a.yml")
    (folder / "b.yml").write_text("districts:\n- {id: third}\n- {id: north-usd}\n")
    code, lines, _ = desk("check", "fleet")
    assert (code, lines) == (4, ["b.yml:3: north-usd: id: stands twice; the first is in line 10"])
    (folder / "b.yml").write_text("version: 1\nproviders: {aeries: {concurrent: 1}}\ndistricts:\n- {id: third}\n")
    code, lines, _ = desk("check", "fleet")
    assert lines == [
        "b.yml:1: fleet: key: version stands in two files",
        "b.yml:2: fleet: key: providers.aeries stands in two files",
    ]


def test_districts_of_a_csv_file(desk: Desk) -> None:
    """Columns with dots are nested, and an empty cell is as if it were not there."""
    desk.file("", HEAD_WITHOUT_DISTRICTS + "districts: {{csv: districts.csv}}\n")
    (desk.folder / "districts.csv").write_text(
        "id,name,provider,retries,tap.base_url,secrets.client_secret,hold.until,hold.why\n"
        "north,North,aeries,1,https://n.example,env,,\n"
        "south,,,,https://s.example,env,2026-08-20,rollover\n"
        ",,,,,,,\n"
        "west,,aeries,x,https://w.example,,,\n"
    )
    code, lines, _ = desk("check")
    assert (code, lines) == (4, ["districts.csv:5: west: retries: must be a whole number, at least 0"])
    fleet = read_fleet(desk.folder / "fleet.yml")
    north, south = fleet.districts["north"], fleet.districts["south"]
    assert (north.name, north.retries, north.tap["base_url"]) == ("North", 1, "https://n.example")
    assert (south.name, south.retries, south.hold and south.hold.why) == ("", 3, "rollover")


HEAD_WITHOUT_DISTRICTS = """\
version: 1
state: file://{folder}/states
defaults:
  tap: {{name: tap-fake}}
  loader: {{name: target-fake, filepath: 'out/{{district}}'}}
providers:
  aeries: {{concurrent: 2}}
"""


def test_a_column_that_stands_twice(desk: Desk) -> None:
    """One of the two would be passed over."""
    desk.file("", HEAD_WITHOUT_DISTRICTS + "districts: {{csv: districts.csv}}\n")
    (desk.folder / "districts.csv").write_text("id,tap.base_url, tap.base_url\nnorth,https://a,https://b\n")
    code, _, error = desk("check")
    assert (code, error) == (4, "oneroster-fleet: districts.csv:1: two columns are called tap.base_url\n")


def test_a_row_that_is_too_long(desk: Desk) -> None:
    desk.file("", HEAD_WITHOUT_DISTRICTS + "districts: {{csv: districts.csv}}\n")
    (desk.folder / "districts.csv").write_text("id,name\nnorth,North,more\n")
    assert desk("check")[2] == "oneroster-fleet: districts.csv:2: a row has more or fewer cells than the header\n"


def test_district_before_provider_before_defaults(desk: Desk) -> None:
    """Settings are merged one by one; those of another loader do not carry over. {district} is the id in each text."""
    desk.file(
        "- {id: a, provider: p, tap: {max_shrink_percent: 3}}\n- {id: b, loader: {name: target-other, x: 'y/{district}'}}\n",
        "version: 1\nstate: file:///s\ndefaults: {{retries: 1, timeout: 1h, tap: {{mode: m, max_shrink_percent: 1}}, "
        "loader: {{name: target-fake, filepath: '{{district}}/{{stream}}'}}}}\n"
        "providers: {{p: {{concurrent: 1, retries: 2, tap: {{max_shrink_percent: 2, token_url: t}}}}}}\ndistricts:\n",
    )
    fleet = read_fleet(desk.folder / "fleet.yml", plugins=False)
    a, b = fleet.districts["a"], fleet.districts["b"]
    assert (a.retries, a.timeout, b.retries) == (2, "1h", 1)
    assert a.tap == {"mode": "m", "max_shrink_percent": 3, "token_url": "t"}
    assert a.loader == {"name": "target-fake", "filepath": "a/{stream}"}
    assert b.loader == {"name": "target-other", "x": "y/b"}


def test_a_lake_has_a_folder_for_each_stream_and_district(desk: Desk) -> None:
    """The id takes the place of {district}; {stream} is left to the loader."""
    lake = "s3://lake/{{stream}}/tenant={{district}}/"
    desk.file("- {id: a}\n- {id: b}\n", HEAD_WITHOUT_DISTRICTS.replace("out/{{district}}", lake) + "districts:\n")
    assert desk("check")[0] == 0
    fleet = read_fleet(desk.folder / "fleet.yml")
    assert [its.loader["filepath"] for its in fleet.districts.values()] == [
        "s3://lake/{stream}/tenant=a/",
        "s3://lake/{stream}/tenant=b/",
    ]


def test_shared_tables_are_said_with_tenant_isolated(desk: Desk) -> None:
    """Two districts in one place are a mistake, unless the tap is told that tables are shared."""
    place = "loader: {name: target-fake, default_target_schema: all}"
    head = "version: 1\nstate: file:///s\ndefaults:\n  tap: {{name: tap-fake%s}}\n  " + place.replace(
        "{", "{{"
    ).replace("}", "}}")
    desk.file("- {id: a}\n- {id: b}\n", head % "" + "\ndistricts:\n")
    assert desk("check")[1] == [
        "fleet.yml:8: b: place: default_target_schema: has the place of a; write {district} into it"
    ]
    desk.file("- {id: a}\n- {id: b}\n", head % ", tenant_isolated: false" + "\ndistricts:\n")
    assert desk("check")[0] == 0


def test_an_incremental_source_that_overwrites_a_bundle_is_a_warning(desk: Desk) -> None:
    loader = "loader: {{name: target-oneroster-csv, output_path: '{{district}}.zip'%s}}\ndistricts:\n"
    head = "version: 1\nstate: file:///s\ndefaults:\n  tap: {{base_url: 'https://{{district}}.example'}}\n  "
    desk.file("- {id: a}\n", head + loader % "")
    code, lines, _ = desk("check")
    assert code == 0
    assert (
        lines[0]
        == "fleet.yml:7: a: warning: loader: an incremental source with load_method overwrite: the second night is refused; upsert is meant"
    )
    desk.file("- {id: a}\n", head + loader % ", load_method: upsert")
    assert len(desk("check")[1]) == 1


def test_a_mistake_in_a_provider_is_one_of_its_districts(desk: Desk) -> None:
    """A limit that is wrong must not be no limit."""
    desk.file("- {id: a, provider: aeries}\n- {id: b}\n")
    path = desk.folder / "fleet.yml"
    path.write_text(path.read_text().replace("concurrent: 2", "concurrent: two"))
    assert desk("check")[1] == ["fleet.yml:8: fleet: concurrent: must be a whole number, at least 1"]
    words = {row["id"]: row["word"] for row in json.loads("".join(desk("list", "--json")[1]))}
    assert words == {"a": "misconfigured", "b": "never"}


def test_what_a_plugin_says_of_its_settings_is_kept(desk: Desk) -> None:
    """Until another version is installed; a thousand districts are checked with two questions."""
    desk.file(GOOD)
    desk("check")
    kept = list((desk.folder / "cache").rglob("*.json"))
    assert sorted(path.name.rpartition("-")[0] for path in kept) == ["tap-fake", "target-fake"]
    (desk.folder / "bin/tap-fake").write_text(
        (desk.folder / "bin/tap-fake").read_text().replace('"base_url"', '"another"')
    )
    assert "base_url: no such setting" in desk("check")[1][0]
