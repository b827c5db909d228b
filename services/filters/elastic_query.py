"""`lang=elasticsearch`: queries of Elasticsearch that may select the rows of an export.

Any, but what runs scripts, and what reads another index than the one exported. The clauses that may be used are
listed, those of 8.19 and 9 with what each may hold, rather than those that may not: a clause that a newer version or
a plugin adds, or a spelling that is accepted and not documented (`mustNot`), hides nothing. What holds no other
query (`term`, `range`, ...) is Elasticsearch's own to judge.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from services.errors import InvalidFilter

#: Objects and arrays within each other; Elasticsearch takes 29 levels of `bool`, of 3 each.
MOST_NESTED = 120

MOST_CLAUSES = 1000

#: A clause that is never taken, and why.
REFUSED: Mapping[str, str] = {
    "script": "scripts are not taken.",
    "script_score": "scripts are not taken.",
    "minimum_should_match_script": "scripts are not taken: use minimum_should_match or minimum_should_match_field.",
    "percolate": "reads queries that are stored: write them here.",
    "rule": "reads rules of another index.",
    "rule_query": "reads rules of another index.",
    "has_child": "joins documents: an export has measures only.",
    "has_parent": "joins documents: an export has measures only.",
    "parent_id": "joins documents: an export has measures only.",
    "indexed_shape": "reads another document: write its shape here.",
    "inner_hits": "an export has rows, and nothing beside them.",
    "wrapper": "hides a query: write it as it is.",
}


def check(query: Mapping[str, Any]) -> None:
    """`{}` is every document. Raises `InvalidFilter` with the path of the clause."""
    shallow(query)
    if query:
        Walk().clause(query, "query")


def shallow(query: Any) -> None:
    """Not by recursion: how deep it goes is what is not known."""
    level, depth = [query], 0
    while level:
        if depth > MOST_NESTED:
            raise InvalidFilter("query", None, f"is nested more than {MOST_NESTED} levels deep.")
        level = [held for value in level for held in contents(value) if isinstance(held, list | dict)]
        depth += 1


def contents(value: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


class Walk:
    """Counts the clauses of one query."""

    def __init__(self) -> None:
        self._clauses = 0

    def clause(self, value: Any, path: str) -> None:
        self._clauses += 1
        if self._clauses > MOST_CLAUSES:
            raise InvalidFilter(path, None, f"the query has more than {MOST_CLAUSES} clauses.")
        if not isinstance(value, Mapping) or len(value) != 1:
            raise InvalidFilter(path, None, "must be an object with one query of Elasticsearch as its only key.")
        for name, argument in value.items():
            judge = shape(CLAUSES, name, path, "is no query of Elasticsearch that exports take.")
            judge(self, argument, at(path, name))


Shape = Callable[[Walk, Any, str], None]


def at(path: str, name: str) -> str:
    return f"{path}.{name}"


def shape(shapes: Mapping[str, Shape], name: str, path: str, unknown: str) -> Shape:
    """Raises `InvalidFilter`."""
    if name in shapes:
        return shapes[name]
    raise InvalidFilter(at(path, name), name, REFUSED.get(name, unknown))


def anything(walk: Walk, value: Any, path: str) -> None:
    """Holds no query."""


def one(walk: Walk, value: Any, path: str) -> None:
    """A query."""
    walk.clause(value, path)


def each(item: Shape) -> Shape:
    """One, or an array of them."""

    def judge(walk: Walk, value: Any, path: str) -> None:
        if not isinstance(value, list):
            return item(walk, value, path)
        for number, held in enumerate(value):
            item(walk, held, f"{path}[{number}]")
        return None

    return judge


def parts(plain: str = "", **shapes: Shape) -> Shape:
    """An object with these keys only. `plain`: those that hold no query."""
    known = dict.fromkeys(["boost", "_name", *plain.split()], anything) | shapes

    def judge(walk: Walk, value: Any, path: str) -> None:
        if not isinstance(value, Mapping):
            return
        for name, held in value.items():
            shape(known, name, path, f"is unknown here: {', '.join(sorted(known))}.")(walk, held, at(path, name))

    return judge


def fields(argument: Shape) -> Shape:
    """An object with fields as its keys, each with an argument of this shape; and options, which are scalars."""

    def judge(walk: Walk, value: Any, path: str) -> None:
        if not isinstance(value, Mapping):
            return
        for name, held in value.items():
            argument(walk, held, at(path, name))

    return judge


def terms(walk: Walk, value: Any, path: str) -> None:
    if isinstance(value, Mapping):
        raise InvalidFilter(path, "terms", "reads the terms of another document: write them here, as an array.")


def like(walk: Walk, value: Any, path: str) -> None:
    """A text, or a document: of the same index, or written here."""
    if isinstance(value, Mapping) and "_index" in value:
        raise InvalidFilter(at(path, "_index"), "more_like_this", "reads a document of another index.")
    parts("_id doc fields per_field_analyzer routing version version_type")(walk, value, path)


def rule(walk: Walk, value: Any, path: str) -> None:
    """Of `intervals`."""
    RULE(walk, value, path)


QUERIES = each(one)
RULES = each(rule)

BETWEEN = parts(
    after=rule, before=rule, contained_by=rule, containing=rule, not_contained_by=rule, not_containing=rule,
    not_overlapping=rule, overlapping=rule,
)  # fmt: skip
RULE = parts(
    "prefix wildcard regexp range fuzzy",
    match=parts("query max_gaps ordered analyzer use_field", filter=BETWEEN),
    all_of=parts("max_gaps ordered", intervals=RULES, filter=BETWEEN),
    any_of=parts(intervals=RULES, filter=BETWEEN),
)

SCORES = "weight random_score field_value_factor gauss linear exp"
SHAPES = fields(parts("shape relation strategy"))
LIKES = each(like)

#: Queries that hold no other.
LEAVES = """
    match_all match_none match match_phrase match_phrase_prefix match_bool_prefix multi_match combined_fields
    query_string simple_query_string term range exists prefix wildcard regexp fuzzy ids
    geo_bounding_box geo_distance geo_polygon geo_grid distance_feature rank_feature
    semantic sparse_vector text_expansion weighted_tokens span_term span_gap
