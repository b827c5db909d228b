"""The port over Elasticsearch."""

import logging
import threading
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from services.errors import InvalidArgument, ServiceError, StoreUnavailable
from services.measures import NEWEST_FIRST, ExportRequest, Model, SortKey, Target
from services.stores.elasticsearch import filtering, indices, pages, sorting, survey, trying
from services.stores.elasticsearch.background import Background
from services.stores.elasticsearch.client import JSON, READY_CONNECTIONS, READY_SECONDS, Client, Refused
from services.stores.elasticsearch.documents import Documents
from services.stores.elasticsearch.indices import Indices
from services.stores.elasticsearch.names import alias, path
from services.stores.elasticsearch.plan import Once, Span, Windows
from services.stores.elasticsearch.prefetch import Budget
from services.stores.elasticsearch.queries import Selection
from services.stores.elasticsearch.reading import ElasticsearchReading, Pages, Plan
from services.stores.elasticsearch.retries import Patience, Temporary
from services.stores.elasticsearch.source import Source
from services.stores.elasticsearch.survey import Survey
from services.stores.elasticsearch.views import View, Views
from services.stores.port import Count, Notice, without_instant
from services.turns import Turns, Work

log = logging.getLogger(__name__)

#: Seconds that a caller who waits for a link or a first byte is kept waiting by repetitions, at most.
EARLY_BUDGET_SECONDS = 5.0


