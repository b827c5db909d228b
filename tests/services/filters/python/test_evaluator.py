"""The evaluator beside the corpus: which fields decide, and how a path is found."""

import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.filters.koncorde.nodes import Equals, Filter
from services.filters.koncorde.parse import parse
from services.filters.python.evaluator import MISSING, compile, fields, lookup, matches
from tests.services.filters.strategies import JSON, LOOSE

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


@pytest.mark.slow
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


LONG = list(range(100_000))
TEXT = "lorem ipsum " * 10_000
KEYS = {f"key{number}": number for number in range(20_000)}

#: Queries, a document that takes long, and how often others may have their turn meanwhile, at least.
LENGTHY: list[Any] = [
    ({"or": [{"equals": {"a": number}} for number in range(990)]}, {"a": -1}, 15),
    ({"and": [{"not": {"equals": {"a": number}}} for number in range(490)]}, {"a": -1}, 7),
    ({"or": [{"and": [{"exists": f"a{n}"}, {"exists": f"b{n}"}]} for n in range(330)]}, {}, 10),
    ({"not": {"or": [{"or": [{"exists": f"a{n}"} for n in range(65)]}, {"exists": "c"}]}}, {}, 2),
    ({"match": {f"a{number}": 1 for number in range(990)}}, {f"a{number}": 1 for number in range(990)}, 15),
    ({"match": {"a": [{"x": -1}]}}, {"a": [{"x": 1}]}, 1),
    pytest.param({"match": {"a": LONG[-1:-500:-1]}}, {"a": LONG}, 499, marks=pytest.mark.slow),
    ({"exists": "a[-1]"}, {"a": LONG}, 100),
    ({"exists": 'a["x"]'}, {"a": LONG}, 100),
    ({"regexp": {"a": "x"}}, {"a": TEXT}, 1),
    ({"equals": {"a.b": -1}}, {**KEYS, "a.b": 1}, 1),
    ({"equals": {"a.b.c": -1}}, {"a": {**KEYS, "b.c": 1}}, 1),
]


@pytest.mark.parametrize(("query", "document", "least"), LENGTHY)
def test_a_row_that_takes_long_ticks(query: Any, document: JSON, least: int) -> None:
    """It decides the same; and what a tick raises ends it."""
    ticks: list[None] = []
    over = False

    def tick() -> None:
        ticks.append(None)
        if over:
            raise InterruptedError

    holds = compile(parse(query), tick)
    ticks.clear()
    assert holds(document) == compile(parse(query))(document)
    assert len(ticks) >= least
    over = True
    with pytest.raises(InterruptedError):
        holds(document)


@pytest.mark.parametrize(
    "query",
    [
        {"range": {"a": {"gte": 1}}},
        {"regexp": {"a": "x"}},
        {"and": [{"not": {"equals": {"a": number}}} for number in range(32)]},
        {"or": [{"exists": f"a[{number}]"} for number in range(64)]},
    ],
)
def test_a_small_row_does_not_tick(query: Any) -> None:
    """It would cost more than the row."""
    ticks: list[None] = []
    compile(parse(query), lambda: ticks.append(None))({"a": [1, 2, "x"]})
    assert ticks == []


def test_long_texts_are_not_kept() -> None:
    """What a pattern has found in short ones is, and holds little."""
    holds = compile(parse({"regexp": {"a": "ipsum$"}}))
    for number in range(300):
        text = f"{number} {TEXT}"
        before = sys.getrefcount(text)
        assert not holds({"a": text})
        assert sys.getrefcount(text) == before
    assert holds({"a": "lorem ipsum"})
