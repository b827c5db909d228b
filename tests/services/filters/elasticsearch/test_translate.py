"""Filters as queries of Elasticsearch: at least what matches, and at most."""

from typing import Any

import pytest

from services.filters.elasticsearch.translate import EXPENSIVE, Indices, bounds, translate
from services.filters.koncorde import nodes
from services.filters.koncorde.parse import parse
from services.mapping import Fields

JSON = dict[str, Any]

DATE_IN_MS = {"type": "date", "format": "epoch_millis"}

FIELDS = Fields(
    {
        "properties": {
            "k": {"type": "keyword"},
            "short": {"type": "keyword", "ignore_above": 3},
            "lower": {"type": "keyword", "normalizer": "lowercase"},
            "filled": {"type": "keyword", "null_value": "none"},
            "note": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
            "words": {"type": "text"},
            "by": {"type": "byte"},
            "l": {"type": "long"},
            "h": {"type": "half_float"},
            "f": {"type": "float"},
            "d": {"type": "double"},
            "lenient": {"type": "byte", "ignore_malformed": True},
            "b": {"type": "boolean"},
            "at": {"type": "date"},
            "ms": DATE_IN_MS,
            "lenient ms": {**DATE_IN_MS, "ignore_malformed": True},
            "s": {"type": "date", "format": "epoch_second"},
            "values": {"properties": {"place": {"type": "geo_point"}, "t": {"type": "float"}}},
            "lenient place": {"type": "geo_point", "ignore_malformed": True},
        }
    }
)

INDEX: Indices = {("index",): FIELDS}

ALL: JSON = {"match_all": {}}
NONE: JSON = {"match_none": {}}


def exists(field: str) -> JSON:
    return {"exists": {"field": field}}


def term(field: str, value: Any) -> JSON:
    return {"term": {field: {"value": value}}}


def between(field: str, **bounds: Any) -> JSON:
    return {"range": {field: bounds}}


def not_(query: JSON) -> JSON:
    return {"bool": {"must_not": [query]}}


def ids(*values: str) -> JSON:
    return {"ids": {"values": list(values)}}


#: Filters that Elasticsearch decides, and their query.
EXACT: list[tuple[JSON, JSON]] = [
    ({}, ALL),
    ({"nothing": 1}, NONE),
    ({"not": {"nothing": 1}}, ALL),
    ({"ids": {"values": ["a", "", "b"]}}, ids("a", "b")),
    ({"ids": {"values": [""]}}, NONE),
    ({"equals": {"_id": "a"}}, ids("a")),
    ({"equals": {"_id": 1}}, NONE),
    ({"equals": {"_id": None}}, NONE),
    ({"in": {"_id": ["a", "b"]}}, ids("a", "b")),
    ({"exists": "_id"}, ALL),
    ({"missing": "_id"}, NONE),
    ({"exists": '_id["a"]'}, NONE),
    ({"range": {"_id": {"gt": 1}}}, NONE),
    ({"select": {"field": "_id", "index": 0, "query": {"exists": "value"}}}, NONE),
    ({"not": {"ids": {"values": ["a"]}}}, not_(ids("a"))),
    ({"or": [{"ids": {"values": ["a"]}}, {"equals": {"_id": "b"}}]},
     {"bool": {"should": [ids("a"), ids("b")], "minimum_should_match": 1}}),
    ({"bool": {"must": [{"ids": {"values": ["a"]}}], "must_not": [{"ids": {"values": ["b"]}}]}},
     {"bool": {"filter": [ids("a")], "must_not": [ids("b")]}}),
]  # fmt: skip

