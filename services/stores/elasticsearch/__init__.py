"""The store over Elasticsearch: Kuzzle's own indices, read in windows of time."""

from services.stores.elasticsearch.paging.prefetch import Budget
from services.stores.elasticsearch.store import ElasticsearchStore

__all__ = ["Budget", "ElasticsearchStore"]
