"""The trial of a filter: whether it can be borne, by the first rows that it is asked of."""

from collections.abc import Callable, Mapping
from typing import Any

from services.errors import InvalidFilter
from services.filters.python.evaluator import Test

#: Seconds of the core that a row may take: an export of a thousand rows is a minute of it.
MOST_ROW_SECONDS = 0.05

#: Seconds of the core after which that is proven: by four rows or fewer, as what they take varies.
PROVEN_SECONDS = 0.2


class Trial:
    """Tries one filter. `cpu_seconds` tells what its caller has had of the CPU so far."""

    def __init__(self, cpu_seconds: Callable[[], float]) -> None:
        self._cpu_seconds = cpu_seconds
        self._seconds = 0.0
        self._began: float | None = None
        self._rows = 0
        self._is_over = False

    def decides(self, holds: Test, document: Mapping[str, Any]) -> bool:
        """Return whether a row matches, and note how long that took."""
        if self._is_over:
            return holds(document)
        self._began = self._cpu_seconds()
        self._rows += 1
        answer = holds(document)
        self._seconds += self._cpu_seconds() - self._began
        self._began = None
        self.check()
        return answer

    def check(self) -> None:
        """Raise `InvalidFilter` when it took too long, within a row too."""
        if self._is_over:
            return
        seconds = self._seconds + (0.0 if self._began is None else self._cpu_seconds() - self._began)
        if seconds < PROVEN_SECONDS:
            return
        if seconds > self._rows * MOST_ROW_SECONDS:
            raise too_slow(seconds / self._rows, self._rows)
        self._is_over = True

    def end(self) -> None:
        """Note that the filter was borne so far: a part of the answer is given."""
        self._is_over = True


def too_slow(row_seconds: float, rows: int) -> InvalidFilter:
    measured = "the first row" if rows == 1 else f"the first {rows} rows"
    return InvalidFilter(
        "query",
        None,
        f"takes {row_seconds * 1000:.0f} ms a row (measured on {measured}): at most {MOST_ROW_SECONDS * 1000:.0f} ms. "
        "Write fewer clauses or points.",
    )
