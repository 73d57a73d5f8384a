"""Which titles hold the name of a teacher, and the codes of courses that take their place. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .rows import Rows

_TEACHER = "teacher"
_NAMES = ("givenName", "familyName", "middleName", "preferredGivenName", "preferredFamilyName")
_WORD = re.compile(r"[^\W\d_]+")
_PART = 4
"""A part of a name with several words counts by itself if it has so many letters."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))


class NameTitles:
    """The names of the district's teachers, and the codes of its courses.

    Roles come before the users, or page by page: then users wait until the roles of their page are known.
    """

    def __init__(self, *, roles_come_first: bool = False) -> None:
        self._roles_come_first = roles_come_first
        self._teachers: set[int] = set()
        self._waiting: dict[int, set[tuple[str, ...]]] = {}
        self._names: dict[str, set[tuple[str, ...]]] = {}
        """Names as words, by their first word."""
        self._codes: dict[str, str] = {}

    def take_roles(self, rows: Rows) -> None:
        """Take the roles of some users."""
        for user, word in zip(rows.raw("userSourcedId"), rows.raw("role"), strict=True):
            if word == _TEACHER:
                self._teachers.add(hash(user))
        for user in self._waiting.keys() & self._teachers:
            self._add(self._waiting[user])
        self._waiting.clear()

    def take_users(self, rows: Rows) -> None:
        """Take the names of some users."""
        columns = [rows.raw(name) for name in _NAMES]
        for place, one in enumerate(rows.raw("sourcedId")):
            is_teacher = hash(one) in self._teachers
            if self._roles_come_first and not is_teacher:
                continue
            names = {words for column in columns if (text := column[place]) and (words := _words(text))}
            if is_teacher:
                self._add(names)
            else:
                self._waiting[hash(one)] = names

    def forget_waiting(self) -> None:
        """Let go of users who are no teachers, once all roles are known."""
        self._waiting.clear()

    def _add(self, names: set[tuple[str, ...]]) -> None:
        for words in names:
            parts = {(word,) for word in words if len(word) >= _PART} if len(words) > 1 else set()
            for one in {words, *parts}:
                if len("".join(one)) > 1:
                    self._names.setdefault(one[0], set()).add(one)

    def take_courses(self, rows: Rows) -> None:
        """Take the codes of some courses."""
        for one, code in zip(rows.raw("sourcedId"), rows.raw("courseCode"), strict=True):
            if code:
                self._codes[one] = code

    def holds_name(self, title: str) -> bool:
        """True if a title holds the name of a teacher."""
        words = _words(title)
        return any(
            words[at : at + len(name)] == name for at, word in enumerate(words) for name in self._names.get(word, ())
        )

    def code(self, course: str | None) -> str | None:
        """Return the code of a course, unless it holds a name itself."""
        code = self._codes.get(course or "")
        return code if code and not self.holds_name(code) else None
