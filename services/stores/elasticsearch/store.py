"""The port over Elasticsearch."""

import contextlib
import functools
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from services.errors import InvalidArgument, ServiceError, StoreUnavailable
from services.filters.mapping import Fields
from services.measures import NEWEST_FIRST, ExportRequest, Kind, Model, SortKey, Target
from services.stores.elasticsearch import answers, filtering, pages, sorting, steps, survey
from services.stores.elasticsearch.background import Background
from services.stores.elasticsearch.client import (
    JSON,
    NOT_ALLOWED,
    READY_CONNECTIONS,
    READY_SECONDS,
    Client,
    Refused,
    timed,
)
from services.stores.elasticsearch.documents import Documents
from services.stores.elasticsearch.lanes import Lane, Lanes, is_plain, place
from services.stores.elasticsearch.names import alias, path
from services.stores.elasticsearch.plan import Once, Span, Windows
from services.stores.elasticsearch.prefetch import Budget
from services.stores.elasticsearch.queries import Selection, scope
from services.stores.elasticsearch.reading import ElasticsearchReading, Pages, Plan
from services.stores.elasticsearch.retries import Late, Patience, Temporary
from services.stores.elasticsearch.source import Source
from services.stores.elasticsearch.survey import Survey
from services.stores.elasticsearch.views import View, Views
from services.stores.port import Count
from services.turns import Turns

log = logging.getLogger(__name__)

#: Seconds that a caller who waits for a link or a first byte is kept waiting by repetitions, at most.
EARLY_BUDGET_SECONDS = 5.0

#: What an answer is read as.
Shape = TypeVar("Shape")

