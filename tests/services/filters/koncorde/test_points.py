"""Points of every format; the corpus has them in filters and in documents."""

from typing import Any

import pytest

from services.filters.koncorde.points import coordinates, degrees, of_geohash


@pytest.mark.parametrize(
    ("text", "lat", "lon"),
    [
        ("ezs42", 42.60498046875, -5.60302734375),
        ("u09tvw0", 48.85688781738281, 2.3517608642578125),
        ("0000", -89.912109375, -179.82421875),
        ("zzzz", 89.912109375, 179.82421875),
        ("s000", 0.087890625, 0.17578125),
    ],
)
def test_geohash(text: str, lat: float, lon: float) -> None:
    """The centre of its cell."""
    assert of_geohash(text) == (lat, lon)


@pytest.mark.parametrize("length", [4, 8, 12, 24, 1_000])
def test_geohash_of_any_length(length: int) -> None:
    """Ever closer; beyond what a double tells apart it stays."""
    lat, lon = of_geohash("u" * length)
    assert 45 < lat < 90
    assert 0 < lon < 45


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0),
        (-1.5, -1.5),
        ("1", 1.0),
        (" \t+1.5e1 ", 15.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-0", 0.0),
        ("", None),
        (" ", None),
        (".", None),
        ("1_000", None),
        ("1,5", None),
        ("0x10", None),
        ("٣", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("1 2", None),
        (10**400, None),
        (float("inf"), None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ([1], None),
    ],
)
def test_degrees(value: Any, number: float | None) -> None:
    """Numbers, and texts that are one from end to end."""
    assert degrees(value) == number


@pytest.mark.parametrize(
    "value", [[1, 2], {"lat": 1, "lon": 2}, "1,2", {"latLon": "1,2"}, {"lat_lon": {"lat": 1, "lon": 2}}]
)
def test_formats_are_one(value: Any) -> None:
    """Latitude first."""
    assert coordinates(value) == (1.0, 2.0)


def test_the_last_spelling_counts() -> None:
    """As the engine has it, which makes one key of both."""
    assert coordinates({"latLon": [1, 2], "lat_lon": [3, 4]}) == (3.0, 4.0)
    assert coordinates({"lat_lon": [3, 4], "latLon": [1, 2]}) == (1.0, 2.0)


@pytest.mark.parametrize("lat", [90, -90, 90.0000001, -90.0000001])
def test_latitudes_end_at_the_poles(lat: float) -> None:
    """Longitudes do not."""
    assert (coordinates([lat, 720.5]) == (lat, 720.5)) is (abs(lat) <= 90)


@pytest.mark.parametrize(
    "value",
    ["u" * 25, "u" * 900_000, {"latLon": "u" * 25}, "1" * 201 + ",0", ["1" * 201, 0], {"lat": "1" * 201, "lon": 0}],
)
def test_what_is_too_long_for_a_point(value: object) -> None:
    """In a filter and in a document, of which there may be millions."""
    assert coordinates(value) is None


def test_the_longest_geohash() -> None:
    assert coordinates("u" * 24) == of_geohash("u" * 24)
