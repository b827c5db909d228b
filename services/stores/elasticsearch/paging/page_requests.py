"""Page requests: which rows of a window the next search is asked for, from which cursor on."""

from dataclasses import dataclass

from services.stores.elasticsearch.paging.windows import Window, after
from services.stores.elasticsearch.transport.limits import MOST_ROWS
from services.stores.elasticsearch.transport.responses import Cursor

#: Rows of a page of which only the cursor of the last one is wanted: one more is asked for.
SKIP_ROWS = 9000


@dataclass(frozen=True)
class PageRequest:
    """Asks for the first `rows` of a window after `cursor`. `is_skip`: only the cursor of the last one is wanted.

    `most_rows`: how many one search answers.
    """

    window: Window
    rows: int
    cursor: Cursor | None
    is_skip: bool
    most_rows: int = MOST_ROWS

    def __str__(self) -> str:
        """Return the words by which the log tells of the page."""
        span = self.window.span
        where = "the whole" if span is None else f"{span.first_ms} to {span.last_ms} ms"
        if self.window.ids is not None:
            where += f" of {len(self.window.ids)} targets from {self.window.ids[0]} on"
        return f"{self.rows} of {self.window.rows} rows of {where}"

    @property
    def size(self) -> int:
        """The rows to ask for: after a window's last, one more, which would show that it has more than were counted."""
        return min(self.most_rows, self.rows + self.is_last)

    @property
    def is_last(self) -> bool:
        """Whether the window has no rows after these."""
        return self.rows == self.window.rows

    @property
    def rest(self) -> Window | None:
        """What is left of the window to be read; no rows, where this page cannot show that there are no more."""
        is_shown = not self.is_last or self.size > self.rows
        return None if self.rows >= self.window.end and is_shown else after(self.window, self.rows)

    @property
    def needs_cursor(self) -> bool:
        """Whether another page begins after the last row of this one."""
        return self.rest is not None


def page_request(window: Window, cursor: Cursor | None, *, most: int, most_rows: int = MOST_ROWS) -> PageRequest:
    """Return the next page of a window, of `most` rows at most; rows that are passed over come as skips."""
    most = min(most, most_page_rows(most_rows))
    if window.skip and window.end > most:
        return PageRequest(window, min(window.skip, SKIP_ROWS, most_page_rows(most_rows)), cursor, True, most_rows)
    return PageRequest(window, min(window.end, most), cursor, False, most_rows)


def most_page_rows(most_rows: int) -> int:
    """Return the rows of a page at most, at least 1: one less than a search answers, so that one more can be asked."""
    return max(1, most_rows - 1)
