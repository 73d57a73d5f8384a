"""Paging: every row once, or an error; never an end that only looked like one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tap_oneroster.rest.paging import walk
from tap_oneroster.source import CollectionMoved, SourceError

from .shelf import Shelf, read, read_out

if TYPE_CHECKING:
    from collections.abc import Callable


def rows(count: int) -> list[str]:
    """Ids that sort in the order in which they stand."""
    return [f"r{number:04d}" for number in range(count)]


@pytest.mark.parametrize("total", ["true", "none", "page", "zero", "-2"])
@pytest.mark.parametrize("sorts", [True, False])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 9, 10, 11, 20, 95, 100, 101])
def test_every_row_comes_once_whatever_the_total_says(count: int, total: str, sorts: bool) -> None:
    """A page has ten rows at most, though a hundred are asked for."""
    if count == 0 and total == "-2":
        pytest.skip("no total below nothing")
    shelf = Shelf(rows(count), total=total, sorts=sorts)
    assert read(shelf) == (rows(count), set())


@pytest.mark.parametrize("total", ["true", "none"])
@pytest.mark.parametrize("sorts", [True, False])
def test_short_pages_in_the_middle_are_not_the_end(total: str, sorts: bool) -> None:
    shelf = Shelf(rows(60), lengths=(10, 3, 10, 1, 7, 10, 2), total=total, sorts=sorts)
    assert read(shelf)[0] == rows(60)


@pytest.mark.parametrize("sorts", [True, False])
def test_empty_pages_in_the_middle_are_asked_for_again(sorts: bool) -> None:
    shelf = Shelf(rows(60), lengths=(10, 10, 0, 10, 0, 0, 10), sorts=sorts)
    assert read(shelf)[0] == rows(60)


def test_an_empty_page_without_a_total_is_asked_for_again() -> None:
    shelf = Shelf(rows(60), lengths=(10, 10, 0, 10), sorts=False, total="none")
    assert read(shelf)[0] == rows(60)


def test_pages_that_stay_empty_for_a_while_are_asked_for_again_once_more_is_found_behind_them() -> None:
    """Nobody can tell a page that fails for a while from rows that are hidden, until it brings rows after all."""
    shelf = Shelf(rows(60), lengths=(10, 10, 0, 0, 10), sorts=False, total="none")
    assert read(shelf)[0] == rows(60)


@pytest.mark.parametrize("sorts", [True, False])
def test_a_service_that_ends_early_fails(sorts: bool) -> None:
    shelf = Shelf(rows(60), lengths=(10, 10, *[0] * 500), sorts=sorts, filters=False)
    with pytest.raises(CollectionMoved):
        read(shelf)


@pytest.mark.parametrize("total", ["true", "none"])
def test_a_long_run_of_hidden_rows_is_no_moving_collection(total: str) -> None:
    """The last records are there, and nothing leads to them: said at once, with what may help, in bounded requests."""
    for window, filters in ((None, True), (20, False)):
        everything = rows(700)
        hidden = frozenset(everything[20:-1]) if window is None else frozenset()
        shelf = Shelf(everything, total=total, window=window, hidden=hidden, filters=filters)
        if window is None and total == "true":
            continue  # 21 records are the total
        with pytest.raises(SourceError, match=r"2\d records had come, and 5\d pages in a row were empty") as caught:
            read(shelf)
        assert not isinstance(caught.value, CollectionMoved)
        assert "page_size" in str(caught.value)
        assert "supports_filter" in str(caught.value)
        assert len(shelf.asked) + shelf.further < 70


def test_records_that_appear_where_pages_were_empty_are_a_moving_collection() -> None:
    def come_back(shelf: Shelf, number: int) -> None:
        shelf.window = 20 if number < 53 else None

    with pytest.raises(CollectionMoved, match="no page brings them"):
        read(Shelf(rows(60), total="none", filters=False, before_page=come_back))


def test_the_next_reads_of_a_collection_do_not_look_so_far_again() -> None:
    """Three equal reads are needed to be sure of a total; the empty pages behind the last row are known by then."""
    known: set[str] = set()
    asked = []
    for _ in range(3):
        shelf = Shelf(rows(60), sorts=False, filters=False, window=20, known=known)
        with pytest.raises(CollectionMoved, match="promised 60 records and sent 20"):
            read(shelf)
        asked.append(len(shelf.asked) + shelf.further)
    assert asked[1:] == [7, 7]


def test_a_total_that_promises_too_much_fails() -> None:
    with pytest.raises(CollectionMoved, match="promised 63"):
        read(Shelf(rows(60), total="+3", sorts=False))


@pytest.mark.parametrize("sorts", [True, False])
def test_a_service_that_ignores_offset_is_an_error(sorts: bool) -> None:
    for total in ("true", "none"):
        shelf = Shelf(rows(60), ignores_offset=True, total=total, sorts=sorts)
        with pytest.raises(SourceError, match="ignores offset"):
            read(shelf)
        assert len(shelf.asked) == 3


@pytest.mark.parametrize("total", ["true", "none", "page", "zero"])
@pytest.mark.parametrize("sorts", [True, False])
@pytest.mark.parametrize("count", [0, 2, 9, 10, 11, 20, 95])
def test_a_service_that_pages_by_link_only_is_read_along_its_links(count: int, sorts: bool, total: str) -> None:
    shelf = Shelf(rows(count), ignores_offset=True, links="token", total=total, sorts=sorts)
    assert read(shelf) == (rows(count), set())


@pytest.mark.parametrize("sorts", [True, False])
@pytest.mark.parametrize("offset", [True, False])
def test_an_empty_first_page_is_not_all_where_a_link_names_a_next_one(sorts: bool, offset: bool) -> None:
    shelf = Shelf(rows(60), lengths=[0] * 9, ignores_offset=not offset, links="token", total="none", sorts=sorts)
    assert read(shelf)[0] == rows(60)


@pytest.mark.parametrize("total", ["true", "none"])
def test_empty_pages_along_the_links_are_passed_over(total: str) -> None:
    shelf = Shelf(rows(60), lengths=(10, 10, 10, 10, 0, 10, 0), ignores_offset=True, links="token", total=total)
    assert read(shelf)[0] == rows(60)


def test_one_record_from_a_service_that_ignores_offset_and_tells_no_total_proves_nothing() -> None:
    """Neither a page after it nor a smaller page can show that it was all."""
    with pytest.raises(SourceError, match="ignores offset"):
        read(Shelf(rows(1), ignores_offset=True, links="token", total="none", filters=False))


@pytest.mark.parametrize("total", ["true", "none"])
@pytest.mark.parametrize("links", ["loop", "another host", "filter left out"])
def test_links_that_lead_nowhere_are_an_error_where_nothing_else_leads_on(links: str, total: str) -> None:
    shelf = Shelf(rows(60), ignores_offset=True, links=links, total=total)
    with pytest.raises(SourceError, match="Link to the next page is of no use"):
        read(shelf)
    assert len(shelf.asked) <= 5


def test_links_that_end_before_the_total_are_an_error() -> None:
    with pytest.raises(CollectionMoved, match="promised 60 records and sent 20"):
        read(Shelf(rows(60), ignores_offset=True, links="lost"))


@pytest.mark.parametrize("links", ["token", "loop", "another host", "filter left out"])
def test_where_offset_works_no_link_is_followed(links: str) -> None:
    shelf = Shelf(rows(60), links=links)
    assert read(shelf)[0] == rows(60)
    assert -1 not in shelf.asked


@pytest.mark.parametrize("count", [11, 60])
def test_a_total_of_the_page_only_does_not_prove_that_one_page_is_all(count: int) -> None:
    """A page of one record, whose total is 1, gives it away."""
    with pytest.raises(SourceError, match="ignores offset"):
        read(Shelf(rows(count), ignores_offset=True, total="page"))


@pytest.mark.parametrize("count", [1, 2, 5, 10])
def test_one_page_that_the_total_proves_to_be_all_may_ignore_offset(count: int) -> None:
    assert read(Shelf(rows(count), ignores_offset=True))[0] == rows(count)


@pytest.mark.parametrize("sorts", [True, False])
@pytest.mark.parametrize("status", [400, 404, 416, 500])
def test_a_refusal_beyond_the_end_is_the_end_where_the_total_is_reached(status: int, sorts: bool) -> None:
    assert read(Shelf(rows(20), refuses_beyond=status, sorts=sorts))[0] == rows(20)


@pytest.mark.parametrize("status", [404, 416])
def test_not_found_beyond_the_end_is_the_end_where_there_is_no_total(status: int) -> None:
    shelf = Shelf(rows(20), refuses_beyond=status, total="none")
    assert read(shelf)[0] == rows(20)


def test_an_offset_that_counts_from_one_loses_nothing() -> None:
    assert read(Shelf(rows(60), offset_from_1=True))[0] == rows(60)
    assert read(Shelf(rows(60), offset_from_1=True, sorts=False))[0] == rows(60)


@pytest.mark.parametrize("lengths", [(3, 7, 7, 1), (3, 1, 7, 7, 1)])
@pytest.mark.parametrize("total", ["true", "none"])
def test_an_offset_that_counts_from_one_and_short_pages_do_not_hide_the_last_row(
    lengths: tuple[int, ...], total: str
) -> None:
    """The place in the order says that all was read; the last id of the order knows better."""
    shelf = Shelf(rows(15), cap=7, lengths=lengths, offset_from_1=True, total=total)
    assert read(shelf)[0] == rows(15)


def test_rows_that_repeat_are_told_from_new_ones() -> None:
    shelf = Shelf([*rows(25), *rows(3)], sorts=False)
    assert read(shelf) == (rows(25), set(rows(3)))


def test_a_row_deleted_under_the_reader_costs_no_other_row() -> None:
    """Row 2 vanishes after the first page: everything slides, and row 10 would be skipped."""

    def delete(shelf: Shelf, number: int) -> None:
        if number == 1:
            shelf.rows.remove("r0002")

    shelf = Shelf(rows(60), before_page=delete)
    assert set(read(shelf)[0]) == set(rows(60))


def test_the_last_rows_are_not_lost_where_earlier_ones_vanish_at_the_very_end() -> None:
    def delete(shelf: Shelf, number: int) -> None:
        if number == 2:
            del shelf.rows[:8]

    shelf = Shelf(rows(25), before_page=delete)
    assert set(read(shelf)[0]) == set(rows(25))


def test_without_order_a_total_that_moves_starts_the_read_over() -> None:
    def delete(shelf: Shelf, number: int) -> None:
        if number == 1:
            shelf.rows.remove("r0002")

    with pytest.raises(CollectionMoved, match="total changed"):
        read(Shelf(rows(60), before_page=delete, sorts=False))


def test_totals_that_move_all_through_a_sorted_read_do_not_end_it() -> None:
    """Ten rows come and ten go while it is read; all that stay are there at the end."""

    def churn(shelf: Shelf, number: int) -> None:
        shelf.rows.append(f"r{number * 7 % 95:04d}x")
        if number % 3 == 1:
            shelf.rows.remove(sorted(shelf.rows)[number])

    shelf = Shelf(rows(95), before_page=churn)
    came, _ = read(shelf)
    assert set(shelf.rows) & set(rows(95)) <= set(came)


def test_a_revision_that_changes_starts_an_unordered_read_over() -> None:
    def bump(shelf: Shelf, number: int) -> None:
        shelf.revision = "1" if number < 2 else "2"

    with pytest.raises(CollectionMoved, match="revision changed"):
        read(Shelf(rows(60), before_page=bump, sorts=False))


def by_number(one: str) -> tuple[str, int]:
    return one[:1], int(one[1:])


ORDERS: dict[str, Callable[[str], Any]] = {"digit by digit": str, "by number": by_number, "without case": str.lower}


@pytest.mark.parametrize("total", ["true", "none"])
@pytest.mark.parametrize(("ascending", "other"), list(itertools.permutations(ORDERS, 2)))
@pytest.mark.parametrize("count", [10, 11, 20, 37, 70, 100])
def test_ids_that_descend_in_another_order_than_they_ascend_prove_no_end(
    count: int, ascending: str, other: str, total: str
) -> None:
    """`orderBy=desc` begins with r9, which is far from the last of r1, r2, … r70."""
    ids = [f"{'Rr'[number % 2]}{number}" for number in range(count)]
    for filters in (True, False):
        shelf = Shelf(
            ids,
            total=total,
            filters=filters,
            ascending=ORDERS[ascending],
            descending=ORDERS[other],
            filtering=ORDERS[other],
        )
        outcome = read_out(shelf)
        assert sorted(outcome.came) == sorted(ids)


@pytest.mark.parametrize(("ascending", "other"), list(itertools.permutations(ORDERS, 2)))
@pytest.mark.parametrize("descends", [True, False])
@pytest.mark.parametrize("window", [None, 10, 20, 30])
def test_a_filter_that_compares_ids_in_another_order_proves_nothing(
    window: int | None, descends: bool, ascending: str, other: str
) -> None:
    """Rows that sort behind an id and compare as smaller would be passed over; two ids that came tell."""
    ids = [f"{'Rr'[number % 2]}{number}" for number in range(70)]
    shelf = Shelf(
        ids,
        total="none",
        descends=descends,
        window=window,
        ascending=ORDERS[ascending],
        descending=ORDERS[ascending],
        filtering=ORDERS[other],
    )
    try:
        outcome = read_out(shelf)
    except SourceError:
        return
    assert sorted(outcome.came) == sorted(ids) or not outcome.proven


@pytest.mark.parametrize("total", ["true", "none"])
@pytest.mark.parametrize("descends", [True, False])
def test_a_service_that_sorts_each_page_only_loses_no_row(total: str, descends: bool) -> None:
    """The row that two pages share stands in the middle of the second one; those before it are new."""
    ids = [f"r{number * 37 % 101:04d}" for number in range(101)]
    outcome = read_out(Shelf(ids, total=total, descends=descends, filters=False, sorts_pages=True))
    assert sorted(outcome.came) == sorted(ids)
    assert outcome.deviations["sort ignored by the service"] == 1
    assert outcome.proven is (total == "true")


@pytest.mark.parametrize("status", [400, 404, 416, 422, 500])
def test_a_total_that_is_reached_at_the_end_of_a_page_where_offsets_are_refused_may_be_a_window(status: int) -> None:
    """Pages of ten, 50 promised and 50 come, offset 50 is refused: 70 may be there."""
    capped = Shelf(rows(70), total="true", sorts=False, filters=False, window=50, window_status=status, caps_total=True)
    outcome = read_out(capped)
    assert (len(outcome.came), outcome.proven) == (50, False)
    assert read_out(Shelf(rows(47), sorts=False, filters=False, refuses_beyond=status)).proven


def test_a_total_proves_nothing_where_the_last_page_names_a_next_one() -> None:
    outcome = read_out(Shelf(rows(33), sorts=False, filters=False, window=25, caps_total=True, links="token", cap=5))
    assert (len(outcome.came), outcome.proven) == (25, False)


def test_a_total_proves_nothing_where_the_end_of_the_order_is_hidden() -> None:
    shelf = Shelf(rows(3), cap=1, hidden=frozenset({"r0002"}), window=1, caps_total=True, filters=False)
    assert not read_out(shelf).proven


shelves = st.builds(
    Shelf,
    rows=st.integers(0, 70).map(rows),
    cap=st.integers(1, 12),
    lengths=st.lists(st.integers(0, 12), max_size=12),
    total=st.sampled_from(["true", "none", "zero", "page", "-1", "+2"]),
    sorts=st.booleans(),
    ignores_offset=st.booleans(),
    offset_from_1=st.booleans(),
    refuses_beyond=st.sampled_from([None, 400, 404, 500]),
    links=st.sampled_from(["none", "token", "loop", "another host", "lost"]),
)


@settings(max_examples=600, deadline=None)
@given(shelves)
def test_any_habits_give_all_rows_or_an_error(shelf: Shelf) -> None:
    """Except that nobody sees through two lies at once: a wrong total, and pages that are wrong, too."""
    if shelf.total not in {"true", "+2"} and 0 in shelf.lengths:
        return
    if shelf.total in {"page", "-1"} and shelf.ignores_offset:
        return
    if shelf.links == "lost" and shelf.ignores_offset and shelf.total not in {"true", "+2"}:
        return
    if "-" in shelf.total and (not shelf.rows or shelf.offset_from_1):
        return
    everything = list(shelf.rows)
    try:
        came, _ = read(shelf)
    except SourceError:
        return
    assert came == everything


holey = st.builds(
    Shelf,
    rows=st.integers(0, 70).map(rows),
    cap=st.integers(1, 12),
    total=st.sampled_from(["true", "none", "raw"]),
    sorts=st.booleans(),
    descends=st.booleans(),
    filters=st.booleans(),
    hidden=st.frozensets(st.integers(0, 69), max_size=60).map(lambda them: frozenset(f"r{one:04d}" for one in them))
    | st.tuples(st.integers(0, 69), st.integers(0, 60)).map(
        lambda run: frozenset(f"r{one:04d}" for one in range(run[0], sum(run)))
    ),
    window=st.none() | st.integers(1, 60),
    window_status=st.sampled_from([None, 400, 404, 422, 500]),
    caps_total=st.booleans(),
    links=st.sampled_from(["none", "token", "always", "loop", "another host"]),
)


def longest_hole(shelf: Shelf) -> int:
    """Most rows that follow one another and are hidden."""
    runs = itertools.groupby(shelf.rows, key=lambda one: one in shelf.hidden)
    return max((len(list(run)) for is_hidden, run in runs if is_hidden), default=0)


@settings(max_examples=1500, deadline=None)
@given(holey)
def test_pages_with_holes_and_windows_give_all_rows_or_an_end_that_is_not_proven_or_an_error(shelf: Shelf) -> None:
    """Each row that is shown comes once; where one is missing, the read fails or says that it proves nothing.

    No question can tell these apart from a true end: a total that is cut at a window which is no round number (here of
    tens), where nothing tells of the order; an empty first page in both orders, where no rows came at all; and, where
    the service cannot sort in descending order and tells no total, a hole of three pages, or one right behind the only
    page.
    """
    blind = shelf.total == "none" and not shelf.descends
    if shelf.caps_total and shelf.window and shelf.window % 10 and not (shelf.sorts and shelf.descends):
        return
    if blind and (longest_hole(shelf) >= 3 * shelf.cap or (shelf.window or 100) < 3 * shelf.cap):
        return
    shown = [one for one in shelf.rows if one not in shelf.hidden]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "_ROUND", 10)
        try:
            outcome = read_out(shelf)
        except SourceError:
            return
    assert len(outcome.came) == len(set(outcome.came))
    if shelf.total == "none" and len(outcome.came) <= (shelf.cap if blind else 0):
        return
    assert outcome.came == shown or not outcome.proven


def test_an_empty_answer_by_key_is_no_proof_where_its_total_or_link_says_that_rows_follow() -> None:
    """Rows 20 to 49 are hidden after paging, the total is cut at a window, and there is no descending order."""
    hidden = frozenset(rows(65)[20:50])
    for more in ({"total": "true", "window": 20, "caps_total": True}, {"total": "none", "links": "always"}):
        outcome = read_out(Shelf(rows(65), cap=5, hidden=hidden, descends=False, **more))
        assert not outcome.proven


def test_where_nothing_descends_some_pages_after_an_empty_answer_by_key_are_asked_for() -> None:
    """A hole of two pages behind the last row: the rows after it come, and the hole leaves the end open."""
    hidden = frozenset(rows(70)[20:30])
    outcome = read_out(Shelf(rows(70), cap=5, hidden=hidden, descends=False, total="none", window=21))
    assert set(outcome.came) == set(rows(70)) - hidden
    assert not outcome.proven


@pytest.mark.parametrize("total", [1000, 9999, 10_000, 10_001, 32_767, 65_535, 65_536])
def test_round_totals_may_be_a_window(total: int) -> None:
    everything = [f"r{number:06d}" for number in range(total + 500)]
    shelf = Shelf(everything, cap=5000, sorts=False, filters=False, window=total, caps_total=True)
    assert not read_out(shelf).proven
    assert read_out(Shelf(everything[: total - 17], cap=5000, sorts=False, filters=False)).proven


@settings(max_examples=600, deadline=None)
@given(
    count=st.integers(0, 60),
    cap=st.integers(3, 12),
    total=st.sampled_from(["true", "none"]),
    changes=st.lists(st.tuples(st.integers(1, 12), st.booleans(), st.integers(0, 59)), max_size=8),
)
def test_what_stays_throughout_a_sorted_read_is_there_at_its_end(
    count: int, cap: int, total: str, changes: list[tuple[int, bool, int]]
) -> None:
    stayed = set(rows(count))

    def churn(shelf: Shelf, number: int) -> None:
        for when, insert, position in changes:
            if when != number or not shelf.rows:
                continue
            if insert:
                shelf.rows.append(f"r{position:04d}x{number}")
            else:
                gone = sorted(shelf.rows)[position % len(shelf.rows)]
                shelf.rows.remove(gone)
                stayed.discard(gone)

    shelf = Shelf(rows(count), cap=cap, total=total, before_page=churn)
    try:
        came, _again = read(shelf)
    except SourceError:
        return
    assert len(came) == len(set(came))
    assert stayed <= set(came)
