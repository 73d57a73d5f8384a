"""The types that describe the standard: version, kind, vocabulary, field, file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Version(StrEnum):
    """A version of the standard, as the manifest and the REST path name it."""

    V1_1 = "1.1"
    V1_2 = "1.2"


ALWAYS = (Version.V1_1, Version.V1_2)
ONLY_1_1 = (Version.V1_1,)
NEVER: tuple[Version, ...] = ()


class Kind(StrEnum):
    """The type of a value.

    A member's value is its type in the CSV binding, with a suffix if the warehouse has several shapes for one CSV type.
    """

    GUID = "guid"
    REF = "guid_ref"
    REFS = "list_of_guid_ref"
    ID = "id"
    STRING = "string"
    STRINGS = "list_of_strings"
    WORD = "enum"
    WORDS = "list_of_enum"
    TRUE_FALSE = "enum:true_false"
    DATE = "date"
    DATETIME = "datetime"
    YEAR = "year"
    INTEGER = "integer"
    NUMBER = "float"
    USER_IDS = "list_of_strings:userId"
    SCALE_VALUES = "list_of_strings:scoreScaleValue"
    # Kinds without a CSV form: receipts, metadata, and fields that only REST 1.2 has.
    OBJECT = "object"
    OBJECTIVES = "object:learningObjectives"
    OBJECTIVE_SCORES = "object:learningObjectiveScores"

    @property
    def csv_type(self) -> str:
        """Return the name of the type in the tables of the CSV binding."""
        return self.value.partition(":")[0]

    @property
    def is_list(self) -> bool:
        """True if one cell holds several values."""
        return self.value.startswith("list_of_")


class Personal(StrEnum):
    """What a value says about a person: the kinds that security pages and policies of twins speak of.

    Ids of persons have no kind of their own: they are `users.sourcedId` and what refers to users.
    """

    NAME = "name"
    CONTACT = "contact"
    """How to reach a person, or whom to reach for a child."""
    ACCOUNT = "account"
    IDENTIFIER = "identifier"
    """Ids of a person in other systems."""
    BIRTH = "birth"
    DEMOGRAPHIC = "demographic"
    SPECIAL = "special"
    """What may touch on health, residence or belief, and what a vendor adds."""
    TEXT = "text"
    """Free text, which may name anybody."""
    SCHEDULE = "schedule"
    """A person's place at school: classes, roles, grades, applications."""
    PERFORMANCE = "performance"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that a column may hold.

    `words` are valid in both versions, `added` only since 1.2. An `extensible` vocabulary also accepts ``ext:`` words,
    in 1.2 only.
    """

    words: tuple[str, ...]
    added: tuple[str, ...] = ()
    extensible: bool = False

    def of(self, version: Version) -> tuple[str, ...]:
        """Return the words of one version, in the order of the standard."""
        return self.words + (self.added if version == Version.V1_2 else ())

    def accepts(self, word: str, version: Version) -> bool:
        """True if the version allows the word in this exact spelling."""
        if word in self.of(version):
            return True
        return self.extensible and version == Version.V1_2 and word.startswith("ext:")


@dataclass(frozen=True, slots=True)
class Where:
    """A condition on the row that a reference points to: its `column` holds `word`.

    `extensible` conditions also accept ``ext:`` words (1.2). If `column` is ``role``, the row is a user with that role,
    in whichever file the version keeps roles. With `same` instead of a word, both rows must hold the same value in that
    column.
    """

    column: str
    word: str = ""
    versions: tuple[Version, ...] = ALWAYS
    extensible: bool = False
    same: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a CSV file, its property in the warehouse, and its names in a REST record."""

    name: str
    kind: Kind = Kind.STRING
    required: tuple[Version, ...] = NEVER
    """Versions in which the CSV cell must not be empty."""
    refers_to: str | None = None
    """Stream whose `sourcedId` the value refers to."""
    where: Where | None = None
    words: Vocabulary | None = None
    since: Version = Version.V1_1
    until: Version = Version.V1_2
    was: str | None = None
    """Header of the column in 1.1, if 1.2 renamed it."""
    kind_1_1: Kind | None = None
    """CSV type in 1.1, if 1.2 changed it."""
    csv_kind: Kind | None = None
    """CSV type, if the warehouse uses the finer type of REST."""
    rest: tuple[str, ...] | None = None
    """Names in a REST record, in order of preference; by default derived from `name`."""
    rest_kind: Kind | None = None
    """Type in REST, if it differs from the CSV type."""
    csv: bool = True
    """False if the CSV file has no such column."""
    pairs_with: str | None = None
    """Column of the same row whose list matches this list by position."""
    blank_in_bulk: bool = False
    """True if the column is empty in all rows of bulk files; delta files fill it."""
    secret: bool = False
    """True if the value leaves the source only when a setting allows it."""
    personal: Personal | None = None
    """What the value says about a person."""

    def exists_in(self, version: Version) -> bool:
        """True if the version has this field."""
        return self.since.value <= version.value <= self.until.value

    def header(self, version: Version) -> str:
        """Return the column's header in that version."""
        return self.was if self.was and version == Version.V1_1 else self.name

    def csv_type(self, version: Version) -> str:
        """Return the type of the cell, as the CSV tables of that version name it."""
        kind = self.csv_kind or self.kind
        if version == Version.V1_1 and self.kind_1_1:
            kind = self.kind_1_1
        return kind.csv_type

    @property
    def rest_names(self) -> tuple[str, ...]:
        """Return the names of the value in a REST record, in order of preference; empty if REST has no such value."""
        if self.rest is not None:
            return self.rest
        if self.kind == Kind.REF and self.name.endswith("SourcedId"):
            return (self.name.removesuffix("SourcedId"),)
        if self.kind == Kind.REFS:
            return (self.name.removesuffix("SourcedIds") + "s",)
        return (self.name,)


