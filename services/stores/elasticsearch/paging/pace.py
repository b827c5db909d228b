"""Flow control: how large the pages of a reader are and how many are asked for ahead, by what came of the last one."""

from dataclasses import dataclass, replace

from services.scheduling.cpu_turn import AT_ONCE, MOST_SLACK_SECONDS
from services.stores.elasticsearch.paging.windows import FIRST_ROWS, WINDOW_ROWS

#: Pages under way or waiting ahead of one reader, at most.
MOST_AHEAD = 3

#: A reader is slow when a page takes it longer than this many seconds and this many times what it takes to fetch one.
SLOW_SECONDS, SLOW_TIMES = 0.25, 4

#: Bytes of a page, about: rows of many bytes come in pages of fewer.
PAGE_BYTES = 4 * 2**20

#: Seconds of the CPU that decoding a page may take: a file begins with the first page, and only then it is seen whether
#: the file is read. And the least that a row is taken to cost.
PAGE_SECONDS, LEAST_ROW_SECONDS = 1.0, 1e-6


@dataclass(frozen=True)
class Pace:
    """What one reader is given: pages of so many `rows` at most, so many pages `ahead`.

    `slack_seconds`: how long the reader can do without the next page. `row_bytes`, `row_seconds`: the bytes of a row
    and the seconds of the CPU that decoding it took, in the last page that had rows.
    """

    rows: int
    ahead: int = 0
    slack_seconds: float = AT_ONCE
    row_bytes: float = 1000.0
    row_seconds: float = 0.0

    def page_rows(self, most_rows: int) -> int:
        """Return the rows of the next page, at least 1. `most_rows`: those of one search, at most."""
        most = min(self.rows, PAGE_BYTES / self.row_bytes, most_rows)
        return max(1, int(min(most, PAGE_SECONDS / max(self.row_seconds, LEAST_ROW_SECONDS))))


def first_pace(rows: int, *, row_bytes: float, row_seconds: float) -> Pace:
    """Return the pace of an export of so many rows: a large one begins with a small page, for which nobody waits."""
    return Pace(FIRST_ROWS if rows > WINDOW_ROWS else WINDOW_ROWS, row_bytes=row_bytes, row_seconds=row_seconds)


def next_pace(pace: Pace, *, taken_seconds: float, fetch_seconds: float) -> Pace:
    """Return the pace after a page that its reader took so long over, and that had taken so long to come.

    Each page that is taken fast doubles rows and pages ahead. A slow reader is read small pages and none ahead: what
    they hold is held until it has taken them, and 300 that begin together are served before their first large one.
    """
    if taken_seconds > SLOW_SECONDS and taken_seconds > SLOW_TIMES * fetch_seconds:
        return replace(pace, ahead=0, slack_seconds=min(taken_seconds, MOST_SLACK_SECONDS))
    ahead = min(MOST_AHEAD, max(1, 2 * pace.ahead))
    return replace(pace, ahead=ahead, rows=min(WINDOW_ROWS, 2 * pace.rows), slack_seconds=0.0)
