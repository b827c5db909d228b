"""An export's filter on this store: the query that Elasticsearch is asked, and what is left to decide while reading."""

from collections.abc import Callable, Mapping
from typing import Any

from services.filters.nodes import All
from services.measures import ExportRequest
from services.stores.elasticsearch.queries import Selection, scope


def selection(request: ExportRequest, mapping: Callable[[], Mapping[str, Any]]) -> Selection:
    """`mapping`: of the index, asked for only when the filter needs it. Raises `InvalidFilter`."""
    if request.elastic_query is not None:
        return Selection(scope(request), dict(request.elastic_query), exact=True)
    if isinstance(request.filter, All):
        return Selection(scope(request), None, exact=True)
    raise NotImplementedError(type(request.filter))
