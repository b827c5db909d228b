"""The caller's own sort, as Elasticsearch 8.19 orders: which fields it takes, and what it compares.

A key is two values: where documents without one stand, and what the others are compared by.
"""

import itertools
import math
import re
import statistics
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import msgspec

from services.errors import InvalidArgument
from services.instants import instant
from services.measures import SortKey
from services.stores import lenient
from services.stores.paths import beginnings
from services.stores.sqlite import fields
from services.stores.sqlite.fields import Definition, Properties

Value = str | int | float
Read = Callable[[Any], Value | None]

#: Where a document stands by one key: before the others, among them, after.
FIRST, AMONG, LAST = 0, 1, 2

#: Characters of a text that are compared: Elasticsearch keeps none of more bytes.
LONGEST_TEXT = 32_766

#: Values of an array between two looks at the clock: less than a millisecond.
LOOK_VALUES = 1000

LONGEST = 2**63 - 1
SMALLEST = 5e-324

#: What the name of a member of a struct may not hold.
UNSAYABLE = re.compile(r'["\\\x00-\x1f]')

INTEGERS = frozenset(("byte", "short", "integer", "long", "unsigned_long"))
SINGLES = frozenset(("half_float", "float"))
DOUBLES = frozenset(("double", "scaled_float"))


@dataclass(frozen=True)
class SortTerm:
    """`ways`: to the values in a document, attribute and path from there.

    `place`: of documents without a value; unless `missing` is what they are compared by.
    """

    ways: Sequence[tuple[str, str]]
    read: Read
    pick: Callable[[list[Any]], Value]
    descending: bool
    place: int
    missing: Value | None

    def of(self, document: Any, look: Callable[[], object]) -> tuple[int, Value]:
        found = [
            value
            for attribute, path in self.ways
            for stored in looked_at(held(getattr(document, attribute), path), look)
            if (value := self.read(stored)) is not None
        ]
        if found:
            return AMONG, self.pick(found)
        return (self.place, 0) if self.missing is None else (AMONG, self.missing)


def looked_at(values: Sequence[Any], look: Callable[[], object]) -> Iterable[Any]:
    """All of them; of a long array, some at a time."""
    if len(values) <= LOOK_VALUES:
        return values
    return itertools.chain.from_iterable(parts(values, look))


def parts(values: Sequence[Any], look: Callable[[], object]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), LOOK_VALUES):
        look()
        yield values[start : start + LOOK_VALUES]


def held(value: Any, path: str) -> Sequence[Any]:
    """The scalars there; quickly where documents are as usual."""
    if value is None:
        return ()
    if path and type(value) is dict and "." not in path:
        value, path = value.get(path), ""
    if not path and type(value) in (str, int, float, bool):
        return (value,)
    return tuple(fields.values(value, path) if path else fields.scalars(value))


class Order:
    """Raises `InvalidArgument` for what Elasticsearch cannot sort."""

    def __init__(self, sort: Sequence[SortKey], properties: Properties) -> None:
        found = [field(entry, properties) for entry in sort]
        names = sorted({name for path, _ in found if path is not None for name in beginnings(path)})
        attributes = {name: f"at{number}" for number, name in enumerate(names)}
        self._keys = [key(entry, *place, attributes) for entry, place in zip(sort, found, strict=True)]
        self._read = reader(attributes)

    @property
    def columns(self) -> list[str]:
        return [name for number in range(len(self._keys)) for name in (f"place{number}", f"value{number}")]

    @property
    def terms(self) -> str:
        """`ORDER BY`, ties in order of insertion."""
        ways = [("", " DESC" if entry.descending else "") for entry in self._keys]
        directions = [way for pair in ways for way in pair]
        return ", ".join([name + way for name, way in zip(self.columns, directions, strict=True)] + ["seq"])

    def of(self, documents: str, look: Callable[[], object]) -> Iterator[tuple[Value, ...]]:
        """The values of `columns`, of each of a JSON array of documents. `look` is called within large ones."""
        for document in self._read(documents):
            yield tuple(value for entry in self._keys for value in entry.of(document, look))


