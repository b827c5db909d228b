"""The corpus and random filters, decided by SQLite: the same documents as the evaluator's."""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings

from services.filters.koncorde.nodes import Filter
from services.filters.koncorde.parse import parse
from services.filters.koncorde.write import write
from services.filters.python.evaluator import compile
from services.filters.sqlite import register, translate
from tests.services.filters import hostile
from tests.services.filters.corpus import ACCEPTED, Case
from tests.services.filters.pools import pool
from tests.services.filters.strategies import LOOSE, MEASURES

#: The same examples in every run.
EXAMPLES = settings(max_examples=1_200, deadline=None, derandomize=True, database=None)


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


def agree(table: Table, query: Any, documents: Mapping[str, Mapping[str, Any]]) -> None:
    """`documents`: those in the table."""
    node = parse(query)
    assert parse(json.loads(json.dumps(write(node)))) == node
    holds = compile(node)
    assert table.ids(node) == [id for id, document in documents.items() if holds({**document, "_id": id})]


#: As Kuzzle's strict mapping takes them; arrays, nulls, mixed types, names with dots.
WORLDS = {"measures": MEASURES, "anything": LOOSE}
POOLS = {name: pool(world, 40) for name, world in WORLDS.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
def test_random_filters(name: str, table: Table) -> None:
    """Of documents of one shape, each filter on all of them."""
    table.fill(POOLS[name].items())

    @EXAMPLES
    @given(WORLDS[name].filters)
    def agrees(query: Any) -> None:
        agree(table, query, POOLS[name])

    agrees()


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


def numbered(*documents: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(number): document for number, document in enumerate(documents)}


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
    documents = numbered({"a": ["x"]}, {"a": "x"}, {"a": 1.5, "b": 0}, {"c": 0}, {})
    table.fill(documents.items())
    query = leaf
    for _ in range(24):
        query = SHAPES[shape](query)
        agree(table, query, documents)


@pytest.mark.parametrize("name", DEEPEST)
def test_the_deepest_and_widest(name: str, table: Table) -> None:
    """What is within the limits is within SQLite's as well, and can be read from a link."""
    documents = numbered({"a": 1}, {"a": "9999"}, {"b": 1}, {"a": 1, "b": 1}, {"value": [[]]}, {})
    table.fill(documents.items())
    agree(table, DEEPEST[name], documents)


ODD: dict[str, dict[str, Any]] = {
    "a": {"s": "a\0b"},
    "b": {"s": "a"},
    "c": {'k"': {"\\": 1}, "t\n": 1},
    "d": {"n": 2**63, "m": [2**63 + 1]},
    "e": {"n": float(2**63), "m": [2**63]},
    "f": {"a.b": {"c": 1}, "a": {"b": {"c": 2}}},
    "g": {"a": {"b.c": 1}},
    "h": {"_id": "other"},
}


@pytest.mark.parametrize(
    "query",
    [
        {"equals": {"s": "a"}},
        {"equals": {"s": "a\0b"}},
        {"in": {"s": ["a", "a\0b"]}},
        {"exists": 'm["x"]'},
        {"equals": {'k".\\': 1}},
        {"not": {"exists": "t\n"}},
        {"equals": {"n": 2**63}},
        {"range": {"n": {"gt": 2**63 - 1}}},
        {"exists": f"m[{2**63}]"},
        {"select": {"field": "m", "index": 0, "query": {"equals": {"value": 2**63}}}},
        {"select": {"field": "m", "index": 0, "query": {"equals": {"value": "a\0b"}}}},
        {"select": {"field": "m", "index": 2**40, "query": {"missing": "value"}}},
        {"equals": {"a.b.c": 1}},
        {"match": {"a.b.c": 2}},
        {"match": {"s": "a", "a.b": None}},
        {"exists": "_id.x"},
        {"missing": "_id.x"},
        {"equals": {"_id": "h"}},
        {"regexp": {"_id": "[a-c]"}},
        {"geoDistance": {"_id": "0,0", "distance": "1 m"}},
    ],
    ids=json.dumps,
)
def test_what_sql_reads_otherwise(query: Any, table: Table) -> None:
    """Left to the evaluator: texts with NUL, names that paths cannot hold, integers beyond 64 bits."""
    table.fill(ODD.items())
    agree(table, query, ODD)


def test_what_is_no_filter() -> None:
    """A kind of node that nobody has taught it."""
    with pytest.raises(TypeError, match="Not a filter"):
        translate("equals")  # type: ignore[arg-type]
