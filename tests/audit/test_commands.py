"""The other commands: init, show, rows, diff, purge."""

from __future__ import annotations

import csv
import json
import stat
from typing import TYPE_CHECKING

import pytest
from oneroster_audit.__main__ import command

from tests.audit.nights import district, lost_from

if TYPE_CHECKING:
    from tests.audit.conftest import Desk


def test_init_writes_a_policy_that_is_read(desk: Desk) -> None:
    """It names the schools and the terms, is a valid policy, and is never overwritten."""
    desk.house.load(district(2))
    (desk.folder / "policy.yml").unlink()
    assert desk("init") == 0, desk.err
    text = (desk.folder / "policy.yml").read_text(encoding="utf-8")
    assert '"s1" "School 1"' in text
    assert "schoolYear" in text
    assert desk("init") == 2
    assert (desk.folder / "policy.yml").read_text(encoding="utf-8") == text
    (desk.folder / "policy.yml").write_text(text + "max_age_hours: 1000000\n", encoding="utf-8")
    assert desk("run") == 0, desk.err
    assert (desk.folder / "site" / "roster.html").exists()
    assert json.loads((desk.folder / "site" / "roster.json").read_text(encoding="utf-8")) == desk.report()


def test_the_rows_behind_each_finding(desk: Desk) -> None:
    """As many lines as the finding counts, ids only, mode 0600; names are added where asked for."""
    rows = district(3)
    desk.audit(rows)
    new = lost_from(rows, "s2", 78)
    for n in range(30):
        new["users"] = new["users"] | {f"s1-p{n}": rows["users"][f"s1-p{n}"] | {"email": None, "phone": "1"}}
    report = desk.audit(new, code=3)
    out = desk.folder / "rows.csv"
    counted = [f for f in report["findings"] if f["count"]]
    assert {f["check"] for f in counted} >= {"brake.lost", "columns.blank", "sanity.students-without-enrollment"}
    for finding in counted:
        assert desk("rows", finding["id"], "--out", str(out)) == 0, desk.err
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        with out.open(encoding="utf-8", newline="") as text:
            lines = list(csv.DictReader(text))
        assert len(lines) == finding["count"], finding
        assert lines[0].keys() == {"file", "id"}
        assert lines[0]["id"] not in desk.out
    finding = next(f for f in counted if f["check"] == "brake.lost")
    assert desk("rows", finding["id"], "--out", str(out), "--names") == 0
    assert "Family s2-p" in out.read_text(encoding="utf-8")
    assert desk("rows", "nothing", "--out", str(out)) == 2
    uncounted = next(f for f in report["findings"] if not f["count"])
    assert desk("rows", uncounted["id"], "--out", str(out)) == 2


def test_diff_of_two_loads(desk: Desk) -> None:
    """Any two, in either direction; what is not there is exit 2."""
    rows = district(2)
    desk.house.load(rows)
    desk.house.load(lost_from(rows, "s2", 10))
    assert desk("diff", "1", "2", "--json") == 0, desk.err
    files = {f["file"]: f for f in json.loads(desk.out)["files"]}
    assert files["enrollments"] == {
        "file": "enrollments",
        "before": 310,
        "added": 0,
        "removed": 10,
        "changed": 0,
        "now": 300,
    }
    assert desk("diff", "2", "1", "--json") == 0
    files = {f["file"]: f for f in json.loads(desk.out)["files"]}
    assert files["enrollments"] == {
        "file": "enrollments",
        "before": 300,
        "added": 10,
        "removed": 0,
        "changed": 0,
        "now": 310,
    }
    assert desk("diff", "1", "9") == 2
    assert desk("diff", "a.zip", "b.zip") == 2


def test_show_of_what_is_not_there(desk: Desk) -> None:
    """Exit 2 before the first audit, and for a load that was not audited."""
    assert desk("show") == 2
    desk.audit(district(1))
    assert desk("show", "7") == 2
    assert desk("show", "1") == 0


def test_purge_keeps_the_baselines(desk: Desk) -> None:
    """Details of old loads go; the newest load and those that are somebody's baseline stay."""
    rows = district(8)
    for night in (rows, rows, lost_from(rows, "s2", 78)):
        desk.house.load(night)
        desk("run")
    assert desk("purge", "--before", "2030-01-01") == 0, desk.err
    assert desk.store("SELECT DISTINCT load FROM counts ORDER BY 1") == [(2,), (3,)]
    assert desk.store("SELECT count(*) FROM loads") == [(3,)]


@pytest.mark.parametrize("arguments", [[], ["rum"], ["show", "x"], ["approve"], ["purge", "--before", "x"]])
def test_wrong_use(arguments: list[str]) -> None:
    """Exit 2, as the table says."""
    with pytest.raises(SystemExit) as end:
        command(arguments)
    assert end.value.code == 2
