"""Attacks by somebody who has the twin, the policy and the district's real records, and not the key.

Three scripts: a dictionary over ids, the frequency of surnames, and the alignment of dates. With the default treatments each links
no more persons than chance, and one percent. The last test shows why dates of enrollments are never shifted.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest
from oneroster_core.model import FILES, file
from oneroster_core.model.ids import derived_id
from oneroster_core.twin.keys import KeyedIds, consumer_key
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from tests.support.twin import EVERYTHING, MASTER, by_csv, cells, check_of, twin_run, write

MARGIN = 0.01


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """What the attacker has: the twin, and the real rows. `truth`, which the attacker lacks, maps real persons to their twins."""
    folder = tmp_path_factory.mktemp("attack")
    bundle = folder / "district.zip"
    write_bundle(District(seed=11, schools=4, students_per_school=150), bundle, version="1.2")
    defaults = EVERYTHING | {"demographics": ["birthDate"]}
    run = twin_run(by_csv(bundle), write(folder, defaults))
    assert run.error is None
    real = {name: cells(bundle, name) for name in ("users", "demographics", "enrollments", "roles", "academicSessions")}
    ids = [row["sourcedId"] for row in real["users"]]
    truth = dict(zip(ids, KeyedIds(consumer_key(MASTER, "reading-app", 1)).own("users", ids)[0], strict=True))
    return run, real, truth


def rate(links, truth):
    """The share of persons whom an attack linked rightly."""
    return sum(truth.get(real) == twin for real, twin in links.items()) / len(truth)


def candidates(one):
    """Everything that somebody without the key can compute of an id."""
    texts = [one, f"\x1f{one}", f"users\x1f{one}", f"reading-app\x1f{one}", one.lower()]
    guesses = [b"", b"reading-app", b"oneroster-twin/1", check_of().encode(), bytes(32), b"check", b"users"]
    for text in texts:
        yield str(uuid.uuid5(uuid.NAMESPACE_URL, text))
        yield text
        for algorithm in ("md5", "sha1", "sha256"):
            yield as_uuid(hashlib.new(algorithm, text.encode()).digest())
        for guess in guesses:
            yield as_uuid(hmac.digest(guess, text.encode(), "sha256"))
            key = hmac.digest(hmac.digest(guess, b"reading-app", "sha256"), b"users", "sha256")
            yield as_uuid(hmac.digest(key, text.encode(), "sha256"))
    yield KeyedIds(consumer_key(bytes(32), "reading-app", 1)).own("users", [one])[0][0]


def as_uuid(digest):
    """A digest in the form of the twin's ids."""
    mark = bytearray(digest[:16])
    mark[6], mark[8] = mark[6] & 0x0F | 0x80, mark[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(mark)))


def test_a_dictionary_over_ids_links_nobody(world):
    """Nor does one over the derived ids, which would be an unkeyed hash if they were made of real ones."""
    run, real, truth = world
    seen = {record["sourcedId"] for f in FILES for record in run.records.get(f.name, ())}
    text = json.dumps(run.records)
    links = {}
    for one in truth:
        for guess in candidates(one):
            if guess in seen:
                links[one] = guess
    assert rate(links, truth) <= 1 / len(truth) + MARGIN
    assert links == {}
    for row in real["roles"]:
        assert derived_id(file("roles"), (row["userSourcedId"], row["orgSourcedId"], row["role"])) not in text


def test_surname_frequency_links_no_more_than_chance(world):
    """Names are chosen by person, not by name: the most frequent fake name is not that of the most frequent real one."""
    run, real, truth = world
    fake = {record["sourcedId"]: record["familyName"] for record in run.records["users"]}
    real_names = Counter(row["familyName"] for row in real["users"])
    fake_names = Counter(fake.values())
    aligned = dict(
        zip([n for n, _ in fake_names.most_common()], [n for n, _ in real_names.most_common()], strict=False)
    )
    of = {row["sourcedId"]: row["familyName"] for row in real["users"]}
    right = sum(aligned.get(fake[truth[one]]) == of[one] for one in truth) / len(truth)
    chance = max(real_names.values()) / len(truth)  # always guess the most frequent name
    assert right <= chance + MARGIN
    # One fake name per person, so persons of one real name have many: a household does not show.
    shared = [{fake[truth[one]] for one in of if of[one] == name} for name, n in real_names.items() if n > 4]
    assert all(len(names) > 2 for names in shared)


def test_aligned_birth_dates_link_no_more_than_the_year_does(world):
    """In the twin a date is a year. Whoever aligns the sorted dates of a year guesses among all of that year."""
    run, real, truth = world
    born = {record["sourcedId"]: record["birthDate"] for record in run.records["demographics"]}
    known = {row["sourcedId"]: row["birthDate"] for row in real["demographics"] if row["birthDate"]}
    years, twins = defaultdict(list), defaultdict(list)
    for one, day in sorted(known.items(), key=lambda pair: pair[1]):
        years[day[:4]].append(one)
    for one, day in sorted(born.items(), key=lambda pair: (pair[1] or "", pair[0])):
        twins[(day or "")[:4]].append(one)
    links = {a: b for year, persons in years.items() for a, b in zip(persons, twins[year], strict=False)}
    persons = {one: truth[one] for one in known}
    assert rate(links, persons) <= len(years) / len(persons) + MARGIN


def shifted(rows, days):
    """Enrollments with their dates moved by each person's own number of days, as no policy can ask for."""
    return [
        {**row, "beginDate": str(date.fromisoformat(row["beginDate"]) + timedelta(days[row["userSourcedId"]]))}
        for row in rows
        if row["beginDate"]
    ]


def test_a_shift_of_enrollment_dates_would_give_itself_away(world):
    """Everybody in a class begins on the same day, so the shift is the difference; and with it the exact date of birth."""
    _, real, truth = world
    days = {one: int(hashlib.sha256(one.encode()).hexdigest(), 16) % 367 - 183 for one in truth}
    twin = [{**row, "userSourcedId": truth[row["userSourcedId"]]} for row in shifted(real["enrollments"], days)]
    births = {row["sourcedId"]: row["birthDate"] for row in real["demographics"] if row["birthDate"]}
    moved = {truth[one]: date.fromisoformat(day) + timedelta(days[one]) for one, day in births.items()}
    # The attacker knows on which day the year began, from the sessions that every twin has.
    first = Counter(row["beginDate"] for row in real["enrollments"]).most_common(1)[0][0]
    found: dict[str, timedelta] = {}
    for row in twin:
        found.setdefault(row["userSourcedId"], date.fromisoformat(row["beginDate"]) - date.fromisoformat(first))
    by_birth = defaultdict(list)
    for one, day in births.items():
        by_birth[day].append(one)
    links = {}
    for pseudonym, day in moved.items():
        if pseudonym in found:
            for one in by_birth.get(str(day - found[pseudonym]), [])[:1]:
                links[one] = pseudonym
    assert rate(links, {one: truth[one] for one in births}) > 0.5
