"""Page requests within a window, whatever one search may answer: each row once, and one too many would be seen."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.stores.elasticsearch.paging.page_requests import PageRequest, page_request
from services.stores.elasticsearch.paging.windows import Window
from services.stores.elasticsearch.transport.limits import MOST_ROWS

CURSOR = msgspec.Raw(b"[1]")


def walked(window: Window, *, most: int, most_rows: int) -> list[PageRequest]:
    pages = [page_request(window, None, most=most, most_rows=most_rows)]
    while (rest := pages[-1].rest) is not None:
        pages.append(page_request(rest, CURSOR, most=most, most_rows=most_rows))
    return pages


@given(st.integers(1, 300), st.data(), st.integers(1, 60), st.sampled_from([1, 2, 3, 10, 100, MOST_ROWS]))
def test_every_wanted_row_once(rows: int, data: st.DataObject, most: int, limit: int) -> None:
    """In order; no search asks for more than it may."""
    skip = data.draw(st.integers(0, rows - 1))
    end = data.draw(st.integers(skip + 1, rows))
    pages = walked(Window(None, rows, skip, end), most=most, most_rows=limit)
    assert all(1 <= one.size <= limit for one in pages)
    at = 0
    wanted: list[int] = []
    for one in pages:
        if not one.is_skip:
            wanted += range(at, at + one.rows)[one.window.skip :]
        at += one.rows
    assert wanted == list(range(skip, end))


@given(st.integers(1, 300), st.integers(1, 60), st.sampled_from([1, 2, 3, 10, 100, MOST_ROWS]))
def test_a_row_too_many_would_be_seen(rows: int, most: int, limit: int) -> None:
    """Some search asks for the one after the last."""
    pages = walked(Window(None, rows, 0, rows), most=most, most_rows=limit)
    assert sum(one.rows for one in pages[:-1]) + pages[-1].size == rows + 1