#: Filters, and `up`; their `lo` is `NONE`.
AT_LEAST: list[tuple[JSON, JSON]] = [
    # equals, in
    ({"equals": {"k": "a"}}, term("k", "a")),
    ({"equals": {"note": "a"}}, term("note.raw", "a")),
    ({"equals": {"words": "a"}}, ALL),
    ({"equals": {"nowhere": "a"}}, ALL),
    ({"equals": {"short": "abc"}}, term("short", "abc")),
    ({"equals": {"short": "ab😀"}}, ALL),
    ({"equals": {"k": 1}}, exists("k")),
    ({"equals": {"k": True}}, exists("k")),
    ({"equals": {"short": 1}}, ALL),
    ({"equals": {"k": None}}, not_(exists("k"))),
    ({"equals": {"filled": None}}, ALL),
    ({"equals": {"values.t": None}}, ALL),
    ({"equals": {"b": True}}, term("b", True)),
    ({"equals": {"b": "true"}}, exists("b")),
    ({"equals": {"b": 1}}, exists("b")),
    ({"equals": {"f": True}}, exists("f")),
    ({"equals": {"f": "21.5"}}, exists("f")),
    ({"equals": {"f": ""}}, ALL),
    ({"equals": {"at": ""}}, exists("at")),
    ({"equals": {"lenient": "a"}}, ALL),
    ({"equals": {"values.place": "u09t"}}, exists("values.place")),
    ({"equals": {"values.place.lat": 1}}, exists("values.place")),
    ({"in": {"k": ["a", "b"]}}, {"terms": {"k": ["a", "b"]}}),
    ({"in": {"k": ["a"]}}, term("k", "a")),
    ({"in": {"short": ["a", "long"]}}, ALL),
    ({"in": {"l": ["1", "2"]}}, exists("l")),
    ({"in": {"l": ["1", ""]}}, ALL),
    # numbers
    ({"equals": {"l": 5.5}}, between("l", gte=5, lte=5)),
    ({"equals": {"l": -5.5}}, between("l", gte=-5, lte=-5)),
    ({"equals": {"l": 2**53}}, between("l", gte=2**53 - 2, lte=2**53 + 2)),
    ({"equals": {"l": 10**30}}, between("l", gte=2**63 - 1, lte=2**63 - 1)),
    ({"equals": {"d": 0.1}}, between("d", gte=0.1, lte=0.1)),
    ({"equals": {"d": 0}}, between("d", gte=-5e-324, lte=5e-324)),
    ({"equals": {"d": 10**400}}, between("d", gte=1.7976931348623157e308, lte=1.7976931348623157e308)),
    ({"range": {"by": {"gt": 3, "lt": 300}}}, between("by", gte=3, lte=127)),
    ({"range": {"by": {"gte": -129}}}, between("by", gte=-128)),
    ({"range": {"k": {"gt": 3}}}, exists("k")),
    ({"range": {"note": {"gt": 3}}}, exists("note.raw")),
    ({"range": {"b": {"gt": 3}}}, exists("b")),
    ({"range": {"f": {"lte": 1e39}}}, between("f", lte=3.4028234663852886e38)),
    ({"range": {"lenient": {"gte": 1, "lte": 5}}}, between("lenient", gte=1, lte=5)),
    ({"range": {"lenient": {"gte": 1}}}, ALL),
    ({"equals": {"lenient": 300}}, ALL),
    ({"range": {"values.place.lat": {"gt": 3}}}, exists("values.place")),
    # dates
    ({"range": {"at": {"gte": 1.7e12}}}, between("at", gte=1_699_999_999_998, format="epoch_millis")),
    ({"range": {"at": {"gte": 1.7e12, "lt": 1.8e12}}},
     between("at", gte=1_699_999_999_998, lte=1_800_000_000_002, format="epoch_millis")),
    ({"range": {"at": {"lt": 1.8e12}}}, exists("at")),
    ({"equals": {"at": 2024}}, exists("at")),
    ({"range": {"ms": {"lt": 1.8e12}}}, between("ms", lte=1_800_000_000_002, format="epoch_millis")),
    ({"equals": {"ms": 2024}}, between("ms", gte=2022, lte=2026, format="epoch_millis")),
    ({"range": {"ms": {"gte": -1e300, "lte": 1e300}}}, between("ms", format="epoch_millis")),
    ({"range": {"ms": {"gte": 1e300}}}, between("ms", gte=8_999_999_999_999_998, format="epoch_millis")),
    ({"range": {"ms": {"lte": -1e300}}}, between("ms", lte=-8_999_999_999_999_998, format="epoch_millis")),
    ({"equals": {"s": 2024}}, exists("s")),
    ({"equals": {"lenient ms": 2024}}, ALL),
    # arrays
    ({"exists": 'k["a"]'}, term("k", "a")),
    ({"exists": "l[1]"}, between("l", gte=1, lte=1)),
    ({"exists": "b[true]"}, term("b", True)),
    ({"exists": "k[null]"}, ALL),
    ({"select": {"field": "k", "index": -1, "query": {"equals": {"value": "a"}}}}, term("k", "a")),
    ({"select": {"field": "values", "index": 0, "query": {"range": {"value.t": {"gt": 0}}}}},
     between("values.t", gte=-1e-44)),
    ({"select": {"field": "k", "index": 0, "query": {"not": {"equals": {"value": "a"}}}}}, ALL),
    ({"select": {"field": "k", "index": 0, "query": {"missing": "value"}}}, ALL),
    ({"select": {"field": "k", "index": 0, "query": {"exists": "value"}}}, ALL),
    ({"select": {"field": "k", "index": 0, "query": {"equals": {"value": None}}}}, ALL),
    ({"select": {"field": "k", "index": 0, "query": {"select": {
        "field": "value", "index": 0, "query": {"equals": {"value": "a"}}}}}}, term("k", "a")),
    ({"select": {"field": "k", "index": 0, "query": {"match": {"value": "a"}}}}, term("k", "a")),
    # regexp
    ({"regexp": {"k": "^dev"}}, {"wildcard": {"k": {"value": "dev*"}}}),
    ({"regexp": {"k": {"value": "dev", "flags": "i"}}},
     {"wildcard": {"k": {"value": "*dev*", "case_insensitive": True}}}),
    ({"regexp": {"k": "a|b"}}, {"bool": {"should": [
        {"wildcard": {"k": {"value": "*a*"}}}, {"wildcard": {"k": {"value": "*b*"}}}], "minimum_should_match": 1}}),
    ({"regexp": {"k": "^$"}}, term("k", "")),
    ({"regexp": {"k": "."}}, exists("k")),
    ({"regexp": {"short": "dev"}}, ALL),
    ({"regexp": {"lower": "dev"}}, exists("lower")),
    ({"regexp": {"l": "1"}}, ALL),
    ({"regexp": {"at": "1"}}, exists("at")),
    ({"regexp": {"_id": "1"}}, ALL),
    # match
    ({"match": {"k": "a", "values": {"t": 0}}},
     {"bool": {"filter": [between("values.t", gte=-1e-44, lte=1e-44), term("k", "a")]}}),
    ({"match": {"k": ["a", None, {}, []]}}, term("k", "a")),
    ({"match": {"k": None}}, ALL),
    ({"match": {"_id": "a"}}, ids("a")),
    # geo
    ({"geoDistance": {"nowhere": [1, 2], "distance": "1 m"}}, ALL),
    ({"geoDistance": {"k": [1, 2], "distance": "1 m"}}, exists("k")),
    ({"geoDistance": {"values.place.coordinates": [1, 2], "distance": "1 m"}}, exists("values.place")),
    ({"geoDistance": {"lenient place": [1, 2], "distance": "1 m"}}, ALL),
    ({"geoDistance": {"_id": [1, 2], "distance": "1 m"}}, ALL),
]  # fmt: skip

