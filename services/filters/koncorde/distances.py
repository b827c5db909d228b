"""Distances as Koncorde reads them: `"3 km"`, `"1 093,61 yd"`, `"2 miles"`; and as metres."""

import math
import re
from collections.abc import Iterator
from decimal import Decimal

#: Metres.
UNITS = {
    "m": 1, "meter": 1, "ft": 0.3048, "feet": 0.3048, "in": 0.0254, "inch": 0.0254, "yd": 0.9144, "yard": 0.9144,
    "mi": 1609.34, "mile": 1609.34,
}  # fmt: skip

#: In order: the first that fits is taken off. Capitals are lost, so there is no mega among the short ones.
SHORT = {
    "da": 10, "mu": 1e-6, "m": 1e-3, "h": 100, "k": 1000, "n": 1e-9, "p": 1e-12, "c": 1e-2, "d": 1e-1, "f": 1e-15,
    "a": 1e-18, "z": 1e-21, "y": 1e-24,
}  # fmt: skip
LONG = {
    "milli": 1e-3, "micro": 1e-6, "nano": 1e-9, "pico": 1e-12, "centi": 1e-2, "deci": 1e-1, "femto": 1e-15,
    "atto": 1e-18, "zepto": 1e-21, "yocto": 1e-24, "deka": 10, "hecto": 100, "kilo": 1000, "mega": 1e6, "giga": 1e9,
    "tera": 1e12, "peta": 1e15, "exa": 1e18, "zeta": 1e21, "yotta": 1e24,
}  # fmt: skip

LONGEST_SHORT = 3

#: Characters of a distance: the least and the largest double have over 1,000 in metres.
LONGEST = 2000

PLURALS = ("s", "es", "ies")

DISTANCE = re.compile(r"(\+?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+))([a-z]*)")


class NoDistance(ValueError):
    """A text is no distance; the message is the rest of a sentence."""


def metres(text: str) -> float:
    """Return the metres of a distance. Raises `NoDistance`."""
    if len(text) > LONGEST:
        raise NoDistance(f"is too long: a distance has at most {LONGEST} characters.")
    found = DISTANCE.fullmatch(re.sub(r"\s", "", text).replace(",", ".").lower())
    if found is None:
        raise NoDistance('is no distance: write a number and a unit, as in "3 km" or "1.5 miles".')
    number, unit = found.groups()
    if not unit:
        raise NoDistance(f'has no unit: write "{number} m" for metres.')
    distance = float(number) * factor(unit)
    if not math.isfinite(distance):
        raise NoDistance("is too far.")
    return distance


def factor(unit: str) -> float:
    """Return the metres in one of a unit. Raises `NoDistance`."""
    for name in variations(unit):
        if name in UNITS:
            return UNITS[name]
        prefix = next((each for each in prefixes(name) if name.startswith(each)), "")
        base = name.removeprefix(prefix)
        if base in UNITS:
            return prefixes(name)[prefix] * UNITS[base]
    raise NoDistance(f'has an unknown unit, "{unit}": units are {", ".join(UNITS)}, with SI prefixes (km).')


def variations(unit: str) -> Iterator[str]:
    """Yield a unit as it is, and without the ending of a plural."""
    yield unit
    if len(unit) != 2:
        yield from (unit.removesuffix(ending) for ending in PLURALS if unit.endswith(ending))


def prefixes(unit: str) -> dict[str, float]:
    return SHORT if len(unit) <= LONGEST_SHORT else LONG


def distance_of(distance_m: float) -> str:
    """Return the text of which `metres` reads the very same number."""
    return f"{Decimal(repr(float(distance_m))):f} m"
