"""The parser of Koncorde: JSON -> nodes, or an `InvalidFilter` that names the path and what would be right."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from services.filters.koncorde import distances, nodes, points, regexps
from services.filters.koncorde.location import (
    LONGEST_TEXT,
    Location,
    check_length,
    check_text,
    kind,
    listed,
    shown,
    similar,
)
from services.filters.koncorde.nodes import Filter, Point
from services.filters.koncorde.paths import field_or_item, named

BOUNDS = ("gt", "gte", "lt", "lte")
PARTS = ("must", "must_not", "should", "should_not")
SIDES = ("top", "left", "bottom", "right")
CORNERS = {"topLeft": ("topLeft", "top_left"), "bottomRight": ("bottomRight", "bottom_right")}

#: A polygon has an inside from here on.
FEWEST_POINTS = 3

#: Keywords of Elasticsearch's query language that callers may mistake for Koncorde's, and what they are told.
FOREIGN = frozenset((
    "boosting", "combined_fields", "constant_score", "dis_max", "distance_feature", "function_score", "fuzzy",
    "geo_bounding_box", "geo_distance", "geo_polygon", "geo_shape", "has_child", "has_parent", "intervals", "knn",
    "match_all", "match_bool_prefix", "match_none", "match_phrase", "match_phrase_prefix", "more_like_this",
    "multi_match", "nested", "parent_id", "percolate", "pinned", "prefix", "query_string", "rank_feature", "script",
    "script_score", "shape", "simple_query_string", "span_near", "span_term", "sparse_vector", "term", "terms",
    "terms_set", "text_expansion", "type", "wildcard", "wrapper",
))  # fmt: skip
FOREIGN_IN_BOOL = frozenset(("filter", "minimum_should_match", "boost", "_name"))
FOREIGN_HINT = "ask with lang=elasticsearch for Elasticsearch's queries"


def parse(value: Any) -> Filter:
    """Return the filter that a query of Koncorde means. Raises `InvalidFilter`."""
    location = Location()
    node = nodes.All() if isinstance(value, dict) and not value else a_filter(value, location)
    check_text(value, location)
    return node


def a_filter(value: Any, location: Location) -> Filter:
    """Return any filter but `{}`."""
    location.count_clause()
    inside = location.deeper()
    keyword = sole_keyword(value, location)
    if keyword not in KEYWORDS:
        raise unknown(keyword, location)
    return KEYWORDS[keyword](value[keyword], inside.under(keyword))


def sole_keyword(value: Any, location: Location) -> str:
    if not isinstance(value, dict):
        raise location.refuse(f"must be a filter, an object with one keyword, not {kind(value)}.")
    if len(value) > 1:
        raise location.refuse(f'has several keywords ({listed(value)}): join filters by "and".')
    for keyword in value:
        return str(keyword)
    raise location.refuse("is an empty filter: {} stands alone only, for every document.")


def unknown(name: str, location: Location) -> Exception:
    hint = f": {FOREIGN_HINT}." if name in FOREIGN else similar(name, KEYWORDS)
    return location.under(name).refuse(f"is no keyword of Koncorde{hint}")


def an_object(value: Any, location: Location) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise location.refuse(f"must be an object, not {kind(value)}.")
    if not value:
        raise location.refuse("is empty.")
    return value


def a_list(value: Any, location: Location, of: str) -> list[Any]:
    if not isinstance(value, list):
        raise location.refuse(f"must be an array of {of}, not {kind(value)}.")
    if not value:
        raise location.refuse(f"is empty: it needs at least one of its {of}.")
    return value


def check_keys(value: Mapping[str, Any], allowed: tuple[str, ...], location: Location) -> None:
    for name in value:
        if name not in allowed:
            raise location.key(name).refuse(f"is not among its keys, {', '.join(allowed)}{similar(name, allowed)}")


def a_text(value: Any, location: Location) -> str:
    if not isinstance(value, str):
        raise location.refuse(f"must be a text, not {shown(value)}.")
    return value


def some_text(value: Any, location: Location) -> str:
    if not a_text(value, location):
        raise location.refuse("is empty.")
    return str(value)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def finite(value: Any, location: Location) -> Any:
    """Return a value. Raises `InvalidFilter` for a number beyond a double."""
    if isinstance(value, float) and not math.isfinite(value):
        raise location.refuse("is a number beyond what a double holds.")
    return value


def scalar(value: Any, location: Location) -> Any:
    """Return a value that is neither too long nor beyond a double."""
    if isinstance(value, str):
        check_length(value, location)
    return finite(value, location)


def one_field(value: Any, location: Location, *, besides: tuple[str, ...] = ()) -> tuple[str, Any, Location]:
    """Return the field, its argument, and where that stands."""
    others = [name for name in an_object(value, location) if name not in besides]
    for name in besides:
        if name not in value:
            raise location.refuse(f'lacks "{name}": it takes a field and {listed(besides)}.')
    if len(others) != 1:
        raise location.refuse(f'must name one field, not {listed(others) or "none"}: join several filters by "and".')
    return named(others[0], location), value[others[0]], location.key(others[0])


# Filters of filters


def filters(value: Any, location: Location) -> tuple[Filter, ...]:
    children = a_list(value, location, "filters")
    location.check_clauses(len(children))
    return tuple(a_filter(each, location.item(index)) for index, each in enumerate(children))


def an_and(value: Any, location: Location) -> Filter:
    return nodes.And(filters(value, location))


def an_or(value: Any, location: Location) -> Filter:
    return nodes.Or(filters(value, location))


def a_not(value: Any, location: Location) -> Filter:
    return nodes.Not(a_filter(value, location))


def a_bool(value: Any, location: Location) -> Filter:
    """Return the only part of a `bool`; several are joined, `must` as it is."""
    parts = an_object(value, location)
    for name in parts:
        if name in FOREIGN_IN_BOOL:
            raise location.key(name).refuse(f"is not of Koncorde: {FOREIGN_HINT}.")
    check_keys(parts, PARTS, location)
    if len(parts) > 1 and parts.get("must") == []:
        parts = {name: part for name, part in parts.items() if name != "must"}
    children = {name: filters(parts[name], location.key(name)) for name in PARTS if name in parts}
    musts = children.pop("must", ())
    others = [JOINED[name](each) for name, each in children.items()]
    return others[0] if not musts and len(others) == 1 else nodes.And((*musts, *others))


JOINED: Mapping[str, Callable[[tuple[Filter, ...]], Filter]] = {
    "must_not": lambda children: nodes.Not(nodes.Or(children)),
    "should": nodes.Or,
    "should_not": lambda children: nodes.Not(nodes.And(children)),
}


def nothing(value: Any, location: Location) -> Filter:
    return nodes.Nothing()


def select(value: Any, location: Location) -> Filter:
    keys = ("field", "index", "query")
    check_keys(an_object(value, location), keys, location)
    for key in keys:
        if key not in value:
            raise location.refuse(f'lacks "{key}": it takes {listed(keys)}.')
    field = named(some_text(value["field"], location.key("field")), location.key("field"))
    return nodes.Select(
        field, whole_number(value["index"], location.key("index")), a_filter(value["query"], location.key("query"))
    )


def whole_number(value: Any, location: Location) -> int:
    if not is_number(finite(value, location)) or value != int(value):
        raise location.refuse(f"must be a whole number, not {shown(value)}.")
    return int(value)


# Values


def equals(value: Any, location: Location) -> Filter:
    field, wanted, at = one_field(value, location)
    if isinstance(wanted, list | dict):
        raise at.refuse(f'must be a text, a number, a boolean or null, not {kind(wanted)}: see "match" and "exists".')
    return nodes.Equals(field, scalar(wanted, at))


def an_in(value: Any, location: Location) -> Filter:
    field, wanted, at = one_field(value, location)
    return nodes.In(field, texts(wanted, at))


def ids(value: Any, location: Location) -> Filter:
    if isinstance(value, list):
        raise location.refuse('must be an object: write {"values": [...]}.')
    check_keys(an_object(value, location), ("values",), location)
    return nodes.In("_id", texts(value["values"], location.key("values")))


def texts(value: Any, location: Location) -> tuple[str, ...]:
    location.count_values(len(a_list(value, location, "texts")))
    for index, each in enumerate(value):
        if not isinstance(each, str):
            hint = 'join "equals" by "or" for other values'
            raise location.item(index).refuse(f"must be a text, not {shown(each)}: {hint}.")
        if len(each) > LONGEST_TEXT:
            check_length(each, location.item(index))
    return tuple(value)


def exists(value: Any, location: Location) -> Filter:
    if isinstance(value, dict):
        check_keys(an_object(value, location), ("field",), location)
        value, location = value["field"], location.key("field")
    return field_or_item(some_text(value, location), location)


def missing(value: Any, location: Location) -> Filter:
    return nodes.Not(exists(value, location))


def a_range(value: Any, location: Location) -> Filter:
    field, given, at = one_field(value, location)
    check_keys(an_object(given, at), BOUNDS, at)
    bounds = {name: bound(given[name], at.key(name)) for name in BOUNDS if name in given}
    for both in (("gt", "gte"), ("lt", "lte")):
        if set(both) <= bounds.keys():
            raise at.refuse(f"has both {both[0]} and {both[1]}: one of them is enough.")
    low, high = (next((bounds[name] for name in side if name in bounds), None) for side in (BOUNDS[:2], BOUNDS[2:]))
    if low is not None and high is not None and low >= high:
        hint = 'see "equals" for one value'
        raise at.refuse(f"must have its lower bound, {shown(low)}, below its upper, {shown(high)}: {hint}.")
    return nodes.Range(field, **bounds)


def bound(value: Any, location: Location) -> float:
    if isinstance(value, str):
        hint = "dates are epoch milliseconds here, or startAt and endAt of the export"
        raise location.refuse(f"must be a number, not the text {shown(value)}: {hint}.")
    if not is_number(finite(value, location)):
        raise location.refuse(f"must be a number, not {shown(value)}.")
    number: float = value
    return number


def regexp(value: Any, location: Location) -> Filter:
    field, given, at = one_field(value, location)
    if isinstance(given, str):
        return nodes.Regexp(field, given, "", regexps.pattern(given, "", at))
    if not isinstance(given, dict):
        raise at.refuse(f'must be a text or {{"value": text, "flags": text}}, not {kind(given)}.')
    check_keys(given, ("value", "flags"), at)
    if "value" not in given:
        raise at.refuse('lacks "value".')
    source = a_text(given["value"], at.key("value"))
    flags = regexps.effective(flags_text(given.get("flags"), at.key("flags")))
    return nodes.Regexp(field, source, flags, regexps.pattern(source, flags, at.key("value")))


def flags_text(value: Any, location: Location) -> str:
    """Return the flags: what JavaScript takes for false is none."""
    if not value and not isinstance(value, list | dict):
        return ""
    check_length(a_text(value, location), location)
    return str(value)


def match(value: Any, location: Location) -> Filter:
    for name in an_object(value, location):
        named(name, location)
    check_items(value, location)
    return nodes.Match(value)


def check_items(value: dict[str, Any] | list[Any], location: Location) -> None:
    """Check the numbers and limits of an argument that may be any JSON."""
    location.count_values(len(value))
    for at, item in within(value, location):
        if isinstance(item, dict | list):
            check_items(item, at.deeper())
        scalar(item, at)


def within(value: dict[str, Any] | list[Any], location: Location) -> Iterator[tuple[Location, Any]]:
    if isinstance(value, dict):
        return ((location.key(named(name, location)), item) for name, item in value.items())
    return ((location.item(index), item) for index, item in enumerate(value))


# Places on earth


def geo_distance(value: Any, location: Location) -> Filter:
    field, centre, at = one_field(value, location, besides=("distance",))
    return nodes.Circle(field, point(centre, at), metres(value["distance"], location.key("distance")))


def geo_distance_range(value: Any, location: Location) -> Filter:
    field, centre, at = one_field(value, location, besides=("from", "to"))
    inner, outer = (metres(value[name], location.key(name)) for name in ("from", "to"))
    if inner >= outer:
        raise location.refuse("must have its from below its to.")
    return nodes.Ring(field, point(centre, at), inner, outer)


def metres(value: Any, location: Location) -> float:
    if is_number(value):
        raise location.refuse(f'must be a text with a unit, not a number: write "{shown(value)} m" for metres.')
    try:
        return distances.metres(some_text(value, location))
    except distances.NoDistance as error:
        raise location.refuse(str(error)) from error


def point(value: Any, location: Location) -> Point:
    found = points.coordinates(value)
    if found is None:
        raise location.refuse(f"must be {points.FORMATS}.")
    return Point(*found)


def geo_bounding_box(value: Any, location: Location) -> Filter:
    field, given, at = one_field(value, location)
    box = sides(an_object(given, at), at)
    if box["top"] <= box["bottom"]:
        raise at.refuse("must have its top above its bottom.")
    if box["left"] >= box["right"]:
        hint = "across the antimeridian, write the right over 180 (left: 179, right: 181)"
        raise at.refuse(f"must have its left below its right: {hint}.")
    return nodes.Box(field, **box)


def sides(given: Mapping[str, Any], location: Location) -> Mapping[str, float]:
    """Return the degrees of the four sides, given by themselves or by two corners."""
    if all(isinstance(given.get(side), str | int | float) for side in SIDES):
        return {
            side: side_degrees(given[side], location.key(side), upright=side in ("top", "bottom")) for side in SIDES
        }
    corners = {name: [key for key in spellings if key in given] for name, spellings in CORNERS.items()}
    if not all(corners.values()):
        raise location.refuse(
            f"must have {', '.join(SIDES)} (numbers, in degrees), or topLeft and bottomRight (points)."
        )
    high, low = (point(given[keys[-1]], location.key(keys[-1])) for keys in corners.values())
    return {"top": high.lat, "left": high.lon, "bottom": low.lat, "right": low.lon}


def side_degrees(value: Any, location: Location, *, upright: bool) -> float:
    found = points.degrees(value)
    if found is None:
        raise location.refuse(f"must be a number, in degrees, not {shown(value)}.")
    if upright and abs(found) > points.POLE:
        raise location.refuse(f"must be within ±{points.POLE}, not {shown(value)}.")
    return found


def geo_polygon(value: Any, location: Location) -> Filter:
    field, given, at = one_field(value, location)
    check_keys(an_object(given, at), ("points",), at)
    ring = at.key("points")
    corners = a_list(given["points"], ring, "points")
    ring.count_values(len(corners))
    if len(corners) < FEWEST_POINTS:
        raise ring.refuse(f"must hold at least {FEWEST_POINTS} points.")
    return nodes.Polygon(field, tuple(point(each, ring.item(index)) for index, each in enumerate(corners)))


KEYWORDS: Mapping[str, Callable[[Any, Location], Filter]] = {
    "and": an_and,
    "or": an_or,
    "not": a_not,
    "bool": a_bool,
    "equals": equals,
    "in": an_in,
    "ids": ids,
    "exists": exists,
    "missing": missing,
    "range": a_range,
    "regexp": regexp,
    "match": match,
    "select": select,
    "nothing": nothing,
    "geoBoundingBox": geo_bounding_box,
    "geoDistance": geo_distance,
    "geoDistanceRange": geo_distance_range,
    "geoPolygon": geo_polygon,
}
