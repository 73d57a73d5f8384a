"""The ten kinds of rules that a consumer's profile is made of."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Text = Annotated[str, Meta(min_length=1)]
Name = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_-]*$")]
Texts = Annotated[list[Text], Meta(min_length=1)]
Loss = Literal["stop", "row", "value", "note"]


class _Rule(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, tag_field="kind"):
    """What every rule has. `source` is a key of the profile's sources."""

    id: Name
    severity: Loss
    source: Text
    says: Text


class Files(_Rule, tag="files", frozen=True, kw_only=True):
    """Each of these files has rows; with `together`, all of them or none."""

    files: Texts
    together: bool = False


class Required(_Rule, tag="required", frozen=True, kw_only=True):
    """A column is filled, of users with one of `roles` only if they are named."""

    file: Text
    column: Text
    roles: list[Text] = []


class Pattern(_Rule, tag="pattern", frozen=True, kw_only=True):
    """Each value of a column matches a regular expression (RE2) as a whole."""

    file: Text
    column: Text
    matches: Text


class OneOf(_Rule, tag="one_of", frozen=True, kw_only=True):
    """Each value of a column is one of these words."""

    file: Text
    column: Text
    words: Texts
    ignore_case: bool = False


class Unique(_Rule, tag="unique", frozen=True, kw_only=True):
    """No two rows have the same values in these columns, if all of them are filled."""

    file: Text
    columns: Texts


class UniqueAcross(_Rule, tag="unique_across", frozen=True, kw_only=True):
    """No sourcedId stands in more than one of these files."""

    files: Texts


class Length(_Rule, tag="length", frozen=True, kw_only=True):
    """Each value of a column has so many characters."""

    file: Text
    column: Text
    most: Annotated[int, Meta(ge=1)]
    least: Annotated[int, Meta(ge=0)] = 0


class References(_Rule, tag="references", frozen=True, kw_only=True):
    """Each value of a column is the sourcedId of a row that is there."""

    file: Text
    column: Text


class CountBetween(_Rule, tag="count_between", frozen=True, kw_only=True):
    """A number is not too small and not too large.

    The number of rows of `of` whose column `by` names the row (with `distinct`: of different values of that column; with
    `through`: that share this column's value with a row of one of `of_roles`); or, with `change`, the percentage of the
    file's rows that changed, or are gone, since the baseline. `roles` limits users.
    """

    file: Text
    of: str = ""
    by: str = ""
    roles: list[Text] = []
    of_roles: list[Text] = []
    distinct: str = ""
    through: str = ""
    change: Literal["", "removed", "changed"] = ""
    least: Annotated[int, Meta(ge=0)] = 0
    most: Annotated[int, Meta(ge=0)] | None = None


class Forbids(_Rule, tag="forbids", frozen=True, kw_only=True):
    """None of `files` has rows; or no value in `columns` of `file` contains what the regular expression finds."""

    files: list[Text] = []
    file: str = ""
    columns: list[Text] = []
    matches: str = ""


Rule = Files | Required | Pattern | OneOf | Unique | UniqueAcross | Length | References | CountBetween | Forbids
