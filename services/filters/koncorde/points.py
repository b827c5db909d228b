"""Geopoints, in filters and documents alike: `[lat, lon]`, `{lat, lon}`, `"lat, lon"`, a geohash, `{latLon: ...}`."""

import math
import re
from collections.abc import Mapping
from typing import Any

#: Characters of a geohash: 12 tell centimetres apart, 24 all that doubles do.
LONGEST_GEOHASH = 24

#: Characters of a text that may be a point: it is asked of every row, and documents may hold megabytes.
LONGEST = 200

GEOHASH = re.compile(rf"[0-9b-hjkmnp-z]{{4,{LONGEST_GEOHASH}}}")
NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")

#: Values of a geohash's characters: five bits each.
DIGITS = {character: value for value, character in enumerate("0123456789bcdefghjkmnpqrstuvwxyz")}

#: Degrees of latitude, north and south.
POLE = 90

FORMATS = (
    'a point: [lat, lon], {"lat": .., "lon": ..}, "lat, lon", a geohash of 4 to 24 characters, or one of these as '
    '{"latLon": ..}; latitudes within ±90'
)


#: Latitude and longitude, in degrees.
Coordinates = tuple[float, float]


def coordinates(value: Any) -> Coordinates | None:
    """Return latitude and longitude; `None`: no point.

    It is asked of every row, and most of them hold an object of two numbers.
    """
    if value.__class__ is not dict:
        return of_plain(value)
    lat, lon = value.get("lat"), value.get("lon")
    if lat.__class__ is float and lon.__class__ is float and -POLE <= lat <= POLE and lon - lon == 0:
        return lat, lon
    return of_object(value)


def of_object(value: Mapping[str, Any]) -> Coordinates | None:
    if "lat" in value and "lon" in value:
        return point(value["lat"], value["lon"])
    held = [value[key] for key in value if key in ("latLon", "lat_lon")]
    if not held:
        return None
    inner = held[-1]
    if isinstance(inner, dict):
        return point(inner.get("lat"), inner.get("lon"))
    return of_plain(inner)


def of_plain(value: Any) -> Coordinates | None:
    """Return the point of an array or a text."""
    if isinstance(value, list):
        return point(*value) if len(value) == 2 else None
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    parts = value.split(",")
    if len(parts) == 2:
        return point(*parts)
    return of_geohash(value) if GEOHASH.fullmatch(value) else None


def point(lat: Any, lon: Any) -> Coordinates | None:
    latitude, longitude = degrees(lat), degrees(lon)
    if latitude is None or longitude is None or abs(latitude) > POLE:
        return None
    return latitude, longitude


def degrees(value: Any) -> float | None:
    """Return the degrees of a number, or of text that is one; `None`: neither."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and (len(value) > LONGEST or not NUMBER.fullmatch(value)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def of_geohash(text: str) -> Coordinates:
    """Return the centre of a geohash's cell."""
    spans = [[-180.0, 180.0], [-90.0, 90.0]]
    for index, bit in enumerate(bit for character in text for bit in f"{DIGITS[character]:05b}"):
        span = spans[index % 2]
        span[bit == "0"] = sum(span) / 2
    (west, east), (south, north) = spans
    return (south + north) / 2, (west + east) / 2
