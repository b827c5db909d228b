"""What is counted before a row is read: rows, instants and slots; and the log of what is left out."""

import logging
import math
import threading
import time
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from services.errors import ServiceError, StoreUnavailable
from services.measures import NEWEST_FIRST, Slot, SortKey
from services.stores.elasticsearch.paging.targets import Counted
from services.stores.elasticsearch.paging.windows import MOST_BUCKETS, Histogram, Span
from services.stores.elasticsearch.query import sorting
from services.stores.elasticsearch.query.exact_terms import FURTHEST_MS, Tuples
from services.stores.elasticsearch.query.scope import JSON, Selection, every
from services.stores.elasticsearch.transport import limits, responses
from services.stores.elasticsearch.transport.client import Refused
from services.stores.elasticsearch.transport.point_in_time import PointInTime
from services.stores.elasticsearch.transport.responses import AnySearch, Item, NewestBucket, Summary
from services.stores.elasticsearch.transport.retries import RetryBudget

log = logging.getLogger(__name__)

#: Slots with their types, and targets, that one answer holds.
SLOTS, TARGETS = 1000, 10_000

#: Rows that are looked at for their size, and what a row has at least.
SAMPLED, LEAST_ROW_BYTES = 3, 1000.0

#: Aggregations count in doubles: an instant that is no less is rounded.
ROUNDED_MS = 2**53

#: Pieces of a span that goes farther than histograms do.
FAR_PIECES = 16

EDGES: JSON = {"first": {"min": {"field": "measuredAt"}}, "last": {"max": {"field": "measuredAt"}}}


#: The order of insertion, from its end; an index without documents has none.
LAST_INSERTED: JSON = {"_seq_no": {"order": "desc", "unmapped_type": "long"}}

#: Longer than any id may be: it finds nothing, which Elasticsearch knows only when it has looked.
NO_ID = "-" * 513


