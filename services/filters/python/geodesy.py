"""Geodesy: shapes on the earth as tests of a latitude and a longitude (degrees, WGS84), as Koncorde's engine has it."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import singledispatch
from typing import Any, TypeVar

from services.filters.koncorde.nodes import Box, Circle, Point, Polygon, Ring
from services.scheduling.tick import Tick, no_tick

#: Of WGS84: metres at the equator, and the flattening.
EQUATOR_M = 6378137.0
FLATTENING = 1 / 298.257223563

#: Degrees.
HALF_TURN = 180.0
POLE = 90.0

#: Radians within which angles are the same: a few roundings of a double.
TOLERANCE = 1e-15

#: Degrees by which longitudes may differ that are the same but for a turn: 363.9 - 360 is not quite 3.9.
SLACK = 1e-12

#: Edges from which on a polygon has an index of them, and meridians of it that an edge may be listed under, at most.
FEW_EDGES, MOST_LISTED = 32, 32

#: Points between two ticks: some milliseconds.
TICK_POINTS = 250

#: Degrees that an edge is listed beyond its ends; and longitudes, as documents may hold them, that the index knows.
MARGIN, FURTHEST = 1e-9, 1000.0

Item = TypeVar("Item")

#: Whether a latitude and a longitude are inside.
Inside = Callable[[float, float], bool]


@singledispatch
def inside(shape: Any, tick: Tick = no_tick) -> Inside:
    """Return the test of a shape. `tick` is called while it is made, which takes long for thousands of points."""
    raise TypeError(f"Not a shape: {shape!r}")


@inside.register
def inside_circle(shape: Circle, tick: Tick = no_tick) -> Inside:
    return within(shape.centre, 0.0, shape.radius_m)


@inside.register
def inside_ring(shape: Ring, tick: Tick = no_tick) -> Inside:
    return within(shape.centre, shape.inner_m, shape.outer_m)


def within(centre: Point, inner_m: float, outer_m: float) -> Inside:
    """Return the test of a distance, both limits included.

    Besides, a point is in the box that the engine looks up first, a little low for the circle.
    """
    height = math.degrees(outer_m / EQUATOR_M)
    width = math.degrees(outer_m / (EQUATOR_M * math.cos(math.radians(centre.lat))))
    distance, lat0, lon0 = distance_from(centre), centre.lat, centre.lon

    def test(lat: float, lon: float) -> bool:
        if abs(lat - lat0) > height or abs(turned(lon - lon0)) > width:
            return False
        return inner_m <= distance(lat, lon) <= outer_m

    return test


def turned(longitude: float) -> float:
    """Return a longitude within ±180."""
    return math.remainder(longitude, 360)


def distance_from(centre: Point) -> Callable[[float, float], float]:
    """Return what measures the metres from a point, by Andoyer's first order formula."""
    lat0, lon0 = math.radians(centre.lat), math.radians(centre.lon)
    sin0, cos0 = math.sin(lat0), math.cos(lat0)

    def distance(lat: float, lon: float) -> float:
        lat = math.radians(lat)
        sin1 = math.sin(lat)
        cosine = sin0 * sin1 + cos0 * math.cos(lat) * math.cos(math.radians(lon) - lon0)
        return andoyer(sin0, sin1, min(1.0, max(-1.0, cosine)))

    return distance


def andoyer(sin0: float, sin1: float, cosine: float) -> float:
    """Return the metres between two latitudes, by their sines and the cosine of the angle between the points."""
    angle = math.acos(cosine)
    sine = math.sin(angle)
    near = 0.0 if cosine == 1 else (angle + 3 * sine) / (1 - cosine)
    far = 0.0 if cosine == -1 else (angle - 3 * sine) / (1 + cosine)
    return EQUATOR_M * (angle - FLATTENING / 4 * (near * (sin0 - sin1) ** 2 + far * (sin0 + sin1) ** 2))


@inside.register
def inside_box(shape: Box, tick: Tick = no_tick) -> Inside:
    top, left, bottom = shape.top, shape.left - SLACK, shape.bottom
    wide = shape.right - left + SLACK

    def test(lat: float, lon: float) -> bool:
        return bottom <= lat <= top and (lon - left) % 360 <= wide

    return test


