"""Queries of Elasticsearch: what is taken, and where in a query lies what is not."""

from typing import Any

import pytest

from services.errors import InvalidFilter
from services.filters.elastic_query import MOST_CLAUSES, MOST_NESTED, check

JSON = dict[str, Any]

TAKEN: list[JSON] = [
    {},
    {"match_all": {}},
    {"term": {"type": "temperature"}},
    {"term": {"script": {"value": "a field may be called so"}}},
    {"terms": {"type": ["temperature", "position"], "boost": 1}},
    {"range": {"values.temperature": {"gte": 20, "lt": "30"}}},
    {"ids": {"values": ["a"]}},
    {"query_string": {"query": "type:temp* AND values.temperature:>20"}},
    {"bool": {"filter": {"match_all": {}}, "must": [], "must_not": [{"exists": {"field": "a"}}], "should": [],
              "minimum_should_match": 0, "boost": 1, "_name": "x"}},
    {"boosting": {"positive": {"match_all": {}}, "negative": {"match_none": {}}, "negative_boost": 0.5}},
    {"constant_score": {"filter": {"match_all": {}}, "boost": 1}},
    {"dis_max": {"queries": [{"match_all": {}}], "tie_breaker": 0.1}},
    {"function_score": {"query": {"match_all": {}}, "min_score": 1, "boost_mode": "sum", "functions": [
        {"filter": {"match_all": {}}, "weight": 2}, {"gauss": {"at": {"origin": 0, "scale": 1}}}]}},
    {"nested": {"path": "groups", "query": {"term": {"groups.id": "a"}}, "ignore_unmapped": True}},
    {"pinned": {"ids": ["a"], "organic": {"match_all": {}}}},
    {"knn": {"field": "v", "query_vector": [1, 2], "k": 3, "filter": [{"match_all": {}}]}},
    {"terms_set": {"tags": {"terms": ["a"], "minimum_should_match": 1, "minimum_should_match_field": "n"}}},
    {"geo_shape": {"place": {"shape": {"type": "point", "coordinates": [1, 2]}, "relation": "intersects"},
                   "ignore_unmapped": True}},
    {"more_like_this": {"fields": ["a"], "like": ["text", {"_id": "1"}, {"doc": {"a": "b"}}], "unlike": "text"}},
    {"intervals": {"text": {"all_of": {"ordered": True, "intervals": [
        {"match": {"query": "a", "filter": {"not_containing": {"prefix": {"prefix": "b"}}}}},
        {"any_of": {"intervals": [{"wildcard": {"pattern": "c*"}}]}}]}}}},
    {"span_near": {"clauses": [{"span_term": {"a": "b"}}, {"span_gap": {"a": 2}}], "slop": 1, "in_order": True}},
    {"span_multi": {"match": {"prefix": {"a": "b"}}}},
    {"span_first": {"match": {"span_term": {"a": "b"}}, "end": 3}},
    {"span_or": {"clauses": [{"span_term": {"a": "b"}}]}},
    {"span_not": {"include": {"span_term": {"a": "b"}}, "exclude": {"span_term": {"a": "c"}}, "pre": 1}},
    {"span_containing": {"big": {"span_term": {"a": "b"}}, "little": {"span_term": {"a": "c"}}}},
    {"span_within": {"big": {"span_term": {"a": "b"}}, "little": {"span_term": {"a": "c"}}}},
    {"span_field_masking": {"query": {"span_term": {"a": "b"}}, "field": "c"}},
]  # fmt: skip

SCRIPT: JSON = {"script": {"script": "true"}}

