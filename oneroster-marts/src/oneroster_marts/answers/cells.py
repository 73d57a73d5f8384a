"""Which cells of the roster may not be told: rosters are shown as they are in the marts, and answers hide more.

An answer is made of cells that may be told, and of nothing else, so that no difference of answers tells another cell. The one
exception is the number of students of a school: it is told as a whole if its hidden grades are two or more and are not few together.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass
class Hidden:
    """Small grades of schools, and schools of which the whole would tell a small grade."""

    grades: set[tuple[str, str]] = field(default_factory=set)
    schools: set[str] = field(default_factory=set)

    def holds(self, school: str | None, grade: str | None) -> bool:
        """Return true if a cell of a school and grade may not be told."""
        return school is not None and grade is not None and (school, grade) in self.grades


def hidden_of(cells: Iterable[tuple[str, str, int]], small: int) -> Hidden:
    """Return what may not be told of cells (school, grade, students), without totals."""
    sizes: defaultdict[str, list[int]] = defaultdict(list)
    found = Hidden()
    for school, grade, students in cells:
        if students < small:
            found.grades.add((school, grade))
            sizes[school].append(students)
    found.schools = {school for school, its in sizes.items() if len(its) < 2 or sum(its) < small}
    return found


def with_another(sizes: Mapping[str, int], small: int) -> set[str]:
    """Return the small ones of some cells, with as many of the next larger ones as it needs so that their sum tells no cell."""
    order = sorted(sizes, key=lambda name: (sizes[name], name))
    hidden = [name for name in order if sizes[name] < small]
    for name in order[len(hidden) :]:
        if not hidden or (len(hidden) >= 2 and sum(sizes[its] for its in hidden) >= small):
            break
        hidden.append(name)
    return set(hidden)
