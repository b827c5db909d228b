"""The corpus on a real Elasticsearch: what its queries find, and what an export of the store holds."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.filters.koncorde import nodes
from services.filters.koncorde.parse import parse
from services.scheduling.cpu_turn import CpuTurns
from services.stores.elasticsearch import ElasticsearchStore, PrefetchBudget
from tests.services.filters import corpus, strategies
from tests.services.filters.indexed import FLAVOURS, Indexed, Row, indexed
from tests.services.filters.pools import pool
from tests.support.kuzzle import REAL_ENGINE, real_mapping

JSON = dict[str, Any]

pytestmark = pytest.mark.elasticsearch

NODES = {case.id: parse(case.query) for case in corpus.ACCEPTED}


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Those of all collections; of several with the same id, the later ones are named after their collection."""
    seen: set[str] = set()
    for collection, held in corpus.COLLECTIONS.items():
        for id, document in held.items():
            yield (f"{collection}: {id}" if id in seen else id), dict(document)
            seen.add(id)


DOCUMENTS = dict(documents())


@pytest.fixture(scope="module", params=FLAVOURS)
def index(request: pytest.FixtureRequest, elasticsearch_url: str, unique: Callable[[str], str]) -> Iterator[Indexed]:
    """All documents that the flavour takes."""
    with indexed(elasticsearch_url, DOCUMENTS, FLAVOURS[request.param], unique) as made:
        yield made


@pytest.fixture(scope="module")
def store(elasticsearch_url: str) -> Iterator[ElasticsearchStore]:
    store = ElasticsearchStore([elasticsearch_url], prefetch=PrefetchBudget(0), turns=CpuTurns())
    yield store
    store.close()


def test_bounds(index: Indexed) -> None:
    """Under any mapping: `lo` finds nothing but what matches, `up` all of it."""
    found = dict(zip(NODES, index.bounds(NODES.values()), strict=True))
    wrong = [
        (case, sorted(lo - expected), sorted(expected - up))
        for case, (lo, up) in found.items()
        if not lo <= (expected := index.matching(NODES[case])) <= up
    ]
    assert wrong == []


@pytest.mark.parametrize("flavour", ["unmapped", "dynamic"])
def test_exports(flavour: str, store: ElasticsearchStore, elasticsearch_url: str, unique: Callable[[str], str]) -> None:
    """An export has the rows that the filter means, in order, each whole."""
    with indexed(elasticsearch_url, DOCUMENTS, FLAVOURS[flavour], unique) as index:
        everything = index.exported(store, nodes.All())
        for case, node in NODES.items():
            assert index.exported(store, node) == chosen(everything, index.matching(node)), case


def chosen(rows: Sequence[Row], ids: Collection[str]) -> list[Row]:
    return [row for row in rows if row[0] in ids]


# Random filters


@pytest.fixture(scope="module")
def everywhere(elasticsearch_url: str, unique: Callable[[str], str]) -> Iterator[list[Indexed]]:
    """Documents of any shape, in an index of every flavour: those that it takes."""
    documents = pool(strategies.LOOSE, 300)
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(indexed(elasticsearch_url, documents, mapping, unique)) for mapping in FLAVOURS.values()
        ]


@pytest.fixture(scope="module")
def strict(elasticsearch_url: str, unique: Callable[[str], str]) -> Iterator[Indexed]:
    """Documents as Kuzzle takes them, with its own mapping."""
    mapping = real_mapping(REAL_ENGINE, "measures")
    with indexed(elasticsearch_url, pool(strategies.MEASURES, 200), mapping, unique) as made:
        assert len(made.documents) == 200
        yield made


@settings(max_examples=30, deadline=None)
@given(queries=st.lists(strategies.LOOSE.filters, min_size=5, max_size=15))
def test_bounds_of_random_filters(everywhere: list[Indexed], queries: list[Any]) -> None:
    """Under any mapping: `lo` finds nothing but what matches, `up` all of it. A search costs more than a filter."""
    for index in everywhere:
        assert wrong(index, queries) == []


