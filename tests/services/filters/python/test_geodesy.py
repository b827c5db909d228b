"""Shapes: figures are those of the reference engine (Boost.Geometry on WGS84)."""

import itertools
import math
from collections.abc import Iterator
from random import Random

import pytest

from services.filters.koncorde.nodes import Box, Circle, Point, Polygon, Ring
from services.filters.python import geodesy
from services.filters.python.geodesy import Edge, azimuth, distance_from, inside


@pytest.mark.parametrize(
    ("start", "end", "metres"),
    [
        ((0, 0), (0, 1), 111_319.49),
        ((0, 0), (1, 0), 110_574.4),
        ((48.8566, 2.3522), (51.5074, -0.1278), 343_923.1),
        ((0, 179.5), (0, -179.5), 111_319.49),
        ((90, 0), (-90, 0), 20_003_917),
        ((43.6, 3.9), (43.6, 363.9), 0),
    ],
)
def test_distance(start: tuple[float, float], end: tuple[float, float], metres: float) -> None:
    """Within what a first order formula can: 1e-5, and half a metre."""
    assert distance_from(Point(*start))(*end) == pytest.approx(metres, rel=2e-5, abs=0.5)


def test_distance_to_the_antipodes() -> None:
    """Half an equator, or half a meridian, is far in any case."""
    assert distance_from(Point(0, 0))(0, 180) > 20_000_000


@pytest.mark.parametrize(
    ("end", "degrees"), [((1, 0), 0), ((0, 1), 90), ((-1, 0), 180), ((0, -1), -90), ((90, 7), 0), ((-90, 7), 180)]
)
def test_azimuth(end: tuple[float, float], degrees: float) -> None:
    """From north, east is positive."""
    assert math.degrees(azimuth(Point(0, 0), Point(*end))) == pytest.approx(degrees)


@pytest.mark.parametrize(
    ("start", "end", "degrees"),
    [((90, 0), (0, 0), 180), ((-90, 0), (0, 0), 0), ((90, 0), (-90, 0), 180), ((5, 5), (5, 5), 0)],
)
def test_azimuth_at_poles(start: tuple[float, float], end: tuple[float, float], degrees: float) -> None:
    """Down from the north, up from the south; none to the same point."""
    assert abs(math.degrees(azimuth(Point(*start), Point(*end)))) == pytest.approx(degrees)


def test_circles_are_cut_by_their_box() -> None:
    """The engine looks up a box first, that is 0.67 % low at the equator."""
    circle = inside(Circle("f", Point(0, 0), 1_000))
    north = math.degrees(1_000 / 6_378_137)
    assert circle(north * 0.9999, 0)
    assert not circle(north * 1.0001, 0)
    assert distance_from(Point(0, 0))(north * 1.0001, 0) < 1_000


def test_ring_has_both_limits() -> None:
    """The nearer one as well as the farther."""
    distance = distance_from(Point(0, 0))(1, 1)
    assert inside(Ring("f", Point(0, 0), distance, distance + 1))(1, 1)
    assert inside(Ring("f", Point(0, 0), distance - 1, distance))(1, 1)
    assert not inside(Ring("f", Point(0, 0), distance + 1, distance + 2))(1, 1)


@pytest.mark.parametrize(
    ("lon", "found"), [(179, True), (-179, True), (181, True), (541, True), (178, False), (0, False)]
)
def test_box_across_the_antimeridian(lon: float, found: bool) -> None:
    """Longitudes are the same after every turn."""
    assert inside(Box("f", 1, 178.5, -1, 181.5))(0, lon) is found


@pytest.mark.parametrize("turns", [-720, -360, 0, 360, 720])
@pytest.mark.parametrize("lon", [3.9, 4.1])
def test_edges_are_edges_after_every_turn(lon: float, turns: int) -> None:
    """Though 363.9 - 360 is not quite 3.9. The corners of a polygon as well."""
    assert inside(Box("f", 1, 3.9, -1, 4.1))(0, lon + turns)
    corners = tuple(Point(lat, edge) for lat, edge in ((1, 3.9), (1, 4.1), (-1, 4.1), (-1, 3.9)))
    assert inside(Polygon("f", corners))(1, lon + turns)
    assert inside(Polygon("f", corners))(0, lon + turns)


SQUARE: list[tuple[float, float]] = [(10, 10), (10, 20), (20, 20), (20, 10)]
STAR: list[tuple[float, float]] = [(0, 0), (10, 4), (0, 8), (6, -2), (6, 10)]

