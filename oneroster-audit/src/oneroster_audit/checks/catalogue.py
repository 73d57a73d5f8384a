"""Every check: its id, severity, owner, and what to do. Docs, page and `--help` are derived from it."""

from __future__ import annotations

from dataclasses import dataclass

from ..words import Severity

__all__ = ["CHECKS", "Check", "check"]

NOTE, WARN, HOLD, UNKNOWN = Severity.NOTE, Severity.WARN, Severity.HOLD, Severity.UNKNOWN
REGISTRAR, IT, VENDOR = "registrar", "IT", "vendor"


@dataclass(frozen=True, slots=True)
class Check:
    """A named question."""

    id: str
    severity: Severity
    """The severest that its findings can have."""
    owner: str
    sentence: str
    """What was found, as the page says it."""
    advice: str
    counted: str = "rows"
    """What the finding's count is a number of, after the rows before and now."""

    @property
    def family(self) -> str:
        """The part of the id before the point."""
        return self.id.partition(".")[0]


CHECKS = (
    Check(
        "arrival.missing",
        HOLD,
        IT,
        "A file that the baseline had did not come, or came empty",
        "Ask the source for the file, and load again.",
    ),
    Check(
        "arrival.incomplete",
        UNKNOWN,
        IT,
        "A file was not read to its end, or was not loaded",
        "Run the load again; read its last line.",
    ),
    Check("arrival.rejected", WARN, VENDOR, "Records were rejected while they were read", "Read the log of the load."),
    Check(
        "arrival.fewer",
        WARN,
        VENDOR,
        "The source announced more different records than it sent",
        "Ask the vendor which number is right.",
    ),
    Check(
        "arrival.receipts",
        WARN,
        IT,
        "The load has no receipts, so nothing proves that it is complete",
        "Load with tap-oneroster, and select syncReceipts.",
    ),
    Check(
        "arrival.not-whole",
        NOTE,
        IT,
        "Not whole: the load brought changes only, so the brake did not judge what is gone",
        "Nothing, if a whole load follows.",
    ),
    Check(
        "arrival.late",
        WARN,
        VENDOR,
        "The source's newest change, or the last whole read, is old",
        "Ask whether the export of the source still runs.",
    ),
    Check(
        "arrival.history",
        HOLD,
        IT,
        "The warehouse does not keep the baseline any more, so a loss would not be seen",
        "Look at the school, approve, and set history_keep_days higher than a school may be held.",
    ),
    Check(
        "arrival.header",
        HOLD,
        VENDOR,
        "The source's columns are not those of the baseline",
        "Ask the vendor what changed; a required column that is lost holds.",
    ),
    Check(
        "columns.blank",
        HOLD,
        VENDOR,
        "A column is filled in far fewer rows than before",
        "Ask the vendor; keys and references hold, other columns warn.",
    ),
    Check(
        "columns.words", NOTE, VENDOR, "Words of a vocabulary are new, or gone", "See that those who read it know them."
    ),
    Check(
        "brake.lost",
        HOLD,
        REGISTRAR,
        "More rows are gone than the limit allows",
        "Look at the reasons. If it is right, approve; else mend the source and load again.",
        "gone",
    ),
    Check(
        "brake.changed",
        HOLD,
        REGISTRAR,
        "More than three quarters of the rows changed",
        "Look at which columns changed. If it is right, approve.",
        "changed",
    ),
    Check(
        "brake.added",
        WARN,
        REGISTRAR,
        "Half as many rows again as before",
        "See whether a file was sent twice, or two years at once.",
    ),
    Check(
        "brake.slow",
        HOLD,
        REGISTRAR,
        "More rows are gone within the last days than the limit allows",
        "A slow leak: find since when. If it is right, approve.",
        "gone",
    ),
    Check(
        "brake.empty-school",
        HOLD,
        REGISTRAR,
        "A school has no student enrollments any more",
        "If the school closed, approve; else ask the school.",
        "gone",
    ),
    Check(
        "calendar.blackout", HOLD, REGISTRAR, "The calendar says that nothing is released today", "Nothing: planned."
    ),
    Check(
        "calendar.additions-only",
        HOLD,
        REGISTRAR,
        "The calendar lets additions pass only, and rows were changed or are gone",
        "Nothing: planned. They wait until the rule ends, or until they are approved.",
    ),
    Check(
        "policy.school",
        WARN,
        IT,
        "The policy names schools that the warehouse does not have",
        "Correct policy.yml.",
    ),
    Check(
        "keys.duplicate",
        WARN,
        VENDOR,
        "Records came more than once under one id",
        "Ask the vendor; one of each was kept.",
    ),
    Check("keys.missing", WARN, VENDOR, "A required reference is empty", "Ask the vendor to fill it."),
    Check(
        "keys.reused",
        HOLD,
        VENDOR,
        "An id names another person, or another class, than before",
        "Do not publish: the data of one would go to the other. Ask the vendor.",
    ),
    Check("keys.orphan", HOLD, VENDOR, "References to rows that are not there", "Ask the vendor for the rows."),
    Check(
        "sanity.students-without-enrollment", WARN, REGISTRAR, "Students without an enrollment", "Enroll, or withdraw."
    ),
    Check("sanity.students-without-grade", WARN, REGISTRAR, "Students without a grade", "Fill in the grade."),
    Check("sanity.classes-without-students", WARN, REGISTRAR, "Classes without students", "Close or fill them."),
    Check("sanity.classes-without-teacher", WARN, REGISTRAR, "Classes without a teacher", "Assign a teacher."),
    Check("sanity.courses-without-classes", WARN, REGISTRAR, "Courses without classes", "Nothing, if not offered."),
    Check(
        "sanity.two-roles",
        WARN,
        REGISTRAR,
        "Users who are student and staff",
        "See whether two persons share an account.",
    ),
    Check(
        "sources.differ",
        HOLD,
        VENDOR,
        "The second source of the night holds other rows, or other values",
        "See oneroster-audit reconcile; ask the vendor which is right. More than 1 % of a file holds.",
        counted="not the same",
    ),
    Check(
        "sources.apart",
        NOTE,
        IT,
        "The second source was loaded more than six hours before or after, so it was not compared",
        "Load both in one night.",
    ),
    Check("sanity.large-class", WARN, REGISTRAR, "Classes with more than 50 students", "See whether they were merged."),
    Check(
        "sanity.many-classes",
        WARN,
        REGISTRAR,
        "Teachers of more than 50 classes",
        "See whether a placeholder stands for several teachers.",
    ),
)

_BY_ID = {known.id: known for known in CHECKS}


def check(name: str) -> Check:
    """Return the check of that id; `keys.orphan-user` is one of `keys.orphan`."""
    return _BY_ID.get(name) or _BY_ID[name.rpartition("-")[0]]
