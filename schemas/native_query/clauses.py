"""The clauses of Elasticsearch's queries that exports take, the options of each, and what these may be."""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.native_query import costs, dates, limits
from schemas.native_query.options import (
    anything_finite,
    flag,
    fuzziness,
    name,
    names,
    number,
    numbers,
    one_of,
    option,
    or_null,
    point,
    rewrite,
    scalar,
    shape_of_earth,
    should_match,
    text,
    weights,
    whole_number,
)  # fmt: skip
from schemas.native_query.walk import (
    JSON,
    Cost,
    Shape,
    Walk,
    an_object,
    at,
    by_field,
    each,
    find,
    listed,
    parts,
    short,
)  # fmt: skip
from services.errors import InvalidFilter
from services.filters.koncorde.location import Location, check_text


def check(query: Mapping[str, Any], *, now_ms: int = 0) -> JSON:
    """Return the query to ask; `{}` is every document. `now_ms`: what `now` is, epoch milliseconds.

    Raises `InvalidFilter` with the path of what is not taken.
    """
    shallow(query)
    walk = Walk(now_ms)
    judged: JSON = walk_clause(walk, query, "query") if query else {}
    check_text(query, Location())
    walk.finish()
    return judged


#: What JSON is made of, but for scalars.
CONTAINERS = (list, dict)


def shallow(query: Any) -> None:
    """Check how deep a query goes, not by recursion: that depth is what is not known."""
    level, depth = [query], 0
    while level:
        if depth > limits.MOST_NESTED:
            raise InvalidFilter("query", None, f"is nested more than {limits.MOST_NESTED} levels deep.")
        level = [held for value in level for held in contents(value) if held.__class__ in CONTAINERS]
        depth += 1


