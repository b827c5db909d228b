"""How much a filter has to decide."""

from typing import Any

import pytest

from services.filters.koncorde.parse import parse
from services.filters.koncorde.weight import weight

POINTS = [[number / 100, number / 50] for number in range(500)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 1),
        ({"exists": "a"}, 1),
        ({"not": {"or": [{"exists": "a"}, {"and": [{"exists": "b"}, {"in": {"c": ["x"] * 100}}]}]}}, 3),
        ({"select": {"field": "a", "index": 0, "query": {"exists": "value"}}}, 2),
        ({"match": {"a": 1, "b": [1, 2, {"c": [], "d": {}}]}}, 5),
        ({"geoPolygon": {"a": {"points": POINTS[:4]}}}, 1),
        ({"geoPolygon": {"a": {"points": POINTS}}}, 11),
    ],
)
def test_weight(query: Any, expected: int) -> None:
    """A clause each; more where one holds many values or points."""
    assert weight(parse(query)) == expected