@inside.register
def inside_polygon(shape: Polygon, tick: Tick = no_tick) -> Inside:
    """Return the test of a polygon, by the winding number: not zero is inside, in either
    orientation; vertices and edges are.

    Edges are geodesics, the short way round. Where they go round a pole, inside is to their left.
    """
    corners = list(ticking(through_poles(shape.points), tick))
    edges = [Edge(*ends) for ends in zip(ticking(corners, tick), (*corners[1:], corners[0]), strict=True)]
    near = EdgeIndex(edges, tick).near if len(edges) > FEW_EDGES else lambda lon: edges
    poles = {corner.lat for corner in corners if abs(corner.lat) == POLE}

    def test(lat: float, lon: float) -> bool:
        if lat in poles:
            return True
        turns = south = 0
        for edge in near(lon):
            along = turned(lon - edge.west_lon)
            if not -SLACK <= along <= edge.width + SLACK:
                continue
            if edge.holds(lat, along):
                return True
            if 0 <= along < edge.width:
                side = edge.side(lat, lon)
                if side == 0:
                    return True
                turns += edge.direction
                south += edge.direction if side > 0 else 0
        return south != min(0, turns)

    return test


def through_poles(points: Sequence[Point]) -> Iterator[Point]:
    """Return the ring with the poles that it goes through, each twice: on the meridian that leads
    there, and the one away.
    """
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


def ticking(items: Iterable[Item], tick: Tick) -> Iterator[Item]:
    for number, item in enumerate(items):
        if number % TICK_POINTS == 0:
            tick()
        yield item


class EdgeIndex:
    """Finds the edges of a polygon by the meridians that they may pass: few of thousands count for one point."""

    def __init__(self, edges: Sequence["Edge"], tick: Tick) -> None:
        self._edges = edges
        mean = sum(edge.width for edge in edges) / len(edges)
        self._parts = max(1, min(len(edges) * MOST_LISTED, int(360 / max(mean, MARGIN))))
        self._by_part: dict[int, list[Edge]] = {}
        self._wide: list[Edge] = []
        for edge in ticking(edges, tick):
            self._list(edge)

    def near(self, lon: float) -> Sequence["Edge"]:
        """Return at least those edges that the meridian passes."""
        if not abs(lon) < FURTHEST:  # there, differences of longitudes are rounded
            return self._edges
        found = self._by_part.get(self._part(lon % 360), [])
        return found + self._wide if self._wide else found

    def _list(self, edge: "Edge") -> None:
        west = edge.west_lon % 360 - MARGIN
        first, last = self._part(west), self._part(west + edge.width + 2 * MARGIN)
        if last - first >= MOST_LISTED or not abs(edge.west_lon) < FURTHEST:
            self._wide.append(edge)
            return
        for part in {part % self._parts for part in range(first, last + 1)}:
            self._by_part.setdefault(part, []).append(edge)

    def _part(self, lon: float) -> int:
        return math.floor(lon * self._parts / 360)


class Edge:
    """An edge of a polygon; at a pole, `width` is that of the angle there.

    `west_lon`: where it begins; `width` degrees further east it ends. `direction`: 1 when the ring
    goes along it eastwards, -1 westwards.
    """

    def __init__(self, start: Point, end: Point) -> None:
        width = turned(end.lon - start.lon)
        self.direction = 1 if width > 0 or width == -HALF_TURN else -1
        west, east = (start, end) if self.direction > 0 else (end, start)
        self.west_lon, self.width = west.lon, abs(width)
        self._west, self._east = west, east
        self._bottom, self._top = sorted((west.lat, east.lat))
        self._azimuth = azimuth(west, east)
        self._pole = (self._bottom == POLE) - (self._top == -POLE)

    def holds(self, lat: float, along: float) -> bool:
        """Return whether a point is one of the ends, or between them on their meridian. `along`:
        degrees from the west end.
        """
        if self.width <= SLACK:
            return self._bottom <= lat <= self._top
        if abs(along) <= SLACK:
            return lat == self._west.lat
        return abs(along - self.width) <= SLACK and lat == self._east.lat

    def side(self, lat: float, lon: float) -> int:
        """Return the side of a point on a meridian that the edge passes: 1 north of it, -1 south, 0 on it."""
        if self._pole:
            return -self._pole
        if lat < self._bottom and self._bottom >= 0:
            return -1
        if lat > self._top and self._top <= 0:
            return 1
        turn = turned_radians(azimuth(self._west, Point(lat, lon)) - self._azimuth)
        if abs(turn) <= TOLERANCE or abs(turn) >= math.pi - TOLERANCE:
            return 0
        return -1 if turn > 0 else 1


def turned_radians(angle: float) -> float:
    return math.remainder(angle, 2 * math.pi)


def azimuth(start: Point, end: Point) -> float:
    """Return the azimuth of a geodesic at its start, in radians eastwards from north, by Andoyer's formula."""
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
    """Return the azimuth on a sphere, all in radians."""
    if abs(math.cos(lat1)) <= TOLERANCE:
        return math.pi if lat1 < 0 else 0.0
    return math.atan2(math.sin(turn), math.cos(lat0) * math.tan(lat1) - math.sin(lat0) * math.cos(turn))