def contents(value: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def walk_clause(walk: Walk, value: Any, path: str) -> JSON:
    """Return a query: an object with one clause."""
    walk.budget.spend_clause(path)
    if not isinstance(value, Mapping) or len(value) != 1:
        raise InvalidFilter(path, None, "must be an object with one query of Elasticsearch as its only key.")
    ((clause, argument),) = value.items()
    judge = find(CLAUSES, clause, path, "is no query of Elasticsearch that exports take.")
    return {clause: judge(walk, argument, at(path, clause))}


def rule(walk: Walk, value: Any, path: str) -> JSON:
    """Return a rule of `intervals`: an object with one rule."""
    walk.budget.spend_clause(path)
    judged: JSON = RULE(walk, value, path)
    return judged


def own(cost: Cost | None = None, /, **options: Shape) -> Shape:
    """Return the shape of a clause's options; all have these two."""
    return parts(cost, boost=anything_finite, _name=option, **options)


def of_field(argument: Shape, **options: Shape) -> Shape:
    """Return the shape of a clause by field, with options beside; all have these two."""
    return by_field(argument, boost=anything_finite, _name=option, **options)


def terms(walk: Walk, value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        raise InvalidFilter(path, "terms", "reads the terms of another document: write them here, as an array.")
    judged = listed(or_null(scalar))(walk, value, path)
    costs.terms(walk, judged, path)
    return judged


def like(walk: Walk, value: Any, path: str) -> Any:
    """Return a text, or a document: of the same index, or written here."""
    if isinstance(value, str):
        return sentence(walk, value, path)
    if isinstance(value, Mapping) and "_index" in value:
        raise InvalidFilter(at(path, "_index"), "more_like_this", "reads a document of another index.")
    return LIKE(walk, value, path)


def document(walk: Walk, value: Any, path: str) -> Any:
    """Return a document that is written in a query, of a few values."""
    for field, held in an_object(value, path).items():
        listed(or_null(scalar))(walk, held, at(path, field))
    return value


def function_score(walk: Walk, value: Any, path: str) -> Any:
    """Return a `function_score`. Its `min_score` goes by all that is within."""
    with walk.scoring(isinstance(value, Mapping) and value.get("min_score") is not None):
        return FUNCTION_SCORE(walk, value, path)


QUERIES = each(walk_clause)
RULES = each(rule)

pattern, sentence, value = text(limits.LONGEST_PATTERN), text(limits.LONGEST_TEXT), scalar
expansions = whole_number(1, limits.MOST_EXPANSIONS, ", Elasticsearch's default")
states = whole_number(1, limits.MOST_STATES, ", Elasticsearch's default")
length = whole_number(0, limits.LONGEST_VALUE)
slop = whole_number(0, limits.MOST_SLOP)
few = whole_number(0, 2**31 - 1)
operator = one_of("and", "or")
zero_terms = one_of("none", "all")
validation = one_of("strict", "ignore_malformed", "coerce")
match_type = one_of("best_fields", "boolean", "most_fields", "cross_fields", "phrase", "phrase_prefix", "bool_prefix")
mode = one_of("min", "max", "avg", "sum", "median")
relation = one_of("intersects", "disjoint", "within", "contains")

FUZZY: Mapping[str, Shape] = {
    "fuzziness": fuzziness, "prefix_length": length, "max_expansions": expansions, "fuzzy_transpositions": flag,
    "fuzzy_rewrite": rewrite,
}  # fmt: skip
FUZZY_WORDS: Mapping[str, Shape] = {
    "fuzzy_max_expansions": expansions, "fuzzy_prefix_length": length, "fuzzy_transpositions": flag,
}  # fmt: skip
WORDS: Mapping[str, Shape] = {
    "query": scalar, "operator": operator, "analyzer": option, "lenient": flag, "zero_terms_query": zero_terms,
    "minimum_should_match": should_match, "auto_generate_synonyms_phrase_query": flag,
}  # fmt: skip
PHRASE: Mapping[str, Shape] = {"query": scalar, "analyzer": option, "slop": slop, "zero_terms_query": zero_terms}

BETWEEN = parts(
    after=rule, before=rule, contained_by=rule, containing=rule, not_contained_by=rule, not_containing=rule,
    not_overlapping=rule, overlapping=rule,
)  # fmt: skip
ANALYSED: Mapping[str, Shape] = {"analyzer": option, "use_field": name}
GAPS: Mapping[str, Shape] = {"max_gaps": whole_number(-1, limits.MOST_SLOP), "ordered": flag, "filter": BETWEEN}
RULE = own(
    match=parts(costs.match, query=sentence, **GAPS, **ANALYSED),
    all_of=parts(intervals=RULES, **GAPS),
    any_of=parts(intervals=RULES, filter=BETWEEN),
    prefix=parts(costs.expanded, prefix=pattern, **ANALYSED),
    wildcard=parts(costs.expanded_wildcard, pattern=pattern, **ANALYSED),
    regexp=parts(costs.expanded_regexp, pattern=pattern, **ANALYSED),
    range=parts(costs.expanded, gt=value, gte=value, lt=value, lte=value, **ANALYSED),
    fuzzy=parts(
        costs.expanded, term=pattern, fuzziness=fuzziness, prefix_length=length, transpositions=flag, **ANALYSED
    ),
)

DECAY = by_field(
    parts(dates.origin, origin=point, scale=value, offset=value, decay=number(0, 1)), multi_value_mode=mode
)
SCORES: Mapping[str, Shape] = {
    "weight": anything_finite,
    "random_score": parts(costs.random_score, seed=value, field=name),
    "field_value_factor": parts(
        field=name, factor=anything_finite, missing=anything_finite,
        modifier=one_of("none", "log", "log1p", "log2p", "ln", "ln1p", "ln2p", "square", "sqrt", "reciprocal"),
    ),
    "gauss": DECAY, "linear": DECAY, "exp": DECAY,
}  # fmt: skip
FUNCTION_SCORE = own(
    query=walk_clause,
    functions=each(parts(filter=walk_clause, **SCORES)),
    boost_mode=one_of("multiply", "replace", "sum", "avg", "max", "min"),
    score_mode=one_of("multiply", "sum", "avg", "first", "max", "min"),
    max_boost=anything_finite,
    min_score=or_null(anything_finite),
    **SCORES,
)

LIKE = parts(_id=option, doc=document, fields=names)
LIKES = each(like)
SHAPES = of_field(parts(shape=shape_of_earth, relation=relation, strategy=option), ignore_unmapped=flag)
RANGE = own(
    dates.fixed, gt=or_null(value), gte=or_null(value), lt=or_null(value), lte=or_null(value), include_lower=flag,
    include_upper=flag, format=option, time_zone=option, relation=relation, **{"from": or_null(value)},
    to=or_null(value),
)  # fmt: skip
BOX = parts(
    top_left=point, bottom_right=point, top_right=point, bottom_left=point, top=anything_finite,
    left=anything_finite, bottom=anything_finite, right=anything_finite, wkt=option,
)  # fmt: skip
SPAN_TERM = short(value, "value", own(costs.term, value=value, term=value))
PRUNING = parts(
    tokens_freq_ratio_threshold=anything_finite, tokens_weight_threshold=anything_finite,
    only_score_pruned_tokens=flag,
)  # fmt: skip
PRUNED: Mapping[str, Shape] = {"prune": flag, "pruning_config": PRUNING}

CLAUSES: Mapping[str, Shape] = {
    # queries of queries
    "bool": own(
        must=QUERIES, must_not=QUERIES, should=QUERIES, filter=QUERIES, minimum_should_match=should_match,
        adjust_pure_negative=flag,
    ),
    "boosting": own(positive=walk_clause, negative=walk_clause, negative_boost=anything_finite),
    "constant_score": own(filter=walk_clause),
    "dis_max": own(queries=QUERIES, tie_breaker=anything_finite),
    "function_score": function_score,
    "nested": own(path=name, query=walk_clause, score_mode=one_of("avg", "max", "min", "none", "sum"),
                  ignore_unmapped=flag),
    "pinned": own(ids=listed(option), docs=listed(parts(_id=option)), organic=walk_clause),
    # all and none
    "match_all": own(),
    "match_none": own(),
    # terms
    "term": of_field(short(value, "value", own(costs.term, value=value, term=value, case_insensitive=flag))),
    "terms": of_field(terms),
    "terms_set": of_field(own(terms=terms, minimum_should_match=should_match, minimum_should_match_field=name)),
    "ids": own(values=listed(option)),
    "exists": own(field=name),
    "range": of_field(RANGE),
    "prefix": of_field(short(pattern, "value", own(
        costs.prefix, value=pattern, prefix=pattern, case_insensitive=flag, rewrite=rewrite))),
    "wildcard": of_field(short(pattern, "value", own(
        costs.wildcard, value=pattern, wildcard=pattern, case_insensitive=flag, rewrite=rewrite))),
    "regexp": of_field(short(pattern, "value", own(
        costs.regexp, value=pattern, flags=option, flags_value=whole_number(0, 2**16), case_insensitive=flag,
        max_determinized_states=states, rewrite=rewrite), kept=False)),
    "fuzzy": of_field(short(value, "value", own(
        costs.fuzzy_term, value=value, term=value, fuzziness=fuzziness, prefix_length=length,
        max_expansions=expansions, transpositions=flag, rewrite=rewrite))),
    # texts
    "match": of_field(short(value, "query", own(costs.match, **WORDS, **FUZZY))),
    "match_bool_prefix": of_field(short(value, "query", own(costs.match, **WORDS, **FUZZY))),
    "match_phrase": of_field(short(value, "query", own(costs.match, **PHRASE))),
    "match_phrase_prefix": of_field(short(value, "query", own(costs.match, **PHRASE, max_expansions=expansions))),
    "multi_match": own(
        costs.multi_match, **WORDS, **FUZZY, fields=names, type=match_type, slop=slop, tie_breaker=anything_finite),
    "combined_fields": own(
        costs.multi_match, query=value, fields=names, operator=operator, minimum_should_match=should_match,
        zero_terms_query=zero_terms, auto_generate_synonyms_phrase_query=flag),
    "query_string": own(
        costs.query_string, query=sentence, fields=names, default_field=name, default_operator=operator,
        analyzer=option, quote_analyzer=option, quote_field_suffix=option, allow_leading_wildcard=flag,
        analyze_wildcard=flag, auto_generate_synonyms_phrase_query=flag, enable_position_increments=flag,
        escape=flag, fuzziness=fuzziness, fuzzy_rewrite=rewrite, **FUZZY_WORDS, lenient=flag,
        max_determinized_states=states, minimum_should_match=should_match, phrase_slop=slop, rewrite=rewrite,
        tie_breaker=anything_finite, time_zone=option, type=match_type),
    "simple_query_string": own(
        costs.simple_query_string, query=sentence, fields=names, default_operator=operator, analyzer=option,
        flags=option, analyze_wildcard=flag, auto_generate_synonyms_phrase_query=flag, **FUZZY_WORDS, lenient=flag,
        minimum_should_match=should_match, quote_field_suffix=option, type=match_type),
    "more_like_this": own(
        costs.more_like_this, like=LIKES, unlike=LIKES, fields=names, max_query_terms=whole_number(1, 1000),
        min_term_freq=few, min_doc_freq=few, max_doc_freq=few, min_word_length=few, max_word_length=few,
        stop_words=listed(option), analyzer=option, minimum_should_match=should_match,
        fail_on_unsupported_field=flag, boost_terms=anything_finite, include=flag),
    "intervals": of_field(rule),
    # places on earth
    "geo_bounding_box": of_field(BOX, validation_method=validation, ignore_unmapped=flag, type=option),
    "geo_distance": of_field(
        point, distance=value, unit=option, distance_type=one_of("arc", "plane"), validation_method=validation,
        ignore_unmapped=flag),
    "geo_polygon": of_field(parts(points=listed(point)), validation_method=validation, ignore_unmapped=flag),
    "geo_grid": of_field(parts(geohash=option, geotile=option, geohex=option), ignore_unmapped=flag),
    "geo_shape": SHAPES,
    "shape": SHAPES,
    # scores and vectors
    "distance_feature": own(dates.origin, field=name, origin=point, pivot=value),
    "rank_feature": own(
        field=name, saturation=parts(pivot=anything_finite), log=parts(scaling_factor=anything_finite),
        sigmoid=parts(pivot=anything_finite, exponent=anything_finite), linear=parts()),
    "knn": own(
        costs.knn, field=name, query_vector=numbers, k=whole_number(1, limits.MOST_CANDIDATES),
        num_candidates=whole_number(1, limits.MOST_CANDIDATES), similarity=anything_finite,
        rescore_vector=parts(oversample=number(0, 10)), visit_percentage=number(0, 100), filter=QUERIES),
    "sparse_vector": own(field=name, query_vector=weights, **PRUNED),
    "weighted_tokens": of_field(own(tokens=weights, pruning_config=PRUNING)),
    # spans
    "span_term": of_field(SPAN_TERM),
    "span_gap": by_field(slop),
    "span_multi": own(costs.expanded, match=walk_clause),
    "span_first": own(match=walk_clause, end=few),
    "span_near": own(clauses=QUERIES, slop=slop, in_order=flag),
    "span_or": own(clauses=QUERIES),
    "span_not": own(include=walk_clause, exclude=walk_clause, dist=few, pre=few, post=few),
    "span_containing": own(big=walk_clause, little=walk_clause),
    "span_within": own(big=walk_clause, little=walk_clause),
    "field_masking_span": own(query=walk_clause, field=name),
    "span_field_masking": own(query=walk_clause, field=name),
}  # fmt: skip
