"""Nodes become JSON that parses as the same nodes. The corpus and random filters show it too."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.filters.koncorde import nodes
from services.filters.koncorde.nodes import And, Box, Circle, Equals, Has, Item, Not, Or, Point, Ring
from services.filters.koncorde.parse import parse
from services.filters.koncorde.write import write

A, B, C = Has("a"), Has("b"), Has("c")


@pytest.mark.parametrize(
    ("node", "written"),
    [
        (nodes.All(), {}),
        (nodes.Nothing(), {"nothing": True}),
        (And((A,)), {"and": [{"exists": "a"}]}),
        (And((A, Or((B, C)))), {"bool": {"must": [{"exists": "a"}], "should": [{"exists": "b"}, {"exists": "c"}]}}),
        (And((Or((A,)), B)), {"and": [{"or": [{"exists": "a"}]}, {"exists": "b"}]}),
        (And((Or((A,)),)), {"and": [{"or": [{"exists": "a"}]}]}),
        (And((Or((A,)), Or((B,)))), {"bool": {"must": [{"or": [{"exists": "a"}]}], "should": [{"exists": "b"}]}}),
        (
            And((Not(Or((A,))), Or((B,)), Not(And((C,))))),
            {"bool": {"must_not": [{"exists": "a"}], "should": [{"exists": "b"}], "should_not": [{"exists": "c"}]}},
        ),
        (Not(Or((A,))), {"bool": {"must_not": [{"exists": "a"}]}}),
        (Not(And((A,))), {"bool": {"should_not": [{"exists": "a"}]}}),
        (Not(A), {"missing": "a"}),
        (Not(Not(A)), {"not": {"missing": "a"}}),
        (Not(Item("a", ["x"])), {"missing": 'a[["x"]]'}),
        (Has("a[1]"), {"exists": r"a\[1\]"}),
        (Item("a[b", "é"), {"exists": r'a\[b["\u00e9"]'}),
        (Equals("a", 2**70), {"equals": {"a": 2**70}}),
        (nodes.In("_id", ("x",)), {"ids": {"values": ["x"]}}),
        (Circle("a", Point(1.5, 2), 0.1), {"geoDistance": {"a": [1.5, 2], "distance": "0.1 m"}}),
        (
            Ring("a", Point(0, 0), 0, 1e22),
            {"geoDistanceRange": {"a": [0, 0], "from": "0.0 m", "to": "10000000000000000000000 m"}},
        ),
        (Box("a", 1, 2, 0, 3), {"geoBoundingBox": {"a": {"top": 1, "left": 2, "bottom": 0, "right": 3}}}),
    ],
)  # fmt: skip
def test_writes(node: nodes.Filter, written: Any) -> None:
    """JSON of the kind that callers write, no deeper."""
    assert write(node) == written
    assert parse(json.loads(json.dumps(written))) == node


def test_what_is_no_filter() -> None:
    """A kind of node that nobody has taught it."""
    with pytest.raises(TypeError, match="Not a filter"):
        write("equals")


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.floats(0, 1e300), st.floats(-90, 90), st.floats(-1e6, 1e6))
def test_numbers_survive(radius: float, lat: float, lon: float) -> None:
    """Metres and degrees, to the last digit: a link must not move a circle."""
    node = Circle("a", Point(lat, lon), radius)
    assert parse(json.loads(json.dumps(write(node)))) == node


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()))
def test_names_survive(field: str, value: Any) -> None:
    """Whatever brackets and backslashes they have, in fields and in values."""
    assert parse(write(Has(field or "a"))) == Has(field or "a")
    if field and not field.endswith("\\") and not set(field) & set("\n\r\u2028\u2029"):
        assert parse(write(Item(field, value))) == Item(field, value)
