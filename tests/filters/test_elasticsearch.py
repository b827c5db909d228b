"""The corpus on a real Elasticsearch: what its queries find, and what an export of the store holds."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.filters.parse import parse
from services.stores.elasticsearch import Budget, ElasticsearchStore
from services.turns import Turns
from tests.filters import corpus, strategies
from tests.filters.indexed import FLAVOURS, Indexed, indexed
from tests.filters.pools import pool
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
    store = ElasticsearchStore([elasticsearch_url], prefetch=Budget(0), turns=Turns())
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
    """An export has the rows that the filter means, in order."""
    with indexed(elasticsearch_url, DOCUMENTS, FLAVOURS[flavour], unique) as index:
        found = {case: index.exported(store, node) for case, node in NODES.items()}
        expected = {case: index.rows(node) for case, node in NODES.items()}
    assert found == expected


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
def strict(elasticsearch_url: str, unique: Callable[[str], str]) -> Iterator[tuple[strategies.World, Indexed]]:
    """Documents as Kuzzle takes them, with its own mapping."""
    mapping = real_mapping(REAL_ENGINE, "measures")
    with indexed(elasticsearch_url, pool(strategies.MEASURES, 200), mapping, unique) as made:
        assert len(made.documents) == 200
        yield strategies.MEASURES, made


@settings(max_examples=30, deadline=None)
@given(queries=st.lists(strategies.LOOSE.filters, min_size=5, max_size=15))
def test_bounds_of_random_filters(everywhere: list[Indexed], queries: list[Any]) -> None:
    """Under any mapping: `lo` finds nothing but what matches, `up` all of it. A search costs more than a filter."""
    for index in everywhere:
        assert wrong(index, queries) == []


@settings(max_examples=30, deadline=None)
@given(queries=st.lists(strategies.MEASURES.filters, min_size=5, max_size=15))
def test_bounds_of_random_filters_on_measures(strict: tuple[strategies.World, Indexed], queries: list[Any]) -> None:
    """On what Kuzzle stores, too."""
    assert wrong(strict[1], queries) == []


def wrong(index: Indexed, queries: list[Any]) -> list[tuple[JSON, Any, list[str], list[str]]]:
    """Filters, with what `lo` finds too much and `up` too little."""
    nodes = [parse(query) for query in queries]
    return [
        (index.mapping, query, sorted(lo - expected), sorted(expected - up))
        for query, node, (lo, up) in zip(queries, nodes, index.bounds(nodes), strict=True)
        if not lo <= (expected := index.matching(node)) <= up
    ]


@pytest.fixture(scope="module", params=["strict", "unmapped", "dynamic"])
def world(
    request: pytest.FixtureRequest, elasticsearch_url: str, unique: Callable[[str], str]
) -> Iterator[tuple[strategies.World, Indexed]]:
    if request.param == "strict":
        yield request.getfixturevalue("strict")
        return
    with indexed(elasticsearch_url, pool(strategies.LOOSE, 300), FLAVOURS[request.param], unique) as made:
        yield strategies.LOOSE, made


@settings(max_examples=100, deadline=None)
@given(data=st.data(), offset=st.integers(0, 20), size=st.none() | st.integers(0, 20))
def test_exports_of_random_filters(
    world: tuple[strategies.World, Indexed],
    store: ElasticsearchStore,
    data: st.DataObject,
    offset: int,
    size: int | None,
) -> None:
    """The rows that the filter means, in order, `from` and `size` of them."""
    made, index = world
    query = data.draw(made.filters)
    whole = index.rows(parse(query))
    assert index.exported(store, parse(query), offset=offset, size=size) == whole[offset:][:size]
