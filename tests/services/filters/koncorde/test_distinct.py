"""Equal clauses are one, and the filter means the same."""

from typing import Any

import pytest
from hypothesis import given

from services.filters.koncorde.distinct import distinct
from services.filters.koncorde.parse import parse
from services.filters.koncorde.write import write
from services.filters.python.evaluator import compile
from tests.services.filters.pools import pool
from tests.services.filters.strategies import LOOSE

DOCUMENTS = pool(LOOSE, 20)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"or": [{"exists": "a"}, {"exists": "b"}, {"exists": "a"}]}, {"or": [{"exists": "a"}, {"exists": "b"}]}),
        ({"and": [{"exists": "a"}] * 900}, {"and": [{"exists": "a"}]}),
        ({"or": [{"not": {"and": [{"exists": "a"}] * 2}}] * 3}, {"or": [{"not": {"and": [{"exists": "a"}]}}]}),
        (
            {"select": {"field": "a", "index": 0, "query": {"or": [{"exists": "value"}] * 2}}},
            {"select": {"field": "a", "index": 0, "query": {"or": [{"exists": "value"}]}}},
        ),
        ({"or": [{"match": {"a": 1, "b": 2}}, {"match": {"b": 2, "a": 1}}]}, {"or": [{"match": {"a": 1, "b": 2}}]}),
        *[
            (query, query)
            for query in (
                {"or": [{"equals": {"a": value}} for value in (1, True, "1", None, 0, False, "", 1.5)]},
                {"or": [{"exists": item} for item in ("a[1]", "a[true]", 'a["1"]', "a")]},
                {"or": [{"match": {"a": value}} for value in (1, True, [1], [True], {"b": 0}, {"b": False})]},
                {"or": [{"regexp": {"a": {"value": "x", "flags": flags}}} for flags in ("i", "m")]},
                {"and": [{"exists": "a"}, {"or": [{"exists": "a"}, {"exists": "b"}]}]},
            )
        ],
    ],
)
def test_equal_clauses_stand_once(query: Any, expected: Any) -> None:
    """The first of them; what only looks equal, as `1` and `true` do to Python, stays."""
    found = distinct(parse(query))
    assert found == parse(expected)
    assert write(found) == write(parse(expected))


@pytest.mark.slow
@given(LOOSE.filters)
def test_the_meaning_stays(query: Any) -> None:
    """Of any filter, also where everything stands twice."""
    node = parse(query)
    holds, again = compile(node), compile(distinct(parse({"and": [query, {"or": [query, query]}]})))
    for id, document in DOCUMENTS.items():
        assert again({**document, "_id": id}) == holds({**document, "_id": id})
