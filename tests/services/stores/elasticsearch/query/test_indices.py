"""What is known of the indices behind an alias, and how all of them are asked."""

import json
from collections.abc import Collection
from typing import Any

import pytest

from services.errors import StoreUnavailable
from services.measures import SortKey
from services.stores.elasticsearch.query import indices
from services.stores.elasticsearch.query.exact_terms import ExactTerms, Instants, Tuples
from services.stores.elasticsearch.query.indices import Indices
from services.stores.elasticsearch.transport.shapes import Unsound

JSON = dict[str, Any]

KEYWORD = {"type": "keyword"}
BOTH = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
DATE = {"type": "date"}


def known(*mappings: JSON, **settings: Any) -> Indices:
    """Indices `i0`, `i1`, ... of these properties, or of a whole mapping."""
    return indices.read_indices(json.dumps({
        f"i{number}": {
            "aliases": {},
            "mappings": mapping if "dynamic" in mapping else {"properties": mapping},
            "settings": {"index": settings},
        }
        for number, mapping in enumerate(mappings)
    }).encode())  # fmt: skip


def full(names: Collection[str]) -> Collection[str]:
    return names


def empty(names: Collection[str]) -> Collection[str]:
    return ()


def terms(*mappings: JSON, asked: Collection[str] = ("a",), occupied: Any = full, **options: Any) -> ExactTerms:
    return known(*mappings).terms(asked, occupied, **options)


def term(field: str, value: str = "v") -> JSON:
    return {"term": {field: {"value": value}}}


def within(query: JSON, *names: str) -> JSON:
    return {"bool": {"filter": [{"terms": {"_index": list(names)}}, query]}}


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"null", b"[]", b"5", b"{}", b'{"i": null}', b'{"i": {"mappings": {}}}', b'{"i": []}']
)
def test_an_answer_that_is_none(body: bytes) -> None:
    """May be another the next time; it is the store's fault."""
    with pytest.raises(Unsound, match="cannot be read"):
        indices.read_indices(body)


def test_rows_that_a_search_answers() -> None:
    """As many as the most modest index says; 10,000 where none does."""
    assert known({}).max_result_window == 10_000
    assert known({}, max_result_window="500").max_result_window == 500
    several = json.dumps({
        name: {"mappings": {}, "settings": {"index": {"max_result_window": rows}}}
        for name, rows in (("a", "5000"), ("b", "800"), ("c", "90000"))
    })  # fmt: skip
    assert indices.read_indices(several.encode()).max_result_window == 800


def test_those_that_map_alike_are_one() -> None:
    """By name."""
    assert list(known({"a": KEYWORD}, {"a": BOTH}, {"a": KEYWORD}).fields) == [("i0", "i2"), ("i1",)]


@pytest.mark.parametrize(
    ("mappings", "query"),
    [
        ([{"a": KEYWORD}], term("a")),
        ([{"a": BOTH}], term("a.keyword")),
        ([{"a": KEYWORD}, {"a": KEYWORD}], term("a")),
        ([{"a": KEYWORD}, {}], term("a")),
        ([{}, {"a": BOTH}], term("a.keyword")),
        ([{}, {}], term("a")),
        ([{"a": BOTH}, {"a": {**BOTH, "fields": {"keyword": KEYWORD}}}], term("a.keyword")),
        ([{"a": KEYWORD}, {"a": BOTH}, {}], {"bool": {"should": [
            within(term("a"), "i0", "i2"), within(term("a.keyword"), "i1")], "minimum_should_match": 1}}),
    ],
)  # fmt: skip
def test_a_term(mappings: list[JSON], query: JSON) -> None:
    """By the field that each has; an index that has nothing there goes with others."""
    assert terms(*mappings).term("a", "v") == query


def test_an_index_that_cannot_be_asked() -> None:
    """Is passed over when it is empty, and named when it is not."""
    pair = [{"a": KEYWORD}, {"a": {"type": "text"}}]
    assert terms(*pair, occupied=empty).term("a", "v") == within(term("a"), "i0")
    assert terms(*pair[1:], occupied=empty).term("a", "v") == {"match_none": {}}
    with pytest.raises(StoreUnavailable, match=r'"i1" cannot be asked for "a": it is text.*would be right'):
        terms(*pair)
    with pytest.raises(StoreUnavailable, match='"i0" cannot be asked for a "a" of 257 characters'):
        terms({"a": BOTH}).term("a", "x" * 257)
    assert terms({"a": BOTH}).term("a", "x" * 256) == term("a.keyword", "x" * 256)


