"""The trial of a filter of many clauses, at prepare, on the first rows that it would be asked of."""

from collections.abc import Callable

import msgspec

from services.filters.koncorde.weight import weight
from services.measures import ExportRequest
from services.scheduling.cpu_turn import CpuShare
from services.stores.elasticsearch.query.residual import MANY_CLAUSES, Residual
from services.stores.elasticsearch.query.scope import JSON, Selection
from services.stores.elasticsearch.transport.responses import RowsAnswer, Unsound, decoded

#: Rows of a trial: more than prove what one may take.
ROWS = 10

HITS = msgspec.json.Decoder(RowsAnswer[msgspec.Raw])


def tried(request: ExportRequest, selection: Selection, search: Callable[[JSON], bytes], cpu: CpuShare) -> None:
    """Try the filter, unless it is small or Elasticsearch decides it. Raises `InvalidFilter` when it takes too long."""
    if selection.exact or weight(request.filter) <= MANY_CLAUSES:
        return
    body = search({"size": ROWS, "track_total_hits": False, "query": selection.rows})
    try:
        rows = len(decoded(body, HITS).hits.hits)
        with cpu.turn():
            Residual(request.filter, cpu)(body, rows, with_cursor=False)
    except Unsound:  # the download finds out
        return
