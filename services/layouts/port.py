"""What stands between the pages of a store and a format: measures in, rows out."""

from collections.abc import Sequence
from typing import Protocol

from services.measures import Measure
from services.scheduling.tick import Tick


class Arranging(Protocol):
    """Arranges the measures of one export as rows: `add` and `end`; after each, `take` while it `waits`."""

    @property
    def waits(self) -> bool:
        """Whether there may be rows to take."""

    @property
    def is_full(self) -> bool:
        """Whether the file has all rows that were asked for: no more measures are needed."""

    def add(self, page: Sequence[Measure]) -> None:
        """Take a page of the store, when no rows wait."""

    def end(self) -> None:
        """Tell that there are no more pages."""

    def take(self, rest: Tick) -> Sequence[Measure]:
        """Return the next rows, as measures that a format writes; within a turn of the CPU. `rest` is called now and
        then. Raises `StoreUnavailable` where they cannot be arranged.
        """