class Counts:
    """Counts what is in a point in time."""

    def __init__(
        self,
        point_in_time: PointInTime,
        selection: Selection,
        *,
        budget_seconds: float,
        ended: threading.Event,
        begun: threading.Event,
    ) -> None:
        self._point_in_time = point_in_time
        self._selection = selection
        self._budget = budget_seconds
        self._ended = ended
        self._begun = begun
        #: That the last search took.
        self._seconds = 0.0
        #: Of one answer; fewer once a cluster says so.
        self._most_buckets, self._most_gathered = MOST_BUCKETS, TARGETS

    def span(self) -> Span:
        """Return the span of all rows; without rows, its instants mean nothing."""
        summary: Summary = self._ask(counting(self._selection.rows, EDGES), responses.SUMMARY)
        self._point_in_time.took(self._seconds)
        edges, rows = summary.aggregations, summary.hits.total.value
        if edges is None or edges.first.value is None or edges.last.value is None:
            return Span(0, 0, rows)
        return Span(at(edges.first.value, -math.inf), at(edges.last.value, math.inf), rows)

    def row_bytes(self) -> float:
        """Return about how many bytes a row has: a page of documents of a megabyte must have few."""
        aggregations = {"rows": {"top_hits": {"size": SAMPLED}}}
        few = {"size": 0, "track_total_hits": False, "terminate_after": SAMPLED}
        found = self._ask({**few, "query": self._selection.rows, "aggs": aggregations}, responses.SIZES).aggregations
        hits = [] if found is None else found.rows.hits.hits
        return max((float(len(memoryview(hit))) for hit in hits), default=LEAST_ROW_BYTES)

    def histogram(self, span: Span) -> Histogram:
        """Return the rows of a span by time; in one bucket where the cluster allows no more."""
        count = self._stretches if span.is_far else self._timeline
        while True:
            pieces = min(FAR_PIECES, self._most_buckets) if span.is_far else self._most_buckets - 1
            if pieces < 2:
                return Histogram(span, span.piece_ms(1), array("q", [span.first_ms]), array("q", [span.rows]))
            try:
                return count(span, span.piece_ms(pieces))
            except Refused as error:
                self._most_buckets = limits.buckets(error, self._most_buckets)

    def _timeline(self, span: Span, interval_ms: int) -> Histogram:
        times = {"field": "measuredAt", "fixed_interval": f"{interval_ms}ms", "min_doc_count": 1}
        query = self._selection.between(span.first_ms, span.last_ms)
        body = {"size": 0, "track_total_hits": False, "query": query, "aggs": {"times": {"date_histogram": times}}}
        timeline = self._ask(body, responses.TIMELINE)
        return Histogram(span, interval_ms, *responses.columns(timeline.aggregations.times.buckets))

    def _stretches(self, span: Span, length_ms: int) -> Histogram:
        """Count by ranges, which are exact however far the instants are."""
        starts = range(span.first_ms, span.last_ms + 1, length_ms)
        during = self._selection.terms.instants.during
        ranges = [during(start, min(start + length_ms - 1, span.last_ms)) for start in starts]
        body = {
            "size": 0, "track_total_hits": False, "query": self._selection.between(span.first_ms, span.last_ms),
            "aggs": {"times": {"filters": {"filters": ranges}}},
        }  # fmt: skip
        counts = [bucket.doc_count for bucket in self._ask(body, responses.PIECES).aggregations.times.buckets]
        found = [(start, count) for start, count in zip(starts, counts, strict=False) if count]
        return Histogram(span, length_ms, array("q", [start for start, _ in found]), array("q", [n for _, n in found]))

    def slots(self) -> Collection[Slot]:
        """Return the slots and types (and in a fleet the models) that occur together, whatever the filter."""
        asked = [gathering for tuples in self._selection.tuples for gathering in gatherings(self._selection, tuples)]
        return {
            responses.slot(bucket)
            for body in asked
            for found in self._gathered(body, responses.OCCURRING, lambda answer: answer.aggregations.slots, SLOTS)
            for bucket in found
        }

    def targets(self, field: str) -> Iterator[Counted]:
        """Yield the ids that a field holds, in their order, and how many rows each has."""
        body = by_target(self._selection.rows, {"id": field})
        for found in self._gathered(body, responses.TARGETS, lambda answer: answer.aggregations.targets, TARGETS):
            yield from (Counted(bucket.key.id, bucket.doc_count) for bucket in found)

    def newest(self, fields: Mapping[str, str], sort: JSON, most: int) -> Iterator[Sequence[NewestBucket]]:
        """Yield what rows have in fields, `id` among them, about `most` together, each with its first row by `sort`."""
        body = by_target(self._selection.rows, fields)
        newest = {"top_hits": {"size": 1, "sort": [sort, LAST_INSERTED]}}
        body["aggs"]["targets"]["aggs"] = {"newest": newest}
        return self._gathered(body, responses.NEWEST, lambda answer: answer.aggregations.targets, most)

    def _gathered(
        self,
        body: JSON,
        decoder: "msgspec.json.Decoder[AnySearch]",
        buckets: Callable[[AnySearch], responses.Buckets[Item]],
        most: int,
    ) -> Iterator[Sequence[Item]]:
        """Yield the buckets of a composite aggregation, about `most` of an answer."""
        after: dict[str, Any] | None = None
        while True:
            size = min(most, self._most_gathered)
            try:
                found = buckets(self._ask(going_on(body, after, size), decoder))
            except Refused as error:
                self._most_gathered = limits.buckets(error, size)
                continue
            yield found.buckets
            if found.after_key is None or len(found.buckets) < size:
                return
            if found.after_key == after:
                raise StoreUnavailable("Elasticsearch counts the same again and again.")
            after = found.after_key

    def log_left_out(self) -> None:
        """Write a warning when documents have no instant, and are therefore no rows."""
        what = self._point_in_time.what
        try:
            budget = RetryBudget(what, budget_seconds=self._budget)
            summary: Summary = self._ask(counting(self._selection.left_out), responses.SUMMARY, budget)
        except ServiceError as error:  # a short download may have ended before
            log.info("%s: documents without measuredAt could not be counted: %s", what, error.message)
            return
        if left_out := summary.hits.total.value:
            log.warning("%s: %d documents without measuredAt are no measures, and left out", what, left_out)

    def _ask(
        self, body: JSON, decoder: "msgspec.json.Decoder[AnySearch]", retry_budget: RetryBudget | None = None
    ) -> AnySearch:
        retry_budget = retry_budget or self._retry_budget()

        def attempt() -> AnySearch:
            with self._point_in_time.permit(retry_budget):
                began = time.monotonic()
                found = self._point_in_time.search(body, retry_budget)
                self._seconds = time.monotonic() - began
                return responses.decoded(found, decoder)

        answer = retry_budget.run(attempt)
        self._point_in_time.seen(answer.pit_id)
        return answer

    def _retry_budget(self) -> RetryBudget:
        return RetryBudget(self._point_in_time.what, budget_seconds=self._budget, ended=self._ended, begun=self._begun)


