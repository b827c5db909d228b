"""A page as it is asked for."""

from dataclasses import dataclass

from services.stores.elasticsearch.paging.windows import Window, after
from services.stores.elasticsearch.transport.responses import Cursor

#: Rows that Elasticsearch answers at most where an index does not say otherwise (`index.max_result_window`).
MOST_ROWS = 10_000

#: Rows of a page of which only the places are read: one more is asked for.
SKIP_ROWS = 9000


@dataclass(frozen=True)
class PageRequest:
    """The first `rows` of a window, from `place` on. `is_skip`: nothing but their places is wanted.

    `most_rows`: that one search answers.
    """

    window: Window
    rows: int
    place: Cursor | None
    is_skip: bool
    most_rows: int = MOST_ROWS

    def __str__(self) -> str:
        """As the log tells of it."""
        span = self.window.span
        where = "the whole" if span is None else f"{span.first_ms} to {span.last_ms} ms"
        return f"{self.rows} of {self.window.rows} rows of {where}"

    @property
    def size(self) -> int:
        """Rows to ask for: where no more should come, one that would show that there is."""
        return min(self.most_rows, self.rows + self.is_last)

    @property
    def is_last(self) -> bool:
        """Whether the window has no more rows."""
        return self.rows == self.window.rows

    @property
    def rest(self) -> Window | None:
        """What is left to be read; nothing but that there is no more, where this step cannot show it."""
        is_shown = not self.is_last or self.size > self.rows
        return None if self.rows >= self.window.end and is_shown else after(self.window, self.rows)

    @property
    def is_placed(self) -> bool:
        """Whether the place of its last row matters."""
        return self.rest is not None


def page_request(window: Window, place: Cursor | None, *, most: int, most_rows: int = MOST_ROWS) -> PageRequest:
    """`most`: rows of a page."""
    most = min(most, page_rows(most_rows))
    if window.skip and window.end > most:
        return PageRequest(window, min(window.skip, SKIP_ROWS, page_rows(most_rows)), place, True, most_rows)
    return PageRequest(window, min(window.end, most), place, False, most_rows)


def page_rows(most_rows: int) -> int:
    """Rows of a page at most, so that one more can be asked for where a search answers more than one."""
    return max(1, most_rows - 1)
