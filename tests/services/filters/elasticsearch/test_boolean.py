"""Queries put together: few, flat, and no deeper than Elasticsearch takes."""

from typing import Any

import pytest

from services.filters.elasticsearch.boolean import (
    ALL,
    MOST_LEAVES,
    MOST_LEVELS,
    NONE,
    Expression,
    Leaf,
    Split,
    cut,
    every,
    no,
    query_of,
    some,
    split,
)


def leaf(name: str) -> Leaf:
    return Leaf({"exists": {"field": name}})


A, B, C = map(leaf, "abc")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (every(()), ALL),
        (some(()), NONE),
        (every((A,)), A),
        (some((A,)), A),
        (every((A, ALL)), A),
        (some((A, NONE)), A),
        (every((A, NONE)), NONE),
        (some((A, ALL)), ALL),
        (every((every((A, B)), C)), every((A, B, C))),
        (some((A, some((B, C)))), some((A, B, C))),
        (no(ALL), NONE),
        (no(NONE), ALL),
        (no(no(A)), A),
        (no(every((A, no(B)))), some((no(A), B))),
        (no(some((A, every((B, C))))), every((no(A), some((no(B), no(C)))))),
    ],
)
def test_it_stays_flat(found: Expression, expected: Expression) -> None:
    """Constants vanish, like joins like, negation comes to stand before leaves."""
    assert found == expected


@pytest.mark.parametrize(
    ("expression", "query"),
    [
        (ALL, {"match_all": {}}),
        (NONE, {"match_none": {}}),
        (A, A.query),
        (no(A), {"bool": {"must_not": [A.query]}}),
        (every((A, B)), {"bool": {"filter": [A.query, B.query]}}),
        (every((no(A), no(B))), {"bool": {"must_not": [A.query, B.query]}}),
        (every((A, no(B))), {"bool": {"filter": [A.query], "must_not": [B.query]}}),
        (
            some((A, no(B))),
            {"bool": {"should": [A.query, {"bool": {"must_not": [B.query]}}], "minimum_should_match": 1}},
        ),
    ],
)
def test_written(expression: Expression, query: dict[str, Any]) -> None:
    """As `bool`, where more than one query is meant."""
    assert query_of(expression) == query


def alternating(levels: int) -> Expression:
    """`every` and `some` in turn, so deep."""
    expression: Expression = A
    for level in range(levels):
        expression = some((B, expression)) if level % 2 else every((C, expression))
    return expression


def depth(query: Any) -> int:
    """Levels of `bool`."""
    if isinstance(query, list):
        return max(map(depth, query), default=0)
    if isinstance(query, dict):
        return max((depth(value) + (name == "bool") for name, value in query.items()), default=0)
    return 0


def test_what_is_deep_enough_stays() -> None:
    """Up to the limit nothing is left out."""
    assert cut(alternating(MOST_LEVELS - 1), ALL) == alternating(MOST_LEVELS - 1)
    assert depth(query_of(alternating(MOST_LEVELS - 1))) == MOST_LEVELS - 1


@pytest.mark.parametrize("levels", [MOST_LEVELS, MOST_LEVELS + 1, 50, 51])
@pytest.mark.parametrize("beyond", [ALL, NONE])
def test_what_is_too_deep_is_left_out(levels: int, beyond: Expression) -> None:
    """On the side that the caller names: the whole if nothing else is left."""
    found = cut(no(alternating(levels)), beyond)
    assert 0 < depth(query_of(found)) <= MOST_LEVELS
    assert found != no(alternating(levels))


def test_too_many_leaves() -> None:
    """Nothing is asked then."""
    names = [leaf(str(number)) for number in range(MOST_LEAVES)]
    assert cut(some(names), ALL) == some(names)
    assert cut(some((*names, A)), ALL) == ALL
    assert cut(every((*names, A)), NONE) == NONE


# Several indices


ONE, OTHER, THIRD = ("one",), ("other",), ("third",)


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ([(ONE, A)], A),
        ([(ONE, A), (OTHER, A)], A),
        ([(ONE, A), (OTHER, B)], Split(((ONE, A), (OTHER, B)))),
        ([(ONE, A), (OTHER, B), (THIRD, A)], Split(((("one", "third"), A), (OTHER, B)))),
        ([(ONE, ALL), (OTHER, NONE)], Split(((ONE, ALL), (OTHER, NONE)))),
    ],
)
def test_who_is_asked_the_same_is_asked_together(cases: Any, expected: Expression) -> None:
    """All of them the same: then nothing tells them apart."""
    assert split(cases) == expected


def of_index(*names: str) -> dict[str, Any]:
    return {"terms": {"_index": list(names)}}


@pytest.mark.parametrize(
    ("expression", "query"),
    [
        (split([(ONE, A), (OTHER, B)]), {"bool": {"should": [
            {"bool": {"filter": [of_index("one"), A.query]}}, {"bool": {"filter": [of_index("other"), B.query]}},
        ], "minimum_should_match": 1}}),
        (split([(ONE, A), (OTHER, NONE)]), {"bool": {"filter": [of_index("one"), A.query]}}),
        (split([(ONE, A), (OTHER, ALL)]), {"bool": {"should": [
            {"bool": {"filter": [of_index("one"), A.query]}}, of_index("other")], "minimum_should_match": 1}}),
        (no(split([(ONE, A), (OTHER, ALL)])), {"bool": {"filter": [of_index("one")], "must_not": [A.query]}}),
        (every((C, split([(ONE, A), (OTHER, NONE)]))), {"bool": {"filter": [
            C.query, {"bool": {"filter": [of_index("one"), A.query]}}]}}),
    ],
)  # fmt: skip
def test_each_index_is_asked_for_its_own(expression: Expression, query: Any) -> None:
    """What another would refuse stands beside a condition that ends the matter there, negated as well."""
    assert query_of(expression) == query


def test_the_complement_of_what_indices_are_asked() -> None:
    """In each, of what it is asked."""
    expression = split([(ONE, A), (OTHER, some((B, C))), (THIRD, ALL)])
    assert no(expression) == split([(ONE, no(A)), (OTHER, every((no(B), no(C)))), (THIRD, NONE)])
    assert no(no(expression)) == expression


def test_names_of_indices_are_counted() -> None:
    """Many of them are too much as well."""
    names = tuple(f"index-{number}" for number in range(MOST_LEAVES))
    assert cut(split([(names, A), (ONE, B)]), ALL) == ALL
    assert cut(split([(names[:-5], A), (ONE, B)]), ALL) != ALL


def test_levels_of_what_indices_are_asked() -> None:
    """They add two: who is asked, and what."""
    expression: Expression = split([(ONE, A), (OTHER, B)])
    for level in range(MOST_LEVELS - 3):
        expression = every((C, some((A, expression)))) if level % 2 else some((C, every((A, expression))))
    assert "match_all" not in str(query_of(cut(split([(ONE, A), (OTHER, B)]), ALL)))
    assert depth(query_of(cut(expression, ALL))) <= MOST_LEVELS