#: Filters, `up` and `lo`.
BETWEEN: list[tuple[JSON, JSON, JSON]] = [
    ({"exists": "k"}, ALL, exists("k")),
    ({"missing": "k"}, not_(exists("k")), NONE),
    ({"exists": "values.t"}, ALL, NONE),
    ({"missing": "values.t"}, ALL, NONE),
    ({"missing": "nowhere"}, ALL, NONE),
    ({"not": {"equals": {"k": "a"}}}, ALL, not_(term("k", "a"))),
    ({"not": {"equals": {"k": None}}}, ALL, exists("k")),
    (
        {"and": [{"exists": "k"}, {"not": {"equals": {"k": "a"}}}]},
        ALL,
        {"bool": {"filter": [exists("k")], "must_not": [term("k", "a")]}},
    ),
    ({"missing": 'k[{"a": 1}]'}, ALL, ALL),
    ({"select": {"field": "k", "index": 0, "query": {"equals": {"other": 1}}}}, NONE, NONE),
    ({"select": {"field": "k", "index": 0, "query": {"exists": "_id"}}}, NONE, NONE),
    ({"select": {"field": "k", "index": 0, "query": {"missing": "other"}}}, ALL, NONE),
    ({"select": {"field": "k", "index": 0, "query": {"match": {"other": 1}}}}, NONE, NONE),
    ({"select": {"field": "k", "index": 0, "query": {"select": {
        "field": "other", "index": 0, "query": {"exists": "value"}}}}}, NONE, NONE),
    ({"match": {"_id": 5}}, NONE, NONE),
]  # fmt: skip


