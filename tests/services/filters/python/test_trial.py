"""A filter is refused by what its first rows took, measured on a clock of the test's own."""

import pytest

from services.errors import InvalidFilter
from services.filters.python.trial import MOST_ROW_SECONDS, PROVEN_SECONDS, Trial


class Rows:
    """Each takes as long as told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.trial = Trial(lambda: self.now)

    def take(self, seconds: float) -> None:
        def holds(_: object) -> bool:
            self.now += seconds
            return True

        assert self.trial.decides(holds, {})


def test_a_filter_that_is_quick() -> None:
    """However many rows there are, whatever goes on between them."""
    rows = Rows()
    for _ in range(100):
        rows.take(MOST_ROW_SECONDS * 0.9)
        rows.now += 10


def test_a_filter_that_is_slow() -> None:
    """Refused with its figure as soon as that is proven."""
    rows = Rows()
    rows.take(0.093)
    rows.take(0.093)
    with pytest.raises(InvalidFilter) as refused:
        rows.take(0.093)
    assert refused.value.message == (
        'Invalid argument "query": takes 93 ms a row (measured on the first 3 rows): at most 50 ms. '
        "Write fewer clauses or points."
    )


def test_within_a_row() -> None:
    """One that takes seconds is not waited for."""
    rows = Rows()

    def holds(_: object) -> bool:
        for _ in range(100):
            rows.now += 0.041
            rows.trial.check()
        return True

    with pytest.raises(InvalidFilter, match=r"takes 205 ms a row \(measured on the first row\)"):
        rows.trial.decides(holds, {})


def test_a_slow_row_among_quick_ones() -> None:
    """Rows are judged together."""
    rows = Rows()
    for _ in range(3):
        rows.take(0.001)
    rows.take(PROVEN_SECONDS - 0.004)
    rows.take(0.002)
    for _ in range(9):
        rows.take(0.1)


@pytest.mark.parametrize("ended", [True, False])
def test_what_is_under_way_is_not_refused(ended: bool) -> None:
    """Once a part of the answer was given, or the filter was borne for long enough."""
    rows = Rows()
    if ended:
        rows.trial.end()
    else:
        for _ in range(100):
            rows.take(0.01)
    for _ in range(10):
        rows.take(1)
