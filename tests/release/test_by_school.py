"""Release school by school: held schools keep what was released of them, the others go out, and nobody falls between."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_sample.district import District
from oneroster_sample.events import parse_events

from tests.release.nights import Nights
from tests.release.reference import BY_SCHOOL, Judge

if TYPE_CHECKING:
    from tests.release.nights import Rows

EVENTS = {
    "1.2": ["2:calendar:00001", "2:people:00001", "2:transfer:00002:3", "2:transfer:00003:2", "2:schedule:00003:2",
            "3:transfer:00001:3", "3:dual:00003:2", "3:half:00004", "3:people:00002:no-keys", "3:reentry:00002:2",
            "4:people:00003", "4:transfer:00004:2", "4:calendar:00002", "4:close:00004"],
    "1.1": ["2:people:00001", "2:transfer:00002:3", "2:transfer:00001:3", "3:calendar:00003", "3:people:00002",
            "3:dual:00001:2", "3:transfer:00003:3"],
}  # fmt: skip
SCHOOLS = ("00001", "00002", "00003", "00004")


class Made:
    """A district's nights, loaded once."""

    def __init__(self, folder: Any, version: str) -> None:
        schools, last, seed = (4, 4, 5) if version == "1.2" else (3, 3, 11)
        made = District(seed=seed, schools=schools, students_per_school=8, events=parse_events(EVENTS[version]))
        self.nights = Nights(folder, version)
        self.people: dict[str, str] = {}
        for day in range(1, last + 1):
            self.nights.load(made.changed(day))
            plain = replace(made.changed(day), events=())
            self.people |= {
                made.changed(day).night.user_id(u["sourcedId"]): u["sourcedId"] for u in plain.rows("users", version)
            }
        self.rows = [self.nights.records(night=n) for n in range(1, last + 1)]
        self.schools = SCHOOLS[:schools]

    def judge(self, held: dict[str, int], newest: int) -> Judge:
        """Hold some schools at earlier nights."""
        released = dict.fromkeys(self.schools, newest) | held
        self.nights.judge(released)
        return Judge(self.rows, released, self.people)


