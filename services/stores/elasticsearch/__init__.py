"""The store over Elasticsearch: Kuzzle's own indices, read in windows of time."""

from services.stores.elasticsearch.paging.prefetch import PrefetchBudget
from services.stores.elasticsearch.store import ElasticsearchStore

__all__ = ["ElasticsearchStore", "PrefetchBudget"]
