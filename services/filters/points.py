"""Geopoints, in filters and documents alike: `[lat, lon]`, `{lat, lon}`, `"lat, lon"`, a geohash, `{latLon: ...}`."""

import math
import re
from collections.abc import Mapping
from typing import Any

from services.filters.nodes import Point

GEOHASH = re.compile(r"[0-9b-hjkmnp-z]{4,}")
NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")

#: Values of a geohash's characters: five bits each.
DIGITS = {character: value for value, character in enumerate("0123456789bcdefghjkmnpqrstuvwxyz")}

#: Degrees of latitude, north and south.
POLE = 90

FORMATS = (
    'a point: [lat, lon], {"lat": .., "lon": ..}, "lat, lon", a geohash of 4 characters or more, or one of these as '
    '{"latLon": ..}; latitudes within ±90'
)


def read(value: Any) -> Point | None:
    """`None`: no point."""
    if isinstance(value, dict):
        return of_object(value)
    return of_plain(value)


def of_object(value: Mapping[str, Any]) -> Point | None:
    if "lat" in value and "lon" in value:
        return point(value["lat"], value["lon"])
    held = [value[key] for key in value if key in ("latLon", "lat_lon")]
    if not held:
        return None
    inner = held[-1]
    if isinstance(inner, dict):
        return point(inner.get("lat"), inner.get("lon"))
    return of_plain(inner)


def of_plain(value: Any) -> Point | None:
    """Of an array or a text."""
    if isinstance(value, list):
        return point(*value) if len(value) == 2 else None
    if not isinstance(value, str):
        return None
    parts = value.split(",")
    if len(parts) == 2:
        return point(*parts)
    return of_geohash(value) if GEOHASH.fullmatch(value) else None


def point(lat: Any, lon: Any) -> Point | None:
    latitude, longitude = degrees(lat), degrees(lon)
    if latitude is None or longitude is None or abs(latitude) > POLE:
        return None
    return Point(latitude, longitude)


def degrees(value: Any) -> float | None:
    """Of a number, or of text that is one; `None`: neither."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def of_geohash(text: str) -> Point:
    """The centre of its cell."""
    spans = [[-180.0, 180.0], [-90.0, 90.0]]
    for index, bit in enumerate(bit for character in text for bit in f"{DIGITS[character]:05b}"):
        span = spans[index % 2]
        span[bit == "0"] = sum(span) / 2
    (west, east), (south, north) = spans
    return Point((south + north) / 2, (west + east) / 2)
