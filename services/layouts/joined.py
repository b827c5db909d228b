"""What rows of instants and of intervals have in common: they are made as measures are read, counted and handed out."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

from services.measures import Measure
from services.scheduling.tick import Tick, no_tick

#: Rows that are made before they are written.
MOST_ROWS = 4000


class Joining(Protocol):
    """Makes rows of measures that come in order of time."""

    def rows(self, page: Sequence[Measure], rest: Tick) -> Iterator[Measure]:
        """Yield the rows that are complete."""

    def last(self, rest: Tick) -> Iterator[Measure]:
        """Yield the rows that no further measure belongs to."""


class Joined:
    """Arranges measures by a `Joining` (`services.layouts.port.Arranging`). `offset`, `size`: rows of the file to skip,
    and at most.
    """

    def __init__(self, joining: Joining, *, rows_at_once: int, offset: int, size: int | None) -> None:
        self._joining = joining
        self._rows_at_once = min(rows_at_once, MOST_ROWS)
        self._skip = offset
        self._left = size
        self._rows: Iterator[Measure] | None = None
        self._rest: Tick = no_tick

    @property
    def waits(self) -> bool:
        return self._rows is not None

    @property
    def is_full(self) -> bool:
        return self._left == 0

    def add(self, page: Sequence[Measure]) -> None:
        self._rows = self._joining.rows(page, self._tick)

    def end(self) -> None:
        self._rows = self._joining.last(self._tick)

    def take(self, rest: Tick) -> Sequence[Measure]:
        self._rest = rest
        if self._rows is None:
            return ()
        most = self._rows_at_once
        found = list(islice(self._rows, most))
        if len(found) < most:
            self._rows = None
        if self._skip:
            skipped = min(self._skip, len(found))
            self._skip -= skipped
            del found[:skipped]
        if self._left is not None:
            del found[self._left :]
            self._left -= len(found)
            if not self._left:
                self._rows = None
        return found

    def _tick(self) -> None:
        self._rest()
