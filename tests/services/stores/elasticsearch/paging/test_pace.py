"""The pace of a reader: how large its pages are, and how many are fetched ahead, by what came of the last one."""

import pytest

from services.scheduling.cpu_turn import AT_ONCE, MOST_SLACK_SECONDS
from services.stores.elasticsearch.paging.pace import (
    MOST_AHEAD,
    PAGE_BYTES,
    PAGE_SECONDS,
    SLOW_SECONDS,
    SLOW_TIMES,
    Pace,
    first_pace,
    next_pace,
)
from services.stores.elasticsearch.paging.windows import FIRST_ROWS, WINDOW_ROWS


def paces(*pages: tuple[float, float]) -> list[Pace]:
    """The first, and that after each page: seconds that its reader took, seconds that it had taken to come."""
    found = [Pace(1000)]
    for taken, fetched in pages:
        found.append(next_pace(found[-1], taken_seconds=taken, fetch_seconds=fetched))
    return found


def ahead(*pages: tuple[float, float]) -> list[int]:
    return [pace.ahead for pace in paces(*pages)]


def rows(*pages: tuple[float, float]) -> list[int]:
    return [pace.rows for pace in paces(*pages)]


def test_nothing_before_the_first_page_is_taken() -> None:
    """A reader may be slow."""
    assert (ahead(), rows(), Pace(1000).slack_seconds) == ([0], [1000], AT_ONCE)


def test_a_fast_reader_is_read_ahead_of() -> None:
    """Twice as far each time, and twice as many rows, up to a limit."""
    fast = [(0.02, 0.03)] * 4
    assert ahead(*fast) == [0, 1, 2, MOST_AHEAD, MOST_AHEAD]
    assert rows(*fast) == [1000, 2000, 4000, WINDOW_ROWS, WINDOW_ROWS]


def test_a_slow_one_is_not() -> None:
    """From the first slow page on; fast again, from the beginning. Its pages do not grow."""
    fast, slow = (0.1, 0.1), (SLOW_SECONDS + 0.01, 0.02)
    assert ahead(fast, fast, slow, slow, fast) == [0, 1, 2, 0, 0, 1]
    assert rows(slow, fast, slow, slow) == [1000, 1000, 2000, 2000, 2000]


def test_slow_is_against_the_store() -> None:
    """Where a page takes a second to come, one of two seconds' reading is worth reading ahead."""
    assert ahead((SLOW_TIMES - 1.0, 1.0), (SLOW_TIMES + 1.0, 1.0)) == [0, 1, 0]


@pytest.mark.parametrize(("taken", "slack"), [(0.2, 0), (1.5, 1.5), (60, MOST_SLACK_SECONDS)])
def test_a_slow_one_can_wait(taken: float, slack: float) -> None:
    """It still has something in the buffer of its socket; a fast one has not."""
    assert [pace.slack_seconds for pace in paces((taken, 0.02), (0.1, 0.02))[1:]] == [slack, 0]


@pytest.mark.parametrize(
    ("pace", "most_rows", "expected"),
    [
        (Pace(4000), 9999, 4000),
        (Pace(4000), 999, 999),
        (Pace(5000, row_bytes=PAGE_BYTES / 100), 9999, 100),
        (Pace(5000, row_seconds=PAGE_SECONDS / 50), 9999, 50),
        (Pace(5000, row_bytes=10.0 * PAGE_BYTES), 9999, 1),
        (Pace(5000, row_seconds=10.0), 9999, 1),
    ],
)
def test_a_page_is_bounded(pace: Pace, most_rows: int, expected: int) -> None:
    """By rows, bytes and seconds; one row there is at least."""
    assert pace.page_rows(most_rows) == expected


@pytest.mark.parametrize(("rows", "first"), [(WINDOW_ROWS, WINDOW_ROWS), (WINDOW_ROWS + 1, FIRST_ROWS)])
def test_a_large_export_begins_small(rows: int, first: int) -> None:
    """The first byte waits for its first page."""
    assert first_pace(rows, row_bytes=7, row_seconds=0.5) == Pace(first, row_bytes=7, row_seconds=0.5)