"""

CLAUSES: Mapping[str, Shape] = dict.fromkeys(LEAVES.split(), anything) | {
    "bool": parts(
        "minimum_should_match adjust_pure_negative", must=QUERIES, must_not=QUERIES, should=QUERIES, filter=QUERIES
    ),
    "boosting": parts("negative_boost", positive=one, negative=one),
    "constant_score": parts(filter=one),
    "dis_max": parts("tie_breaker", queries=QUERIES),
    "function_score": parts(
        f"{SCORES} boost_mode score_mode max_boost min_score", query=one, functions=each(parts(SCORES, filter=one))
    ),
    "nested": parts("path score_mode ignore_unmapped", query=one),
    "pinned": parts("ids docs", organic=one),
    "knn": parts(
        "field query_vector k num_candidates similarity rescore_vector",
        filter=QUERIES, query_vector_builder=parts("text_embedding"),
    ),
    "terms": fields(terms),
    "terms_set": fields(parts("terms minimum_should_match minimum_should_match_field")),
    "geo_shape": SHAPES,
    "shape": SHAPES,
    "more_like_this": parts(
        "fields max_query_terms min_term_freq min_doc_freq max_doc_freq min_word_length max_word_length stop_words "
        "analyzer minimum_should_match fail_on_unsupported_field boost_terms include",
        like=LIKES, unlike=LIKES,
    ),
    "intervals": fields(RULE),
    "span_multi": parts(match=one),
    "span_first": parts("end", match=one),
    "span_near": parts("slop in_order", clauses=QUERIES),
    "span_or": parts(clauses=QUERIES),
    "span_not": parts("dist pre post", include=one, exclude=one),
    "span_containing": parts(big=one, little=one),
    "span_within": parts(big=one, little=one),
    "field_masking_span": parts("field", query=one),
    "span_field_masking": parts("field", query=one),
}  # fmt: skip
