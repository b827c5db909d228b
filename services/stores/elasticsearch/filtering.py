"""An export's filter on this store: the query that Elasticsearch is asked, and what is left to decide while reading."""

import json
from collections.abc import Callable, Iterator

import msgspec

from services.filters import matches
from services.filters.elasticsearch import EXPENSIVE, Queries, translate
from services.filters.mapping import Fields
from services.filters.nodes import All
from services.measures import ExportRequest
from services.stores.elasticsearch import pages
from services.stores.elasticsearch.queries import Selection, scope
from services.stores.elasticsearch.residual import Residual
from services.stores.elasticsearch.source import Decode
from services.turns import Turns

#: Known without asking the index.
NO_FIELDS = Fields({})


def selections(request: ExportRequest, fields: Callable[[], Fields]) -> Iterator[Selection]:
    """The narrowest first; those that ask less of Elasticsearch after it, for a cluster that refuses the first.

    `fields`: of the index, asked for only when the filter needs them.
    """
    if request.elastic_query is not None or isinstance(request.filter, All):
        yield Selection(scope(request), own_query(request), exact=True)
        return
    needed = matches.fields(request.filter) - {"_id"}
    known = fields() if needed else NO_FIELDS
    first = chosen(request, translate(request.filter, known))
    yield first
    second = chosen(request, translate(request.filter, known, forbidden=EXPENSIVE))
    if second.chosen != first.chosen:
        yield second
    if second.chosen is not None:
        yield Selection(scope(request), None, exact=False)


def chosen(request: ExportRequest, queries: Queries) -> Selection:
    query = None if queries.up == {"match_all": {}} else msgspec.Raw(msgspec.json.encode(queries.up))
    return Selection(scope(request), query, queries.exact)


def own_query(request: ExportRequest) -> msgspec.Raw | None:
    """A query of Elasticsearch's, as its caller wrote it: numbers of any size, text that is no Unicode."""
    return msgspec.Raw(json.dumps(dict(request.elastic_query)).encode()) if request.elastic_query else None


def decode(request: ExportRequest, selection: Selection, turns: Turns) -> Decode:
    """Of its pages, within a turn."""
    return pages.measures if selection.exact else Residual(request.filter, turns.rest)
