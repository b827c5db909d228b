"""Shapes on the earth, as tests of a latitude and a longitude in degrees: WGS84, as the engine of Koncorde computes."""

import math
from collections.abc import Callable
from functools import singledispatch
from typing import Any

from services.filters.nodes import Box, Circle, Point, Polygon, Ring

#: Of WGS84: metres at the equator, and the flattening.
EQUATOR_M = 6378137.0
FLATTENING = 1 / 298.257223563

#: Whether a latitude and a longitude are inside.
Inside = Callable[[float, float], bool]


@singledispatch
def inside(shape: Any) -> Inside:
    raise TypeError(f"Not a shape: {shape!r}")


@inside.register
def inside_circle(shape: Circle) -> Inside:
    return within(shape.centre, 0.0, shape.radius_m)


@inside.register
def inside_ring(shape: Ring) -> Inside:
    return within(shape.centre, shape.inner_m, shape.outer_m)


def within(centre: Point, inner_m: float, outer_m: float) -> Inside:
    """Both limits included; besides, in the box that the engine looks up first, a little low for the circle."""
    height = math.degrees(outer_m / EQUATOR_M)
    width = math.degrees(outer_m / (EQUATOR_M * math.cos(math.radians(centre.lat))))
    distance = distance_from(centre)

    def test(lat: float, lon: float) -> bool:
        if abs(lat - centre.lat) > height or abs(turned(lon - centre.lon)) > width:
            return False
        return inner_m <= distance(lat, lon) <= outer_m

    return test


def turned(longitude: float) -> float:
    """The same, within ±180."""
    return math.remainder(longitude, 360)


def distance_from(centre: Point) -> Callable[[float, float], float]:
    """Metres, by Andoyer's first order formula."""
    lat0, lon0 = math.radians(centre.lat), math.radians(centre.lon)
    sin0, cos0 = math.sin(lat0), math.cos(lat0)

    def distance(lat: float, lon: float) -> float:
        lat = math.radians(lat)
        sin1 = math.sin(lat)
        cosine = sin0 * sin1 + cos0 * math.cos(lat) * math.cos(math.radians(lon) - lon0)
        return andoyer(sin0, sin1, min(1.0, max(-1.0, cosine)))

    return distance


def andoyer(sin0: float, sin1: float, cosine: float) -> float:
    """Metres between two latitudes, by their sines and the cosine of the angle between the points."""
    angle = math.acos(cosine)
    sine = math.sin(angle)
    near = 0.0 if cosine == 1 else (angle + 3 * sine) / (1 - cosine)
    far = 0.0 if cosine == -1 else (angle - 3 * sine) / (1 + cosine)
    return EQUATOR_M * (angle - FLATTENING / 4 * (near * (sin0 - sin1) ** 2 + far * (sin0 + sin1) ** 2))


@inside.register
def inside_box(shape: Box) -> Inside:
    wide = shape.right - shape.left

    def test(lat: float, lon: float) -> bool:
        return shape.bottom <= lat <= shape.top and (lon - shape.left) % 360 <= wide

    return test


@inside.register
def inside_polygon(shape: Polygon) -> Inside:
    """By the winding number: not zero inside, whatever the orientation; on an edge is inside."""
    edges = list(zip(shape.points, (*shape.points[1:], shape.points[0]), strict=True))

    def test(lat: float, lon: float) -> bool:
        winding = 0
        for start, end in edges:
            x0, x1 = turned(start.lon - lon), turned(end.lon - lon)
            if abs(x1 - x0) > 180:
                continue
            if (x0 <= 0 < x1) or (x1 <= 0 < x0):
                y = start.lat + (end.lat - start.lat) * (-x0) / (x1 - x0)
                if y == lat:
                    return True
                if y > lat:
                    winding += 1 if x1 > x0 else -1
        return winding != 0

    return test
