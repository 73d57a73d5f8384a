"""Every check: its id, severity, owner, and what to do. Docs, page and `--help` are derived from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..words import Severity

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
        "keys.two-ids",
        WARN,
        REGISTRAR,
        "A new user has the number or username of somebody who is still there",
        "One person under two ids: merge them in the SIS.",
    ),
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
    Check(
        "churn.people",
        HOLD,
        REGISTRAR,
        "People came back under other ids",
        "Whoever reads the roster takes them for other persons. See the crosswalk; approve if they can follow it.",
        "came back",
    ),
    Check(
        "churn.classes",
        HOLD,
        REGISTRAR,
        "Classes came back under other ids",
        "Was the calendar rebuilt? See the crosswalk; approve if those who read the roster can follow it.",
        "came back",
    ),
    Check(
        "schedule.moved",
        WARN,
        REGISTRAR,
        "Classes opened, closed, or moved to another term, period, room, course or teacher",
        "See whether the schedule was meant to change.",
        "opened, closed or moved",
    ),
    Check(
        "rollover.sessions",
        WARN,
        REGISTRAR,
        "Sessions of the new year whose dates do not join up",
        "Correct the dates or parents of the sessions.",
    ),
    Check(
        "rollover.courses",
        WARN,
        REGISTRAR,
        "More than a fifth of last year's courses are not offered again",
        "See whether classes are missing.",
        "courses",
    ),
    Check("rollover.no-term", WARN, REGISTRAR, "Classes without a term", "Give them a term.", "classes"),
    Check(
        "rollover.both-years",
        WARN,
        REGISTRAR,
        "Classes with terms of both years",
        "Take the terms of the old year from them.",
        "classes",
    ),
    Check("rollover.still-open", WARN, REGISTRAR, "Classes of the old year are still active", "Close them.", "classes"),
    Check(
        "rollover.no-teacher",
        WARN,
        REGISTRAR,
        "Classes of the new year without a teacher",
        "Assign a teacher.",
        "classes",
    ),
    Check(
        "rollover.no-students",
        WARN,
        REGISTRAR,
        "Classes of the new year without students",
        "Close or fill them.",
        "classes",
    ),
    Check(
        "rollover.dates",
        WARN,
        REGISTRAR,
        "Enrollments with dates outside of the terms of their class",
        "Correct the dates.",
        "enrollments",
    ),
    Check(
        "rollover.students",
        WARN,
        REGISTRAR,
        "Students of last year are gone whose grade was not the highest",
        "See whether they left, or were not rolled over.",
        "students",
    ),
    Check("rollover.grades", WARN, REGISTRAR, "Grades did not rise", "Promote the students.", "students"),
    Check(
        "rollover.org",
        WARN,
        REGISTRAR,
        "A school ended",
        "If it closed, approve what it lost; else ask the vendor.",
        "school",
    ),
    Check(
        "rollover.not-begun",
        WARN,
        REGISTRAR,
        "The new year began, and the school has no class of it",
        "Roll the school over in the SIS.",
        "classes of the old year",
    ),
    Check(
        "rollover.circle",
        WARN,
        VENDOR,
        "Sessions that are above themselves",
        "Correct their parents: they belong to no year.",
        "sessions",
    ),
    Check(
        "consumer.NAME.RULE",
        WARN,
        REGISTRAR,
        "A consumer of the policy would not take all of it as it is",
        "Read the rule and its page in docs/consumers.md. Correct the rows in the source, or agree on it with the consumer.",
    ),
)

_BY_ID = {known.id: known for known in CHECKS}


def check(name: str) -> Check:
    """Return the check of that id; `keys.orphan-user` is one of `keys.orphan`."""
    if name.startswith("consumer."):
        return _of_consumer(name)
    return _BY_ID.get(name) or _BY_ID[name.rpartition("-")[0]]


def _of_consumer(name: str) -> Check:
    """Return the check of a consumer's rule, in the rule's own words if it is one of this package."""
    from ..consumers.profiles import NAMES, built_in

    known = _BY_ID["consumer.NAME.RULE"]
    _, consumer, rule_id = name.split(".", 2)
    profile = built_in(consumer) if consumer in NAMES else None
    rule = profile.rule(rule_id) if profile else None
    if profile is None or rule is None:
        return replace(known, sentence=f"{consumer}: its rule {rule_id} is broken")
    return replace(known, sentence=f"{profile.title}: {rule.says.rstrip('.')}")
