"""What is counted before a row is read: rows, instants, slots; and the log of what is left out."""

import logging
import math
import threading
from collections.abc import Collection
from typing import Any

import msgspec

from services.measures import Slot
from services.stores.elasticsearch import pages
from services.stores.elasticsearch.pages import Summary, Whole
from services.stores.elasticsearch.plan import Histogram, Span
from services.stores.elasticsearch.queries import JSON, Selection, every
from services.stores.elasticsearch.retries import Patience
from services.stores.elasticsearch.views import View

log = logging.getLogger(__name__)

#: Pairs of slot and type that one answer holds.
PAIRS = 1000

#: Rows that are looked at for their size, and what a row has at least.
SAMPLED, LEAST_ROW_BYTES = 3, 1000.0

#: Aggregations count in doubles: an instant that is no less is rounded. Elasticsearch has none beyond the second.
ROUNDED_MS, FURTHEST_MS = 2**53, 2**63 - 1

EDGES: JSON = {"first": {"min": {"field": "measuredAt"}}, "last": {"max": {"field": "measuredAt"}}}


class Survey:
    """Of one view. `holder`: the field whose `measureName` is a slot of the target."""

    def __init__(
        self, view: View, selection: Selection, *, holder: str, budget_seconds: float, ended: threading.Event
    ) -> None:
        self._view = view
        self._selection = selection
        self._holder = holder
        self._budget = budget_seconds
        self._ended = ended

    def span(self) -> Span:
        """All rows; of none, the instants mean nothing."""
        summary: Summary = self._ask(counting(self._selection.rows, EDGES), pages.SUMMARY)
        edges, rows = summary.aggregations, summary.hits.total.value
        if edges is None or edges.first.value is None or edges.last.value is None:
            return Span(0, 0, rows)
        return Span(at(edges.first.value, -math.inf), at(edges.last.value, math.inf), rows)

    def row_bytes(self) -> float:
        """Of a row, about, before any is read: a page of documents of a megabyte must have few."""
        aggregations = {"rows": {"top_hits": {"size": SAMPLED}}}
        few = {"size": 0, "track_total_hits": False, "terminate_after": SAMPLED}
        found = self._ask({**few, "query": self._selection.rows, "aggs": aggregations}, pages.SIZES).aggregations
        hits = [] if found is None else found.rows.hits.hits
        return max((float(len(memoryview(hit))) for hit in hits), default=LEAST_ROW_BYTES)

    def histogram(self, span: Span) -> Histogram:
        interval = span.interval_ms
        times = {"field": "measuredAt", "fixed_interval": f"{interval}ms", "min_doc_count": 1}
        query = self._selection.between(span.first_ms, span.last_ms)
        body = {"size": 0, "track_total_hits": False, "query": query, "aggs": {"times": {"date_histogram": times}}}
        timeline = self._ask(body, pages.TIMELINE)
        return Histogram(span, interval, *pages.columns(timeline.aggregations.times.buckets))

    def slots(self) -> Collection[Slot]:
        """The pairs that occur, whatever the filter."""
        found: set[Slot] = set()
        after: dict[str, Any] | None = None
        while True:
            composite = self._ask(self._pairs(after), pages.OCCURRING).aggregations.slots
            found.update(map(pages.slot, composite.buckets))
            after = composite.after_key
            if after is None or len(composite.buckets) < PAIRS:
                return found

    def log_left_out(self) -> None:
        summary: Summary = self._ask(counting(self._selection.left_out), pages.SUMMARY)
        if summary.hits.total.value:
            log.warning(
                "%s: %d documents without measuredAt are no measures, and left out",
                self._view.what,
                summary.hits.total.value,
            )

    def _pairs(self, after: dict[str, Any] | None) -> JSON:
        sources = {"name": f"{self._holder}.measureName", "type": "type"}
        composite: JSON = {
            "size": PAIRS,
            "sources": [{name: {"terms": {"field": field, "missing_bucket": True}}} for name, field in sources.items()],
        }
        if after is not None:
            composite["after"] = after
        aggregations = {"slots": {"composite": composite}}
        return {"size": 0, "track_total_hits": False, "query": self._selection.slots, "aggs": aggregations}

    def _ask(self, body: JSON, decoder: "msgspec.json.Decoder[Whole]") -> Whole:
        patience = Patience(self._view.what, budget_seconds=self._budget, ended=self._ended)

        def attempt() -> Whole:
            with self._view.place(patience):
                return pages.decoded(self._view.search(body, patience), decoder)

        answer = patience.tried(attempt)
        self._view.seen(answer.pit_id)
        return answer


def counting(query: JSON, aggregations: JSON | None = None) -> JSON:
    """An exact count."""
    body: JSON = {"size": 0, "track_total_hits": True, "query": query}
    return body if aggregations is None else {**body, "aggs": aggregations}


def at(edge: float, beyond: float) -> int:
    """An instant that is at least as far in the direction of `beyond` as the one that was rounded to `edge`."""
    if abs(edge) < ROUNDED_MS:
        return int(edge)
    return max(-FURTHEST_MS, min(FURTHEST_MS, int(math.nextafter(edge, beyond))))


def compiling(query: JSON | msgspec.Raw) -> JSON:
    """For what Elasticsearch says of the query itself. Beside a range without rows it would not look at it."""
    return {"size": 0, "track_total_hits": False, "terminate_after": 1, "query": every(query)}
