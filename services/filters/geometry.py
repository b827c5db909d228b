"""Shapes on the earth, as tests of a latitude and a longitude in degrees: WGS84, as the engine of Koncorde computes."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import singledispatch
from typing import Any

from services.filters.nodes import Box, Circle, Point, Polygon, Ring

#: Of WGS84: metres at the equator, and the flattening.
EQUATOR_M = 6378137.0
FLATTENING = 1 / 298.257223563

#: Degrees.
HALF_TURN = 180.0
POLE = 90.0

#: Radians within which angles are the same: a few roundings of a double.
TOLERANCE = 1e-15

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
    """By the winding number: not zero inside, in either orientation; vertices and edges are inside.

    Edges are geodesics, the short way round. Where they go round a pole, inside is to their left.
    """
    corners = list(through_poles(shape.points))
    edges = [Edge(*ends) for ends in zip(corners, (*corners[1:], corners[0]), strict=True)]

    def test(lat: float, lon: float) -> bool:
        turns = south = 0
        for edge in edges:
            if edge.holds(lat, lon):
                return True
            direction = edge.passes(lon)
            if direction:
                side = edge.side(lat, lon, direction)
                if side == 0:
                    return True
                turns += direction
                south += direction if side > 0 else 0
        return south != min(0, turns)

    return test


def through_poles(points: Sequence[Point]) -> Iterator[Point]:
    """The ring with the poles that it goes through, each twice: on the meridian that leads there, and the one away."""
    for before, point, after in zip((points[-1], *points[:-1]), points, (*points[1:], points[0]), strict=True):
        if abs(point.lat) == POLE:
            yield Point(point.lat, before.lon)
            yield Point(point.lat, after.lon)
            continue
        yield point
        if abs(turned(after.lon - point.lon)) == HALF_TURN and abs(after.lat) < POLE:
            pole = math.copysign(POLE, point.lat + after.lat)
            yield Point(pole, point.lon)
            yield Point(pole, after.lon)


class Edge:
    """Of a polygon, from `start` to `end`; at a pole, where its width is that of the angle there."""

    def __init__(self, start: Point, end: Point) -> None:
        self._start, self._end = start, end
        self._bottom, self._top = sorted((start.lat, end.lat))
        self._at_pole = self._bottom == POLE or self._top == -POLE
        self._azimuth = azimuth(start, end)
        width = turned(end.lon - start.lon)
        self._width = HALF_TURN if width == -HALF_TURN else width

    def holds(self, lat: float, lon: float) -> bool:
        """Whether it is one of the ends, or between them on their meridian."""
        if abs(lat) == POLE:
            return lat in (self._bottom, self._top)
        at_start, at_end = (turned(end.lon - lon) == 0 for end in (self._start, self._end))
        if at_start and at_end:
            return self._bottom <= lat <= self._top
        return (at_start and lat == self._start.lat) or (at_end and lat == self._end.lat)

    def passes(self, lon: float) -> int:
        """1 where it passes this meridian eastwards, -1 westwards, 0 where it does not."""
        along = turned(lon - self._start.lon)
        if self._width > 0:
            return int(0 <= along < self._width)
        return -int(self._width <= along < 0)

    def side(self, lat: float, lon: float, direction: int) -> int:
        """Of a meridian that it passes: 1 north of it, -1 south, 0 on it."""
        if self._at_pole:
            return -1 if self._top == POLE else 1
        turn = turned_radians(azimuth(self._start, Point(lat, lon)) - self._azimuth)
        if abs(turn) <= TOLERANCE or abs(turn) >= math.pi - TOLERANCE:
            return 0
        return -direction if turn > 0 else direction


def turned_radians(angle: float) -> float:
    return math.remainder(angle, 2 * math.pi)


def azimuth(start: Point, end: Point) -> float:
    """Of the geodesic at its start, in radians eastwards from north, by Andoyer's formula."""
    lat0, lat1 = math.radians(start.lat), math.radians(end.lat)
    turn = math.radians(end.lon - start.lon)
    sin0, cos0, sin1, cos1 = math.sin(lat0), math.cos(lat0), math.sin(lat1), math.cos(lat1)
    cosine = min(1.0, max(-1.0, sin0 * sin1 + cos0 * cos1 * math.cos(turn)))
    angle = math.acos(cosine)
    if math.sin(angle) <= TOLERANCE:
        return math.pi if cosine < 0 and start.lat == POLE else 0.0
    there = bearing(lat0, lat1, turn)
    back = bearing(lat1, lat0, turn)
    bend = FLATTENING / 2 * (cos1**2 * math.sin(2 * back) * angle / math.sin(angle) - cos0**2 * math.sin(2 * there))
    east = there >= 0
    return min(max(there - bend, 0.0), math.pi) if east else max(min(there - bend, 0.0), -math.pi)


def bearing(lat0: float, lat1: float, turn: float) -> float:
    """The azimuth on a sphere, all in radians."""
    if abs(math.cos(lat1)) <= TOLERANCE:
        return math.pi if lat1 < 0 else 0.0
    return math.atan2(math.sin(turn), math.cos(lat0) * math.tan(lat1) - math.sin(lat0) * math.cos(turn))
