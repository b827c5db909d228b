"""The corpus and random filters, decided by SQLite: the same documents as the evaluator's."""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.filters.matches import compile
from services.filters.nodes import Filter
from services.filters.parse import parse
from services.filters.sqlite import register, translate
from services.filters.write import write
from tests.filters import hostile
from tests.filters.corpus import ACCEPTED, Case
from tests.filters.strategies import LOOSE, MEASURES

#: The same examples in every run.
EXAMPLES = settings(max_examples=1_100, deadline=None, derandomize=True, database=None)


class Table:
    """Documents as the store keeps them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        register(connection)
        connection.execute("CREATE TABLE measures (id TEXT, doc TEXT)")

    def fill(self, documents: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        self._connection.execute("DELETE FROM measures")
        rows = [(id, json.dumps(document, ensure_ascii=False)) for id, document in documents]
        self._connection.executemany("INSERT INTO measures VALUES (?, ?)", rows)

    def ids(self, node: Filter) -> list[str]:
        """Every clause is 0 or 1: nothing is lost by negation."""
        clause = translate(node)
        found = self._connection.execute(f"SELECT id, {clause.sql} FROM measures ORDER BY rowid", clause.parameters)
        answers = dict(found.fetchall())
        assert set(answers.values()) <= {0, 1}
        return [id for id, matches in answers.items() if matches]


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        yield Table(connection)


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.id)
def test_corpus(case: Case, table: Table) -> None:
    """Exactly the documents that the corpus names."""
    table.fill(case.documents.items())
    assert tuple(table.ids(parse(case.query))) == case.ids


def agree(table: Table, query: Any, documents: list[Mapping[str, Any]]) -> None:
    node = parse(query)
    assert parse(json.loads(json.dumps(write(node)))) == node
    named = {str(number): document for number, document in enumerate(documents)}
    table.fill(named.items())
    holds = compile(node)
    assert table.ids(node) == [id for id, document in named.items() if holds({**document, "_id": id})]


@EXAMPLES
@given(MEASURES.filters, st.lists(MEASURES.documents, min_size=3, max_size=3))
def test_random_filters_of_measures(table: Table, query: Any, documents: list[Mapping[str, Any]]) -> None:
    """Documents as Kuzzle's strict mapping takes them."""
    agree(table, query, documents)


@EXAMPLES
@given(LOOSE.filters, st.lists(LOOSE.documents, min_size=3, max_size=3))
def test_random_filters_of_anything(table: Table, query: Any, documents: list[Mapping[str, Any]]) -> None:
    """Arrays, nulls, mixed types, names with dots."""
    agree(table, query, documents)


DEEPEST = {
    "not": hostile.deep_not(49),
    "or": hostile.deep_or(49),
    "bool": hostile.nested("bool", lambda query: {"must": [{"exists": "b"}], "must_not": [query]}, 49),
    "bool of all parts": hostile.nested(
        "bool",
        lambda query: {"must": [{"exists": "a"}] * 4, "must_not": [{"exists": "b"}], "should_not": [query]},
        49,
    ),
    "select": hostile.deep_select(49),
    "match": hostile.deep_match(49),
    "or of many": {"or": [{"equals": {"a": number}} for number in range(999)]},
    "and of many": {"and": [{"bool": {"must_not": [{"equals": {"b": number}}]}} for number in range(333)]},
    "many values": {"in": {"a": [str(number) for number in range(10_000)]}},
}


SHAPES: Mapping[str, Callable[[Any], Any]] = {
    "not": lambda query: {"not": query},
    "and or": lambda query: {"and": [{"exists": "a"}, {"or": [{"exists": "b"}, query]}]},
    "not and": lambda query: {"not": {"and": [{"exists": "a"}, query]}},
    "in the middle": lambda query: {"or": [{"exists": "c"}, query, {"missing": "b"}]},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("leaf", [{"exists": 'a["x"]'}, {"in": {"a": ["x"]}}, {"range": {"a": {"gt": 1, "lt": 2}}}])
def test_every_depth(shape: str, leaf: Any, table: Table) -> None:
    """SQLite's parser holds few levels: what is deeper is decided otherwise, with no gap between."""
    query = leaf
    for _ in range(24):
        query = SHAPES[shape](query)
        agree(table, query, [{"a": ["x"]}, {"a": "x"}, {"a": 1.5, "b": 0}, {"c": 0}, {}])


@pytest.mark.parametrize("name", DEEPEST)
def test_the_deepest_and_widest(name: str, table: Table) -> None:
    """What is within the limits is within SQLite's as well, and can be read from a link."""
    agree(table, DEEPEST[name], [{"a": 1}, {"a": "9999"}, {"b": 1}, {"a": 1, "b": 1}, {"value": [[]]}, {}])
