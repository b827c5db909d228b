"""Bounding boxes of shapes, as Elasticsearch places points: all points of a shape, and some besides.

Elasticsearch reads the points of documents otherwise than Koncorde does: an array has its longitude
first, a geohash is the corner of its cell, and two texts that are numbers (`["43", "3"]`) are two
geohashes.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from services.filters.koncorde import nodes

#: Metres, less than any radius of curvature of the Earth, by the hundredth that distances are told apart less well.
LEAST_RADIUS_M = 6_335_439 / 1.01

#: Half a cell of the shortest geohash, of 4 characters: degrees of latitude and of longitude.
HALF_CELL = (180 / 2**10 / 2, 360 / 2**10 / 2)

#: Degrees: what Elasticsearch rounds, and more than the longest geodesics of the same place are told apart.
SLACK = 1e-5


@dataclass(frozen=True)
class BoundingBox:
    """A box in degrees, edges included; `left` is within ±180 and `right` beyond it, by less than a turn."""

    top: float
    left: float
    bottom: float
    right: float

    def __and__(self, other: "BoundingBox") -> "BoundingBox | None":
        box = BoundingBox(
            min(self.top, other.top),
            max(self.left, other.left),
            max(self.bottom, other.bottom),
            min(self.right, other.right),
        )
        return box if box.bottom <= box.top and box.left <= box.right else None


#: A geodesic of the Earth seems wider on a sphere: by the flattening, at most.
FLATTENED = 1.01

WORLD = BoundingBox(90, -180, -90, 180)


def bounding_boxes(shape: nodes.Geo) -> Iterator[BoundingBox]:
    box = around(shape)
    yield widened(box, *HALF_CELL)
    yield from swapped(widened(box, 0, 0))
    yield from cells(widened(box, 0, 0))


def around(shape: nodes.Geo) -> BoundingBox:
    if isinstance(shape, nodes.Polygon):
        return around_polygon(shape.points)
    if isinstance(shape, nodes.Box):
        return turned(shape.top, shape.left, shape.bottom, shape.right)
    return around_circle(shape.centre, shape.radius_m if isinstance(shape, nodes.Circle) else shape.outer_m)


def around_circle(centre: nodes.Point, radius_m: float) -> BoundingBox:
    angle = radius_m / LEAST_RADIUS_M
    top, bottom = centre.lat + math.degrees(angle), centre.lat - math.degrees(angle)
    if top >= 90 or bottom <= -90:
        return turned(top, -180, bottom, 180)
    half = math.degrees(math.asin(min(1, math.sin(angle) / math.cos(math.radians(centre.lat)))))
    return turned(top, centre.lon - half, bottom, centre.lon + half)


def around_polygon(points: tuple[nodes.Point, ...]) -> BoundingBox:
    """Return the box of a polygon. Its edges go the shorter way around the Earth, and as geodesics
    bulge towards the poles.
    """
    lats, lons = [point.lat for point in points], unturned([point.lon for point in points])
    width = max(lons) - min(lons)
    if width >= 180:
        return WORLD
    return turned(bulge(max(lats), width), min(lons), -bulge(-min(lats), width), max(lons))


def unturned(lons: list[float]) -> list[float]:
    """Return longitudes, each by less than half a turn from the one before."""
    found = lons[:1]
    for lon in lons[1:]:
        found.append(found[-1] + math.remainder(lon - found[-1], 360))
    return found


def bulge(lat: float, width: float) -> float:
    """Return how far north geodesics go that begin and end no farther north than `lat`, and are
    less wide than `width`.
    """
    half = math.radians(width / 2 * FLATTENED)
    if not 0 < lat < 90:
        return lat
    return 90 if half >= math.pi / 2 else math.degrees(math.atan(math.tan(math.radians(lat)) / math.cos(half)))


def turned(top: float, left: float, bottom: float, right: float) -> BoundingBox:
    """Return a box made of longitudes of any turn, and of latitudes beyond the poles."""
    top, bottom = min(90, top), max(-90, bottom)
    if right - left >= 360:
        return BoundingBox(top, -180, bottom, 180)
    begin = (left + 180) % 360 - 180
    return BoundingBox(top, begin, bottom, begin + right - left)


def widened(box: BoundingBox, lat: float, lon: float) -> BoundingBox:
    lat, lon = lat + SLACK, lon + SLACK
    return turned(box.top + lat, box.left - lon, box.bottom - lat, box.right + lon)


def swapped(box: BoundingBox) -> Iterator[BoundingBox]:
    """Return where arrays are: latitude read as longitude. Longitudes beyond ±90 are no latitudes, and refused."""
    for turn in (-360, 0, 360):
        found = BoundingBox(box.right + turn, box.bottom, box.left + turn, box.top) & WORLD
        if found is not None:
            yield found


def cells(box: BoundingBox) -> Iterator[BoundingBox]:
    """Return where pairs of texts are: at the geohash of the latitude's digits, if whole degrees are in the box."""
    lats = range(math.ceil(max(0, box.bottom)), math.floor(box.top) + 1)
    if lats and math.ceil(box.left) <= math.floor(box.right):
        yield from map(cell, sorted({"0", *(str(lat)[0] for lat in lats)}))


def cell(digit: str) -> BoundingBox:
    """Return the cell of a geohash that begins with this digit: bits of longitude and latitude in
    turn halve the world.
    """
    lon2, lat1, lon1, lat0, lon0 = (int(bit) for bit in f"{int(digit):05b}")
    left, bottom = -180 + 45 * (4 * lon2 + 2 * lon1 + lon0), -90 + 45 * (2 * lat1 + lat0)
    return BoundingBox(bottom + 45, left, bottom, left + 45)