def reader(attributes: Mapping[str, str]) -> Callable[[str], list[Any]]:
    """Makes objects with these attributes, only what the keys are made of, of a JSON array of documents."""
    if any(UNSAYABLE.search(name) for name in attributes):
        return lambda documents: [picked(document, attributes) for document in lenient.loads(documents.encode())]
    structures: Any = list[structure(attributes)]  # type: ignore[misc]
    decode = msgspec.json.Decoder(structures).decode

    def read(documents: str) -> list[Any]:
        found: list[Any]
        try:
            found = decode(documents)
        except msgspec.DecodeError:
            found = msgspec.convert(lenient.loads(documents.encode()), structures)
        return found

    return read


def picked(document: Mapping[str, Any], attributes: Mapping[str, str]) -> SimpleNamespace:
    return SimpleNamespace(**{attribute: document.get(name) for name, attribute in attributes.items()})


def structure(attributes: Mapping[str, str]) -> type[msgspec.Struct]:
    """What a document is decoded into: the values of these keys."""
    members = [(attribute, Any, msgspec.field(name=name, default=None)) for name, attribute in attributes.items()]
    return msgspec.defstruct("Document", members, gc=False)


def by_time(sort: Sequence[SortKey]) -> bool:
    """Whether the order is that of the indexes: every measure has an instant, and only one."""
    return all(entry.field == "measuredAt" for entry in sort)


def key(entry: SortKey, path: str | None, definition: Definition, attributes: Mapping[str, str]) -> SortTerm:
    kind = definition["type"]
    if kind not in READERS or definition.get("doc_values") is False:
        raise InvalidArgument("sort", f'"{entry.field}" is of type {kind} here: it cannot be sorted by.')
    return SortTerm(
        [] if path is None else ways(path, attributes),
        READERS[kind](definition),
        picker(entry, kind),
        entry.order == "desc",
        FIRST if entry.missing == "_first" else LAST,
        missing(entry, kind),
    )


def ways(path: str, attributes: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(attributes[name], path.removeprefix(name).removeprefix(".")) for name in beginnings(path)]


def field(entry: SortKey, properties: Properties) -> tuple[str | None, Definition]:
    """Where documents hold its values, and its definition; `None`: what is not mapped has none, whatever they hold."""
    if entry.field.startswith("_") and "." not in entry.field:
        raise InvalidArgument("sort", f"measures cannot be sorted by {entry.field}.")
    found = fields.find(properties, entry.field)
    if found is not None:
        return found
    if entry.unmapped_type is not None:
        return None, {"type": entry.unmapped_type}
    raise InvalidArgument("sort", f"No mapping found for [{entry.field}] in order to sort on.")


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
    """As a field of integers keeps it; what 64 bits do not hold is as good as its nearest double."""
    kept = int(value)
    return kept if abs(kept) <= LONGEST else float(kept)


def single(value: float) -> float:
    """As 32 bits keep it."""
    (kept,) = struct.unpack("f", struct.pack("f", value))
    return float(kept)


def below_zero(value: Value) -> Value:
    """In Java -0.0 comes before 0.0; in SQLite it is the same."""
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
    """The one value that several are compared by."""
    mode = entry.mode or ("max" if entry.order == "desc" else "min")
    if mode in ("min", "max"):
        return {"min": min, "max": max}[mode]
    if mode not in ("sum", "avg", "median"):
        raise InvalidArgument("sort", f'"{mode}" is no mode; there are min, max, sum, avg, median.')
    if kind == "keyword":
        raise InvalidArgument("sort", f'the mode "{mode}" of "{entry.field}" needs numbers.')
    return (MEANS if kind in SINGLES | DOUBLES else WHOLE_MEANS)[mode]


def rounded(value: float) -> int:
    """Halves go up, as Java's `Math.round` has it."""
    return math.floor(value + 0.5)


def mean(found: list[float]) -> float:
    return sum(found) / len(found)


def whole_sum(found: list[int]) -> Value:
    return stored_integer(sum(found))


def whole_mean(found: list[Any]) -> int:
    return rounded(mean(found)) if len(found) > 1 else found[0]


def whole_median(found: list[int]) -> int:
    return statistics.median_low(found) if len(found) % 2 else rounded(statistics.median(found))


MEANS: Mapping[str, Callable[[list[Any]], Value]] = {
    "sum": sum,
    "avg": mean,
    "median": statistics.median,
}
#: Of integers, dates and booleans: integers.
WHOLE_MEANS: Mapping[str, Callable[[list[Any]], Value]] = {"sum": whole_sum, "avg": whole_mean, "median": whole_median}


def missing(entry: SortKey, kind: str) -> Value | None:
    """`None`: those without a value stand first or last."""
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