#: A query, and the path of what is refused in it.
REFUSED: list[tuple[JSON, str]] = [
    (SCRIPT, "query.script"),
    ({"bool": {"filter": [{"match_all": {}}, SCRIPT]}}, "query.bool.filter[1].script"),
    ({"bool": {"must_not": SCRIPT}}, "query.bool.must_not.script"),
    ({"bool": {"must": [{"bool": {"should": [SCRIPT]}}]}}, "query.bool.must[0].bool.should[0].script"),
    ({"boosting": {"negative": SCRIPT}}, "query.boosting.negative.script"),
    ({"constant_score": {"filter": SCRIPT}}, "query.constant_score.filter.script"),
    ({"dis_max": {"queries": [SCRIPT]}}, "query.dis_max.queries[0].script"),
    ({"function_score": {"query": SCRIPT}}, "query.function_score.query.script"),
    ({"function_score": {"script_score": {}}}, "query.function_score.script_score"),
    ({"function_score": {"functions": [{"script_score": {}}]}}, "query.function_score.functions[0].script_score"),
    ({"function_score": {"functions": [{"filter": SCRIPT}]}}, "query.function_score.functions[0].filter.script"),
    ({"script_score": {"query": {"match_all": {}}, "script": "1"}}, "query.script_score"),
    ({"nested": {"path": "a", "query": SCRIPT}}, "query.nested.query.script"),
    ({"nested": {"path": "a", "query": {"match_all": {}}, "inner_hits": {"script_fields": {}}}},
     "query.nested.inner_hits"),
    ({"pinned": {"organic": SCRIPT}}, "query.pinned.organic.script"),
    ({"knn": {"field": "v", "filter": SCRIPT}}, "query.knn.filter.script"),
    ({"knn": {"field": "v", "query_vector_builder": {"lookup": {"index": "i"}}}}, "query.knn.query_vector_builder"),
    ({"knn": {"field": "v", "query_vector_builder": {"text_embedding": {"model_id": "m", "model_text": "t"}}}},
     "query.knn.query_vector_builder"),
    ({"bool": "no object"}, "query.bool"),
    ({"intervals": "no object"}, "query.intervals"),
    ({"terms_set": {"tags": {"minimum_should_match_script": "1"}}},
     "query.terms_set.tags.minimum_should_match_script"),
    ({"intervals": {"t": {"match": {"query": "a", "filter": {"script": {"source": "1"}}}}}},
     "query.intervals.t.match.filter.script"),
    ({"intervals": {"t": {"all_of": {"intervals": [{"any_of": {"filter": SCRIPT}}]}}}},
     "query.intervals.t.all_of.intervals[0].any_of.filter.script"),
    ({"span_multi": {"match": SCRIPT}}, "query.span_multi.match.script"),
    ({"span_not": {"exclude": SCRIPT}}, "query.span_not.exclude.script"),
    ({"terms": {"type": {"index": "other", "id": "1", "path": "types"}}}, "query.terms.type"),
    ({"geo_shape": {"place": {"indexed_shape": {"index": "other", "id": "1"}}}}, "query.geo_shape.place.indexed_shape"),
    ({"shape": {"place": {"indexed_shape": {"index": "other", "id": "1"}}}}, "query.shape.place.indexed_shape"),
    ({"more_like_this": {"like": [{"_index": "other", "_id": "1"}]}}, "query.more_like_this.like[0]._index"),
    ({"more_like_this": {"unlike": {"_index": "other", "doc": {}}}}, "query.more_like_this.unlike._index"),
    ({"more_like_this": {"ids": ["1"]}}, "query.more_like_this.ids"),
    ({"percolate": {"field": "query", "document": {}}}, "query.percolate"),
    ({"has_child": {"type": "a", "query": {"match_all": {}}}}, "query.has_child"),
    ({"has_parent": {"parent_type": "a", "query": {"match_all": {}}}}, "query.has_parent"),
    ({"parent_id": {"type": "a", "id": "1"}}, "query.parent_id"),
    ({"rule": {"ruleset_ids": ["r"], "organic": {"match_all": {}}}}, "query.rule"),
    ({"wrapper": {"query": "eyJzY3JpcHQiOnt9fQ=="}}, "query.wrapper"),
    ({"no_such_query": {}}, "query.no_such_query"),
    ({"equals": {"type": "temperature"}}, "query.equals"),
    ({"bool": {"mustNot": SCRIPT}}, "query.bool.mustNot"),
    ({"bool": {"filter": [{}]}}, "query.bool.filter[0]"),
    ({"bool": {"filter": ["text"]}}, "query.bool.filter[0]"),
    ({"bool": {"filter": [[SCRIPT]]}}, "query.bool.filter[0]"),
    ({"constant_score": {"filter": None}}, "query.constant_score.filter"),
    ({"term": {"a": "b"}, "script": {}}, "query"),
]  # fmt: skip


@pytest.mark.parametrize("query", TAKEN)
def test_taken(query: JSON) -> None:
    """Elasticsearch may still refuse it."""
    check(query)


@pytest.mark.parametrize(("query", "path"), REFUSED)
def test_refused(query: JSON, path: str) -> None:
    """Scripts, other indices, and what nobody knows: with its path."""
    with pytest.raises(InvalidFilter) as error:
        check(query)
    assert error.value.argument == path


def test_the_keyword_and_the_reason() -> None:
    """An error says what it is about, and what would be right."""
    with pytest.raises(InvalidFilter) as error:
        check({"bool": {"filter": [{"terms_set": {"tags": {"minimum_should_match_script": "1"}}}]}})
    assert error.value.props == {
        "argument": "query.bool.filter[0].terms_set.tags.minimum_should_match_script",
        "keyword": "minimum_should_match_script",
        "reason": "scripts are not taken: use minimum_should_match or minimum_should_match_field.",
    }


def test_too_many_clauses() -> None:
    """Up to the limit; the first beyond it is named."""
    check({"bool": {"should": [{"match_all": {}}] * (MOST_CLAUSES - 1)}})
    with pytest.raises(InvalidFilter, match="more than 1000 clauses") as error:
        check({"bool": {"should": [{"match_all": {}}] * 100_000}})
    assert error.value.argument == f"query.bool.should[{MOST_CLAUSES - 1}]"


def nested(levels: int) -> JSON:
    query: JSON = {"match_all": {}}
    for _ in range(levels):
        query = {"bool": {"filter": [query]}}
    return query


def test_too_deep() -> None:
    """Far beyond what Python could follow; Elasticsearch itself takes 29 levels."""
    check(nested(MOST_NESTED // 3 - 1))
    for levels in (MOST_NESTED // 3, 30_000):
        with pytest.raises(InvalidFilter, match="nested more than 120 levels deep"):
            check(nested(levels))