@settings(max_examples=30, deadline=None)
@given(queries=st.lists(strategies.MEASURES.filters, min_size=5, max_size=15))
def test_bounds_of_random_filters_on_measures(strict: Indexed, queries: list[Any]) -> None:
    """On what Kuzzle stores, too."""
    assert wrong(strict, queries) == []


def wrong(index: Indexed, queries: list[Any]) -> list[tuple[Any, Any, list[str], list[str]]]:
    """Filters, with what `lo` finds too much and `up` too little."""
    nodes = [parse(query) for query in queries]
    return [
        (index.mappings, query, sorted(lo - expected), sorted(expected - up))
        for query, node, (lo, up) in zip(queries, nodes, index.bounds(nodes), strict=True)
        if not lo <= (expected := index.matching(node)) <= up
    ]


@dataclass(frozen=True)
class Readable:
    """An index, and all that the store reads of it."""

    world: strategies.World
    index: Indexed
    rows: Sequence[Row]


@pytest.fixture(scope="module", params=["strict", "unmapped", "dynamic"])
def readable(
    request: pytest.FixtureRequest, store: ElasticsearchStore, elasticsearch_url: str, unique: Callable[[str], str]
) -> Iterator[Readable]:
    if request.param == "strict":
        index = request.getfixturevalue("strict")
        yield Readable(strategies.MEASURES, index, index.exported(store, nodes.All()))
        return
    with indexed(elasticsearch_url, pool(strategies.LOOSE, 300), FLAVOURS[request.param], unique) as index:
        yield Readable(strategies.LOOSE, index, index.exported(store, nodes.All()))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), offset=st.integers(0, 20), size=st.none() | st.integers(0, 20))
def test_exports_of_random_filters(
    readable: Readable, store: ElasticsearchStore, data: st.DataObject, offset: int, size: int | None
) -> None:
    """The rows that the filter means, in order, each whole; `from` and `size` of them."""
    node = parse(data.draw(readable.world.filters))
    expected = chosen(readable.rows, readable.index.matching(node))[offset:][:size]
    assert readable.index.exported(store, node, offset=offset, size=size) == expected


# Odd documents


INFINITE = float("inf")

ODD: JSON = {
    "plain": {"type": "x", "values": {"t": 1}},
    "no Unicode": {"type": "\ud800", "values": {"t": 1}},
    "no Unicode in a name": {"values": {"t": 1, "\udc00": 1}},
    "no double": {"values": {"t": INFINITE}},
    "number for a text": {"type": 5, "values": {"t": 1}},
    "text for an object": {"asset": "x", "values": {"t": 1}},
    "object of numbers": {"asset": {"_id": 5, "measureName": ["m"]}, "values": {"t": 1}},
    "array of an object": {"asset": [{"model": "M"}]},
    "number for an object": {"values": 1},
    "dotted": {"values.t": 1},
    "dotted last": {"values": {"t": 2}, "values.t": 1},
    "dotted first": {"values.t": 2, "values": {"t": 1}},
    "dotted twice": {"asset._id": "A", "asset": {"model": "M", "_id": "B"}},
    "nothing": {},
}


