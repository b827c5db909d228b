"""Koncorde as a tree of nodes: one frozen dataclass a keyword, its arguments checked and in plain units.

`ids` is In("_id", ...), `missing` is Not(Has(...)) or Not(Item(...)), `bool` is And, Or and Not.
Fields are paths (`values.temperature`), read as sections 1 and 3 of Koncorde's documentation say.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class All:
    """Every document: `{}` at the top."""


@dataclass(frozen=True)
class Nothing:
    """No document."""


@dataclass(frozen=True)
class And:
    children: tuple["Filter", ...]


@dataclass(frozen=True)
class Or:
    children: tuple["Filter", ...]


@dataclass(frozen=True)
class Not:
    """The complement: documents without the field are in it."""

    child: "Filter"


@dataclass(frozen=True)
class Equals:
    """Present and strictly equal, same JSON type."""

    field: str
    value: Scalar


@dataclass(frozen=True)
class In:
    """Equal to one of these texts."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Has:
    """The field is present, `null`, `[]` and `{}` included."""

    field: str


@dataclass(frozen=True)
class Item:
    """The field is an array with an element strictly equal to `value`; an object or array equals none."""

    field: str
    value: Any


@dataclass(frozen=True)
class Range:
    """A number within the bounds; `None`: no bound."""

    field: str
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None


@dataclass(frozen=True)
class Regexp:
    """A text in which RE2 finds `pattern` (already rewritten for RE2, flags as its prefix).

    `source` and `flags` are what the caller wrote.
    """

    field: str
    source: str
    flags: str
    pattern: str = dataclasses.field(compare=False)


@dataclass(frozen=True)
class Match:
    """The flattened document contains `argument` (a non-empty JSON object)."""

    argument: Any


@dataclass(frozen=True)
class Select:
    """The element at `index` (negative: from the end) of an array, as `{"value": element}`, matches `child`."""

    field: str
    index: int
    child: "Filter"


@dataclass(frozen=True)
class Point:
    """Degrees; latitude within ±90, longitude as written."""

    lat: float
    lon: float


@dataclass(frozen=True)
class Circle:
    """geoDistance: at most `radius_m` metres from `centre`."""

    field: str
    centre: Point
    radius_m: float


@dataclass(frozen=True)
class Ring:
    """geoDistanceRange: between `inner_m` and `outer_m` metres from `centre`, both included."""

    field: str
    centre: Point
    inner_m: float
    outer_m: float


@dataclass(frozen=True)
class Box:
    """geoBoundingBox: degrees, edges included, `left < right` (over ±180 across the antimeridian)."""

    field: str
    top: float
    left: float
    bottom: float
    right: float


@dataclass(frozen=True)
class Polygon:
    """geoPolygon: inside or on the border of the ring of `points`."""

    field: str
    points: tuple[Point, ...]


Geo = Circle | Ring | Box | Polygon
Filter = (
    All | Nothing | And | Or | Not | Equals | In | Has | Item | Range | Regexp | Match | Select
    | Circle | Ring | Box | Polygon
)  # fmt: skip
