"""Stores over a real Elasticsearch with as many measures as make several windows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from services.measures import ExportRequest, Target
from services.scheduling.cpu_turn import CpuTurns
from services.stores.elasticsearch import ElasticsearchStore, PrefetchBudget
from tests.support.kuzzle import Kuzzle
from tests.support.proxy import Proxy, proxy

NOON = 1_718_000_000_000

PREFETCH_BYTES = 8 * 2**20

Place = Callable[[Kuzzle, int], "Stored"]


@dataclass(frozen=True)
class Stored:
    """A store that retries for two seconds, behind a peer that may fail; its engine, and what it reads ahead."""

    store: ElasticsearchStore
    peer: Proxy
    engine: str
    budget: PrefetchBudget

    def request(self, asset: str, **options: Any) -> ExportRequest:
        return ExportRequest(**{"export_id": "x1", "target": Target(self.engine, "assets", asset), **options})

    def ids(self, asset: str, **options: Any) -> list[str]:
        reading = self.store.open(self.request(asset, **options))
        try:
            return [measure.id for page in reading.pages() for measure in page]
        finally:
            reading.close()


@pytest.fixture(scope="module")
def place(elasticsearch_url: str, unique: Callable[[str], str]) -> Iterator[Place]:
    """Documents of the engine `ENGINE`, in so many shards, under a name of their own."""
    written: list[tuple[Kuzzle, str]] = []
    stores: list[ElasticsearchStore] = []
    with proxy(elasticsearch_url) as peer:

        def placed(documents: Kuzzle, shards: int) -> Stored:
            admin_index = unique("admin")
            written.append((documents, admin_index))
            documents.into_elasticsearch(elasticsearch_url, admin_index=admin_index, shards=shards)
            budget = PrefetchBudget(PREFETCH_BYTES)
            store = ElasticsearchStore(
                [peer.url], admin_index=admin_index, turns=CpuTurns(), prefetch=budget, timeout_seconds=20,
                retry_budget_seconds=2,
            )  # fmt: skip
            stores.append(store)
            (engine,) = (index for index, collection in documents.collections if collection == "measures")
            return Stored(store, peer, engine, budget)

        yield placed
        for store in stores:
            store.close()
    for documents, admin_index in written:
        documents.out_of_elasticsearch(elasticsearch_url, admin_index=admin_index)


def measure(asset: str, at: Any, **source: Any) -> dict[str, Any]:
    """`at` ...: absent."""
    whole = {
        "type": "temperature",
        "values": {"temperature": 1},
        "asset": {"_id": asset, "model": "Bare", "measureName": "inside"},
        "origin": {"type": "device", "_id": "D-1", "deviceModel": "D"},
        **source,
    }
    return whole if at is ... else {"measuredAt": at, **whole}


def engine(name: str) -> Kuzzle:
    made = Kuzzle()
    made.measure_model("temperature", {"temperature": {"type": "float"}, "note": {"type": "text"}})
    made.asset_model("Bare", {"inside": "temperature"})
    made.engine(name)
    return made
