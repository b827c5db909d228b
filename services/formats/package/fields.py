"""The types of the columns of a package: as the models declare them, and wider where a value of the file is not so."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from services.columns import FIXED, Declaration
from services.formats.beside import Beside, Get
from services.formats.layout import Layout, Source
from services.formats.plans import AT, AT_ISO, FIRST_MS, LAST_MS, PLANS, instant_of, way_of
from services.formats.syntax import Instant
from services.measures import HELD, Measure, Slot

#: The types of the Frictionless Table Schema that fields of Elasticsearch are.
DECLARED: Mapping[str, str] = {
    **dict.fromkeys(("double", "float", "half_float", "scaled_float"), "number"),
    **dict.fromkeys(("byte", "short", "integer", "long", "unsigned_long"), "integer"),
    **dict.fromkeys(("keyword", "constant_keyword", "text", "wildcard", "ip", "version"), "string"),
    **dict.fromkeys(("object", "nested", "flattened"), "object"),
    "boolean": "boolean",
    "geo_point": "geopoint",
}

#: What values are, beside their Python type: a whole number that is written as one, a point as frictionless reads it.
WHOLE_NUMBER, NUMBER, NOT_FINITE, POINT = "whole number", "number", "not finite", "point"

#: The values that fit a type; a string fits all.
FITTING: Mapping[str, frozenset[Any]] = {
    "integer": frozenset((WHOLE_NUMBER,)),
    "number": frozenset((WHOLE_NUMBER, NUMBER)),
    "boolean": frozenset((bool,)),
    "geopoint": frozenset((POINT,)),
    "object": frozenset((dict, POINT)),
}

#: From here on JavaScript writes whole numbers with an exponent.
MOST_PLAIN = 1e21

#: Years that readers of dates know.
FIRST_DATE_MS, LAST_DATE_MS = -62_135_596_800_000 + 86_400_000, 253_402_300_799_999 - 86_400_000

Ways = list[tuple[int, str, str, Get | None]]


class Seen:
    """Notes what kinds of values the columns of a file hold."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._held = HELD[layout.columns.kind]
        self._beside = Beside(layout.paths)
        self._ways: dict[tuple[Any, ...], Ways] = {}
        self._kinds: set[tuple[int, Any]] = set()
        self._has_odd_dates = self._has_odd_instants = False

    def look(self, measures: Sequence[Measure]) -> None:
        """Look at the values of measures, when they have been written."""
        kinds, ways_of = self._kinds, self._ways
        for measure in measures:
            source, values = measure.source, measure.source.values
            stored = (source.type, *self._held(source))
            key = (*stored, *(values if type(values) is dict else ()))
            ways = ways_of.get(key)
            if ways is None:
                ways = self._found(key, self._layout.columns.stored(stored[1], stored[0], stored[2]), key[3:])
            for place, name, sub, get in ways:
                if get is None:
                    value = values[name]
                elif sub and type(held := values[name]) is dict:
                    value = held.get(sub)
                else:
                    value = get(measure)
                if value is not None:
                    kinds.add((place, kind_of(value)))
            ms = source.measuredAt
            if type(ms) is not int or not FIRST_MS <= ms <= LAST_MS:
                self._note_odd(ms)

    def types(self) -> Iterator[str]:
        """Yield the type of each column of the file, in order."""
        declared = self.declared
        kinds: dict[int, set[Any]] = {}
        for place, kind in self._kinds:
            kinds.setdefault(place, set()).add(kind)
        for place, source in enumerate(self._layout.sources):
            if isinstance(source, int) and source < len(FIXED):
                yield self._fixed(source)
            else:
                yield fitting(declared.get(source, Declaration(None, None)).type, kinds.get(place, set()))

    @property
    def declared(self) -> Mapping[Source, Declaration]:
        """How the models declare columns, by what these hold."""
        return {len(FIXED) + place: each for place, each in self._layout.columns.declarations.items()}

    def _fixed(self, source: int) -> str:
        if source == AT:
            return "string" if self._has_odd_instants else "integer"
        if source == AT_ISO:
            return "string" if self._has_odd_dates else "datetime"
        return "string"

    def _note_odd(self, stored: Any) -> None:
        ms = instant_of(stored)
        self._has_odd_instants |= type(stored) not in (int, Instant) and stored is not None
        self._has_odd_dates |= ms is not None and not FIRST_DATE_MS <= ms <= LAST_DATE_MS

    def _found(self, key: tuple[Any, ...], stored: Slot, keys: tuple[str, ...]) -> Ways:
        columns = {len(FIXED) + place: column for place, column in self._layout.columns.of(stored)}
        found: Ways = []
        for place, source in enumerate(self._layout.sources):
            if isinstance(source, str):
                found.append((place, "", "", self._beside.getter(source)))
            elif source in columns:
                way = way_of(columns[source], keys)
                if isinstance(way, tuple):
                    found.append((place, *way))
        if len(self._ways) >= PLANS:
            self._ways.clear()
        self._ways[key] = found
        return found


def fitting(declared: Any, kinds: Collection[Any]) -> str:
    """Return the narrowest type that all values fit, the declared one if that does."""
    own = DECLARED.get(declared) if isinstance(declared, str) else None
    candidates = [own] if own else []
    if (not own and kinds) or own == "integer":
        candidates += ["integer", "number", "boolean", "object"]
    return next((type for type in candidates if type != "string" and FITTING[type].issuperset(kinds)), "string")


def kind_of(value: Any) -> Any:
    """Return what a value is."""
    kind = type(value)
    if kind is int:
        return WHOLE_NUMBER
    if kind is float:
        if not isfinite(value):
            return NOT_FINITE
        return WHOLE_NUMBER if value.is_integer() and abs(value) < MOST_PLAIN else NUMBER
    return POINT if kind is dict and is_point(value) else kind


def is_point(value: Mapping[str, Any]) -> bool:
    """Return whether frictionless reads an object as a point."""
    return value.keys() == {"lat", "lon"} and all(
        type(each) in (int, float) and abs(each) <= most for each, most in ((value["lat"], 90), (value["lon"], 180))
    )