@pytest.mark.parametrize(("filter", "query"), EXACT)
def test_exact(filter: JSON, query: JSON) -> None:
    """Of ids Elasticsearch knows as much as Koncorde."""
    found = translate(parse(filter), INDEX)
    assert (found.up, found.lo, found.exact) == (query, query, True)


@pytest.mark.parametrize(("filter", "up"), AT_LEAST)
def test_at_least(filter: JSON, up: JSON) -> None:
    """What may match; the rest is decided while reading."""
    found = translate(parse(filter), INDEX)
    assert (found.up, found.lo, found.exact) == (up, NONE, False)


@pytest.mark.parametrize(("filter", "up", "lo"), BETWEEN)
def test_between(filter: JSON, up: JSON, lo: JSON) -> None:
    """Negated, the one becomes the other."""
    found = translate(parse(filter), INDEX)
    assert (found.up, found.lo) == (up, lo)


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [("f", 21.299993609, 21.300006391), ("h", 21.2573999, 21.3426001), ("d", 21.3, 21.3)],
)
def test_fractions_are_stored_less_exactly(field: str, low: float, high: float) -> None:
    """Of 16, 32 and 64 bits: bounds are as far off as they may be."""
    query = translate(parse({"range": {field: {"gt": 21.3, "lt": 21.300000001}}}), INDEX).up["range"][field]
    assert (query["gte"], query["lte"]) == pytest.approx((low, high), abs=1e-7)
    assert query["gte"] <= 21.3 < 21.300000001 <= query["lte"]


def test_shapes_are_boxes() -> None:
    """Around the shape, and where an array of it would be; the right edge left of the left one beyond ±180."""
    shape = {"top": 1.5, "left": 179.5, "bottom": 1.25, "right": 180.5}
    query = translate(parse({"geoBoundingBox": {"values.place": shape}}), INDEX).up
    assert set(query) == {"geo_bounding_box"}
    corners = query["geo_bounding_box"]["values.place"]
    assert corners["top_left"] == pytest.approx({"lat": 1.5879, "lon": 179.3242}, abs=1e-3)
    assert corners["bottom_right"] == pytest.approx({"lat": 1.1621, "lon": -179.3242}, abs=1e-3)


def test_shapes_in_arrays() -> None:
    """Two boxes: latitude and longitude swapped in the second."""
    shape = {"top": 45.5, "left": 4.5, "bottom": 45.25, "right": 4.75}
    query = translate(parse({"geoBoundingBox": {"values.place": shape}}), INDEX).up
    first, second = (each["geo_bounding_box"]["values.place"] for each in query["bool"]["should"])
    assert first["top_left"] == pytest.approx({"lat": 45.5879, "lon": 4.3242}, abs=1e-3)
    assert second["top_left"] == pytest.approx({"lat": 4.75, "lon": 45.25}, abs=1e-3)
    assert second["bottom_right"] == pytest.approx({"lat": 4.5, "lon": 45.5}, abs=1e-3)


def test_what_is_no_filter() -> None:
    """A mistake of ours, told at once."""
    with pytest.raises(TypeError, match="Not a filter"):
        bounds("text", None)  # type: ignore[arg-type]


def test_a_level_too_deep() -> None:
    """The inner levels are left to the evaluator: nothing is exact then."""
    node: nodes.Filter = nodes.Equals("_id", "a")
    for level in range(50):
        other = nodes.Equals("_id", str(level))
        node = nodes.Or((node, other)) if level % 2 else nodes.And((node, nodes.Not(other)))
    found = translate(node, INDEX)
    assert not found.exact
    assert found.up != found.lo


# Several indices


def two(one: JSON, other: JSON) -> Indices:
    return {("a", "b"): Fields({"properties": one}), ("c",): Fields({"properties": other})}


