"""A row a measure: the rows are the measures themselves."""

from collections import deque
from collections.abc import Iterator, Sequence

from services.measures import Measure
from services.scheduling.tick import Tick


class Long:
    """Hands on pages as they are (`services.layouts.port.Arranging`), in parts of so many rows at most.

    It keeps no page while a slow client takes its text, but for the rest of one whose rows are very wide.
    """

    is_full = False

    def __init__(self, rows_at_once: int) -> None:
        self._rows_at_once = rows_at_once
        self._parts: deque[Sequence[Measure]] = deque()

    @property
    def waits(self) -> bool:
        return bool(self._parts)

    def add(self, page: Sequence[Measure]) -> None:
        self._parts.extend(divided(page, self._rows_at_once))

    def end(self) -> None:
        pass

    def take(self, rest: Tick) -> Sequence[Measure]:
        return self._parts.popleft()


def divided(page: Sequence[Measure], rows: int) -> Iterator[Sequence[Measure]]:
    """Yield a page in parts of so many rows at most; an empty page is one part."""
    if len(page) <= rows:
        yield page
        return
    for start in range(0, len(page), rows):
        yield page[start : start + rows]
