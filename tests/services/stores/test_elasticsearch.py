"""The Elasticsearch store keeps the promises of every store."""

from collections.abc import Callable, Iterator

import pytest
import requests

from services.scheduling.cpu_turn import CpuTurns
from services.stores.elasticsearch import ElasticsearchStore, PrefetchBudget
from services.stores.port import Store
from tests.services.stores.contract import StoreContract
from tests.services.stores.fleet_contract import FleetContract
from tests.support.kuzzle import Kuzzle, index_url

pytestmark = pytest.mark.elasticsearch


@pytest.fixture(scope="module", params=[1, 2])
def place(
    request: pytest.FixtureRequest, elasticsearch_url: str, unique: Callable[[str], str]
) -> Iterator[Callable[[Kuzzle], Store]]:
    """Documents into indices of their own, as Kuzzle writes them; removed at the end.

    With two of them behind each alias of measures, the other is empty, and mapped by nobody.
    """
    written: list[tuple[Kuzzle, str]] = []
    empty: list[str] = []
    stores: list[Store] = []

    def placed(documents: Kuzzle) -> Store:
        admin_index = unique("admin")
        written.append((documents, admin_index))
        documents.into_elasticsearch(elasticsearch_url, admin_index=admin_index)
        if request.param == 2:
            empty.extend(
                beside(elasticsearch_url, index) for index, name in documents.collections if name == "measures"
            )
        stores.append(
            ElasticsearchStore(
                [elasticsearch_url], admin_index=admin_index, prefetch=PrefetchBudget(64 * 2**20), turns=CpuTurns()
            )
        )
        return stores[-1]

    yield placed
    for store in stores:
        store.close()
    for url in empty:
        requests.delete(url, timeout=60).raise_for_status()
    for documents, admin_index in written:
        documents.out_of_elasticsearch(elasticsearch_url, admin_index=admin_index)


def beside(elasticsearch_url: str, engine: str) -> str:
    """One more index of an engine's measures: its URL."""
    url = index_url(elasticsearch_url, f"{engine}.measures-2")
    requests.put(url, json={"aliases": {f"@&{engine}.measures": {}}}, timeout=60).raise_for_status()
    return url


class TestElasticsearchStore(StoreContract, FleetContract):
    """On documents written as Kuzzle writes them."""
