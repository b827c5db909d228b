"""An export's filter on Elasticsearch: the query that is asked, and what is left to be decided while reading."""

import json
from collections.abc import Iterator
from functools import partial

import msgspec

from services.filters.elasticsearch.translate import EXPENSIVE, Queries, translate
from services.filters.koncorde.nodes import All
from services.filters.koncorde.weight import weight
from services.filters.python import evaluator
from services.filters.python.trial import MOST_ROW_SECONDS
from services.measures import ExportRequest
from services.scheduling.cpu_turn import CpuShare
from services.stores.elasticsearch.query import scope, stored_source
from services.stores.elasticsearch.query.exact_terms import ExactTerms
from services.stores.elasticsearch.query.indices import Indices, Occupied
from services.stores.elasticsearch.query.residual import MANY_CLAUSES, Residual
from services.stores.elasticsearch.query.scope import Selection
from services.stores.elasticsearch.transport import responses
from services.stores.elasticsearch.transport.responses import Decode

#: What matches the filter, or may, and whether it does; `None`: everything.
Choice = tuple[msgspec.Raw | None, bool]


def terms(request: ExportRequest, indices: Indices, occupied: Occupied) -> ExactTerms:
    """Return how the indices are asked for what an export is about.

    Raises `StoreUnavailable` where one does not hold, or cannot be asked for, what is wanted.
    """
    paths = evaluator.fields(request.filter) - {"_id"} if request.elastic_query is None else frozenset()
    indices.check_kept(stored_source.ROW, paths | request.options.paths)
    return indices.terms(scope.asked(request), occupied, read=scope.slot(request), instant=scope.INSTANT)


def everything(request: ExportRequest, terms: ExactTerms) -> Selection:
    """Return the selection of all rows, whatever the filter. Raises what `terms` raises."""
    return scope.selection(request, terms, None, exact=True)


def selections(request: ExportRequest, indices: Indices, terms: ExactTerms) -> Iterator[Selection]:
    """Yield selections, the narrowest first; those after it ask less, for a cluster that refuses the first."""
    for chosen, exact in choices(request, indices):
        yield scope.selection(request, terms, chosen, exact=exact)


def choices(request: ExportRequest, indices: Indices) -> Iterator[Choice]:
    if request.elastic_query is not None or isinstance(request.filter, All):
        yield own_query(request), True
        return
    first = choice(translate(request.filter, indices.fields))
    yield first
    second = choice(translate(request.filter, indices.fields, forbidden=EXPENSIVE))
    if second != first:
        yield second
    if second[0] is not None:
        yield None, False


def choice(found: Queries) -> Choice:
    return None if found.up == {"match_all": {}} else msgspec.Raw(msgspec.json.encode(found.up)), found.exact


def own_query(request: ExportRequest) -> msgspec.Raw | None:
    """Return the query that the caller wrote, as written: numbers of any size, text that is no Unicode."""
    return msgspec.Raw(json.dumps(dict(request.elastic_query)).encode()) if request.elastic_query else None


def row_seconds(request: ExportRequest, selection: Selection) -> float:
    """Return the seconds that a row is expected to take: with a large filter, the most that is borne."""
    return MOST_ROW_SECONDS if not selection.exact and weight(request.filter) > MANY_CLAUSES else 0.0


def decode(request: ExportRequest, selection: Selection, cpu: CpuShare) -> Decode:
    """Return what decodes the pages, within a turn of the CPU."""
    if selection.exact:
        return partial(responses.measures, read=responses.read_of(request.options), look=cpu.rest)
    with cpu.turn():  # large filters take a while to be compiled
        return Residual(request.filter, cpu, documents=request.options.wants_documents)