def within(query: JSON, *names: str) -> JSON:
    return {"bool": {"filter": [{"terms": {"_index": list(names)}}, query]}}


def either(*queries: JSON) -> JSON:
    return {"bool": {"should": list(queries), "minimum_should_match": 1}}


KEYWORD, LONG, DATE = {"type": "keyword"}, {"type": "long"}, {"type": "date"}


@pytest.mark.parametrize(
    ("filter", "indices", "up"),
    [
        ({"equals": {"k": "a"}}, two({"k": KEYWORD}, {"k": KEYWORD}), term("k", "a")),
        ({"equals": {"k": "a"}}, two({"k": KEYWORD}, {"k": {**KEYWORD, "ignore_above": 9}}), term("k", "a")),
        ({"equals": {"k": "a"}}, two({"k": KEYWORD}, {"k": {"type": "text", "fields": {"r": KEYWORD}}}),
         either(within(term("k", "a"), "a", "b"), within(term("k.r", "a"), "c"))),
        ({"equals": {"k": "a"}}, two({"k": KEYWORD}, {}),
         either(within(term("k", "a"), "a", "b"), {"terms": {"_index": ["c"]}})),
        ({"equals": {"k": 5}}, two({"k": LONG}, {"k": KEYWORD}),
         either(within(between("k", gte=5, lte=5), "a", "b"), within(exists("k"), "c"))),
        ({"equals": {"k": 5}}, two({"k": LONG}, {"k": DATE}), exists("k")),
        ({"range": {"k": {"gt": 5}}}, two({"k": {"type": "float"}}, {"k": {"type": "date_nanos"}}),
         either(within(exists("k"), "a", "b"), {"terms": {"_index": ["c"]}})),
        ({"equals": {"k": "a"}}, two({"k": DATE}, {"k": KEYWORD}),
         either(within(exists("k"), "a", "b"), within(term("k", "a"), "c"))),
        ({"missing": "k"}, two({"k": KEYWORD}, {}),
         either({"bool": {"filter": [{"terms": {"_index": ["a", "b"]}}], "must_not": [exists("k")]}},
                {"terms": {"_index": ["c"]}})),
        ({"ids": {"values": ["a"]}}, two({"k": KEYWORD}, {}), ids("a")),
        ({"select": {"field": "k", "index": 0, "query": {"equals": {"value": "a"}}}}, two({"k": KEYWORD}, {"k": LONG}),
         either(within(term("k", "a"), "a", "b"), within(exists("k"), "c"))),
    ],
)  # fmt: skip
def test_of_several_indices(filter: JSON, indices: Indices, up: JSON) -> None:
    """Each as its mapping wants it; no range where others have dates: they would refuse it before they look away."""
    assert translate(parse(filter), indices).up == up


PATTERN: JSON = {"regexp": {"k": "a"}}
FORBIDDEN: list[tuple[JSON, JSON]] = [
    (PATTERN, ALL),
    ({"not": PATTERN}, ALL),
    ({"and": [PATTERN, {"equals": {"k": "x"}}]}, term("k", "x")),
    ({"or": [PATTERN, {"equals": {"k": "x"}}]}, ALL),
    ({"and": [{"or": [PATTERN, {"equals": {"k": "x"}}]}, {"equals": {"k": "y"}}]}, term("k", "y")),
    ({"equals": {"k": "x"}}, term("k", "x")),
    ({"ids": {"values": ["a"]}}, {"ids": {"values": ["a"]}}),
]


@pytest.mark.parametrize(("filter", "up"), FORBIDDEN)
def test_what_a_cluster_forbids_is_left_out(filter: JSON, up: JSON) -> None:
    """On the safe side: what is asked instead matches at least as much."""
    assert translate(parse(filter), INDEX, forbidden=EXPENSIVE).up == up
    assert "wildcard" not in str(translate(parse(filter), INDEX, forbidden=EXPENSIVE))
    assert translate(parse(filter), INDEX, forbidden=()) == translate(parse(filter), INDEX)


def test_what_is_left_out_is_there_else() -> None:
    """Patterns are asked as such."""
    assert "wildcard" in str(translate(parse(PATTERN), INDEX))
