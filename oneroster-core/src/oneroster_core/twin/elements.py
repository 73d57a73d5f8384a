"""The list of data elements that an agreement asks for: what leaves, as what, how it is treated, and how often."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, NamedTuple

from ..model import Personal, Version, csv_files, file
from . import words
from .policy import GUARDIANS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..model import Field
    from .policy import Policy, Treatment

# Categories of the Schedule of Data in Exhibit B of the NDPA. A person compares them with the current text.
_IDENTIFIERS, _OTHER = "Student Identifiers", "Other"
_BY_KIND = {
    Personal.NAME: "Student Name",
    Personal.CONTACT: "Student Contact Information",
    Personal.ACCOUNT: _IDENTIFIERS,
    Personal.IDENTIFIER: _IDENTIFIERS,
    Personal.BIRTH: "Demographics",
    Personal.DEMOGRAPHIC: "Demographics",
    Personal.SPECIAL: "Special Indicator",
    Personal.TEXT: _OTHER,
    Personal.SCHEDULE: "Schedule",
    Personal.PERFORMANCE: "Assessment",
}
_BY_STREAM = {
    **dict.fromkeys(
        ("classes", "courses", "enrollments", "academicSessions", "classResources", "courseResources"), "Schedule"
    ),
    **dict.fromkeys(("users", "roles", "orgs"), "Enrollment"),
    **dict.fromkeys(
        ("lineItems", "results", "categories", "scoreScales", "assessmentLineItems", "assessmentResults"), "Assessment"
    ),
}
_OF_GUARDIANS = {
    "Student Name": "Parent/Guardian Name",
    "Student Contact Information": "Parent/Guardian Contact Information",
    _IDENTIFIERS: "Parent/Guardian ID",
}
_RECORD = "Application Technology Meta Data"


class Element(NamedTuple):
    """One field that leaves; `rows` is the number of rows that were sent, if receipts say so."""

    stream: str
    field: str
    category: str
    treatment: str
    rows: int | None = None


def category(stream: str, of: Field) -> str:
    """Return the category of a field."""
    if of.name in {"status", "dateLastModified"}:
        return _RECORD
    if of.name == "agentSourcedIds":
        return "Parent/Guardian ID"
    if of.refers_to == "users" or (stream == "users" and of.name == "sourcedId"):
        return _IDENTIFIERS
    if of.personal == Personal.SCHEDULE:
        return _BY_STREAM.get(stream, "Schedule")
    return _BY_KIND[of.personal] if of.personal else _BY_STREAM.get(stream, _OTHER)


def _shown(treatment: Treatment) -> str:
    return f"{treatment.word}: {', '.join(treatment.keys)}" if treatment.keys else treatment.word


def elements(policy: Policy, counts: Mapping[str, int] | None = None) -> list[Element]:
    """Return what leaves, in the order of the model."""
    users = policy.scope.users if policy.scope else None
    with_guardians = users is None or not GUARDIANS.isdisjoint(users)
    found = []
    for stream in words.streams():
        for name, of in words.fields_of(stream).items():
            if treatment := policy.elements.get(stream, {}).get(name):
                what = category(stream, of)
                if with_guardians and stream in {"users", "userProfiles"} and what in _OF_GUARDIANS:
                    what = f"{what}; {_OF_GUARDIANS[what]}"
                count = counts.get(stream, 0) if counts is not None else None
                found.append(Element(stream, name, what, _shown(treatment), count))
    return found


def counts_of(receipts: Iterable[Mapping[str, Any]], consumer: str) -> dict[str, int]:
    """Return the rows that the last run sent of each stream; receipts of other consumers are passed over."""
    last: dict[str, tuple[Any, int]] = {}
    for receipt in receipts:
        if receipt.get("source") == consumer:
            stream, run, sent = str(receipt.get("collection")), receipt.get("runId"), int(receipt.get("distinct") or 0)
            before = last.get(stream)
            last[stream] = (run, sent + (before[1] if before and before[0] == run else 0))
    return {stream: sent for stream, (_, sent) in last.items()}


def as_csv(found: Sequence[Element]) -> str:
    """Return the list as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("stream", "field", "category", "treatment", "count"))
    writer.writerows([*one[:4], "" if one.rows is None else one.rows] for one in found)
    return out.getvalue()


def as_markdown(found: Sequence[Element]) -> str:
    """Return the list as a table, with what each treatment does."""
    lines = ["| Stream | Field | Category | Treatment | Rows sent |", "| --- | --- | --- | --- | ---: |"]
    for one in found:
        word, _, keys = one.treatment.partition(": ")
        meaning = words.MEANINGS[word] + (f" ({keys})" if keys else "")
        count = "" if one.rows is None else f"{one.rows:,}"
        lines.append(f"| {one.stream} | {one.field} | {one.category} | {word}: {meaning} | {count} |")
    return "\n".join(lines) + "\n"


def as_ndpa(found: Sequence[Element]) -> str:
    """Return the list by category, as a schedule of data asks for it."""
    by_category: dict[str, list[Element]] = {}
    for one in found:
        for what in one.category.split("; "):
            by_category.setdefault(what, []).append(one)
    lines = ["| Category of data | Elements |", "| --- | --- |"]
    for what in sorted(by_category):
        shown = [f"{one.stream}.{one.field} ({one.treatment})" for one in by_category[what]]
        lines.append(f"| {what} | {', '.join(shown)} |")
    return "\n".join(lines) + "\n"


def changes(before: str, now: Sequence[Element]) -> list[str]:
    """Return a line for each element that came, went or is treated in another way since an earlier list (CSV)."""
    then = {(row["stream"], row["field"]): row for row in csv.DictReader(io.StringIO(before))}
    here = {(one.stream, one.field): one for one in now}
    lines = [f"+ {one.stream}.{one.field}: {one.treatment}" for key, one in here.items() if key not in then]
    lines += [f"- {stream}.{name}" for stream, name in then if (stream, name) not in here]
    for key, one in here.items():
        if key in then and then[key]["treatment"] != one.treatment:
            lines.append(f"~ {one.stream}.{one.field}: {then[key]['treatment']} → {one.treatment}")
        elif key in then and one.rows is not None and then[key].get("count", "") not in {"", str(one.rows)}:
            lines.append(f"# {one.stream}.{one.field}: {then[key]['count']} → {one.rows} rows")
    return lines


def needs(policy: Policy, version: Version) -> list[str]:
    """Return what a bundle of the standard requires of the streams that the policy names, and does not get."""
    missing = [
        f"{of.name}.{column.name}"
        for of in csv_files(version)
        if of.name in policy.elements
        for column in of.columns(version)
        if version in column.required and column.name not in policy.elements[of.name]
    ]
    if version == Version.V1_2 and "users" in policy.elements and "roles" not in policy.elements:
        missing.append("roles")
    for stream, fields in policy.elements.items():
        for name in fields:
            target = file(stream).field(name).refers_to
            if target and target not in policy.elements and file(target).csv and name != "sourcedId":
                missing.append(f"{target}, to which {stream}.{name} refers")
    return list(dict.fromkeys(missing))