@pytest.mark.parametrize(
    ("mappings", "tuples"),
    [
        ([{"a": KEYWORD, "b": KEYWORD}], [Tuples(("a", "b"), None)]),
        ([{"a": KEYWORD, "b": KEYWORD}, {}], [Tuples(("a", "b"), None)]),
        ([{"a": KEYWORD, "b": BOTH}], [Tuples(("a", "b.keyword"), None, ("b.keyword",))]),
        ([{"a": KEYWORD, "b": {"type": "text"}}], [Tuples(("a", "b"), None, read=True)]),
        ([{"a": {**KEYWORD, "doc_values": False}, "b": KEYWORD}], [Tuples(("a", "b"), None, read=True)]),
        ([{"a": KEYWORD, "b": KEYWORD}, {"a": BOTH, "b": BOTH}, {"dynamic": False}],
         [Tuples(("a", "b"), ("i0",)), Tuples(("a.keyword", "b.keyword"), ("i1",), ("a.keyword", "b.keyword")),
          Tuples(("a", "b"), ("i2",), read=True)]),
    ],
)  # fmt: skip
def test_tuples(mappings: list[JSON], tuples: list[Tuples]) -> None:
    """Gathered by fields where these tell all, else read; nothing is asked of an index for nothing."""
    assert list(terms(*mappings, asked=(), read=("a", "b")).tuples("a", "b")) == tuples


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ([DATE], Instants()),
        ([DATE, {"type": "long"}], Instants()),
        ([{"type": "date_nanos"}], Instants(fine=True)),
        ([DATE, None], Instants(lacking=True)),
        ([None], Instants(lacking=True)),
    ],
)
def test_instants(types: list[JSON | None], expected: Instants) -> None:
    """Of one unit; an index may have none."""
    mappings = [{} if type is None else {"measuredAt": type} for type in types]
    assert terms(*mappings, asked=(), instant="measuredAt").instants == expected


@pytest.mark.parametrize(
    ("types", "reason"),
    [
        ([DATE, {"type": "date_nanos"}], 'The indices "i1" and "i0" cannot be asked for "measuredAt" together'),
        ([DATE, {"type": "text"}], '"i1" cannot be asked for "measuredAt": it is text'),
    ],
)
def test_instants_that_are_no_order(types: list[JSON], reason: str) -> None:
    """Be the index empty or not: the order is asked of it, too."""
    with pytest.raises(StoreUnavailable, match=reason):
        terms(*({"measuredAt": type} for type in types), asked=(), occupied=empty, instant="measuredAt")


@pytest.mark.parametrize(
    ("first", "last", "bounds"),
    [
        (5, 6, {"gte": 5, "lte": 6}),
        (-5, 6, {"lte": 6}),
        (0, 2**62, {}),
        (None, 9_223_372_036_853, {"lte": 9_223_372_036_853}),
        (9_223_372_036_853, None, {"gte": 9_223_372_036_853}),
        (9_223_372_036_854, None, None),
        (None, -1, None),
        (-9, -1, None),
        (0, 0, {"lte": 0}),
    ],
)
def test_ranges_of_nanoseconds(first: int | None, last: int | None, bounds: JSON | None) -> None:
    """Not beyond what they reach, which Elasticsearch refuses."""
    whole = {"match_none": {}} if bounds is None else {"range": {"measuredAt": {**bounds, "format": "epoch_millis"}}}
    assert Instants(fine=True).during(first, last) == whole


@pytest.mark.parametrize(
    ("mappings", "key", "expected"),
    [
        ([{"measuredAt": DATE}], SortKey("measuredAt"), SortKey("measuredAt")),
        ([{"measuredAt": DATE}, {"measuredAt": {"type": "long"}}], SortKey("measuredAt"), SortKey("measuredAt")),
        ([{"measuredAt": DATE}, {}], SortKey("measuredAt"), SortKey("measuredAt", unmapped_type="date")),
        ([{}], SortKey("measuredAt"), SortKey("measuredAt", unmapped_type="date")),
        ([{"measuredAt": {"type": "date_nanos"}}], SortKey("measuredAt"), SortKey("measuredAt", numeric_type="date")),
        ([{"k": KEYWORD}, {}], SortKey("k"), SortKey("k", unmapped_type="keyword")),
        ([{"k": KEYWORD}, {}], SortKey("k", unmapped_type="long"), SortKey("k", unmapped_type="long")),
        ([{"k": KEYWORD}, {"dynamic": False}], SortKey("k"), SortKey("k")),
        ([{}, {}], SortKey("k"), SortKey("k")),
        ([{"k": BOTH}, {}], SortKey("k.keyword"), SortKey("k.keyword", unmapped_type="keyword")),
        ([{"k": DATE}, {"k": {"type": "date_nanos"}}], SortKey("k"), SortKey("k", numeric_type="date")),
        ([{"k": {"type": "date_nanos"}}], SortKey("k"), SortKey("k")),
    ],
)  # fmt: skip
def test_an_order_that_all_share(mappings: list[JSON], key: SortKey, expected: SortKey) -> None:
    """Where an index has met no such value, it is missing; nanoseconds are not compared with milliseconds."""
    together = known(*mappings)
    asked = together.terms((), empty, instant="measuredAt")
    assert together.sort([key], asked) == (expected,)
