"""The corpus on a real Elasticsearch: what its queries find, and what an export of the store holds."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.filters.parse import parse
from services.stores.elasticsearch import Budget, ElasticsearchStore
from services.turns import Turns
from tests.filters import corpus
from tests.filters.indexed import FLAVOURS, Indexed, indexed

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
        found = {case: set(index.exported(store, node)) for case, node in NODES.items()}
        expected = {case: index.matching(node) for case, node in NODES.items()}
    assert found == expected