@pytest.fixture(scope="module", params=["one by one", "together"])
def odd(
    request: pytest.FixtureRequest, elasticsearch_url: str, unique: Callable[[str], str]
) -> Iterator[list[Indexed]]:
    """Together one page holds them all; alone, each is read as it deserves."""
    pools = [ODD] if request.param == "together" else [{id: document} for id, document in ODD.items()]
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(indexed(elasticsearch_url, each, FLAVOURS["unmapped"], unique)) for each in pools]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"equals": {"values.t": 1}}, {
            "plain", "no Unicode", "no Unicode in a name", "number for a text", "text for an object",
            "object of numbers", "dotted", "dotted last", "dotted first"}),
        ({"range": {"values.t": {"gt": 1}}}, {"no double"}),
        ({"exists": "values"}, {
            "plain", "no Unicode", "no Unicode in a name", "no double", "number for a text", "text for an object",
            "object of numbers", "number for an object", "dotted last", "dotted first"}),
        ({"exists": "type"}, {"plain", "no Unicode", "number for a text"}),
        ({"equals": {"type": 5}}, {"number for a text"}),
        ({"equals": {"type": "\ufffd"}}, {"no Unicode"}),
        ({"equals": {"values.\ufffd": 1}}, {"no Unicode in a name"}),
        ({"missing": 'values\\["t"\\]'}, set(ODD)),
        ({"equals": {"asset": "x"}}, {"text for an object"}),
        ({"equals": {"asset._id": 5}}, {"object of numbers"}),
        ({"equals": {"asset._id": "B"}}, {"dotted twice"}),
        ({"exists": "asset.model"}, {"dotted twice"}),
        ({"select": {"field": "asset", "index": 0, "query": {"exists": "value.model"}}}, {"array of an object"}),
        ({"and": [{"missing": "values"}, {"missing": "asset"}]}, {"dotted", "nothing"}),
    ],
)  # fmt: skip
def test_odd_documents(odd: list[Indexed], store: ElasticsearchStore, query: JSON, expected: set[str]) -> None:
    """What cannot be decoded as it should is mended, and still right; rows are those of an export without filter."""
    for index in odd:
        everything = index.exported(store, nodes.All())
        assert len(everything) == len(index.documents)
        assert index.exported(store, parse(query)) == chosen(everything, expected)


# Limits


def deep(levels: int) -> JSON:
    """So many levels of filters, `and` and `or` in turn, `not` among them."""
    query: JSON = {"equals": {"f": "a"}}
    for level in range(1, levels):
        other = {"equals": {"f": f"{level}"}}
        shapes: list[JSON] = [{"or": [query, other]}, {"and": [query, {"exists": "f"}]}, {"not": query}]
        query = shapes[level % 3]
    return query


LARGE = {
    "50 levels": deep(50),
    "1000 clauses": {"or": [{"equals": {"f": f"{number}"}} for number in range(998)] + [{"equals": {"f": "a"}}]},
    "999 expressions": {"or": [{"regexp": {"f": f"^{number}|^a$"}} for number in range(999)]},
    "999 places": {"or": [{"geoDistance": {"f": [number % 90, 3], "distance": "1 km"}} for number in range(999)]},
    "10,000 values": {"in": {"f": ["a", *(f"{number}" for number in range(9_999))]}},
    "10,000 ids": {"ids": {"values": ["word", *(f"{number}" for number in range(9_999))]}},
    "10,000 values of match": {"match": {"f": ["1", *range(9_997)]}},
    "1,000 corners": {"geoPolygon": {"f": {"points": [[number / 20, number % 7] for number in range(1_000)]}}},
    "a pattern of 1000 characters": {"regexp": {"f": "(a|b)" * 200}},
    "many states": {"regexp": {"f": "(a|b)*a(a|b){500}"}},
}


@pytest.mark.parametrize("flavour", ["unmapped", "keyword", "geo_point", "date"])
def test_limits(flavour: str, store: ElasticsearchStore, elasticsearch_url: str, unique: Callable[[str], str]) -> None:
    """As large as filters may be, Elasticsearch takes what is asked of it; the rows are right."""
    with indexed(elasticsearch_url, DOCUMENTS, FLAVOURS[flavour], unique) as index:
        everything = index.exported(store, nodes.All())
        for name, query in LARGE.items():
            node = parse(query)
            expected = chosen(everything, index.matching(node))
            assert store.check(index.request(node)).rows >= len(expected), name
            assert index.exported(store, node) == expected, name
