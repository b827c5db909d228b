"""Filters within the limits that cost much on the documents they are asked of; made rather than stored."""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.kuzzle import Kuzzle

JSON = dict[str, Any]

NOON = 1_718_000_000_000

#: What stands below `values` is stored by Elasticsearch and not looked at.
ANY = {"type": "object", "enabled": False}

#: Clauses of a filter, beside those that hold them.
CLAUSES = 990


@dataclass(frozen=True)
class Costly:
    """`on`: the asset whose measures are exported."""

    on: str
    query: JSON


def documents(engine: str) -> Kuzzle:
    """Assets whose measures are large, each in its way."""
    made = Kuzzle()
    made.measure_model("temperature", {"temperature": {"type": "float"}})
    made.measure_model("position", {"position": {"type": "geo_point"}})
    made.measure_model("odd", {"odd": ANY})
    made.asset_model("Container", {"temperatureExt": "temperature", "position": "position", "odd": "odd"})
    made.engine(engine)
    for name, values in SHAPES.items():
        asset = made.asset(engine, "Container", name)
        for number, each in enumerate(values()):
            made.measure(engine, f"{name}-{number:06}", {
                "type": "odd",
                "measuredAt": NOON + number,
                "values": each,
                "asset": {"_id": asset, "model": "Container", "measureName": "odd"},
            })  # fmt: skip
    return made


def objects() -> Iterator[JSON]:
    """600 of 48 kB: arrays of 1,200 objects."""
    for number in range(600):
        yield {"odd": [{"name": f"item {item}", "value": number + item} for item in range(1200)]}


def places() -> Iterator[JSON]:
    for number in range(20_000):
        yield {"position": {"lat": 40 + number % 100 / 10, "lon": number % 200 / 10}}


def small() -> Iterator[JSON]:
    for number in range(20_000):
        yield {"temperature": number / 8}


def few() -> Iterator[JSON]:
    return itertools.islice(small(), 100)


def texts() -> Iterator[JSON]:
    """20 of a megabyte, which no two share."""
    for number in range(20):
        yield {"odd": f"{number} " + "lorem ipsum dolor sit amet " * 38_000}


def numbers() -> Iterator[JSON]:
    """20 of a hundred thousand numbers."""
    for number in range(20):
        yield {"odd": list(range(number, number + 100_000))}


def dotted() -> Iterator[JSON]:
    """20 of 20,000 keys, some of which are paths."""
    for number in range(20):
        yield {"odd": {**{f"key{key}": key for key in range(20_000)}, **{f"a{key}.b": number for key in range(1000)}}}


def nests() -> Iterator[JSON]:
    """20 of arrays within arrays: a quarter of a million items."""
    for number in range(20):
        yield {"odd": [[[number] * 63 for _ in range(63)] for _ in range(63)]}


def loose() -> Iterator[JSON]:
    """200 of 48 kB that typed decode refuses."""
    for values in itertools.islice(objects(), 200):
        yield {"odd": [*values["odd"], "\ud800"]}


SHAPES = {
    "objects": objects,
    "places": places,
    "small": small,
    "few": few,
    "texts": texts,
    "numbers": numbers,
    "dotted": dotted,
    "nests": nests,
    "loose": loose,
}


def many(clause: str, field: str, arguments: Iterator[Any]) -> JSON:
    return {"or": [{clause: {field: each}} for each in itertools.islice(arguments, CLAUSES)]}


def ring(points: int) -> list[list[float]]:
    turns = (2 * math.pi * number / points for number in range(points))
    return [[45 + 5 * math.sin(turn), 5 + 5 * math.cos(turn)] for turn in turns]


def zigzag(points: int) -> list[list[float]]:
    """Every edge passes nearly every place."""
    return [[39 + number % 2 * 12, -1 + number % 2 * 25 + number / 1e6] for number in range(points)]


