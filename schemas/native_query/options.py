"""The kinds of values that the options of clauses have."""

import math
import re
from collections.abc import Mapping
from typing import Any

from schemas.native_query import limits
from schemas.native_query.walk import Shape, Walk, at, listed
from services.errors import InvalidFilter

#: Digits as text, as Elasticsearch reads them for numbers.
NUMBER = re.compile(r"[-+]?[0-9]{1,30}(?:\.[0-9]{0,30})?(?:[eE][-+]?[0-9]{1,3})?")

#: How far a number may be from 0: a float of 32 bits holds it.
FAR = 3e38

SHOULD_MATCH = re.compile(r"[-+0-9%<> ]{1,200}")
FUZZINESS = re.compile(r"(?:[012](?:\.0)?|auto(?::[0-9]{1,4},[0-9]{1,4})?)", re.IGNORECASE)

#: Those that keep no term of what a pattern becomes: scores do not count in an export.
REWRITES = ("constant_score", "constant_score_blended")


def wrong(path: str, reason: str) -> InvalidFilter:
    return InvalidFilter(path, None, reason)


def flag(walk: Walk, value: Any, path: str) -> Any:
    if isinstance(value, bool) or value in ("true", "false"):
        return value
    raise wrong(path, "must be true or false.")


def text(longest: int = limits.LONGEST_OPTION) -> Shape:
    def judge(walk: Walk, value: Any, path: str) -> str:
        if not isinstance(value, str):
            raise wrong(path, "must be a text.")
        if len(value) > longest:
            raise wrong(path, f"is too long: it may have {longest:,} characters.")
        return value

    return judge


option = text()
name = text(limits.LONGEST_NAME)


def one_of(*choices: str) -> Shape:
    def judge(walk: Walk, value: Any, path: str) -> str:
        if not isinstance(value, str) or value.lower() not in choices:
            raise wrong(path, f"must be one of {', '.join(choices)}.")
        return value

    return judge


def number_of(value: Any) -> float | None:
    """Return a number, or that of a text that Elasticsearch would read as one; `None`: neither."""
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return float(value)
    return None if isinstance(value, bool) or not isinstance(value, int | float) else value


def number(least: float = -FAR, most: float = FAR) -> Shape:
    def judge(walk: Walk, value: Any, path: str) -> Any:
        found = number_of(value)
        if found is None or not least <= found <= most:
            raise wrong(path, f"must be a number from {least:g} to {most:g}.")
        return value

    return judge


def whole_number(least: int, most: int, reason: str = "") -> Shape:
    """Return the shape of a whole number. `reason`: why not more."""

    def judge(walk: Walk, value: Any, path: str) -> Any:
        found = number_of(value)
        if found is None or not least <= found <= most or found != int(found):
            raise wrong(path, f"must be a whole number from {least:,} to {most:,}{reason}.")
        return value

    return judge


anything_finite = number()


def scalar(walk: Walk, value: Any, path: str) -> Any:
    """Return a text, a number, a boolean."""
    if isinstance(value, str):
        return text(limits.LONGEST_VALUE)(walk, value, path)
    if not isinstance(value, bool | int | float):
        raise wrong(path, "must be a text, a number, true or false.")
    if isinstance(value, float) and not math.isfinite(value):
        raise wrong(path, "is a number beyond what a double holds.")
    return value


def or_null(shape: Shape) -> Shape:
    return lambda walk, value, path: None if value is None else shape(walk, value, path)


def should_match(walk: Walk, value: Any, path: str) -> Any:
    if isinstance(value, str) and SHOULD_MATCH.fullmatch(value):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= limits.MOST_VALUES:
        return value
    raise wrong(path, 'must be a whole number, or a text such as "75%" or "2<-25%".')


def fuzziness(walk: Walk, value: Any, path: str) -> Any:
    if isinstance(value, bool) or not FUZZINESS.fullmatch(str(value)[: limits.LONGEST_OPTION]):
        raise wrong(path, 'must be 0, 1, 2, "AUTO" or such as "AUTO:3,6".')
    return value


def rewrite(walk: Walk, value: Any, path: str) -> Any:
    if value not in REWRITES:
        raise wrong(path, f"must be one of {', '.join(REWRITES)}: scores do not count in an export.")
    return value


def names(walk: Walk, value: Any, path: str) -> Any:
    """Return one field or some, `*` among their letters, `^2` after them."""
    if isinstance(value, list) and len(value) > limits.MOST_FIELDS:
        raise wrong(path, f"names more than {limits.MOST_FIELDS} fields.")
    return listed(name)(walk, value, path)


def fields_of(names: Any) -> int:
    """Return how many fields these are counted as; `None`: all."""
    held = [names] if isinstance(names, str) else names or ["*"]
    return sum(limits.FIELDS_OF_STAR if "*" in held_name else 1 for held_name in held)


def numbers(walk: Walk, value: Any, path: str) -> Any:
    """Return numbers in arrays of any depth: a vector, or coordinates. A position is one value."""
    if not isinstance(value, list):
        return anything_finite(walk, value, path)
    position = len(value) <= MOST_OF_POSITION and not any(isinstance(held, list) for held in value)
    walk.budget.spend_values(position or len(value), path)
    return [numbers(walk, held, f"{path}[{number}]") for number, held in enumerate(value)]


def point(walk: Walk, value: Any, path: str) -> Any:
    """Return a geopoint, in any of its forms."""
    if isinstance(value, Mapping):
        if value.keys() - POINT_KEYS:
            raise wrong(path, f"must be a point: {', '.join(sorted(POINT_KEYS))}.")
        return {key: point(walk, held, at(path, key)) for key, held in value.items()}
    if isinstance(value, list):
        if len(value) > 3:
            raise wrong(path, "must be a point: [longitude, latitude].")
        return [anything_finite(walk, held, f"{path}[{number}]") for number, held in enumerate(value)]
    return option(walk, value, path) if isinstance(value, str) else anything_finite(walk, value, path)


#: Numbers of a position: longitude, latitude, height, and one more that GeoJSON leaves open.
MOST_OF_POSITION = 4

POINT_KEYS = frozenset(("lat", "lon", "z", "geohash", "type", "coordinates"))

SHAPE_KEYS = ("type", "coordinates", "geometries", "radius", "orientation")


def shape_of_earth(walk: Walk, value: Any, path: str) -> Any:
    """Return GeoJSON or WKT."""
    if isinstance(value, str):
        walk.budget.spend_values(value.count(",") + 1, path)
        return text(limits.LONGEST_TEXT * 10)(walk, value, path)
    if not isinstance(value, Mapping):
        raise wrong(path, "must be a shape: GeoJSON or WKT.")
    kinds: Mapping[str, Shape] = {"coordinates": numbers, "geometries": geometries, "type": option}
    judged = {}
    for key, held in value.items():
        if key not in SHAPE_KEYS:
            raise wrong(at(path, key), f"is unknown here: {', '.join(SHAPE_KEYS)}.")
        judged[key] = kinds.get(key, scalar)(walk, held, at(path, key))
    return judged


def geometries(walk: Walk, value: Any, path: str) -> Any:
    return listed(shape_of_earth)(walk, value, path)


def weights(walk: Walk, value: Any, path: str) -> Any:
    """Return tokens and their weights."""
    if not isinstance(value, Mapping):
        raise wrong(path, "must be an object of tokens and weights.")
    walk.budget.spend_values(len(value), path)
    return {name(walk, token, path): number(0)(walk, weight, at(path, token)) for token, weight in value.items()}