#: The field whose `measureName` is a slot of the target.
HOLDER: Mapping[Kind, str] = {"assets": "asset", "devices": "origin"}


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
        self._lanes = Lanes()
        self._views = Views(self._client, self._lanes)
        self._documents = Documents(self._ask, admin_index)

    def ready(self) -> None:
        try:
            answers.typed(self._asked_if_ready.ask("GET", "/_cluster/health?timeout=1s"), answers.HEALTH)
        except Temporary as error:
            raise StoreUnavailable(f"Elasticsearch: {error}") from error

    def model(self, target: Target) -> Model:
        return self._documents.model(target)

    def mappings(self, types: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        return self._documents.mappings(types)

    def check(self, request: ExportRequest) -> Count:
        """Elasticsearch itself judges: it builds the order and the query, and reads no document."""
        sort = list(sorting.own(request.sort or NEWEST_FIRST))
        selections = filtering.selections(request, lambda: fields(self._indices(request)))
        with self._blaming(request):
            self._judge(request)
            selection, rows = taken(
                selections, lambda found: self._count(request, {**survey.counting(found.rows), "sort": sort})
            )
        return Count(rows, selection.exact)

    def open(self, request: ExportRequest) -> ElasticsearchReading:
        what = f"export {request.export_id}"
        ended, begun = threading.Event(), threading.Event()
        patience = Patience(f"{what}: opening its view", budget_seconds=self._early_seconds, ended=ended, begun=begun)
        try:
            indices = functools.cache(lambda: self._indices(request))
            selections = list(filtering.selections(request, lambda: fields(indices())))
            most_rows = rows_at_once(indices)
            view = self._views.open(measures_of(request), what, patience, self._lanes.first(request))
            try:
                return self._reading(request, selections, view, ended, begun, most_rows)
            except BaseException:
                ended.set()
                self._views.close(view)
                raise
        except ServiceError as error:
            log.error("%s: %s", what, error.message)
            raise

    def close(self) -> None:
        self._client.close()
        self._asked_if_ready.close()

    def _reading(
        self,
        request: ExportRequest,
        selections: Sequence[Selection],
        view: View,
        ended: threading.Event,
        begun: threading.Event,
        most_rows: int,
    ) -> ElasticsearchReading:
        sort = request.sort or NEWEST_FIRST

        def survey_of(selection: Selection) -> Survey:
            return Survey(
                view, selection, holder=HOLDER[request.target.kind], budget_seconds=self._early_seconds, ended=ended,
                begun=begun,
            )  # fmt: skip

        slots = Background(survey_of(Selection(scope(request), None, exact=True)).slots, "count-slots")
        with self._blaming(request):
            selection, (counted, span) = taken(selections, lambda found: surveyed(survey_of(found)))
        source = Source(
            view,
            selection,
            sort,
            decode=filtering.decode(request, selection, self._turns),
            blame=lambda error: self._blamed(request, error, is_asked=True),
            budget_seconds=self._budget_seconds,
            ended=ended,
            begun=begun,
            turns=self._turns,
        )
        filtered = not selection.exact
        plan = planned(request, sort, span, counted, filtered=filtered)
        rows = Pages(request, plan, source, self._prefetch, rows=span.rows, filtered=filtered, most_rows=most_rows)
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

    def _indices(self, request: ExportRequest) -> list[JSON]:
        """What is behind the alias of the engine's measures."""
        try:
            return self._ask("GET", path(measures_of(request)), None, answers.indices)
        except Refused as error:
            if error.http_status != 404:
                raise
            raise absent(request, error) from error

    def _judge(self, request: ExportRequest) -> None:
        """A query that the caller wrote."""
        query = filtering.own_query(request)
        if query is not None:
            self._probe(request, survey.compiling(query))

    @contextlib.contextmanager
    def _blaming(self, request: ExportRequest) -> Iterator[None]:
        """Searches with a caller's part."""
        try:
            yield
        except Refused as error:
            raise self._blamed(request, error) from error
        except StoreUnavailable as error:
            if isinstance(error.__cause__, Late) and not is_plain(request):
                raise StoreUnavailable(f"{error.message} A simpler query may take less.") from error
            raise

    def _blamed(self, request: ExportRequest, error: Refused, *, is_asked: bool = False) -> ServiceError:
        """Whose fault a refusal is: the caller's only if Elasticsearch answers the same search without their part.

        What it says of an index that is closed, or of a limit, is a 400 as well. `is_asked`: their query was answered.
        """
        if error.http_status == 404:
            return absent(request, error)
        if not error.may_be_asked_for:
            return error
        own = survey.judging(Selection(scope(request), None, exact=True).rows)
        try:
            self._probe(request, {**own, "sort": list(sorting.own(NEWEST_FIRST))})
        except StoreUnavailable as other:
            return other
        try:
            self._probe(request, {**own, "sort": list(sorting.own(request.sort or NEWEST_FIRST))})
        except Refused as other:
            return InvalidArgument("sort", other.reason) if other.may_be_asked_for else other
        return error if is_asked or request.elastic_query is None else InvalidArgument("query", error.reason)

    def _probe(self, request: ExportRequest, body: JSON) -> None:
        """Whether Elasticsearch takes it. Raises `Refused`, `StoreUnavailable`."""
        self._search(request, body, lambda answer: pages.decoded(answer, pages.ANSWER))

    def _count(self, request: ExportRequest, body: JSON) -> int:
        return self._search(request, body, lambda answer: pages.decoded(answer, pages.SUMMARY)).hits.total.value

    def _search(self, request: ExportRequest, body: JSON, read: Callable[[bytes], Shape]) -> Shape:
        """Among those of its kind."""
        return self._ask("POST", searching(request), body, read, lane=self._lanes.count(request))

    def _ask(
        self, method: str, target: str, body: Any, read: Callable[[bytes], Shape], *, lane: Lane | None = None
    ) -> Shape:
        """Before a caller has a status: what takes too long is not repeated."""
        patience = Patience(f"{method} {target}", budget_seconds=self._early_seconds, begun=threading.Event())

        def attempt() -> Shape:
            wait_seconds = patience.wait_seconds(self._client.timeout_seconds)
            asked = timed(body, wait_seconds) if "/_search" in target else body
            with contextlib.nullcontext() if lane is None else place(lane, wait_seconds):
                return read(self._client.ask(method, target, asked, wait_seconds=wait_seconds))

        return patience.tried(attempt)


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


def taken(selections: Iterable[Selection], ask: Callable[[Selection], Shape]) -> tuple[Selection, Shape]:
    """The narrowest that Elasticsearch takes, and its answer. Raises why it takes none."""
    found = iter(selections)
    selection = next(found)
    while True:
        try:
            return selection, ask(selection)
        except Refused as error:
            wider = next(found, None) if error.may_be_asked_for else None
            if wider is None:
                raise
            log.warning("a filter is decided while reading: %s", error.message)
            selection = wider


def fields(indices: Sequence[JSON]) -> Fields:
    """Of the engine's measures."""
    index = indices[0]
    return Fields(index["mappings"], index["settings"].get("mapping"))


def rows_at_once(indices: Callable[[], Sequence[JSON]]) -> int:
    """That one search answers: as many as by default, where the service may not know."""
    try:
        return steps.most_rows(indices())
    except Refused as error:
        if error.http_status not in NOT_ALLOWED:
            raise
        return steps.MOST_ROWS


def absent(request: ExportRequest, error: Refused) -> StoreUnavailable:
    return StoreUnavailable(
        f'Elasticsearch has no "{measures_of(request)}", where Kuzzle keeps the measures ({error.reason}).'
    )


def surveyed(counted: Survey) -> tuple[Survey, Span]:
    return counted, counted.span()
