"""Keywords of Elasticsearch's query language that callers may mistake for Koncorde's."""

HINT = "ask with lang=elasticsearch for Elasticsearch's queries"

QUERIES = frozenset((
    "boosting", "combined_fields", "constant_score", "dis_max", "distance_feature", "function_score", "fuzzy",
    "geo_bounding_box", "geo_distance", "geo_polygon", "geo_shape", "has_child", "has_parent", "intervals",
    "knn", "match_all", "match_bool_prefix", "match_none", "match_phrase", "match_phrase_prefix",
    "more_like_this", "multi_match", "nested", "parent_id", "percolate", "pinned", "prefix", "query_string",
    "rank_feature", "script", "script_score", "shape", "simple_query_string", "span_near", "span_term",
    "sparse_vector", "term", "terms", "terms_set", "text_expansion", "type", "wildcard", "wrapper",
))  # fmt: skip

OF_BOOL = frozenset(("filter", "minimum_should_match", "boost", "_name"))
