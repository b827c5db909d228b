"""Random filters and random documents of the same few names and values: filters that match some, not all."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

JSON = dict[str, Any]
Drawn = SearchStrategy[Any]

TEXTS = ("", "a", "b", "A-1", "D-1", "temperature", "1", "20.5", "true", "null", "é", "😀", "nul\0nul", 'quo"te\\')
NUMBERS = (0, -0.0, 1, -1, 1.0, 1.5, 20, 20.5, 0.1, 1e-300, -1e300, 2**53, 2**53 + 1, 1_718_000_000_000, 10**22)
PLACES = (
    [43.6, 3.9], {"lat": 43.6, "lon": 3.9}, "43.6, 3.9", "spfb0", {"latLon": [43.7, 4]}, {"lat_lon": "43,3"}, [0, 0],
    [43.6, 363.9], {"lat": -18, "lon": 178.5}, [-18, -179.9], [3.9, 43.6], [90, 0],
)  # fmt: skip
DISTANCES_M = (0, 1, 1_000, 25_000, 300_000, 5_000_000, 20_100_000)
PATTERNS = (
    "",
    "a",
    "^a$",
    "[A-D]-\\d+$",
    "(?i)A|B",
    "\\w",
    "\\bt",
    "^.$",
    ".",
    "\\pL",
    "20.5",
    "\\x00",
    "^$",
    "e{2}|é",
)
FLAGS = ("", "i", "m", "s", "y", "iy", "g")

texts: Drawn = st.sampled_from(TEXTS)
numbers: Drawn = st.sampled_from(NUMBERS) | st.floats(allow_nan=False, allow_infinity=False, width=32)
scalars: Drawn = st.one_of(texts, numbers, st.booleans(), st.none())


@dataclass(frozen=True)
class World:
    """`documents`: of one shape. `fields`: paths that a filter may name, most of which these documents have."""

    documents: SearchStrategy[JSON]
    fields: tuple[str, ...]

    @property
    def filters(self) -> Drawn:
        return filters(self.fields)


def objects(required: JSON, optional: JSON) -> Drawn:
    return st.fixed_dictionaries(required, optional=optional)


#: As Kuzzle's strict mapping takes them.
MEASURES = World(
    objects(
        {"measuredAt": st.integers(1_718_000_000_000, 1_718_000_000_003)},
        {
            "type": st.sampled_from(("temperature", "position", "a")),
            "values": objects(
                {},
                {
                    "temperature": st.sampled_from((-1, 0, 1, 20, 20.5)),
                    "battery": st.integers(0, 3),
                    "movement": st.booleans(),
                    "position": st.fixed_dictionaries(
                        {"lat": st.sampled_from((43.6, 43.7, -18.0, 0.0)), "lon": st.sampled_from((3.9, 4.0, 178.5))}
                    ),
                },
            ),
            "asset": st.none() | objects({"_id": st.sampled_from(("A-1", "A-2"))}, {"measureName": texts}),
            "origin": objects(
                {"_id": st.just("D-1")}, {"payloadUuids": st.lists(st.sampled_from(("a", "b")), max_size=3)}
            ),
        },
    ),
    (
        "_id", "type", "measuredAt", "values", "values.temperature", "values.battery", "values.movement",
        "values.position", "values.position.lat", "asset", "asset._id", "asset.measureName", "origin._id",
        "origin.payloadUuids", "unknown", "values.unknown",
    ),
)  # fmt: skip

NAMES = ("a", "b", "c", "a.b", "b.c", "a.b.c", "é", 'quo"te')
LOOSE_FIELDS = ("_id", *NAMES, "a.b.c.a", "a.a", "c.a.b", "b.b", "d")


@st.composite
def values(draw: st.DrawFn, depth: int = 3) -> Any:
    """Any JSON."""
    return draw(tree_of_values(depth))


@functools.cache
def tree_of_values(depth: int) -> Drawn:
    leaves = scalars | st.sampled_from(PLACES)
    if not depth:
        return leaves
    inner = values(depth - 1)
    names = st.sampled_from(NAMES)
    return leaves | st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)


#: Of any shape: arrays, nulls, mixed types, names with dots.
LOOSE = World(st.dictionaries(st.sampled_from(NAMES), values(), max_size=4), LOOSE_FIELDS)


@st.composite
def filters(draw: st.DrawFn, fields: tuple[str, ...], depth: int = 3) -> JSON:
    """All that Koncorde takes, but for `{}`."""
    grouped = depth > 0 and draw(st.booleans())
    query: JSON = draw(groups_of(fields, depth - 1) if grouped else clauses_of(fields))
    return query


@functools.cache
def clauses_of(fields: tuple[str, ...]) -> Drawn:
    """Made once: making strategies takes longer than drawing from them."""
    return clauses(st.sampled_from(fields))


@functools.cache
def groups_of(fields: tuple[str, ...], depth: int) -> Drawn:
    return groups(filters(fields, depth))


def groups(inner: Drawn) -> Drawn:
    some = st.lists(inner, min_size=1, max_size=3)
    parts = st.fixed_dictionaries({}, optional=dict.fromkeys(("must", "must_not", "should", "should_not"), some))
    return st.one_of(
        st.fixed_dictionaries({"and": some}),
        st.fixed_dictionaries({"or": some}),
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"bool": parts.filter(bool)}),
    )


def clauses(field: Drawn) -> Drawn:
    ids = st.lists(st.sampled_from(("0", "1", "2", "a")), min_size=1)
    return st.one_of(
        *values_of(field),
        keyed("in", field, st.lists(texts, min_size=1, max_size=4)),
        ids.map(lambda some: {"ids": {"values": some}}),
        st.builds(select, field, st.integers(-3, 2), elements()),
        st.just({"nothing": True}),
    )


def values_of(field: Drawn) -> list[Drawn]:
    return [
        keyed("equals", field, scalars),
        st.builds(lambda keyword, path: {keyword: path}, st.sampled_from(("exists", "missing")), existing(field)),
        keyed("range", field, bounds()),
        keyed("regexp", field, regexps()),
        st.dictionaries(field, values(), min_size=1, max_size=2).map(lambda argument: {"match": argument}),
        places(field),
    ]


def keyed(keyword: str, field: Drawn, argument: Drawn) -> Drawn:
    return st.builds(lambda name, given: {keyword: {name: given}}, field, argument)


def existing(field: Drawn) -> Drawn:
    items = st.sampled_from(('"a"', '"b"', '""', '"é"', "1", "1.0", "20.5", "true", "false", "null", "[]", '{"a": 1}'))
    return field | st.builds(lambda path, item: f"{path}[{item}]", field, items)


@st.composite
def bounds(draw: st.DrawFn) -> JSON:
    low, high = sorted((draw(numbers), draw(numbers)))
    sides = draw(st.sampled_from(("low", "high", "both") if low < high else ("low", "high")))
    lower = {draw(st.sampled_from(("gt", "gte"))): low}
    upper = {draw(st.sampled_from(("lt", "lte"))): high}
    return {"low": lower, "high": upper, "both": lower | upper}[sides]


def regexps() -> Drawn:
    pattern = st.sampled_from(PATTERNS)
    return pattern | st.fixed_dictionaries({"value": pattern, "flags": st.sampled_from(FLAGS)})


def select(field: str, index: int, query: JSON) -> JSON:
    return {"select": {"field": field, "index": index, "query": query}}


@st.composite
def elements(draw: st.DrawFn, depth: int = 2) -> JSON:
    """Filters of an element, selections in it among them."""
    query: JSON = draw(tree_of_element(depth))
    return query


@functools.cache
def tree_of_element(depth: int) -> Drawn:
    field = st.sampled_from(("value", "value.a", "value.a.b", "value.b", "a", "_id"))
    leaves = st.one_of(*values_of(field))
    if not depth:
        return leaves
    inner = elements(depth - 1)
    return st.one_of(
        leaves,
        inner.map(lambda query: {"not": query}),
        st.lists(inner, min_size=1, max_size=2).map(lambda queries: {"or": queries}),
        st.builds(select, field, st.integers(-2, 1), inner),
    )


def places(field: Drawn) -> Drawn:
    point = st.sampled_from(PLACES)
    return st.one_of(
        st.builds(lambda name, at, far: {"geoDistance": {name: at, "distance": metres(far)}}, field, point, far()),
        st.builds(ring, field, point, st.lists(far(), min_size=2, max_size=2, unique=True)),
        st.builds(box, field, pair((-90, -20, 0, 43.65, 50, 90)), pair((-180, 0, 3.9, 40, 178.5, 182, 364))),
        st.lists(point, min_size=3, max_size=5).flatmap(lambda points: keyed("geoPolygon", field, corners(points))),
    )


def far() -> Drawn:
    return st.sampled_from(DISTANCES_M)


def metres(distance_m: int) -> str:
    return f"{distance_m} m"


def ring(field: str, at: Any, limits: list[int]) -> JSON:
    inner, outer = sorted(limits)
    return {"geoDistanceRange": {field: at, "from": metres(inner), "to": metres(outer)}}


def pair(sides: Sequence[float]) -> Drawn:
    """The lesser first."""
    return st.lists(st.sampled_from(sides), min_size=2, max_size=2, unique=True).map(sorted)


def box(field: str, latitudes: list[float], longitudes: list[float]) -> JSON:
    (bottom, top), (left, right) = latitudes, longitudes
    return {"geoBoundingBox": {field: {"top": top, "left": left, "bottom": bottom, "right": right}}}


def corners(points: list[Any]) -> Drawn:
    return st.just({"points": points})