@pytest.fixture(scope="module", params=["1.2", "1.1"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("release"), request.param)


PLANS = [
    ({"00001": 1}, 2), ({"00002": 1}, 2), ({"00003": 1}, 2), ({"00001": 1, "00003": 1}, 2), ({"00001": 1}, 3),
    ({"00002": 1}, 3), ({"00001": 1, "00002": 2}, 3), ({"00002": 1, "00003": 2}, 3),
    ({"00002": 2}, 4), ({"00003": 3}, 4), ({"00004": 2}, 4), ({"00001": 1, "00004": 3}, 4),
    ({"00001": 1, "00002": 2, "00003": 3}, 4),
]  # fmt: skip


@pytest.mark.parametrize(
    ("held", "newest"), PLANS, ids=[f"{'+'.join(f'{s[-1]}@{n}' for s, n in h.items())} of {n}" for h, n in PLANS]
)
def test_a_held_school_stays_the_others_go_out_and_nobody_falls_between(
    made: Made, held: dict[str, int], newest: int
) -> None:
    if newest > len(made.rows):
        pytest.skip("the district has fewer nights")
    judge = made.judge(held, newest)
    release = made.nights.records()
    waiting = judge.waiting()
    held_schools_keep_their_rows(judge, release, waiting)
    others_are_as_in_the_newest_load(judge, release, waiting)
    nobody_is_there_twice_or_without_a_class(judge, release)
    assert sorted(judge.dangling(release)) == []
    users_are_of_the_right_load(judge, release, waiting)


def test_where_additions_pass_only_a_school_gets_its_new_rows_and_loses_and_changes_none(made: Made) -> None:
    """No person gets a second id by it: who came back under another one waits."""
    made.nights.judge(dict.fromkeys(made.schools, 1), additions_of=made.schools, audited=2)
    release, before, after = made.nights.records(), made.rows[0], made.rows[1]
    judge = Judge(made.rows[:2], dict.fromkeys(made.schools, 1) | {"": 2}, made.people)
    reissued = {
        p for k, p in made.people.items() if k in after["users"] and k not in before["users"] and p in before["users"]
    }
    for name in ("orgs", "courses", "classes", "enrollments", "roles", "users", "lineItems"):
        there = release[name]
        assert {k: there[k] for k in before[name]} == before[name], name
        new = {k for k, row in after[name].items() if k not in before[name] and judge.who(row) not in reissued}
        new -= {k for k in new if name == "users" and made.people.get(k, k) in reissued}
        assert there.keys() == before[name].keys() | new, name
    assert sorted(judge.dangling(release)) == []


def held_schools_keep_their_rows(judge: Judge, release: Rows, waiting: set[str]) -> None:
    """All rows of its own load, and no other; persons who waited for another school then still do."""
    for school, night in judge.held.items():
        then = judge.nights[night - 1]
        for name in BY_SCHOOL:
            if name not in then:
                continue
            kept, there = judge.of(then, name, school), judge.of(release, name, school)
            moved = {k for k in kept if k in release[name] and k not in there}  # at another school now, once
            assert all(judge.school(release, name, release[name][k]) not in judge.held for k in moved)
            differ = {k for k in there.keys() | kept.keys() - moved if there.get(k) != kept.get(k)}
            if night > min(judge.held.values()):
                differ = {k for k in differ if judge.who(there.get(k) or kept[k]) not in waiting}
            assert differ == set(), f"{name} of {school}"


def others_are_as_in_the_newest_load(judge: Judge, release: Rows, waiting: set[str]) -> None:
    """But for persons who wait; each of their rows was published once."""
    for school in judge.released.keys() - judge.held.keys():
        for name in BY_SCHOOL:
            there, now = judge.of(release, name, school), judge.of(judge.newest, name, school)
            for key in there.keys() | now.keys():
                if there.get(key) == now.get(key):
                    continue
                row = there.get(key) or now[key]
                kept_for_a_held_one = name in ("classes", "lineItems", "scoreScales") and key not in now
                assert kept_for_a_held_one or judge.who(row) in waiting, f"{name} of {school}: {key}"
                if key in there:
                    assert any(night[name].get(key) == row for night in judge.nights), f"{name} of {school}"


def nobody_is_there_twice_or_without_a_class(judge: Judge, release: Rows) -> None:
    """No person is there under two ids; who had a class and has one, has one."""
    persons = [judge.people.get(key, key) for key in release["users"]]
    assert len(persons) == len(set(persons))
    have = judge.students(release)
    now = judge.students(judge.newest)
    for number in range(min(judge.released.values()), max(judge.released.values())):
        then = judge.students(judge.nights[number - 1]).items()
        had = {p for p, at in then if any(number <= judge.released[school] for school in at)}  # it was published
        assert sorted((had & now.keys()) - have.keys()) == []


def users_are_of_the_right_load(judge: Judge, release: Rows, waiting: set[str]) -> None:
    """Who belongs to a released school is as in the newest load; who belongs to held ones only is not."""
    newest = judge.newest
    orgs: dict[str, set[str]] = {}
    for row in newest["roles"].values():
        orgs.setdefault(row["userSourcedId"], set()).add(row["orgSourcedId"])
    for key, row in newest["users"].items():
        person = judge.people.get(key, key)
        if person in waiting or not (at := orgs.get(key, set())):
            continue
        if not at <= judge.held.keys():
            agents = {judge.people.get(a, a) for a in row["agentSourcedIds"] or ()}
            assert release["users"].get(key) == row or agents & waiting, key
        elif len(at) == 1:
            assert release["users"].get(key) == judge.nights[judge.held[min(at)] - 1]["users"].get(key), key
