"""The costs of the options of one clause together: in terms, in automata, in scores that count."""

from collections.abc import Mapping
from typing import Any

from schemas.native_query import patterns
from schemas.native_query.limits import MOST_STATES
from schemas.native_query.options import fields_of
from schemas.native_query.patterns import Costly, LuceneRegexp
from schemas.native_query.walk import JSON, Walk, at
from services.errors import InvalidFilter

#: States of an automaton for each letter of a prefix: bytes of UTF-8, in both cases.
STATES_OF_LETTER = 3

#: What random numbers of documents are made of: without these, they are others each time.
SEEDS = ("seed", "field")


def text_of(judged: Mapping[str, Any], *names: str) -> str:
    return next((str(judged[name]) for name in names if name in judged), "")


def fuzzy_term(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    walk.budget.spend_effort(patterns.effort_of_fuzzy(len(text_of(judged, "value", "term"))), path)


def prefix(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    walk.budget.spend_effort(STATES_OF_LETTER * len(text_of(judged, "value", "prefix")), path)


def wildcard(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    pattern = text_of(judged, "value", "wildcard", "pattern")
    walk.budget.spend_effort(patterns.effort_of_wildcard(pattern, MOST_STATES), path)


def regexp(walk: Walk, judged: JSON, path: str) -> None:
    """Count a `regexp`, which is told what it may take where its caller does not say: its share of what all may."""
    source = text_of(judged, "value", "regexp", "pattern")
    walk.budget.spend_effort(len(source), path)
    flags = str(judged.get("flags") or "ALL").upper()
    check_regexp(source, path, intersects="flags_value" in judged or "ALL" in flags or "INTERSECTION" in flags)
    if "max_determinized_states" in judged:
        walk.budget.spend_effort(int(float(judged["max_determinized_states"])), path)
    else:
        walk.share(judged, path)


def check_regexp(source: str, path: str, *, intersects: bool) -> None:
    try:
        LuceneRegexp(source, intersects=intersects).size()
    except Costly as error:
        raise InvalidFilter(path, "regexp", str(error)) from error


def expanded(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    """Count a pattern in `intervals` or a span."""
    walk.budget.spend_expanded(path)


def expanded_wildcard(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    expanded(walk, judged, path)
    wildcard(walk, judged, path)


def expanded_regexp(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    """Count a `regexp` in `intervals` or a span: only Elasticsearch's own limit says what it may take."""
    expanded(walk, judged, path)
    check_regexp(text_of(judged, "pattern"), path, intersects=True)
    walk.budget.spend_effort(MOST_STATES, path)


def match(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    """Count a `match` of one field."""
    looked_for(walk, judged, path, fields=1)


def multi_match(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    looked_for(walk, judged, path, fields=fields_of(judged.get("fields")))


def looked_for(walk: Walk, judged: Mapping[str, Any], path: str, *, fields: int) -> None:
    text = text_of(judged, "query")
    check_words(text, path)
    walk.budget.spend_terms(patterns.words(text) * fields, path)
    if "fuzziness" in judged:
        walk.budget.spend_effort(patterns.effort_of_fuzzy(len(text)) * fields, path)


def check_words(text: str, path: str) -> None:
    if patterns.moves(text.strip()):
        raise InvalidFilter(path, None, "names now: use the clause range, where it is the instant of the request.")


def terms(walk: Walk, value: Any, path: str) -> None:
    """Count `term`, `terms`, `span_term`: texts that may be date math."""
    for held in value if isinstance(value, list) else [value]:
        if isinstance(held, str):
            check_words(held, path)


def term(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    terms(walk, judged.get("value", judged.get("term")), path)


def query_string(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    text = text_of(judged, "query")
    fields = fields_of(judged.get("fields") or judged.get("default_field"))
    walk.budget.spend_terms(patterns.words(text) * fields, path)
    walk.budget.spend_effort(len(text), path)
    try:
        effort = patterns.effort_of_query_string(text, MOST_STATES)
    except Costly as error:
        raise InvalidFilter(at(path, "query"), "query_string", str(error)) from error
    walk.budget.spend_effort(effort * fields, path)


def simple_query_string(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    """Count prefixes and fuzzy words; what is quoted is counted as well."""
    text = text_of(judged, "query")
    fields = fields_of(judged.get("fields"))
    walk.budget.spend_terms(patterns.words(text) * fields, path)
    walk.budget.spend_effort(len(text), path)
    if text.count("(") > patterns.MOST_NESTED:
        raise InvalidFilter(at(path, "query"), None, f"has more than {patterns.MOST_NESTED} parentheses.")
    effort = 0
    for word in text.split():
        check_words(word.strip('+-|()"'), at(path, "query"))
        effort += patterns.effort_of_fuzzy(len(word)) if "~" in word else 0
        effort += STATES_OF_LETTER * len(word) if "*" in word else 0
    walk.budget.spend_effort(effort * fields, path)


def more_like_this(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    fields = fields_of(judged.get("fields"))
    likes = [like for name in ("like", "unlike") for like in listed(judged.get(name))]
    for like in likes:
        walk.budget.spend_terms(patterns.words(str(like)) * fields, path)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def random_score(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    if walk.scored and any(judged.get(name) is None for name in SEEDS):
        reason = "is another number each time it is asked, and min_score goes by it: give it a seed and a field."
        raise InvalidFilter(path, "random_score", reason)


def knn(walk: Walk, judged: Mapping[str, Any], path: str) -> None:
    if walk.scored:
        reason = "finds neighbours by approximation, others each time it is asked, and min_score goes by it."
        raise InvalidFilter(path, "knn", reason)
