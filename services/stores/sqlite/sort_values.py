"""The values that rows are sorted by, as Elasticsearch 8.19 compares them: read by type, one picked of several."""

import itertools
import math
import statistics
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from services.errors import InvalidArgument
from services.instants import instant
from services.measures import SortKey
from services.scheduling.tick import Tick
from services.stores import lenient
from services.stores.sqlite import fields
from services.stores.sqlite.fields import Definition

Value = str | int | float

Read = Callable[[Any], Value | None]

#: Characters of a text that are compared: Elasticsearch keeps none of more bytes.
LONGEST_TEXT = 32_766

#: Values of an array between two looks at the clock: less than a millisecond.
LOOK_VALUES = 1000

LONGEST = 2**63 - 1

SMALLEST = 5e-324

INTEGERS = frozenset(("byte", "short", "integer", "long", "unsigned_long"))

SINGLES = frozenset(("half_float", "float"))

DOUBLES = frozenset(("double", "scaled_float"))


def looked_at(values: Sequence[Any], look: Tick) -> Iterable[Any]:
    """Return values; those of a long array with a look now and then."""
    if len(values) <= LOOK_VALUES:
        return values
    return itertools.chain.from_iterable(slices(values, look))


def slices(values: Sequence[Any], look: Tick) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), LOOK_VALUES):
        look()
        yield values[start : start + LOOK_VALUES]


def scalars_at(value: Any, path: str) -> Sequence[Any]:
    """Return the scalars at a path; quickly where documents are as usual."""
    if value is None:
        return ()
    if path and type(value) is dict and "." not in path:
        value, path = value.get(path), ""
    if not path and type(value) in (str, int, float, bool):
        return (value,)
    return tuple(fields.values(value, path) if path else fields.scalars(value))


def keyword(definition: Definition) -> Read:
    longest = definition.get("ignore_above", LONGEST)

    def read(stored: Any) -> str | None:
        text = lenient.keyword(stored)
        return text[:LONGEST_TEXT] if text is not None and len(text) <= longest else None

    return read


def number(definition: Definition) -> Read:
    fit = single if definition["type"] in SINGLES else stored_integer if definition["type"] in INTEGERS else float

    def read(stored: Any) -> Value | None:
        if isinstance(stored, bool):
            return None
        try:
            found = float(stored) if isinstance(stored, str) else stored
            return below_zero(fit(found)) if math.isfinite(found) else None
        except (ValueError, OverflowError):
            return None

    return read


def stored_integer(value: float) -> Value:
    """Return a number as a field of integers keeps it; what 64 bits do not hold, as its nearest double."""
    kept = int(value)
    return kept if abs(kept) <= LONGEST else float(kept)


def single(value: float) -> float:
    """Return a number as 32 bits keep it."""
    (kept,) = struct.unpack("f", struct.pack("f", value))
    return float(kept)


def below_zero(value: Value) -> Value:
    """Return a number, and -0.0 a little lower: in Java it comes before 0.0, in SQLite it is the same."""
    return -SMALLEST if value == 0 and math.copysign(1, float(value)) < 0 else value


def date(definition: Definition) -> Read:
    return instant


def boolean(definition: Definition) -> Read:
    return lambda stored: {"true": 1, "false": 0, "": 0}.get(lenient.keyword(stored) or "")


#: How a value is read, by the type of its field; a type that is not here cannot be sorted.
READERS: Mapping[str, Callable[[Definition], Read]] = {
    "keyword": keyword,
    "boolean": boolean,
    "date": date,
    **dict.fromkeys(INTEGERS | SINGLES | DOUBLES, number),
}


def picker(entry: SortKey, kind: str) -> Callable[[list[Any]], Value]:
    """Return what picks the one value that several are compared by. Raises `InvalidArgument`."""
    mode = entry.mode or ("max" if entry.order == "desc" else "min")
    if mode in ("min", "max"):
        return {"min": min, "max": max}[mode]
    if mode not in ("sum", "avg", "median"):
        raise InvalidArgument("sort", f'"{mode}" is no mode; there are min, max, sum, avg, median.')
    if kind == "keyword":
        raise InvalidArgument("sort", f'the mode "{mode}" of "{entry.field}" needs numbers.')
    return (MEANS if kind in SINGLES | DOUBLES else WHOLE_MEANS)[mode]


def rounded(value: float) -> int:
    """Return a whole number. Halves go up, as Java's `Math.round` has it."""
    return math.floor(value + 0.5)


def mean(found: list[float]) -> float:
    return sum(found) / len(found)


def whole_sum(found: list[int]) -> Value:
    return stored_integer(sum(found))


def whole_mean(found: list[Any]) -> int:
    return rounded(mean(found)) if len(found) > 1 else found[0]


def whole_median(found: list[int]) -> int:
    return statistics.median_low(found) if len(found) % 2 else rounded(statistics.median(found))


MEANS: Mapping[str, Callable[[list[Any]], Value]] = {"sum": sum, "avg": mean, "median": statistics.median}

#: Of integers, dates and booleans: integers.
WHOLE_MEANS: Mapping[str, Callable[[list[Any]], Value]] = {"sum": whole_sum, "avg": whole_mean, "median": whole_median}


def missing(entry: SortKey, kind: str) -> Value | None:
    """Return what documents without a value are compared by; `None`: they stand first or last."""
    given = entry.missing
    if given is None or given in ("_first", "_last"):
        return None
    if isinstance(given, Collection) and not isinstance(given, str):
        raise InvalidArgument("sort", f'"missing" of "{entry.field}" must be a text or a number.')
    if kind == "keyword":
        return lenient.keyword(given)
    return missing_number(entry, kind)


def missing_number(entry: SortKey, kind: str) -> Value:
    given = entry.missing
    try:
        found = float(given) if kind in SINGLES | DOUBLES else int(given)
        if isinstance(given, bool) or not abs(found) <= LONGEST:
            raise ValueError
        return found
    except (ValueError, OverflowError) as error:
        raise InvalidArgument("sort", f'"missing" of "{entry.field}" is no number: {given!r}.') from error
