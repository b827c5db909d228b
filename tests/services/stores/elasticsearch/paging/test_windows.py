"""Windows, against a histogram made the way Elasticsearch makes one: every row is in one of them, in order."""

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.stores.elasticsearch.paging.windows import (
    FAR_MS,
    FIRST_ROWS,
    MOST_BUCKETS,
    WINDOW_ROWS,
    Histogram,
    Once,
    Span,
    Window,
    Windows,
    after,
)

YEAR_2024 = 1_704_067_200_000
FURTHEST = 2**62

#: A measure: its instants, nearly always one.
Instants = tuple[int, ...]


class Stored:
    """Measures by instant, counted as `date_histogram` counts: a measure once in each bucket that it has part in."""

    def __init__(self, measures: Sequence[Instants]) -> None:
        self.measures = measures
        self.counted = 0

    @property
    def span(self) -> Span:
        instants = [at for measure in self.measures for at in measure]
        return Span(min(instants), max(instants), len(self.measures)) if instants else Span(0, 0, 0)

    def between(self, first: int, last: int, *, descending: bool) -> list[Instants]:
        """In order of their first instant, or of their last: as Elasticsearch sorts them."""
        found = [one for one in self.measures if any(first <= at <= last for at in one)]
        return sorted(found, key=lambda one: -max(one) if descending else min(one))

    def split(self, span: Span) -> Histogram:
        self.counted += 1
        interval = span.piece_ms(MOST_BUCKETS)
        found = self.between(span.first_ms, span.last_ms, descending=False)
        counts = Counter(key for one in found for key in {at // interval * interval for at in one})
        keys = sorted(counts)
        return Histogram(span, interval, array("q", keys), array("q", [counts[key] for key in keys]))

    def windows(self, *, descending: bool, offset: int = 0, size: int | None = None) -> Windows:
        return Windows(self.span, self.split, descending=descending, offset=offset, size=size)

    def read(self, window: Window, *, descending: bool) -> list[Instants]:
        """What a window wants of its rows, whose number is as it says."""
        assert window.span is not None
        found = self.between(window.span.first_ms, window.span.last_ms, descending=descending)
        assert len(found) == window.rows
        assert 0 <= window.skip < window.end <= window.rows
        return found[window.skip : window.end]


def taken(windows: Windows, rows: Sequence[int]) -> list[Window]:
    """All of them, each asked for with the next of these limits."""
    limits = cycle(rows)
    return list(iter(lambda: windows.take(next(limits)), None))


instants = st.one_of(
    st.integers(YEAR_2024, YEAR_2024 + 40),
    st.integers(YEAR_2024, YEAR_2024 + 10**7),
    st.sampled_from([0, -1, -62_135_596_800_001, 4_102_444_800_000, 2**53 + 1, FURTHEST - 7, -FURTHEST]),
)
single = st.tuples(instants)
several = st.lists(instants, min_size=1, max_size=3).map(tuple)
limits = st.lists(st.integers(1, 30), min_size=1, max_size=5)


@given(st.lists(single, max_size=60), limits, st.booleans(), st.integers(0, 70), st.none() | st.integers(0, 70))
def test_windows_hold_every_row_once(
    measures: list[Instants], limits: list[int], descending: bool, offset: int, size: int | None
) -> None:
    """In order, whatever stray instants and ties there are; `from` and `size` by counts alone."""
    stored = Stored(measures)
    windows = taken(stored.windows(descending=descending, offset=offset, size=size), limits)
    found = [one for window in windows for one in stored.read(window, descending=descending)]
    expected = sorted(measures, key=lambda one: -one[0] if descending else one[0])
    assert found == expected[offset : None if size is None else offset + size]


@given(st.lists(several, max_size=30), limits, st.booleans(), st.integers(0, 40), st.none() | st.integers(0, 40))
def test_measures_with_several_instants(
    measures: list[Instants], limits: list[int], descending: bool, offset: int, size: int | None
) -> None:
    """Counts by time do not add up; such a stretch is one window."""
    stored = Stored(measures)
    windows = taken(stored.windows(descending=descending, offset=offset, size=size), limits)
    found = [one for window in windows for one in stored.read(window, descending=descending)]
    whole = stored.between(-FURTHEST, FURTHEST, descending=descending)
    key = max if descending else min
    part = whole[offset : None if size is None else offset + size]
    assert [key(one) for one in found] == [key(one) for one in part]


@given(st.lists(single, min_size=1, max_size=60), limits, st.booleans())
def test_windows_are_no_larger_than_asked_for(measures: list[Instants], limits: list[int], descending: bool) -> None:
    """But for the measures of one millisecond, which no window can part."""
    windows = taken(Stored(measures).windows(descending=descending), [min(limits)])
    for window in windows:
        assert window.span is not None
        assert window.rows <= min(limits) or window.span.is_instant


class Many:
    """As many measures as an export has, one each 5 seconds, beside some others."""

    def __init__(self, rows: int, *others: int) -> None:
        self.at = array("q", sorted([*range(YEAR_2024, YEAR_2024 + rows * 5000, 5000), *others]))
        self.counted = 0

    @property
    def span(self) -> Span:
        return Span(self.at[0], self.at[-1], len(self.at))

    def split(self, span: Span) -> Histogram:
        self.counted += 1
        interval = span.piece_ms(MOST_BUCKETS)
        first, last = bisect_left(self.at, span.first_ms), bisect_right(self.at, span.last_ms)
        counts = Counter(at // interval * interval for at in self.at[first:last])
        assert len(counts) <= MOST_BUCKETS + 1
        return Histogram(span, interval, array("q", counts), array("q", counts.values()))


ROWS, FEW = 100_000, 6


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    "others",
    [
        (),
        (0,),
        (0, 4_102_444_800_000),
        (1_718_000_000_000_000_000,),
        (YEAR_2024 + 1,) * 20_000,
        (YEAR_2024 + 250_000_000,) * 20_000,
    ],
)
def test_few_counts_are_needed(others: tuple[int, ...], descending: bool) -> None:
    """One histogram; some more where a stray instant puts all rows into few buckets."""
    stored = Many(ROWS, *others)
    windows = Windows(stored.span, stored.split, descending=descending, offset=0, size=None)
    found = [windows.take(FIRST_ROWS), *taken(windows, [WINDOW_ROWS])]
    assert sum(window.rows for window in found if window is not None) == ROWS + len(others)
    assert len(found) < 2 * (ROWS + len(others)) / WINDOW_ROWS
    assert stored.counted <= (FEW if others else 1)


@pytest.mark.parametrize("descending", [False, True])
def test_a_deep_start_skips_windows_by_their_counts(descending: bool) -> None:
    """Nothing of them is read, and nothing counted again."""
    stored = Many(ROWS)
    windows = Windows(stored.span, stored.split, descending=descending, offset=ROWS - 10, size=3)
    (window,) = taken(windows, [FIRST_ROWS])
    assert window.rows < FIRST_ROWS
    assert window.end - window.skip == 3
    assert stored.counted == 1


def test_few_rows_need_no_count() -> None:
    """Fewer than a window."""
    stored = Many(WINDOW_ROWS)
    windows = Windows(stored.span, stored.split, descending=False, offset=7, size=None)
    assert taken(windows, [WINDOW_ROWS]) == [Window(stored.span, WINDOW_ROWS, 7, WINDOW_ROWS)]
    assert stored.counted == 0


def test_one_instant_needs_no_count() -> None:
    """Elasticsearch refuses an interval of 0 ms."""
    span = Span(5, 5, 3 * WINDOW_ROWS)
    windows = Windows(span, Stored([]).split, descending=False, offset=0, size=None)
    assert taken(windows, [WINDOW_ROWS]) == [Window(span, 3 * WINDOW_ROWS, 0, 3 * WINDOW_ROWS)]


@pytest.mark.parametrize("size", [None, 0, 5])
def test_no_rows(size: int | None) -> None:
    """No window."""
    assert taken(Stored([]).windows(descending=True, offset=0, size=size), [WINDOW_ROWS]) == []


@given(st.integers(-FURTHEST, FURTHEST), st.integers(0, 2**62), st.integers(0, 10**7))
def test_an_interval_covers_its_span(first: int, length: int, rows: int) -> None:
    """In whole milliseconds, at least one, with as many buckets as Elasticsearch makes at most."""
    span = Span(first, first + length, rows)
    assert span.piece_ms(MOST_BUCKETS) >= 1
    assert span.piece_ms(MOST_BUCKETS) * MOST_BUCKETS > length


def test_a_histogram_that_tells_nothing_is_not_asked_for_again() -> None:
    """Of who answers the same whatever is asked: the span stays whole."""
    span = Span(YEAR_2024, YEAR_2024 + 999, 3 * WINDOW_ROWS)
    asked: list[Span] = []

    def same(span: Span) -> Histogram:
        asked.append(span)
        return Histogram(span, span.piece_ms(1), array("q", [span.first_ms]), array("q", [span.rows]))

    windows = Windows(span, same, descending=False, offset=0, size=None)
    assert taken(windows, [WINDOW_ROWS]) == [Window(span, 3 * WINDOW_ROWS, 0, 3 * WINDOW_ROWS)]
    assert asked == [span]


@pytest.mark.parametrize(
    ("first", "last", "is_far"),
    [
        (-FAR_MS, FAR_MS, False),
        (-FAR_MS - 1, 0, True),
        (0, FAR_MS + 1, True),
        (-(2**63), 2**63 - 1, True),
        (-(2**63), -(2**63), True),
    ],
)
def test_spans_that_histograms_do_not_reach(first: int, last: int, is_far: bool) -> None:
    """Their arithmetic is of 64 bits; pieces of one cover it all the same."""
    span = Span(first, last, 10**6)
    assert span.is_far == is_far
    assert span.piece_ms(16) * 16 > last - first


@pytest.mark.parametrize(
    ("rows", "offset", "size", "expected"),
    [
        (10, 0, None, Window(None, 10, 0, 10)),
        (10, 3, 4, Window(None, 10, 3, 7)),
        (10, 9, 4, Window(None, 10, 9, 10)),
        (10, 10, None, None),
        (10, 0, 0, None),
        (0, 0, None, None),
    ],
)
def test_an_order_of_its_own_is_one_window(rows: int, offset: int, size: int | None, expected: Window | None) -> None:
    """Once."""
    plan = Once(rows, offset=offset, size=size)
    assert (plan.take(WINDOW_ROWS), plan.take(WINDOW_ROWS)) == (expected, None)


@pytest.mark.parametrize(
    ("read", "expected"), [(2, Window(None, 8, 1, 5)), (3, Window(None, 7, 0, 4)), (5, Window(None, 5, 0, 2))]
)
def test_what_is_left_of_a_window(read: int, expected: Window) -> None:
    """Of ten rows, of which the fourth to the seventh are wanted."""
    assert after(Window(None, 10, 3, 7), read) == expected
