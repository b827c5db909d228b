"""The Elasticsearch store keeps the promises of every store."""

from collections.abc import Callable, Iterator

import pytest

from services.stores.elasticsearch import Budget, ElasticsearchStore
from services.stores.port import Store
from services.turns import Turns
from tests.stores.contract import StoreContract
from tests.support.kuzzle import Kuzzle

pytestmark = pytest.mark.elasticsearch


@pytest.fixture(scope="module")
def place(elasticsearch_url: str, unique: Callable[[str], str]) -> Iterator[Callable[[Kuzzle], Store]]:
    """Documents into indices of their own, as Kuzzle writes them; removed at the end."""
    written: list[tuple[Kuzzle, str]] = []
    stores: list[Store] = []

    def placed(documents: Kuzzle) -> Store:
        admin_index = unique("admin")
        written.append((documents, admin_index))
        documents.into_elasticsearch(elasticsearch_url, admin_index=admin_index)
        stores.append(
            ElasticsearchStore([elasticsearch_url], admin_index=admin_index, prefetch=Budget(64 * 2**20), turns=Turns())
        )
        return stores[-1]

    yield placed
    for store in stores:
        store.close()
    for documents, admin_index in written:
        documents.out_of_elasticsearch(elasticsearch_url, admin_index=admin_index)


class TestElasticsearchStore(StoreContract):
    """On documents written as Kuzzle writes them."""
