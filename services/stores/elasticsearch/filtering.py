"""An export's filter on this store: the query that Elasticsearch is asked, and what is left to decide while reading."""

import json
from collections.abc import Callable
from functools import partial

import msgspec

from services.filters import matches
from services.filters.elasticsearch import translate
from services.filters.mapping import Fields
from services.filters.nodes import All
from services.filters.trial import MOST_ROW_SECONDS
from services.filters.weight import weight
from services.measures import ExportRequest
from services.stores.elasticsearch import pages
from services.stores.elasticsearch.queries import Selection, scope
from services.stores.elasticsearch.residual import MANY_CLAUSES, Residual
from services.stores.elasticsearch.source import Decode
from services.turns import Work

#: Known without asking the index.
NO_FIELDS = Fields({})


def selection(request: ExportRequest, fields: Callable[[], Fields]) -> Selection:
    """`fields`: of the index, asked for only when the filter needs them."""
    if request.elastic_query is not None or isinstance(request.filter, All):
        return Selection(scope(request), own_query(request), exact=True)
    needed = matches.fields(request.filter) - {"_id"}
    queries = translate(request.filter, fields() if needed else NO_FIELDS)
    chosen = None if queries.up == {"match_all": {}} else msgspec.Raw(msgspec.json.encode(queries.up))
    return Selection(scope(request), chosen, queries.exact)


def own_query(request: ExportRequest) -> msgspec.Raw | None:
    """A query of Elasticsearch's, as its caller wrote it: numbers of any size, text that is no Unicode."""
    return msgspec.Raw(json.dumps(dict(request.elastic_query)).encode()) if request.elastic_query else None


def row_seconds(request: ExportRequest, selection: Selection) -> float:
    """What a row takes, before any is read: of a large filter, the most that is borne."""
    return MOST_ROW_SECONDS if not selection.exact and weight(request.filter) > MANY_CLAUSES else 0.0


def decode(request: ExportRequest, selection: Selection, work: Work) -> Decode:
    """Of its pages, within a turn."""
    if selection.exact:
        return partial(pages.measures, look=work.rest)
    with work.turn():  # large filters take a while to be compiled
        return Residual(request.filter, work)