#: By what makes them costly.
COSTLY: Mapping[str, Costly] = {
    "an item of an array, again and again": Costly("objects", {"or": [{"exists": "values.odd[0]"}] * CLAUSES}),
    "items of an array": Costly("objects", {"or": [{"exists": f"values.odd[{n}]"} for n in range(CLAUSES)]}),
    "match": Costly("objects", many("match", "values.odd", ([{"value": -n - 1}] for n in itertools.count()))),
    "match of one, of many objects": Costly(
        "objects", {"match": {"values.odd": [{"name": f"item {1199 - n}"} for n in range(990)]}}
    ),
    "a field that is missing": Costly("objects", many("equals", "values.nothing", itertools.count())),
    "patterns": Costly("objects", many("regexp", "values.odd", (f"^{n}" for n in range(900)))),
    "patterns of a short text": Costly("objects", many("regexp", "asset._id", (f"{n}$" for n in range(900)))),
    "a polygon": Costly("places", {"geoPolygon": {"values.position": {"points": ring(9_990)}}}),
    "a polygon of long edges": Costly("places", {"geoPolygon": {"values.position": {"points": zigzag(9_990)}}}),
    "polygons": Costly(
        "places",
        {"and": [{"not": {"geoPolygon": {"values.position": {"points": zigzag(100 + n)}}}} for n in range(60)]},
    ),
    "circles": Costly(
        "places",
        {"or": [{"geoDistance": {"values.position": [80, n / 10], "distance": "1 m"}} for n in range(CLAUSES)]},
    ),
    "patterns of a long text": Costly("texts", many("regexp", "values.odd", (f"x{n}z" for n in range(900)))),
    "few patterns of a long text": Costly("texts", {"or": [{"regexp": {"values.odd": f"q{n}"}} for n in range(8)]}),
    "a long text": Costly("texts", many("equals", "values.odd", (f"{n} lorem" for n in itertools.count()))),
    "items of a long array": Costly("numbers", {"or": [{"exists": f"values.odd[-{n + 1}]"} for n in range(CLAUSES)]}),
    "few items of a long array": Costly("numbers", {"or": [{"exists": f"values.odd[-{n + 1}]"} for n in range(8)]}),
    "an item, selected": Costly(
        "numbers",
        {
            "or": [
                {"select": {"field": "values.odd", "index": n, "query": {"equals": {"value": -1}}}} for n in range(495)
            ]
        },
    ),
    "match of a long array": Costly("numbers", {"match": {"values.odd": [99_000 - n for n in range(2_000)]}}),
    "keys with dots": Costly("dotted", {"or": [{"equals": {f"values.odd.a{n}.b": -1}} for n in range(CLAUSES)]}),
    "few keys with dots": Costly("dotted", {"or": [{"equals": {f"values.odd.a{n}.b": -1}} for n in range(8)]}),
    "arrays within arrays": Costly("nests", many("match", "values.odd", ([[[-n - 1]]] for n in itertools.count()))),
    "few arrays within arrays": Costly("nests", {"match": {"values.odd": [[[-1]], [[-2]]]}}),
    "odd documents": Costly("loose", {"or": [{"exists": f"values.odd[{n}]"} for n in range(CLAUSES)]}),
    "odd documents, few clauses": Costly("loose", {"not": {"equals": {"values.odd": 2}}}),
    "ranges": Costly("small", many("range", "values.temperature", ({"gt": 9000 + n} for n in itertools.count()))),
    "lists": Costly("small", {"or": [{"in": {"type": [f"{n}-{each}" for each in range(10)]}} for n in range(CLAUSES)]}),
    "deep": Costly(
        "small",
        {"or": [{"not": {"not": {"not": {"equals": {"values.temperature": n / 8 - 9_000}}}}} for n in range(240)]},
    ),
    "long paths": Costly(
        "small", {"or": [{"exists": ".".join(["values", f"n{n}", *"abcdefghijklmnop"])} for n in range(CLAUSES)]}
    ),
}
