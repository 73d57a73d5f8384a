"""To which school and person a row belongs, told by its ids as the plan made them."""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .rows import Row


@lru_cache(maxsize=16_384)
def home_of(user: str) -> str:
    """Return the org to which a person's id belongs."""
    if user[0] == "g":
        user = user.split(".")[1]
    if user[0].isdigit():
        return f"{(int(user) - 1) // 100_000 + 1:05d}"
    if user.startswith("Tch."):
        return user[4:].partition("-")[0]
    return user.partition("@")[2] or user.partition(".")[2]


def _class_school(row: Row) -> str:
    return str(row["classSourcedId"]).partition(".")[0]


def _item_school(row: Row) -> str:
    return str(row["lineItemSourcedId"]).partition(".")[0]


def _user_home(row: Row) -> str:
    return home_of(row["userSourcedId"])


def _result_home(row: Row) -> str:
    return home_of(_student_of(row["resultSourcedId"]))


def _student_of(result: str) -> str:
    return result.split(".")[1]


HOME: dict[str, Callable[[Row], str]] = {
    "assessmentLineItems": lambda row: row["sourcedId"].split(".")[1],
    "assessmentResults": lambda row: home_of(row["studentSourcedId"]),
    "classResources": _class_school,
    "classes": lambda row: row["schoolSourcedId"],
    "demographics": lambda row: home_of(row["sourcedId"]),
    "enrollments": lambda row: row["schoolSourcedId"],
    "lineItemLearningObjectiveIds": _item_school,
    "lineItemScoreScales": _item_school,
    "lineItems": _class_school,
    "orgs": lambda row: row["sourcedId"],
    "resultLearningObjectiveIds": _result_home,
    "resultScoreScales": _result_home,
    "results": lambda row: home_of(row["studentSourcedId"]),
    "roles": _user_home,
    "scoreScales": lambda row: row["orgSourcedId"],
    "userProfiles": _user_home,
    "userResources": _user_home,
    "users": lambda row: home_of(row["sourcedId"]),
}
"""The school to which a row belongs, as the plan made it; files that are not here belong to the district."""
PERSON: dict[str, Callable[[Row], str]] = {
    "assessmentResults": itemgetter("studentSourcedId"),
    "demographics": itemgetter("sourcedId"),
    "enrollments": itemgetter("userSourcedId"),
    "resultLearningObjectiveIds": lambda row: _student_of(row["resultSourcedId"]),
    "resultScoreScales": lambda row: _student_of(row["resultSourcedId"]),
    "results": itemgetter("studentSourcedId"),
    "roles": itemgetter("userSourcedId"),
    "userProfiles": itemgetter("userSourcedId"),
    "userResources": itemgetter("userSourcedId"),
    "users": itemgetter("sourcedId"),
}
"""The person without whom a row is gone."""
AT_ORG = {"roles": "orgSourcedId", "enrollments": "schoolSourcedId"}
"""Files whose rows name the org at which they hold."""
OF_PERSONS = ("users", "demographics", "userProfiles", "userResources")
"""Files whose rows stay if the person stays in the district; rows of other files are gone with the school."""
