"""What an error says, and that little is read of what is too much. What is taken and refused: the corpus."""

from typing import Any, NoReturn

import pytest

from services.errors import InvalidFilter
from services.filters.koncorde import nodes
from services.filters.koncorde.nodes import And, Equals, Has, In, Item, Not, Or, Range
from services.filters.koncorde.parse import parse

MESSAGES = {
    "an Elasticsearch query": (
        {"term": {"a": 1}},
        'Invalid argument "query.term": is no keyword of Koncorde: '
        "ask with lang=elasticsearch for Elasticsearch's queries.",
    ),
    "a part of Elasticsearch's bool": (
        {"bool": {"filter": []}},
        'Invalid argument "query.bool.filter": is not of Koncorde: '
        "ask with lang=elasticsearch for Elasticsearch's queries.",
    ),
    "a slip": (
        {"geodistance": {}},
        'Invalid argument "query.geodistance": is no keyword of Koncorde: did you mean "geoDistance"?',
    ),
    "an unknown keyword": ({"fulltext": {}}, 'Invalid argument "query.fulltext": is no keyword of Koncorde.'),
    "several keywords": (
        {"equals": {"a": 1}, "exists": "b"},
        'Invalid argument "query": has several keywords ("equals", "exists"): join filters by "and".',
    ),
    "many keywords": (
        dict.fromkeys("abcdef"),
        'Invalid argument "query": has several keywords ("a", "b", "c", "d", "e", ...): join filters by "and".',
    ),
    "no object": (
        [],
        'Invalid argument "query": must be a filter, an object with one keyword, not an array.',
    ),
    "an empty filter inside": (
        {"not": {}},
        'Invalid argument "query.not": is an empty filter: {} stands alone only, for every document.',
    ),
    "numbers in a list": (
        {"in": {"a": [1]}},
        'Invalid argument "query.in.a[0]": must be a text, not 1: join "equals" by "or" for other values.',
    ),
    "ids without values": ({"ids": ["a"]}, 'Invalid argument "query.ids": must be an object: write {"values": [...]}.'),
    "a date": (
        {"range": {"measuredAt": {"gte": "2024-06-10"}}},
        'Invalid argument "query.range.measuredAt.gte": must be a number, not the text "2024-06-10": '
        "dates are epoch milliseconds here, or startAt and endAt of the export.",
    ),
    "null as a bound": (
        {"range": {"a": {"gte": None}}},
        'Invalid argument "query.range.a.gte": must be a number, not null.',
    ),
    "equal bounds": (
        {"range": {"a": {"gte": 5, "lte": 5}}},
        'Invalid argument "query.range.a": must have its lower bound, 5, below its upper, 5: '
        'see "equals" for one value.',
    ),
    "two lower bounds": (
        {"range": {"a": {"gt": 1, "gte": 1}}},
        'Invalid argument "query.range.a": has both gt and gte: one of them is enough.',
    ),
    "a key of a range": (
        {"range": {"a": {"from": 1}}},
        'Invalid argument "query.range.a.from": is not among its keys, gt, gte, lt, lte.',
    ),
    "a slip of a key": (
        {"bool": {"mustNot": []}},
        'Invalid argument "query.bool.mustNot": is not among its keys, must, must_not, should, should_not: '
        'did you mean "must_not"?',
    ),
    "an array to equal": (
        {"equals": {"a": [1]}},
        'Invalid argument "query.equals.a": must be a text, a number, a boolean or null, not an array: '
        'see "match" and "exists".',
    ),
    "two fields": (
        {"equals": {"a": 1, "b": 2}},
        'Invalid argument "query.equals": must name one field, not "a", "b": join several filters by "and".',
    ),
    "no field": (
        {"geoDistance": {"distance": "1 m"}},
        'Invalid argument "query.geoDistance": must name one field, not none: join several filters by "and".',
    ),
    "no distance": (
        {"geoDistance": {"a": [0, 0]}},
        'Invalid argument "query.geoDistance": lacks "distance": it takes a field and "distance".',
    ),
    "a distance without unit": (
        {"geoDistance": {"a": [0, 0], "distance": "3000"}},
        'Invalid argument "query.geoDistance.distance": has no unit: write "3000 m" for metres.',
    ),
    "a number as distance": (
        {"geoDistance": {"a": [0, 0], "distance": 3000}},
        'Invalid argument "query.geoDistance.distance": must be a text with a unit, not a number: '
        'write "3000 m" for metres.',
    ),
    "left after right": (
        {"geoBoundingBox": {"a": {"top": 1, "left": 179, "bottom": 0, "right": -179}}},
        'Invalid argument "query.geoBoundingBox.a": must have its left below its right: '
        "across the antimeridian, write the right over 180 (left: 179, right: 181).",
    ),
    "a bracket": (
        {"exists": "a['x']"},
        'Invalid argument "query.exists": has between its brackets no JSON value ("\'x\'"): '
        'write one JSON value, such as tags["a"], tags[1] or tags[null].',
    ),
    "a pattern": (
        {"regexp": {"a": "(?=x)"}},
        'Invalid argument "query.regexp.a": is no regular expression of RE2: invalid perl operator: (?=.',
    ),
    "text that is no Unicode": (
        {"equals": {"a": "\ud800"}},
        'Invalid argument "query.equals.a": is text that is no Unicode (a lone surrogate).',
    ),
    "a number too large": (
        {"equals": {"a": float("inf")}},
        'Invalid argument "query.equals.a": is a number beyond what a double holds.',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_says_what_would_be_right(name: str) -> None:
    """A caller can mend the filter from the message alone."""
    query, message = MESSAGES[name]
    with pytest.raises(InvalidFilter) as caught:
        parse(query)
    assert caught.value.message == message


def test_names_the_keyword() -> None:
    """Beside the path, as a fact of the error; none where there is none."""
    with pytest.raises(InvalidFilter) as caught:
        parse({"and": [{"range": {"a": {"gte": "x"}}}]})
    assert caught.value.props["keyword"] == "range"
    assert caught.value.props["argument"] == "query.and[0].range.a.gte"
    with pytest.raises(InvalidFilter) as caught:
        parse(None)
    assert caught.value.props["keyword"] is None


def test_shares_few_kinds_of_nodes() -> None:
    """`ids`, `missing` and `bool` are other keywords in short."""
    assert parse({"ids": {"values": ["a"]}}) == In("_id", ("a",))
    assert parse({"missing": "a"}) == Not(Has("a"))
    assert parse({"missing": "a[1]"}) == Not(Item("a", 1))
    a, b, c, d = (Equals(name, 1) for name in "abcd")
    fields = {"must": "a", "must_not": "b", "should": "c", "should_not": "d"}
    of = {part: [{"equals": {field: 1}}] for part, field in fields.items()}
    assert parse({"bool": of}) == And((a, Not(Or((b,))), Or((c,)), Not(And((d,)))))
    assert parse({"bool": {"must": of["must"]}}) == And((a,))
    assert parse({"bool": {"must_not": of["must_not"]}}) == Not(Or((b,)))
    assert parse({"bool": {"must": [], "should": of["should"]}}) == Or((c,))


def test_keeps_numbers_as_they_are() -> None:
    """Integers stay integers, however large."""
    node = parse({"range": {"a": {"gt": 2**53 + 1, "lt": 1e300}}})
    assert node == Range("a", gt=2**53 + 1, lt=1e300)
    assert isinstance(node, Range)
    assert isinstance(node.gt, int)


class Untouched(dict[str, Any]):
    """What fails if anything looks into it."""

    def refuse(self, *_: Any) -> NoReturn:
        raise AssertionError("was read")

    __len__ = __iter__ = __getitem__ = items = __contains__ = refuse
    __bool__ = lambda self: True  # noqa: E731


def wrapped(query: Any, levels: int) -> Any:
    for _ in range(levels):
        query = {"not": query}
    return query


@pytest.mark.parametrize(
    "query",
    [
        {"or": [{"exists": "a"}] * 999 + [Untouched()] * 9},
        wrapped(Untouched(), 50),
        {"in": {"a": [Untouched()] * 10_001}},
        {"match": {"a": [Untouched()] * 10_001}},
        {"geoPolygon": {"a": {"points": [Untouched()] * 10_001}}},
    ],
    ids=["wide", "deep", "a long list", "a long match", "a long ring"],
)
def test_reads_no_further_than_its_limits(query: Any) -> None:
    """What is too much costs no more than what is just enough."""
    with pytest.raises(InvalidFilter, match="at most"):
        parse(query)


@pytest.mark.parametrize(
    "query",
    [
        wrapped({"exists": "a"}, 49),
        {"or": [{"exists": "a"}] * 999},
        {"in": {"a": ["x"] * 10_000}},
        {"regexp": {"a": "x" * 1_000}},
        {"equals": {".".join(["a"] * 50): 1}},
    ],
    ids=["deep", "wide", "a long list", "a long pattern", "a long path"],
)
def test_takes_what_is_just_within_its_limits(query: Any) -> None:
    """The limits are those that are told."""
    assert isinstance(parse(query), nodes.Filter)


@pytest.mark.slow
def test_takes_an_argument_that_nobody_reads_however_deep() -> None:
    """`nothing` takes anything."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert parse({"nothing": deep}) == nodes.Nothing()
    while deep:  # or its end would be a recursion
        deep = deep.pop()