def gatherings(selection: Selection, tuples: Tuples) -> Iterator[JSON]:
    """Yield searches whose findings are, together, all slots there are.

    What a field leaves out (`ignore_above`) is read in the documents.
    """
    if not tuples.hiding:
        yield gathering(selection.slots, tuples)
        return
    hidden: JSON = {"terms": {"_ignored": list(tuples.hiding)}}
    yield gathering(every(selection.slots, {"bool": {"must_not": [hidden]}}), tuples)
    yield gathering(every(selection.slots, hidden), replace(tuples, fields=selection.slot, read=True))


def gathering(query: JSON, tuples: Tuples) -> JSON:
    sources = [
        {name: {"terms": {"field": field, "missing_bucket": True}}}
        for name, field in zip(("name", "type", "model"), tuples.fields, strict=False)
    ]
    body: JSON = {"size": 0, "track_total_hits": False, "query": query}
    if tuples.indices is not None:
        body |= {"query": only_in(tuples.indices, query), "sort": [{"measuredAt": {"unmapped_type": "date"}}]}
    if tuples.read:
        body["runtime_mappings"] = {field: {"type": "keyword"} for field in tuples.fields}
    return {**body, "aggs": {"slots": {"composite": {"sources": sources}}}}


def by_target(query: JSON, fields: Mapping[str, str]) -> JSON:
    """Return a search that gathers the values of fields; those beside the first may be missing."""
    sources = [
        {name: {"terms": {"field": field, **({"missing_bucket": True} if at else {})}}}
        for at, (name, field) in enumerate(fields.items())
    ]
    aggregations = {"targets": {"composite": {"sources": sources}}}
    return {"size": 0, "track_total_hits": False, "query": query, "aggs": aggregations}


def going_on(body: JSON, after: dict[str, Any] | None, size: int) -> JSON:
    """Return a search for the next `size` buckets of its composite aggregation after one."""
    ((name, aggregation),) = body["aggs"].items()
    composite = {**aggregation["composite"], "size": size, **({} if after is None else {"after": after})}
    return {**body, "aggs": {name: {**aggregation, "composite": composite}}}


def only_in(indices: Sequence[str], query: JSON) -> JSON:
    """Return a query by which indices are passed over whose field of that name cannot be gathered.

    Elasticsearch does that before it begins (`can_match`), by queries that are seen to find nothing
    there, such as one of `_index`. For this it wants an order by a field; and were all indices seen
    to find nothing, it would ask any of them, so there is a clause that is not seen.
    """
    here: JSON = {"terms": {"_index": list(indices)}}
    nothing: JSON = {"ids": {"values": [NO_ID]}}
    return {"bool": {"filter": [here], "should": [query, nothing], "minimum_should_match": 1}}


def counting(query: JSON, aggregations: JSON | None = None) -> JSON:
    """Return a search that counts exactly."""
    body: JSON = {"size": 0, "track_total_hits": True, "query": query}
    return body if aggregations is None else {**body, "aggs": aggregations}


def ordered(body: JSON, sort: Sequence[SortKey]) -> JSON:
    """Return a search with an order that Elasticsearch judges.

    It finds orders that indices do not share only when it has rows of them to compare.
    """
    shown = {} if tuple(sort) == NEWEST_FIRST else {"size": 1, "_source": False}
    return {**body, **shown, "sort": list(sorting.sort_clauses(sort))}


def at(edge: float, beyond: float) -> int:
    """Return an instant that is at least as far in the direction of `beyond` as the one that was rounded to `edge`."""
    if abs(edge) < ROUNDED_MS:
        return int(edge)
    return max(-FURTHEST_MS - 1, min(FURTHEST_MS, int(math.nextafter(edge, beyond))))


def judging(query: JSON) -> JSON:
    """Return what an export asks whatever its caller wants, but for its order; no row is looked for."""
    return {**compiling(query), "aggs": EDGES}


def compiling(query: JSON | msgspec.Raw) -> JSON:
    """Return a search for what Elasticsearch says of the query itself.

    Beside a range without rows it would not look at the query.
    """
    return {"size": 0, "track_total_hits": False, "terminate_after": 1, "query": every(query)}
