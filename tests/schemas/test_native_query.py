"""Queries of Elasticsearch: what is taken, and where in a query lies what is not."""

from typing import Any

import pytest

from schemas.native_query import MOST_CLAUSES, MOST_NESTED, check
from services.errors import InvalidFilter

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

#: Every option of a clause by field, and of some others, with a value that is taken.
TAKEN += [
    {"term": {"a": {"value": "b", "case_insensitive": True, "boost": 2, "_name": "n"}}},
    {"range": {"a": {"gt": 1, "lte": "5", "format": "epoch_millis", "time_zone": "+01:00", "relation": "within",
                     "boost": 1.5}}},
    {"range": {"a": {"from": 1, "to": None, "include_lower": True, "include_upper": "false"}}},
    {"prefix": {"a": {"value": "b", "case_insensitive": True, "rewrite": "constant_score"}}},
    {"wildcard": {"a": {"wildcard": "b*", "case_insensitive": False, "rewrite": "constant_score_blended"}}},
    {"regexp": {"a": {"value": "b.*", "flags": "COMPLEMENT|EMPTY", "case_insensitive": True,
                      "max_determinized_states": 10_000}}},
    {"regexp": {"a": {"value": "a&b", "flags": "NONE"}}},
    {"regexp": {"a": "[0-9a-f]{32}(-[0-9]{1,3})?"}},
    {"fuzzy": {"a": {"value": "b", "fuzziness": "AUTO:3,6", "prefix_length": 1, "max_expansions": 50,
                     "transpositions": True}}},
    {"match": {"a": "some words"}},
    {"match": {"a": {"query": 5, "operator": "AND", "fuzziness": 1, "max_expansions": 10, "lenient": True,
                     "minimum_should_match": "2<75%", "zero_terms_query": "all", "analyzer": "standard"}}},
    {"match_phrase": {"a": {"query": "some words", "slop": 3}}},
    {"multi_match": {"query": "x", "fields": ["a^2", "b.*"], "type": "cross_fields", "tie_breaker": 0.3}},
    {"query_string": {"query": r'a\/b AND "c/d" AND e:[1 TO 5} AND (f* OR g~1)', "default_field": "a",
                      "default_operator": "and", "analyze_wildcard": True, "max_determinized_states": "10000"}},
    {"query_string": {"query": "do it now", "fields": ["a"]}},
    {"simple_query_string": {"query": "a* + b~1 | (c)", "fields": ["a"], "flags": "OR|AND|PREFIX"}},
    {"geo_distance": {"place": {"lat": 1, "lon": 2}, "distance": "3km", "distance_type": "plane"}},
    {"geo_bounding_box": {"place": {"top_left": [1, 2], "bottom_right": "3,4"}, "validation_method": "STRICT"}},
    {"geo_polygon": {"place": {"points": [[1, 2], {"lat": 3, "lon": 4}, "spfb0"]}}},
    {"function_score": {"random_score": {}}},
    {"function_score": {"random_score": {"seed": 5, "field": "_seq_no"}, "min_score": 0.5}},
    {"function_score": {"exp": {"measuredAt": {"origin": "now", "scale": "1d"}}}},
    {"rank_feature": {"field": "rank", "saturation": {"pivot": 8}}},
    {"sparse_vector": {"field": "v", "query_vector": {"token": 0.5}, "prune": True}},
    {"distance_feature": {"field": "measuredAt", "origin": "now", "pivot": "1h"}},
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


#: What is allowed, with an option that is unknown or beyond its bounds; and where.
BEYOND: list[tuple[JSON, str]] = [
    ({"regexp": {"a": {"value": "b", "max_determinized_states": 10_001}}}, "query.regexp.a.max_determinized_states"),
    ({"regexp": {"a": {"value": "b", "max_determinized_states": 2147483647}}},
     "query.regexp.a.max_determinized_states"),
    ({"regexp": {"a": {"value": "b", "max_determinized_states": "2147483647"}}},
     "query.regexp.a.max_determinized_states"),
    ({"regexp": {"a": {"value": "b", "max_determinized_states": True}}}, "query.regexp.a.max_determinized_states"),
    ({"regexp": {"a": {"value": "b", "max_determinized_states": float("inf")}}},
     "query.regexp.a.max_determinized_states"),
    ({"regexp": {"a": {"value": "b", "maxDeterminizedStates": 5}}}, "query.regexp.a.maxDeterminizedStates"),
    ({"regexp": {"a": {"value": "b" * 1001}}}, "query.regexp.a.value"),
    ({"regexp": {"a": "b" * 1001}}, "query.regexp.a"),
    ({"regexp": {"a": "(a?){3000}"}}, "query.regexp.a"),
    ({"regexp": {"a": "((a?){20}){20}"}}, "query.regexp.a"),
    ({"regexp": {"a": "(a?){0000000301}"}}, "query.regexp.a"),
    ({"regexp": {"a": "(a|){301}"}}, "query.regexp.a"),
    ({"regexp": {"a": '(a|""){301}'}}, "query.regexp.a"),
    ({"regexp": {"a": "(()){301}"}}, "query.regexp.a"),
    ({"regexp": {"a": "@{301}"}}, "query.regexp.a"),
    ({"regexp": {"a": "(~a){301}"}}, "query.regexp.a"),
    ({"regexp": {"a": "a{2001}"}}, "query.regexp.a"),
    ({"regexp": {"a": "a{5,}{500}"}}, "query.regexp.a"),
    ({"regexp": {"a": "a{9999999999999999999999}"}}, "query.regexp.a"),
    ({"regexp": {"a": "a{x"}}, "query.regexp.a"),
    ({"regexp": {"a": ".*a.{9}&.*b.{9}"}}, "query.regexp.a"),
    ({"regexp": {"a": {"value": "a&b", "flags": "INTERSECTION"}}}, "query.regexp.a"),
    ({"regexp": {"a": {"value": "a&b", "flags_value": 1}}}, "query.regexp.a"),
    ({"regexp": {"a": "(" * 21 + "a" + ")" * 21}}, "query.regexp.a"),
    ({"regexp": {"a": {"value": "b", "rewrite": "scoring_boolean"}}}, "query.regexp.a.rewrite"),
    ({"prefix": {"a": {"value": "b", "rewrite": "top_terms_1000000"}}}, "query.prefix.a.rewrite"),
    ({"prefix": {"a": "b" * 1001}}, "query.prefix.a"),
    ({"wildcard": {"a": {"value": "*" * 1001}}}, "query.wildcard.a.value"),
    ({"bool": {"should": [{"wildcard": {"a": "*a??????????????"}}] * 3}}, "query.bool.should[2].wildcard.a"),
    ({"fuzzy": {"a": {"value": "b", "max_expansions": 51}}}, "query.fuzzy.a.max_expansions"),
    ({"fuzzy": {"a": {"value": "b", "fuzziness": 3}}}, "query.fuzzy.a.fuzziness"),
    ({"fuzzy": {"a": {"value": "b" * 2001}}}, "query.fuzzy.a"),
    ({"match": {"a": {"query": "b", "max_expansions": 2147483647}}}, "query.match.a.max_expansions"),
    ({"match": {"a": {"query": "b", "fuzzy_rewrite": "scoring_boolean"}}}, "query.match.a.fuzzy_rewrite"),
    ({"match": {"a": {"query": "b", "cutoff_frequency": 1}}}, "query.match.a.cutoff_frequency"),
    ({"match": {"a": "b" * 10_001}}, "query.match.a"),
    ({"match": {"a": {"query": "b c " * 600, "fuzziness": 2}}}, "query.match.a"),
    ({"match": {"a": "b", "c": "d"}}, "query.match"),
    ({"match": {"x" * 1001: "b"}}, "query.match." + "x" * 100 + "…"),
    ({"match_phrase": {"a": {"query": "b", "slop": 10_001}}}, "query.match_phrase.a.slop"),
    ({"match_phrase_prefix": {"a": {"query": "b", "max_expansions": 51}}},
     "query.match_phrase_prefix.a.max_expansions"),
    ({"multi_match": {"query": "b " * 201}}, "query.multi_match"),
    ({"multi_match": {"query": "b", "fields": ["a"] * 101}}, "query.multi_match.fields"),
    ({"term": {"a": {"value": "b", "boost": float("nan")}}}, "query.term.a.boost"),
    ({"term": {"a": {"value": "b", "boost": "high"}}}, "query.term.a.boost"),
    ({"term": {"a": ["b"]}}, "query.term.a"),
    ({"term": {"a": {"value": {"b": "c"}}}}, "query.term.a.value"),
    ({"term": {"a": {"value": float("inf")}}}, "query.term.a.value"),
    ({"term": {"a": "b" * 10_001}}, "query.term.a"),
    ({"terms": {"a": ["b"] * 10_001}}, "query.terms.a"),
    ({"terms": {"a": [["b"]]}}, "query.terms.a[0]"),
    ({"bool": {"should": [{"terms": {"a": ["b"] * 5_001}}, {"ids": {"values": ["b"] * 5_000}}]}},
     "query.bool.should[1].ids.values"),
    ({"range": {"a": {"gte": 1, "script": "x"}}}, "query.range.a.script"),
    ({"range": {"a": {"gte": {}}}}, "query.range.a.gte"),
    ({"query_string": {"query": "/.*(R|m).{24}/", "max_determinized_states": 2147483647}},
     "query.query_string.max_determinized_states"),
    ({"query_string": {"query": "a:/.*(R|m).{24}/"}}, "query.query_string.query"),
    ({"query_string": {"query": '[a"b TO c] /x/ [d"e TO f]'}}, "query.query_string.query"),
    ({"query_string": {"query": "[a TO \\] /x/ [b TO c]"}}, "query.query_string.query"),
    ({"query_string": {"query": 'a\\" /x/ "'}}, "query.query_string.query"),
    ({"query_string": {"query": "(" * 21 + "a" + ")" * 21}}, "query.query_string.query"),
    ({"query_string": {"query": "*a??????????????"}}, "query.query_string"),
    ({"query_string": {"query": "a" * 10_001}}, "query.query_string.query"),
    ({"query_string": {"query": "measuredAt:[now-1h TO now]"}}, "query.query_string.query"),
    ({"query_string": {"query": "measuredAt:>now-1h"}}, "query.query_string.query"),
    ({"query_string": {"query": "measuredAt:now\\/d"}}, "query.query_string.query"),
    ({"query_string": {"query": "a", "rewrite": "top_terms_10000"}}, "query.query_string.rewrite"),
    ({"simple_query_string": {"query": "(" * 21 + "a"}}, "query.simple_query_string.query"),
    ({"simple_query_string": {"query": "b " * 201}}, "query.simple_query_string"),
    ({"term": {"measuredAt": "now-1d/d"}}, "query.term.measuredAt"),
    ({"terms": {"measuredAt": ["now/d"]}}, "query.terms.measuredAt"),
    ({"match": {"measuredAt": "now/d"}}, "query.match.measuredAt"),
    ({"range": {"measuredAt": {"gte": 5, "lte": "now"}}}, "query.range.measuredAt.gte"),
    ({"function_score": {"random_score": {}, "min_score": 0.5}}, "query.function_score.random_score"),
    ({"function_score": {"random_score": {"seed": 5}, "min_score": 0}}, "query.function_score.random_score"),
    ({"function_score": {"functions": [{"random_score": {"field": "a"}}], "min_score": 0.5}},
     "query.function_score.functions[0].random_score"),
    ({"function_score": {"min_score": 1, "query": {"bool": {"must": [{"function_score": {"random_score": {}}}]}}}},
     "query.function_score.query.bool.must[0].function_score.random_score"),
    ({"function_score": {"min_score": 1, "gauss": {"measuredAt": {"origin": "now-1d", "scale": "1d"}}}},
     "query.function_score.gauss.measuredAt.origin"),
    ({"function_score": {"min_score": 1, "query": {"knn": {"field": "v", "query_vector": [1]}}}},
     "query.function_score.query.knn"),
    ({"knn": {"field": "v", "query_vector": [1], "num_candidates": 10_001}}, "query.knn.num_candidates"),
    ({"knn": {"field": "v", "query_vector": [1], "k": 10_001}}, "query.knn.k"),
    ({"knn": {"field": "v", "query_vector": [1] * 10_001}}, "query.knn.query_vector"),
    ({"geo_polygon": {"p": {"points": [[0, 0]] * 10_001}}}, "query.geo_polygon.p.points"),
    ({"geo_polygon": {"p": {"points": ["b" * 201]}}}, "query.geo_polygon.p.points[0]"),
    ({"geo_shape": {"p": {"shape": {"type": "linestring", "coordinates": [[0, 0]] * 5_001}}}},
     "query.geo_shape.p.shape.coordinates[4999]"),
    ({"geo_shape": {"p": {"shape": "LINESTRING (" + "0 0," * 10_000 + "0 0)"}}}, "query.geo_shape.p.shape"),
    ({"more_like_this": {"like": [{"_id": "1", "routing": "r"}]}}, "query.more_like_this.like[0].routing"),
    ({"more_like_this": {"like": ["b " * 4999] * 2, "fields": ["a", "c", "d"]}}, "query.more_like_this"),
    ({"sparse_vector": {"field": "v", "inference_id": "i", "query": "q"}}, "query.sparse_vector.inference_id"),
    ({"semantic": {"field": "v", "query": "q"}}, "query.semantic"),
    ({"intervals": {"t": {"any_of": {"intervals": [{"prefix": {"prefix": "a"}}] * 3}}}},
     "query.intervals.t.any_of.intervals[2].prefix"),
    ({"span_or": {"clauses": [{"span_multi": {"match": {"prefix": {"a": "b"}}}}] * 3}},
     "query.span_or.clauses[2].span_multi"),
    ({"bool": {"minimum_should_match": "1" * 201, "should": []}}, "query.bool.minimum_should_match"),
    ({"nested": {"path": "a", "score_mode": "most", "query": {"match_all": {}}}}, "query.nested.score_mode"),
    ({"exists": {"field": "a", "of": "b"}}, "query.exists.of"),
    ({"match_all": {"norms_field": "a"}}, "query.match_all.norms_field"),
    ({"term": {"a": "\ud800"}}, "query.term.a"),
    ({"term": {"\ud800": "a"}}, "query.term.\\ud800"),
    ({"match_phrase": {"a": {"query": "\ud800"}}}, "query.match_phrase.a.query"),
    ({"query_string": {"query": "\ud800"}}, "query.query_string.query"),
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


@pytest.mark.parametrize(("query", "path"), BEYOND)
def test_options_beyond_their_bounds(query: JSON, path: str) -> None:
    """Each option is on a list, with what it may be; some are bounded together."""
    with pytest.raises(InvalidFilter) as error:
        check(query)
    assert error.value.argument == path


def test_an_unknown_option_names_those_that_are_known() -> None:
    with pytest.raises(InvalidFilter, match=r"is unknown here: _name, boost, field\.$"):
        check({"exists": {"field": "a", "of": "b"}})


def test_what_is_asked_is_what_was_written() -> None:
    """But for what moves, and for a regular expression, which gets a place for what it may take."""
    for query in TAKEN:
        found = check(query)
        assert check(found) == found
        if "now" not in str(query) and "regexp" not in query:
            assert found == query
    assert check({"regexp": {"a": "b"}}) == {"regexp": {"a": {"value": "b"}}}


NOW_MS = 1_718_000_000_123
NOW = "2024-06-10T06:13:20.123Z||"

#: A range, and how it is asked.
RANGES: list[tuple[JSON, JSON]] = [
    ({"gte": "now"}, {"gte": NOW, "format": "strict_date_optional_time"}),
    ({"gt": "now-1d/d", "lte": "now+2M/M", "time_zone": "+02:00"},
     {"gt": f"{NOW}-1d/d", "lte": f"{NOW}+2M/M", "time_zone": "+02:00", "format": "strict_date_optional_time"}),
    ({"from": "now-d", "to": None}, {"from": f"{NOW}-d", "to": None, "format": "strict_date_optional_time"}),
    ({"gte": "2024", "lt": "now/y", "format": "yyyy"},
     {"gte": "2024", "lt": f"{NOW}/y", "format": "strict_date_time||yyyy"}),
    ({"gte": "nowhere"}, {"gte": "nowhere"}),
    ({"gte": "2024-06-10||-1d"}, {"gte": "2024-06-10||-1d"}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "asked"), RANGES)
def test_now_is_the_instant_of_the_request(given: JSON, asked: JSON) -> None:
    """Wherever a range stands; and again, it is what it was."""
    query = {"bool": {"must_not": [{"range": {"measuredAt": given}}]}}
    found = check(query, now_ms=NOW_MS)
    assert found == {"bool": {"must_not": [{"range": {"measuredAt": asked}}]}}
    assert check(found, now_ms=NOW_MS + 1000) == found


def test_regular_expressions_share_what_they_may_take() -> None:
    """Two as Elasticsearch has it; more are told less; and what their caller says counts."""
    two: JSON = {"bool": {"filter": [{"regexp": {"a": "b"}}, {"regexp": {"a": {"value": "c"}}}]}}
    assert check(two) == {"bool": {"filter": [
        {"regexp": {"a": {"value": "b", "max_determinized_states": 9_999}}},
        {"regexp": {"a": {"value": "c", "max_determinized_states": 9_999}}},
    ]}}  # fmt: skip
    many = check({"bool": {"filter": [{"regexp": {"a": "b.*"}}] * 100}})
    told = [clause["regexp"]["a"]["max_determinized_states"] for clause in many["bool"]["filter"]]
    assert 190 < min(told) <= max(told) < 200
    assert check(many) == many
    with pytest.raises(InvalidFilter, match="is one large pattern too many"):
        check({"bool": {"filter": [{"regexp": {"a": {"value": "b", "max_determinized_states": 9_000}}}] * 3}})
    with pytest.raises(InvalidFilter, match="is one large pattern too many"):
        check({"bool": {"filter": [{"regexp": {"a": "b"}}] * 201}})


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
