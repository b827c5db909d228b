"""Distances in metres."""

import pytest

from services.filters.koncorde.distances import NoDistance, distance_of, metres


@pytest.mark.parametrize(
    ("text", "distance"),
    [
        ("1 m", 1.0), ("1meter", 1.0), ("2 meters", 2.0), ("1 ft", 0.3048), ("1 feet", 0.3048), ("2 feets", 0.6096),
        ("1 in", 0.0254), ("1 inch", 0.0254), ("2 inches", 0.0508), ("1 yd", 0.9144), ("1 yard", 0.9144),
        ("1 mi", 1609.34), ("1 mile", 1609.34), ("2 miles", 3218.68), ("1 km", 1000.0), ("1 KM", 1000.0),
        ("1 kms", 1000.0), ("1 kilometer", 1000.0), ("1 cm", 0.01), ("1 mm", 0.001), ("1 dam", 10.0), ("1 hm", 100.0),
        ("1 dm", 0.1), ("1 mum", 1e-6), ("1 nm", 1e-9), ("1 nmi", 1609.34e-9), ("1 min", 0.0254e-3), ("1 pm", 1e-12),
        ("1 fm", 1e-15), ("1 am", 1e-18), ("1 zm", 1e-21), ("1 ym", 1e-24), ("1 micrometer", 1e-6), ("1 Mm", 1e-3),
        ("1 megameter", 1e6), ("1 gigameter", 1e9), ("1 kiloyards", 914.4), ("1 kft", 304.8), ("1 zetameter", 1e21),
        ("3,000 km", 3000.0), ("1 093,61 yd", 999.996984), ("0 m", 0.0), (".5 km", 500.0), ("+5 m", 5.0),
        ("007 m", 7.0), ("1\u00a0km", 1000.0),
    ],
)  # fmt: skip
def test_metres(text: str, distance: float) -> None:
    """What the engine makes of it."""
    assert metres(text) == pytest.approx(distance, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("5", 'has no unit: write "5 m" for metres.'),
        ("5,5", 'has no unit: write "5.5 m" for metres.'),
        ("km", 'is no distance: write a number and a unit, as in "3 km" or "1.5 miles".'),
        ("-5 m", 'is no distance: write a number and a unit, as in "3 km" or "1.5 miles".'),
        ("5 metres", 'has an unknown unit, "metres": units are m, meter, ft, feet, in, inch, yd, yard, mi, mile, '
         "with SI prefixes (km)."),
        ("9" * 400 + " m", "is too far."),
    ],
)  # fmt: skip
def test_refuses(text: str, reason: str) -> None:
    """And says what would be right."""
    with pytest.raises(NoDistance) as caught:
        metres(text)
    assert str(caught.value) == reason


@pytest.mark.parametrize("distance", [0, 0.1, 1 / 3, 1e-30, 1e30, 5e-324, 1.7976931348623157e308, 1000])
def test_written_is_read(distance: float) -> None:
    """The very same number, though distances have no exponents."""
    assert metres(distance_of(distance)) == distance
