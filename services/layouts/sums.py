"""Exact sums: the same digits in whichever order their values come, in flat memory."""

import math
from collections.abc import Sequence
from fractions import Fraction


class ExactSum:
    """Adds numbers as `math.fsum` does all at once: as if exactly, rounded once, in the end.

    `kept`: a few numbers that have the same sum.
    """

    __slots__ = ("_beyond", "_odd", "kept")

    def __init__(self) -> None:
        self.kept: list[float] = []
        self._beyond = Fraction()
        self._odd: list[float] = []

    def add(self, values: Sequence[int | float]) -> None:
        """Add numbers; what is not finite, too."""
        found = list(map(as_double, values))
        if not all(map(math.isfinite, found)):
            self._odd = [*dict.fromkeys(self._odd + [each for each in found if not math.isfinite(each)])]
            found = list(filter(math.isfinite, found))
        self.kept += found
        try:
            self.kept = parts(self.kept)
        except OverflowError:  # on the way, or in the end: a later value may lead back
            self._beyond += sum(map(Fraction, self.kept))
            self.kept = []

    def total(self) -> float:
        """Return the sum as a double."""
        return self.divided(1)

    def divided(self, by: int) -> float:
        """Return the sum, divided: of a sum that a double holds, that double is."""
        if self._odd:
            return sum(self._odd)
        try:
            if not self._beyond:
                return math.fsum(self.kept) / by
            exact = self._beyond + sum(map(Fraction, self.kept))
            try:
                return float(exact) / by
            except OverflowError:
                return float(exact / by)
        except OverflowError:
            return math.inf if exact > 0 else -math.inf


def parts(values: list[float]) -> list[float]:
    """Return few numbers of exactly the same sum. Raises `OverflowError` where `fsum` does."""
    found: list[float] = []
    while len(values) > 1 or found:
        rest = math.fsum(values + [-part for part in found])
        if not rest:
            return found
        found.append(rest)
    return values


def as_double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
