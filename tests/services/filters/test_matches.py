"""The evaluator beside the corpus: which fields decide, and how a path is found."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.filters.matches import MISSING, compile, fields, lookup, matches
from services.filters.nodes import Equals, Filter
from services.filters.parse import parse
from tests.filters.strategies import JSON, LOOSE

FIELDS = {
    "{}": ({}, set()),
    "nothing": ({"nothing": 1}, set()),
    "groups": (
        {"bool": {"must": [{"exists": "a"}], "must_not": [{"equals": {"b.c": 1}}], "should": [{"missing": 'd["x"]'}]}},
        {"a", "b.c", "d"},
    ),
    "ids": ({"ids": {"values": ["x"]}}, {"_id"}),
    "match": ({"match": {"a.b": {"c": 1}, "d": [1]}}, {"a.b", "a.b.c", "d"}),
    "select": ({"select": {"field": "a", "index": 0, "query": {"equals": {"value.x": 1}}}}, {"a"}),
    "geometry": (
        {"and": [
            {"geoDistance": {"a": [0, 0], "distance": "1 m"}},
            {"geoDistanceRange": {"b": [0, 0], "from": "1 m", "to": "2 m"}},
            {"geoBoundingBox": {"c": {"top": 1, "left": 0, "bottom": 0, "right": 1}}},
            {"geoPolygon": {"d": {"points": [[0, 0], [0, 1], [1, 1]]}}},
        ]},
        {"a.", "b.", "c.", "d."},
    ),
    "values": ({"or": [{"in": {"a": ["x"]}}, {"range": {"b": {"gt": 1}}}, {"regexp": {"c": "x"}}]}, {"a", "b", "c"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_fields(name: str) -> None:
    """The paths of a document that decide, so that no other need be decoded."""
    query, paths = FIELDS[name]
    assert fields(parse(query)) == paths


def test_matches() -> None:
    """Compiled and asked in one go."""
    assert matches(Equals("_id", "x"), {"_id": "x"})
    assert not matches(Equals("_id", "x"), {"_id": "y"})


def test_what_is_no_filter() -> None:
    """A kind of node that nobody has taught it."""
    with pytest.raises(TypeError, match="Not a filter"):
        compile("equals")  # type: ignore[arg-type]


def flattened(document: JSON, above: str = "") -> JSON:
    """As the engine does: every path, the later one in order of keys wins."""
    found: JSON = {}
    for key, value in document.items():
        if isinstance(value, dict):
            found |= flattened(value, f"{above}{key}.")
        found[above + key] = value
    return found


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(LOOSE.documents, st.sampled_from([field for field in LOOSE.fields if field != "_id"]))
def test_finds_what_flattening_finds(document: JSON, path: str) -> None:
    """Without flattening."""
    assert lookup(path)(document) == flattened(document).get(path, MISSING)


ODD = {"a": {"b": {"c": [1, {"d": None}], "e": float("nan")}, "text": "\ud800", "long": 10**400}, "g": [1e308, -1e308]}


@pytest.mark.parametrize(
    "query",
    [
        {"regexp": {"a.text": "x"}},
        {"range": {"a.b.e": {"gt": 0}}},
        {"range": {"a.long": {"lt": 0}}},
        {"geoDistance": {"g": [0, 0], "distance": "1 m"}},
        {"match": {"a": {"b": {"c": [{"d": 1}]}}}},
        {"equals": {"a.long": 1e308}},
    ],
)
def test_odd_documents_do_not_match(query: JSON) -> None:
    """Nor fail: text that is no Unicode, NaN, numbers beyond a double."""
    node: Filter = parse(query)
    assert not matches(node, ODD)
    assert matches(parse({"not": query}), ODD)
