"""The corpus on pairs of indices that map its fields differently: the rows of both are those that the filter means."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.filters.elasticsearch.translate import MOST_MAPPINGS, Indices, translate
from services.filters.koncorde import nodes
from services.filters.koncorde.parse import parse
from services.mapping import Fields
from services.scheduling.cpu_turn import CpuTurns
from services.stores.elasticsearch import ElasticsearchStore, PrefetchBudget
from tests.services.filters import corpus, strategies
from tests.services.filters.elasticsearch.test_corpus import DOCUMENTS, NODES, chosen
from tests.services.filters.indexed import FLAVOURS, MEASURE, Indexed, Row, several, typed
from tests.services.filters.pools import pool

JSON = dict[str, Any]

pytestmark = pytest.mark.elasticsearch


def of_objects(**definition: Any) -> JSON:
    """Every object is of this definition; what is none, as Elasticsearch has it by itself."""
    template = {"match_mapping_type": "object", "path_unmatch": "origin*", "mapping": definition}
    return {"dynamic": True, "dynamic_templates": [{"every": template}], "properties": MEASURE}


TEXT: JSON = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 3}}}

OTHERS: dict[str, JSON] = {
    "text": typed("text"),
    "text and short keyword": typed(**TEXT),
    "normalized keyword": typed("keyword", normalizer="lowercase"),
    "keyword that is not indexed": typed("keyword", index=False),
    "ignored objects": of_objects(type="object", enabled=False),
    "nested": of_objects(type="nested"),
    "flattened": of_objects(type="flattened"),
    "runtime": {"dynamic": "runtime", "properties": MEASURE},
    "dynamic, longs as instants": {"dynamic": True, "properties": {**MEASURE, "measuredAt": {"type": "long"}}},
    "nanoseconds": typed("date_nanos"),
}  # fmt: skip

MAPPINGS = {**FLAVOURS, **OTHERS}

#: Pairs of mappings, by name.
PAIRS = [
    ("keyword", "text"),
    ("keyword", "unmapped"),
    ("keyword", "text and short keyword"),
    ("long", "keyword"),
    ("date", "long"),
    ("float", "date"),
    ("date in milliseconds", "nanoseconds"),
    ("dynamic", "ignored objects"),
    ("nested", "dynamic"),
    ("float", "text"),
    ("unmapped", "dynamic"),
    ("boolean", "keyword"),
    ("geo_point", "keyword"),
    ("flattened", "without objects"),
    ("normalized keyword", "copied keyword"),
    ("keyword that is not indexed", "keyword for null"),
    ("runtime", "lenient float"),
    ("dynamic, longs as instants", "date in seconds"),
    ("half_float", "byte"),
    ("lenient geo_point", "short keyword"),
]


def named(documents: dict[str, JSON], prefix: str) -> dict[str, JSON]:
    return {prefix + id: document for id, document in documents.items()}


@contextlib.contextmanager
def pair(
    names: tuple[str, str], documents: dict[str, JSON], url: str, unique: Callable[[str], str]
) -> Iterator[Indexed]:
    """The same documents in both, those that each takes; in the first under their own ids."""
    one, other = names
    parts = [(documents, MAPPINGS[one]), (named(documents, "~"), MAPPINGS[other])]
    with several(url, parts, unique) as made:
        assert {id[:1] == "~" for id in made.documents} == {True, False}
        yield made


@pytest.fixture(scope="module")
def store(elasticsearch_url: str) -> Iterator[ElasticsearchStore]:
    store = ElasticsearchStore([elasticsearch_url], prefetch=PrefetchBudget(0), turns=CpuTurns())
    yield store
    store.close()


@pytest.fixture(scope="module", params=PAIRS, ids=" + ".join)
def indices(request: pytest.FixtureRequest, elasticsearch_url: str, unique: Callable[[str], str]) -> Iterator[Indexed]:
    """All documents of the corpus, twice."""
    with pair(request.param, DOCUMENTS, elasticsearch_url, unique) as made:
        yield made


def test_every_keyword_is_asked() -> None:
    """The corpus has them all."""
    assert {case.keyword for case in corpus.ACCEPTED} >= {
        "and", "or", "not", "bool", "equals", "in", "ids", "exists", "missing", "range", "regexp", "match", "select",
        "nothing", "geoBoundingBox", "geoDistance", "geoDistanceRange", "geoPolygon",
    }  # fmt: skip


def test_bounds(indices: Indexed) -> None:
    """`lo` finds nothing but what matches, `up` all of it; no shard fails."""
    found = dict(zip(NODES, indices.bounds(NODES.values()), strict=True))
    wrong = [
        (case, sorted(lo - expected), sorted(expected - up))
        for case, (lo, up) in found.items()
        if not lo <= (expected := indices.matching(NODES[case])) <= up
    ]
    assert wrong == []


def test_rows(indices: Indexed, store: ElasticsearchStore) -> None:
    """An export has the rows of both that the filter means, in order, each whole; as many as counted."""
    everything = indices.exported(store, nodes.All())
    assert {row[0] for row in everything} == set(indices.documents)
    for case, node in some_of_each_keyword():
        expected = chosen(everything, indices.matching(node))
        assert indices.exported(store, node) == expected, case
        count = store.check(indices.request(node))
        assert count.rows == len(expected) or (not count.exact and count.rows > len(expected)), case


def some_of_each_keyword(most: int = 3) -> Iterator[tuple[str, nodes.Filter]]:
    """Cases of the corpus: an export costs more than a search."""
    seen: dict[str, int] = {}
    for case in corpus.ACCEPTED:
        seen[case.keyword] = seen.get(case.keyword, 0) + 1
        if seen[case.keyword] <= most:
            yield case.id, NODES[case.id]


@pytest.fixture(scope="module")
def everywhere(elasticsearch_url: str, unique: Callable[[str], str]) -> Iterator[list[Indexed]]:
    """Documents of any shape, in every pair."""
    documents = pool(strategies.LOOSE, 150)
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(pair(names, documents, elasticsearch_url, unique)) for names in PAIRS]


@settings(max_examples=15, deadline=None)
@given(queries=st.lists(strategies.LOOSE.filters, min_size=5, max_size=15))
def test_bounds_of_random_filters(everywhere: list[Indexed], queries: list[Any]) -> None:
    """Whatever a filter asks of whatever documents."""
    filters = [parse(query) for query in queries]
    for index in everywhere:
        wrong = [
            (query, sorted(lo - expected), sorted(expected - up))
            for query, node, (lo, up) in zip(queries, filters, index.bounds(filters), strict=True)
            if not lo <= (expected := index.matching(node)) <= up
        ]
        assert wrong == [], list(index.mappings.values())


@pytest.fixture(scope="module", params=[PAIRS[0], PAIRS[2], PAIRS[8]], ids=" + ".join)
def readable(
    request: pytest.FixtureRequest, store: ElasticsearchStore, elasticsearch_url: str, unique: Callable[[str], str]
) -> Iterator[tuple[Indexed, list[Row]]]:
    with pair(request.param, pool(strategies.LOOSE, 150), elasticsearch_url, unique) as made:
        yield made, made.exported(store, nodes.All())


@settings(max_examples=60, deadline=None)
@given(query=strategies.LOOSE.filters, offset=st.integers(0, 20), size=st.none() | st.integers(0, 20))
def test_rows_of_random_filters(
    readable: tuple[Indexed, list[Row]], store: ElasticsearchStore, query: Any, offset: int, size: int | None
) -> None:
    """In order, each whole; `from` and `size` of them."""
    index, everything = readable
    node = parse(query)
    expected = chosen(everything, index.matching(node))[offset:][:size]
    assert index.exported(store, node, offset=offset, size=size) == expected


def test_more_mappings_than_are_looked_at() -> None:
    """Then all is decided while reading: what is asked finds everything."""
    fields: Indices = {
        (f"i{number}",): Fields({"properties": {"f": {"type": "keyword", "ignore_above": number}}})
        for number in range(MOST_MAPPINGS + 1)
    }
    most: Indices = dict(list(fields.items())[:MOST_MAPPINGS])
    assert "_index" in str(translate(parse({"equals": {"f": "a"}}), most).up)
    assert translate(parse({"equals": {"f": "a"}}), fields).up == {"match_all": {}}
    assert translate(parse({"ids": {"values": ["a"]}}), fields).exact