class ElasticsearchStore:
    """Over Kuzzle's indices. Plain values; `prefetch` is of the process, `turns` too.

    `urls`: of one cluster. `timeout_seconds`: how long one answer is awaited. `retry_budget_seconds`: how long after
    its first failure a page is given up. `ca_certs`: path of a file.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        turns: Turns,
        prefetch: Budget,
        admin_index: str = "device-manager",
        timeout_seconds: float = 30,
        retry_budget_seconds: float = 60,
        api_key: str | None = None,
        basic_auth: tuple[str, str] | None = None,
        ca_certs: str | None = None,
    ) -> None:
        credentials: JSON = {"api_key": api_key, "basic_auth": basic_auth, "ca_certs": ca_certs}
        self._client = Client(urls, timeout_seconds=timeout_seconds, **credentials)
        ready_seconds = min(READY_SECONDS, timeout_seconds)
        self._asked_if_ready = Client(urls, timeout_seconds=ready_seconds, connections=READY_CONNECTIONS, **credentials)
        self._budget_seconds = retry_budget_seconds
        self._early_seconds = min(EARLY_BUDGET_SECONDS, retry_budget_seconds)
        self._prefetch = prefetch
        self._turns = turns
        self._views = Views(self._client)
        self._documents = Documents(self._ask, admin_index)

    def ready(self) -> None:
        try:
            self._asked_if_ready.ask("GET", "/_cluster/health?timeout=1s")
        except (Temporary, Refused) as error:
            raise StoreUnavailable(f"Elasticsearch: {error}") from error

    def model(self, target: Target) -> Model:
        return self._documents.model(target)

    def mappings(self, types: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        return self._documents.mappings(types)

    def check(self, request: ExportRequest) -> Count:
        """Elasticsearch itself judges: it builds the order and the query. Only a large filter is tried on documents."""
        known = self._indices(request)
        selection = self._selection(request, known)
        self._judge(request, selection)
        notices = Background(lambda: self._notices(request, selection), "count-left-out")
        sort = known.sort(request.sort or NEWEST_FIRST, selection.asking)
        body = survey.counting(selection.rows)
        try:
            rows = self._count(request, survey.ordered(body, sort))
        except Refused as error:
            raise self._wrong(request, body, error) from error
        trying.tried(request, selection, lambda body: self._ask("POST", searching(request), body), self._turns.work())
        return Count(rows, selection.exact, notices.result())

    def open(self, request: ExportRequest, work: Work | None = None) -> ElasticsearchReading:
        what = f"export {request.export_id}"
        ended = threading.Event()
        patience = Patience(f"{what}: opening its view", budget_seconds=self._early_seconds)
        try:
            learning = Background(lambda: self._indices(request), "know-indices")
            view = self._views.open(measures_of(request), what, patience)
            try:
                return self._reading(request, learning.result(), view, ended, work or self._turns.work())
            except BaseException:
                ended.set()
                self._views.close(view)
                raise
        except Refused as error:
            log.error("%s: %s", what, error)
            raise refusal(request, error) from error
        except StoreUnavailable as error:
            log.error("%s: %s", what, error.message)
            raise

    def close(self) -> None:
        self._client.close()
        self._asked_if_ready.close()

    def _reading(
        self, request: ExportRequest, known: Indices, view: View, ended: threading.Event, work: Work
    ) -> ElasticsearchReading:
        selection = self._selection(request, known)
        sort = known.sort(request.sort or NEWEST_FIRST, selection.asking)
        counted = Survey(view, selection, budget_seconds=self._early_seconds, ended=ended)
        slots = Background(counted.slots, "count-slots")
        row_bytes = Background(counted.row_bytes, "look-at-sizes")
        span = counted.span()
        source = Source(
            view,
            selection,
            sort,
            decode=filtering.decode(request, selection, work),
            budget_seconds=self._budget_seconds,
            ended=ended,
            work=work,
        )
        source.row_bytes = row_bytes.result()
        source.row_seconds = filtering.row_seconds(request, selection)
        filtered = not selection.exact
        plan = planned(request, sort, span, counted, filtered=filtered)
        rows = Pages(request, plan, source, self._prefetch, rows=span.rows, filtered=filtered)
        rows.prepare()
        if request.start_ms is None and request.end_ms is None:
            Background(counted.log_left_out, "count-left-out")
        return ElasticsearchReading(
            rows,
            view=view,
            views=self._views,
            count=Count(span.rows, selection.exact),
            slots=slots.result(),
            ended=ended,
        )

    def _indices(self, request: ExportRequest) -> Indices:
        """Of the engine's measures."""
        try:
            return indices.read(self._ask("GET", path(measures_of(request))))
        except Refused as error:
            raise refusal(request, error) from error

    def _selection(self, request: ExportRequest, known: Indices) -> Selection:
        try:
            return filtering.selection(request, known, partial(indices.occupied, self._ask, measures_of(request)))
        except Refused as error:
            raise refusal(request, error) from error

    def _notices(self, request: ExportRequest, selection: Selection) -> tuple[Notice, ...]:
        """Of what is left out."""
        try:
            return without_instant(self._count(request, survey.counting(selection.left_out)))
        except Refused as error:
            raise refusal(request, error) from error

    def _judge(self, request: ExportRequest, selection: Selection) -> None:
        """A query that the caller wrote."""
        if request.elastic_query is None or selection.chosen is None:
            return
        try:
            self._ask("POST", searching(request), survey.compiling(selection.chosen))
        except Refused as error:
            raise refusal(request, error) from error

    def _count(self, request: ExportRequest, body: JSON) -> int:
        target = searching(request)
        patience = self._early("counting")
        return patience.tried(lambda: self._summary(target, body, patience)).hits.total.value

    def _summary(self, target: str, body: JSON, patience: Patience) -> pages.Summary:
        wait_seconds = patience.wait_seconds(self._client.timeout_seconds)
        return pages.decoded(self._client.ask("POST", target, body, wait_seconds=wait_seconds), pages.SUMMARY)

    def _wrong(self, request: ExportRequest, body: JSON, error: Refused) -> ServiceError:
        """Which argument Elasticsearch refuses: without the order, would it count?"""
        if error.status == 400 and request.sort not in ((), NEWEST_FIRST):
            try:
                self._count(request, body)
            except Refused as other:
                return refusal(request, other)
            return InvalidArgument("sort", error.reason)
        return refusal(request, error)

    def _ask(self, method: str, target: str, body: Any = None) -> bytes:
        patience = self._early(f"{method} {target}")
        return patience.tried(
            lambda: self._client.ask(
                method, target, body, wait_seconds=patience.wait_seconds(self._client.timeout_seconds)
            )
        )

    def _early(self, what: str) -> Patience:
        return Patience(what, budget_seconds=self._early_seconds)


def planned(request: ExportRequest, sort: Sequence[SortKey], span: Span, counted: Survey, *, filtered: bool) -> Plan:
    """By time where that is the order. With a filter that is decided while reading, rows are counted then, too."""
    offset, size = (0, None) if filtered else (request.offset, request.size)
    if not sorting.by_time(sort):
        return Once(span.rows, offset=offset, size=size)
    return Windows(span, counted.histogram, descending=sort[0].order == "desc", offset=offset, size=size)


def measures_of(request: ExportRequest) -> str:
    return alias(request.target.engine, "measures")


def searching(request: ExportRequest) -> str:
    """Where, and not without a shard."""
    return f"{path(measures_of(request))}/_search?allow_partial_search_results=false"


def refusal(request: ExportRequest, error: Refused) -> ServiceError:
    """What it means for the caller."""
    if error.status == 400:
        return InvalidArgument("query", error.reason)
    if error.status == 404:
        return StoreUnavailable(f'Elasticsearch has no "{measures_of(request)}", where Kuzzle keeps the measures.')
    return StoreUnavailable(f"Elasticsearch refuses: {error}")
