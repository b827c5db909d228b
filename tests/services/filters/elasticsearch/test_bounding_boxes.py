"""Shapes as boxes: every point that a document may have in one is in a box, as Elasticsearch reads it."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.filters.elasticsearch.bounding_boxes import WORLD, BoundingBox, around, bounding_boxes, cell
from services.filters.koncorde import nodes, points
from services.filters.koncorde.nodes import Geo, Point
from services.filters.python import geodesy

pytestmark = pytest.mark.slow

LATITUDES = st.one_of(st.floats(-90, 90), st.integers(-90, 90).map(float))
LONGITUDES = st.one_of(st.floats(-180, 180), st.integers(-540, 540).map(float))
POINTS = st.builds(Point, LATITUDES, LONGITUDES)
LENGTHS = st.one_of(st.floats(0, 5e4), st.floats(0, 2e7))


def box(top: float, left: float, height: float, width: float) -> nodes.Box:
    return nodes.Box("f", top, left, max(-90, top - height), left + width)


@st.composite
def polygons(draw: st.DrawFn) -> nodes.Polygon:
    """Small ones, and such that reach far."""
    centre = draw(POINTS)
    reach = draw(st.sampled_from([0.1, 3.0, 60.0, 180.0]))
    offsets = st.tuples(st.floats(-reach / 2, reach / 2), st.floats(-reach, reach))
    corners = draw(st.lists(offsets, min_size=3, max_size=6))
    return nodes.Polygon(
        "f", tuple(Point(max(-90, min(90, centre.lat + lat)), centre.lon + lon) for lat, lon in corners)
    )


SHAPES: st.SearchStrategy[Geo] = st.one_of(
    st.builds(lambda centre, radius_m: nodes.Circle("f", centre, radius_m), POINTS, LENGTHS),
    st.builds(lambda centre, radius_m: nodes.Ring("f", centre, radius_m / 3, radius_m), POINTS, LENGTHS),
    st.builds(box, LATITUDES, LONGITUDES, st.floats(0.001, 60), st.floats(0.001, 400)),
    polygons(),
)


@st.composite
def near(draw: st.DrawFn) -> tuple[Geo, Point]:
    """A shape, and a point that may be in it."""
    shape = draw(SHAPES)
    where = around(shape)
    up, right = draw(st.floats(0, 1)), draw(st.floats(0, 1))
    lat = where.bottom + up * (where.top - where.bottom)
    return shape, Point(max(-90, min(90, lat)), where.left + right * (where.right - where.left))


def holds(shape: Geo, lat: float, lon: float) -> bool:
    """Whether a box does; longitudes within ±180, as Elasticsearch has them."""
    assert -90 <= lat <= 90
    assert -180 <= lon <= 180
    return any(
        each.bottom <= lat <= each.top and (each.left <= lon <= each.right or each.left <= lon + 360 <= each.right)
        for each in bounding_boxes(shape)
    )


def is_inside(shape: Geo, point: Point) -> bool:
    return geodesy.inside(shape)(point.lat, point.lon)


@settings(max_examples=300, deadline=None)
@given(near())
def test_points_as_they_are(found: tuple[Geo, Point]) -> None:
    """Latitude and longitude by name, or in a text."""
    shape, point = found
    if is_inside(shape, point):
        assert holds(shape, point.lat, geodesy.turned(point.lon))


@settings(max_examples=300, deadline=None)
@given(near())
def test_points_in_arrays(found: tuple[Geo, Point]) -> None:
    """Elasticsearch reads the longitude first, and refuses what is no latitude then."""
    shape, point = found
    if is_inside(shape, point) and abs(geodesy.turned(point.lon)) <= 90:
        assert holds(shape, geodesy.turned(point.lon), point.lat)


@settings(max_examples=300, deadline=None)
@given(near(), st.integers(4, 12))
def test_geohashes(found: tuple[Geo, Point], length: int) -> None:
    """Elasticsearch reads the corner of the cell, Koncorde its centre."""
    shape, point = found
    text = geohash(point, length)
    centre = Point(*points.of_geohash(text))
    if is_inside(shape, centre):
        assert holds(shape, *corner(text))


@settings(max_examples=300, deadline=None)
@given(SHAPES, st.integers(0, 90), st.integers(0, 400), st.integers(0, 3))
def test_pairs_of_texts(shape: Geo, lat: int, lon: int, zeros: int) -> None:
    """`["43", "3"]`: two geohashes to Elasticsearch."""
    if is_inside(shape, Point(lat, lon)):
        assert holds(shape, *corner("0" * zeros + str(lat)))


def geohash(point: Point, length: int) -> str:
    spans, lon = [[-180.0, 180.0], [-90.0, 90.0]], geodesy.turned(point.lon)
    bits = ""
    for index in range(5 * length):
        low, high = spans[index % 2]
        middle, value = (low + high) / 2, (lon, point.lat)[index % 2]
        bits += str(int(value >= middle))
        spans[index % 2] = [middle, high] if value >= middle else [low, middle]
    letters = "0123456789bcdefghjkmnpqrstuvwxyz"
    return "".join(letters[int(bits[at : at + 5], 2)] for at in range(0, len(bits), 5))


def corner(text: str) -> tuple[float, float]:
    """South-west, of any number of characters."""
    spans = [[-180.0, 180.0], [-90.0, 90.0]]
    bits = "".join(f"{points.DIGITS[letter]:05b}" for letter in text)
    for index, bit in enumerate(bits):
        span = spans[index % 2]
        span[bit == "0"] = sum(span) / 2
    return spans[1][0], spans[0][0]


@pytest.mark.parametrize("digit", "0123456789")
def test_cells(digit: str) -> None:
    """Of one character: an eighth of the Earth around, and a quarter from pole to pole."""
    south, west = corner(digit)
    assert cell(digit) == BoundingBox(south + 45, west, south, west + 45)


LYON = Point(45.76, 4.84)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (nodes.Box("f", 46, 4, 45, 5), BoundingBox(46, 4, 45, 5)),
        (nodes.Box("f", 46, 179, 45, 181), BoundingBox(46, 179, 45, 181)),
        (nodes.Box("f", 46, 364, 45, 365), BoundingBox(46, 4, 45, 5)),
        (nodes.Box("f", 46, 4, 45, 364), BoundingBox(46, -180, 45, 180)),
        (nodes.Circle("f", LYON, 1e7), BoundingBox(90, -180, 45.76 - 91.3413, 180)),
        (nodes.Polygon("f", (Point(0, 0), Point(0, 120), Point(0, 240))), WORLD),
        (nodes.Polygon("f", (Point(1, 179), Point(2, -179), Point(1.5, 180))), BoundingBox(2.0003, 179, 1, 181)),
        (nodes.Polygon("f", (Point(-1, 0), Point(-2, 0), Point(-1.5, 2))), BoundingBox(-1, 0, -2.0003, 2)),
        (nodes.Polygon("f", (Point(90, 50), Point(80, 0), Point(80, 40))), BoundingBox(90, 0, 80, 50)),
        (nodes.Polygon("f", (Point(1, 0), Point(1, 179), Point(1, 90))), BoundingBox(90, 0, 1, 179)),
    ],
)
def test_around(shape: Geo, expected: BoundingBox) -> None:
    """The smallest box that is known to hold a shape, whatever turn it is written in."""
    assert near_enough(around(shape), expected)


def near_enough(one: BoundingBox, other: BoundingBox) -> bool:
    sides: Callable[[BoundingBox], tuple[float, ...]] = lambda box: (box.top, box.left, box.bottom, box.right)  # noqa: E731
    return sides(one) == pytest.approx(sides(other), abs=1e-3)


def test_small_shapes_stay_small() -> None:
    """A kilometre around Lyon: half a geohash's cell around it, and the place in Yemen where arrays are."""
    first, second = bounding_boxes(nodes.Circle("f", LYON, 1000))
    assert near_enough(first, BoundingBox(45.8570, 4.6514, 45.6630, 5.0286))
    assert near_enough(second, BoundingBox(4.8530, 45.7509, 4.8270, 45.7691))


def test_whole_degrees() -> None:
    """Such may be written as texts of digits, which begin as the latitudes do, or with a zero."""
    found = list(bounding_boxes(nodes.Box("f", 45.5, 9.5, 43.5, 10.5)))
    assert found[2:] == [cell("0"), cell("4")]
    assert len(list(bounding_boxes(nodes.Box("f", 45.5, 9.5, 43.5, 9.9)))) == 2
    assert len(list(bounding_boxes(nodes.Box("f", -0.5, 9.5, -2.5, 10.5)))) == 2
