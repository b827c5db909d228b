"""What is counted before a row is read: rows, instants, slots; and the log of what is left out."""

import logging
import math
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from services.measures import NEWEST_FIRST, Slot, SortKey
from services.stores.elasticsearch import pages, sorting
from services.stores.elasticsearch.asking import Pairs
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


#: Longer than any id may be: it finds nothing, which Elasticsearch knows only when it has looked.
NO_ID = "-" * 513


class Survey:
    """Of one view."""

    def __init__(self, view: View, selection: Selection, *, budget_seconds: float, ended: threading.Event) -> None:
        self._view = view
        self._selection = selection
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
        asked = [gathering for pairs in self._selection.pairs for gathering in gatherings(self._selection, pairs)]
        return {slot for body in asked for slot in self._gathered(body)}

    def _gathered(self, body: JSON) -> Iterator[Slot]:
        after: dict[str, Any] | None = None
        while True:
            found = self._ask(going_on(body, after), pages.OCCURRING).aggregations.slots
            yield from map(pages.slot, found.buckets)
            after = found.after_key
            if after is None or len(found.buckets) < PAIRS:
                return

    def log_left_out(self) -> None:
        summary: Summary = self._ask(counting(self._selection.left_out), pages.SUMMARY)
        if summary.hits.total.value:
            log.warning(
                "%s: %d documents without measuredAt are no measures, and left out",
                self._view.what,
                summary.hits.total.value,
            )

    def _ask(self, body: JSON, decoder: "msgspec.json.Decoder[Whole]") -> Whole:
        patience = Patience(self._view.what, budget_seconds=self._budget, ended=self._ended)

        def attempt() -> Whole:
            with self._view.place(patience):
                return pages.decoded(self._view.search(body, patience), decoder)

        answer = patience.tried(attempt)
        self._view.seen(answer.pit_id)
        return answer


def gatherings(selection: Selection, pairs: Pairs) -> Iterator[JSON]:
    """Searches whose pairs are, together, all there are. What a field leaves out is read in the documents."""
    if not pairs.hiding:
        yield gathering(selection.slots, pairs)
        return
    hidden: JSON = {"terms": {"_ignored": list(pairs.hiding)}}
    yield gathering(every(selection.slots, {"bool": {"must_not": [hidden]}}), pairs)
    yield gathering(every(selection.slots, hidden), replace(pairs, fields=selection.slot, read=True))


def gathering(query: JSON, pairs: Pairs) -> JSON:
    sources = [
        {name: {"terms": {"field": field, "missing_bucket": True}}}
        for name, field in zip(("name", "type"), pairs.fields, strict=True)
    ]
    body: JSON = {"size": 0, "track_total_hits": False, "query": query}
    if pairs.indices is not None:
        body |= {"query": only_in(pairs.indices, query), "sort": [{"measuredAt": {"unmapped_type": "date"}}]}
    if pairs.read:
        body["runtime_mappings"] = {field: {"type": "keyword"} for field in pairs.fields}
    return {**body, "aggs": {"slots": {"composite": {"size": PAIRS, "sources": sources}}}}


def going_on(body: JSON, after: dict[str, Any] | None) -> JSON:
    """After a pair."""
    if after is None:
        return body
    return {**body, "aggs": {"slots": {"composite": {**body["aggs"]["slots"]["composite"], "after": after}}}}


def only_in(indices: Sequence[str], query: JSON) -> JSON:
    """Such that other indices are passed over, whose field of that name cannot be gathered.

    Elasticsearch does that before it begins, by what queries are seen to find nothing: that of `_index`. For this it
    wants an order by a field; and were all of them seen to find nothing, it would ask any, so there is one that is not.
    """
    here: JSON = {"terms": {"_index": list(indices)}}
    nothing: JSON = {"ids": {"values": [NO_ID]}}
    return {"bool": {"filter": [here], "should": [query, nothing], "minimum_should_match": 1}}


def counting(query: JSON, aggregations: JSON | None = None) -> JSON:
    """An exact count."""
    body: JSON = {"size": 0, "track_total_hits": True, "query": query}
    return body if aggregations is None else {**body, "aggs": aggregations}


def ordered(body: JSON, sort: Sequence[SortKey]) -> JSON:
    """The same count, in an order that Elasticsearch judges. It finds orders that indices do not share when it has
    rows of them to compare.
    """
    shown = {} if tuple(sort) == NEWEST_FIRST else {"size": 1, "_source": False}
    return {**body, **shown, "sort": list(sorting.own(sort))}


def at(edge: float, beyond: float) -> int:
    """An instant that is at least as far in the direction of `beyond` as the one that was rounded to `edge`."""
    if abs(edge) < ROUNDED_MS:
        return int(edge)
    return max(-FURTHEST_MS, min(FURTHEST_MS, int(math.nextafter(edge, beyond))))


def compiling(query: JSON | msgspec.Raw) -> JSON:
    """For what Elasticsearch says of the query itself. Beside a range without rows it would not look at it."""
    return {"size": 0, "track_total_hits": False, "terminate_after": 1, "query": every(query)}