#: Points of a ring, and what is inside and what is not.
RINGS: dict[str, tuple[list[tuple[float, float]], ...]] = {
    "square": (SQUARE, [(15, 15), (10, 10), (20, 20), (15, 10), (15, 20), (20.02, 15)], [(9.9, 15), (10, 15)]),
    "square, the other way": (SQUARE[::-1], [(15, 15), (15, 10)], [(25, 15), (15, 9)]),
    "square, closed": ([*SQUARE, SQUARE[0]], [(15, 15)], [(15, 9)]),
    "tip below and above": ([(10, 10), (20, 15), (10, 20), (5, 15)], [(12, 15), (5, 15)], [(4, 15), (21, 15)]),
    "crossing itself: all that is wound around": (STAR, [(4, 4), (8, 4)], [(9, 0), (-1, 4)]),
    "flat": ([(0, 0), (0, 10), (0, 5)], [(0, 0), (0, 5), (0, 3)], [(0.001, 3), (1, 5)]),
    "one point": ([(1, 1), (1, 1), (1, 1)], [(1, 1)], [(1, 1.001), (0, 0)]),
    "across the antimeridian": ([(-5, 175), (5, 175), (5, -175), (-5, -175)], [(0, 180), (0, -178)], [(0, 170)]),
    "around the north pole": ([(60, -120), (60, 0), (60, 120)], [(85, 50), (90, 0), (61, 0)], [(50, 0), (-85, 50)]),
    "around the other way: the rest": ([(60, 120), (60, 0), (60, -120)], [(-85, 50), (50, 0)], [(89, 50)]),
    "around the south pole": ([(-60, 120), (-60, 0), (-60, -120)], [(-85, 50), (-90, 0)], [(-50, 0), (85, 50)]),
    "a corner at the north pole": ([(0, 10), (0, 20), (90, 99)], [(45, 15), (90, 0), (89, 10)], [(45, 5), (45, 99)]),
    "a corner at the south pole": ([(0, 20), (0, 10), (-90, 99)], [(-45, 15), (-90, 5)], [(-45, 5), (45, 15)]),
    "over the north pole": ([(60, -90), (60, 90), (10, 0)], [(70, 0), (70, 90), (90, 5)], [(70, 180), (0, 0)]),
    "over it on the other side": ([(60, -90), (60, 90), (10, 180)], [(70, 180), (70, -90)], [(70, 0), (0, 180)]),
    "over it, the other way": ([(10, 0), (60, 90), (60, -90)], [(70, 0), (70, 90)], [(70, 180), (0, 0)]),
    "over the south pole": ([(-60, -90), (-60, 90), (-10, 0)], [(-70, 0), (-70, 90)], [(-70, 180), (0, 0)]),
}  # fmt: skip


@pytest.mark.parametrize("name", RINGS)
def test_polygon(name: str) -> None:
    """Inside or on the border."""
    points, within, without = RINGS[name]
    test = inside(Polygon("f", tuple(Point(*point) for point in points)))
    assert [point for point in within if not test(*point)] == []
    assert [point for point in without if test(*point)] == []


def test_edges_are_geodesics() -> None:
    """A parallel is not the shortest way: at 43° an edge of one degree bulges by a thousandth of a degree."""
    edge = Edge(Point(43, 3), Point(43, 4))
    assert edge.side(43.0010, 3.5) == -1
    assert edge.side(43.0011, 3.5) == 1
    assert Edge(Point(0, 0), Point(0, 10)).side(0, 5) == 0


def test_what_is_no_shape() -> None:
    """A kind of node that nobody has taught it."""
    with pytest.raises(TypeError, match="Not a shape"):
        inside("circle")


LONGITUDES = [-900.0, -360.0, -180.0, 0.0, 3.9, 180.0, 359.9999999999, 363.9, 1e4, 1e15]


def shapes(chance: Random) -> Iterator[tuple[Point, ...]]:
    """Of edges short and long, over the poles and the antimeridian, and round the earth."""
    yield from [
        regular(points, radius, lon) for points in (33, 400) for radius in (0.01, 5, 40) for lon in (3, 179, 540)
    ]
    yield tuple(Point(40 + number % 2 * 5, number / 10) for number in range(3600))
    for _ in range(20):
        yield tuple(Point(chance.uniform(-90, 90), chance.uniform(-400, 900)) for _ in range(40))
        yield tuple(
            Point(chance.choice([90.0, -90.0, 0.0, 45.0]), chance.choice(LONGITUDES[:8])) for _ in range(40)
        )  # fmt: skip


def regular(points: int, radius: float, lon: float) -> tuple[Point, ...]:
    turns = (2 * math.pi * number / points for number in range(points))
    return tuple(Point(45 + radius * math.sin(turn), lon + radius * math.cos(turn)) for turn in turns)


@pytest.mark.slow
def test_an_index_of_edges_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Near corners and edges, and anywhere, for polygons of many points."""
    chance = Random(5)
    for corners in shapes(chance):
        shape = Polygon("a", corners)
        indexed = inside(shape)
        monkeypatch.setattr(geodesy, "FEW_EDGES", 10**9)
        plain = inside(shape)
        monkeypatch.undo()
        asked = [(corner.lat, corner.lon + turn) for corner in corners[:30] for turn in (0, 360, -720, 1e-12, -1e-12)]
        asked += [(chance.uniform(-90, 90), chance.choice(corners).lon) for _ in range(30)]
        asked += [(chance.uniform(-90, 90), chance.uniform(-720, 720)) for _ in range(30)]
        asked += [(chance.uniform(-90, 90), lon) for lon in LONGITUDES]
        assert [indexed(*each) for each in asked] == [plain(*each) for each in asked]


def test_few_edges_count_for_one_place() -> None:
    """Of ten thousand."""
    corners = regular(9_990, 5, 3)
    index = geodesy.EdgeIndex([Edge(*ends) for ends in itertools.pairwise(corners)], lambda: None)
    assert max(len(index.near(-2 + number / 100)) for number in range(1000)) < 400
    assert index.near(50) == []
