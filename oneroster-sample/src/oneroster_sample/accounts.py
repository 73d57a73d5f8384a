"""Files about people: users, roles, userProfiles, demographics, userResources."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ._core.model import Version
from .dice import mix, pick, salt
from .library import RESOURCES
from .names import person_name
from .people import Person, people, students
from .rows import Row, row
from .subjects import GRADES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plan import Plan

LMS = "https://accounts.example.org/lms"
MAIL = "https://accounts.example.org/mail"
_EDIT, _BIRTH, _SECRET = salt("edit"), salt("birth"), salt("secret")
_ROLES_1_1 = {
    "counselor": "aide",
    "districtAdministrator": "administrator",
    "principal": "administrator",
    "siteAdministrator": "administrator",
    "systemAdministrator": "administrator",
}
_PRONOUNS = ("she/her", "he/him", "they/them", "ze/hir")
_CITIES = ("Østerdal", "Saint-Élie", "Río Alto", "Novi Grad", "L'Isle")
_RACES = (
    "americanIndianOrAlaskaNative",
    "asian",
    "blackOrAfricanAmerican",
    "nativeHawaiianOrOtherPacificIslander",
    "white",
)


def users(plan: Plan, version: Version) -> Iterator[Row]:
    """Yield the rows of users: with role and orgs in 1.1, with the fields that 1.2 added in 1.2."""
    old = version == Version.V1_1
    for person in people(plan):
        number, grade = person.number, person.grade
        name = person_name(number, person.household)
        username = person.id.lower().replace("@", "-at-")
        values: Row = {
            "sourcedId": person.id,
            "status": person.life.status,
            "dateLastModified": person.life.stamp,
            "enabledUser": number % 97 != 0 and person.life.status == "active",
            "username": username,
            "givenName": name.given,
            "familyName": name.family,
            "middleName": name.middle,
            "agentSourcedIds": list(person.agents) or None,
        }
        if number & 8 or grade is not None:
            values["email"] = f"{username}@{'students.' if grade is not None else ''}example.org"
        if grade is None:
            values["phone"] = f"+1-555-01{(number >> 5) % 100:02d}"
            values["sms"] = values["phone"] if number & 16 else None
        else:
            _describe_student(values, person, grade)
        if name.kana_given:
            values.setdefault("metadata", {})
            values["metadata"] |= {"jp.kanaGivenName": name.kana_given, "jp.kanaFamilyName": name.kana_family}
        if plan.passwords:
            values["password"] = f"{mix(number, _SECRET):016x}"
        if old:
            values["role"] = _ROLES_1_1.get(person.role, person.role)
            values["orgSourcedIds"] = list(dict.fromkeys(place.org for place in person.places))
        else:
            values["primaryOrgSourcedId"] = person.places[0].org
            values["userMasterIdentifier"] = f"UMI-{number >> 24:010X}"
            if number & 0x700 == 0:
                values["preferredGivenName"] = name.given[:3]
                values["preferredFamilyName"] = name.family
                values["preferredMiddleName"] = name.middle
            if number & 0x1800 == 0:
                values["pronouns"] = pick(_PRONOUNS, number >> 13)
        yield row("users", values)


def _describe_student(values: Row, person: Person, grade: int) -> None:
    number = person.number
    values["grades"] = [GRADES[grade]]
    values["identifier"] = person.id
    values["userIds"] = [{"type": "State", "identifier": f"S{number >> 20 & 0xFFFFFFF:09d}"}]
    if number & 2:
        values["userIds"].append({"type": "LDAP", "identifier": f"uid={person.id};ou=students"})
    if edited := person.life.edited:
        values["phone"] = f"+1-555-01{mix(number, _EDIT, edited) % 100:02d}"
    if number & 0x60 == 0:
        values["metadata"] = {"busRoute": f'Route {number >> 7 & 63}, "North"'}


def roles(plan: Plan) -> Iterator[Row]:
    """Yield the rows of roles, one for each role of each person at each org."""
    for person in people(plan):
        orgs: set[str] = set()
        for n, place in enumerate(person.places):
            values: Row = {
                "sourcedId": f"{person.id}/role.{n + 1}",
                "status": person.life.status,
                "dateLastModified": person.life.stamp,
                "userSourcedId": person.id,
                "roleType": "secondary" if place.org in orgs else "primary",
                "role": place.role,
                "beginDate": place.begin,
                "endDate": place.end,
                "orgSourcedId": place.org,
            }
            if n == 0 and _has_account(person):
                values["userProfileSourcedId"] = f"{person.id}/profile.1"
            orgs.add(place.org)
            yield row("roles", values)


def _has_account(person: Person) -> bool:
    return person.role == "teacher" or (person.grade or 0) >= 9


def user_profiles(plan: Plan) -> Iterator[Row]:
    """Yield the rows of userProfiles: older students have one account, teachers two, the first with two credentials."""
    for person in people(plan, guardians=False):
        if not _has_account(person):
            continue
        accounts = [(LMS, "LMS", "basicAuth")]
        if person.role == "teacher":
            accounts += [(LMS, "LMS", "SAML"), (MAIL, "mail", "OIDC")]
        for n, (profile, kind, credential) in enumerate(accounts):
            values: Row = {
                "sourcedId": f"{person.id}/profile.{n + 1}",
                "status": person.life.status,
                "dateLastModified": person.life.stamp,
                "userSourcedId": person.id,
                "profileType": kind,
                "vendorId": f"vendor.{kind.lower()}",
                "applicationId": "app-01" if kind == "LMS" else None,
                "description": f'{kind} account, "main"',
                "credentialType": credential,
                "username": person.id.lower() if n == 0 else f"{person.id.lower()}-{credential.lower()}",
                "profileId": profile,
            }
            if plan.passwords:
                values["password"] = f"{mix(person.number, _SECRET, n):016x}"
            yield row("userProfiles", values)


@cache
def _birth_day(number: int) -> str:
    return f"{number % 12 + 1:02d}-{number // 12 % 28 + 1:02d}"


def demographics(plan: Plan, version: Version) -> Iterator[Row]:
    """Yield the rows of demographics, for students; 1.1 does not use the words that 1.2 added."""
    sexes: tuple[str | None, ...] = ("male", "female", "female", "male", "female", "male", None, None)
    if version == Version.V1_2:
        sexes = (*sexes[:6], "other", "unspecified")
    for school in plan.all_schools():
        for person in students(plan, school):
            draw = mix(person.number, _BIRTH)
            races = {draw % 5, draw >> 4 & 7} & set(range(5))
            born = school.year.ends - 6 - (person.grade or 0)
            values: Row = {
                "sourcedId": person.id,
                "status": person.life.status,
                "dateLastModified": person.life.stamp,
                "birthDate": f"{born}-{_birth_day(draw % 336)}",
                "sex": sexes[draw >> 8 & 7],
                "hispanicOrLatinoEthnicity": draw >> 12 & 3 == 0,
                "demographicRaceTwoOrMoreRaces": len(races) > 1,
                "publicSchoolResidenceStatus": "01652" if draw >> 14 & 1 else None,
            }
            # If nobody was asked, the cells are empty, not false.
            if draw >> 16 & 7:
                values |= {race: n in races for n, race in enumerate(_RACES)}
            if draw >> 20 & 1:
                values["countryOfBirthCode"] = pick(("US", "NO", "JP", "MX"), draw >> 21)
                values["stateOfBirthAbbreviation"] = pick(("CA", "TX", "VT"), draw >> 24)
                values["cityOfBirth"] = pick(_CITIES, draw >> 26)
            yield row("demographics", values)


def user_resources(plan: Plan) -> Iterator[Row]:
    """Yield the rows of userResources: teachers and some students have a resource of their own."""
    for person in people(plan, guardians=False):
        if person.role == "teacher" or (person.grade is not None and person.number % 11 == 0):
            values: Row = {
                "sourcedId": f"{person.id}/resource.1",
                "status": person.life.status,
                "dateLastModified": person.life.stamp,
                "userSourcedId": person.id,
                "resourceSourcedId": f"res-{person.number % RESOURCES:03d}",
            }
            if person.number & 64:
                values["orgSourcedId"] = person.places[0].org
            yield row("userResources", values)
