"""Sums are those of `math.fsum`, whatever the order and the pieces."""

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.layouts.sums import ExactSum

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**70), 2**70), st.sampled_from([1e308, -1e308])
)


def total(pieces: list[list[float]]) -> float:
    found = ExactSum()
    for piece in pieces:
        found.add(piece)
    return found.total()


@given(st.lists(st.lists(NUMBERS, max_size=20), max_size=5))
def test_the_exact_sum_rounded_once(pieces: list[list[float]]) -> None:
    """By fractions, in pieces, from behind, and all at once."""
    values = [value for piece in pieces for value in piece]
    exact = sum(Fraction(float(value)) for value in values)
    try:
        expected = float(exact)
    except OverflowError:
        expected = math.inf if exact > 0 else -math.inf
    assert total(pieces) == expected
    assert total([values[::-1]]) == expected
    assert total([[value] for value in values]) == expected


def test_what_is_not_finite() -> None:
    """As `fsum`: an infinity stays, two that differ are no number."""
    assert total([[1.0], [math.inf], [2.0]]) == math.inf
    assert math.isnan(total([[math.inf], [-math.inf]]))


def test_memory_is_flat() -> None:
    """A million numbers leave few."""
    found = ExactSum()
    for start in range(0, 100_000, 1000):
        found.add([number / 7 for number in range(start, start + 1000)])
    assert len(found.kept) < 50