class Service(StrEnum):
    """One of the three services of the standard."""

    ROSTERING = "rostering"
    GRADEBOOK = "gradebook"
    RESOURCES = "resources"


@dataclass(frozen=True, slots=True)
class Collection:
    """The REST collection that offers the records of a stream.

    `wrapper` and `single` are the keys of the JSON envelope for many records and for one; `scopes` are short names, for
    1.1 and 1.2, any one of which is sufficient.
    """

    path: str
    wrapper: str
    single: str
    scopes_1_1: tuple[str, ...]
    scopes_1_2: tuple[str, ...]

    def scopes(self, version: Version) -> tuple[str, ...]:
        """Return the short names of the scopes that give access to the collection."""
        return self.scopes_1_1 if version == Version.V1_1 else self.scopes_1_2


@dataclass(frozen=True, slots=True)
class Derived:
    """How rows that REST does not offer as a collection are made from their parent's records.

    `rest` is the parent's property that holds them. `identity` names the columns that identify a row and never change:
    the row's id is a name-based UUID over them. `ordinal_by` names the column that numbers rows with the same identity.
    """

    parent: str
    rest: str
    identity: tuple[str, ...]
    ordinal_by: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A data file of the CSV binding, which is also a stream, a table and usually a REST collection."""

    name: str
    service: Service
    fields: tuple[Field, ...]
    collection: Collection | None = None
    derived: Derived | None = None
    since: Version = Version.V1_1
    csv: bool = True
    """False if only REST has these records."""
    school: str | None = None
    """Column that names the school of a row."""
    role: str | None = None
    """Column that names the role of a row."""
    terms: str | None = None
    """Column that lists the terms of a row, or that names the class whose terms they are."""
    small: bool = False
    """True if the collection is small enough to be read completely on every run."""

    def exists_in(self, version: Version) -> bool:
        """True if the version has this file."""
        return self.since.value <= version.value

    def columns(self, version: Version) -> tuple[Field, ...]:
        """Return the columns of the CSV file in header order, without `metadata.*`."""
        return tuple(f for f in self.fields if f.csv and f.exists_in(version))

    def header(self, version: Version) -> tuple[str, ...]:
        """Return the header row of the CSV file, without `metadata.*`."""
        return tuple(f.header(version) for f in self.columns(version))

    def field(self, name: str) -> Field:
        """Return the field of that name in the warehouse shape; raise KeyError if there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class View:
    """A REST collection of those rows of its parent whose `column` holds `word`."""

    name: str
    parent: str
    column: str
    word: str
    collection: Collection
