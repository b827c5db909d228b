"""The store over Elasticsearch: what the port promises, put together from query, transport and paging."""

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from services.errors import InvalidArgument, ServiceError, StoreUnavailable
from services.measures import IDS, NEWEST_FIRST, OLDEST_FIRST, ExportRequest, Fleet, Measure, Model, SortKey, Target
from services.scheduling.background import in_background
from services.scheduling.cpu_turn import CpuShare, CpuTurns
from services.stores.elasticsearch.documents import Documents
from services.stores.elasticsearch.names import alias, path
from services.stores.elasticsearch.paging import counts
from services.stores.elasticsearch.paging.counts import Counts
from services.stores.elasticsearch.paging.fetcher import PageFetcher
from services.stores.elasticsearch.paging.newest import Newest
from services.stores.elasticsearch.paging.pace import first_pace
from services.stores.elasticsearch.paging.parts import Part, Parts
from services.stores.elasticsearch.paging.prefetch import PrefetchBudget
from services.stores.elasticsearch.paging.reading import ElasticsearchReading, Pages, PageSource, Plan
from services.stores.elasticsearch.paging.targets import ByTarget, Counted
from services.stores.elasticsearch.paging.windows import Once, Span, Windows
from services.stores.elasticsearch.query import filtering, indices, scope, sorting, trial
from services.stores.elasticsearch.query.exact_terms import ExactTerms
from services.stores.elasticsearch.query.indices import Indices
from services.stores.elasticsearch.query.scope import Selection
from services.stores.elasticsearch.transport import responses, shapes
from services.stores.elasticsearch.transport.client import JSON, Client, Refused, timed
from services.stores.elasticsearch.transport.lanes import Lane, Lanes, is_plain, permit
from services.stores.elasticsearch.transport.point_in_time import PointInTime, PointsInTime
from services.stores.elasticsearch.transport.retries import Late, RetryBudget, Temporary
from services.stores.port import SAMPLE_BYTES, SAMPLE_ROWS, Count, Notice, without_instant

log = logging.getLogger(__name__)

#: Readiness is asked by a client of its own: its connections, and the seconds that it waits.
READY_CONNECTIONS, READY_SECONDS = 16, 3.0

#: Seconds that a caller who waits for a link or a first byte is kept waiting by repetitions, at most.
EARLY_BUDGET_SECONDS = 5.0

#: Rows that tell whether more of them make a sample: a document may have a megabyte.
SIZED_ROWS = 3

#: What an answer is read as.
Shape = TypeVar("Shape")


class ElasticsearchStore:
    """Reads the indices of a Kuzzle. `prefetch` and `turns` are shared by all stores of a process.

    `urls`: nodes of one cluster. `timeout_seconds`: how long one answer is awaited.
    `retry_budget_seconds`: how long after its first failure a page is given up. `ca_certs`: path of
    a file with certificates (PEM).
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        turns: CpuTurns,
        prefetch: PrefetchBudget,
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
        self._points_in_time = PointsInTime(self._client, self._lanes)
        self._documents = Documents(self._ask, admin_index)

    def ready(self) -> None:
        try:
            shapes.typed(self._asked_if_ready.ask("GET", "/_cluster/health?timeout=1s"), shapes.HEALTH)
        except Temporary as error:
            raise StoreUnavailable(f"Elasticsearch: {error}") from error

    def model(self, target: Target) -> Model:
        return self._documents.model(target)

    def models(self, fleet: Fleet) -> tuple[Model, ...]:
        return self._documents.models_of(fleet)

    def mappings(self, types: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        return self._documents.mappings(types)

    def units(self, types: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        return self._documents.units(types)

    def check(self, request: ExportRequest) -> Count:
        """Count what an export would have. Elasticsearch itself judges order and query; only a
        large filter is tried here, on documents.
        """
        known = self._indices(request)
        terms = self._terms(request, known)
        sort = known.sort(request.sort or NEWEST_FIRST, terms)
        whole = filtering.everything(request, terms)
        with self._blaming(request):
            self._judge(request)
            notices = in_background(lambda: self._notices(request, whole), "count-left-out")
            sample = in_background(lambda: self._sample(request, whole), "sample")
            selection, rows = self._taken(
                request,
                filtering.selections(request, known, terms),
                lambda found: self._count(request, counts.ordered(counts.counting(found.rows), sort)),
            )
            trial.tried(request, selection, lambda body: self._search(request, body, bytes), self._turns.share())
        return Count(rows, selection.exact, notices.result(), sample.result())

    def open(self, request: ExportRequest, cpu: CpuShare | None = None) -> ElasticsearchReading:
        what = f"export {request.export_id}"
        ended, begun = threading.Event(), threading.Event()
        retry_budget = RetryBudget(
            f"{what}: opening its view", budget_seconds=self._early_seconds, ended=ended, begun=begun
        )
        try:
            learning = in_background(lambda: self._indices(request), "know-indices")
            with finding(request):
                lane = self._lanes.first(request)
                point_in_time = self._points_in_time.open(measures_of(request), what, retry_budget, lane)
            try:
                known, cpu = learning.result(), cpu or self._turns.share()
                return self._reading(request, known, point_in_time, ended, begun, cpu)
            except BaseException:
                ended.set()
                self._points_in_time.close(point_in_time)
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
        known: Indices,
        point_in_time: PointInTime,
        ended: threading.Event,
        begun: threading.Event,
        cpu: CpuShare,
    ) -> ElasticsearchReading:
        terms = self._terms(request, known)
        sort = known.sort(request.sort or NEWEST_FIRST, terms)

        def counts_of(selection: Selection) -> Counts:
            return Counts(point_in_time, selection, budget_seconds=self._early_seconds, ended=ended, begun=begun)

        slots = in_background(counts_of(filtering.everything(request, terms)).slots, "count-slots")
        with self._blaming(request):
            selection, (counted, span, row_bytes) = self._taken(
                request, filtering.selections(request, known, terms), lambda found: span_and_size(counts_of(found))
            )

        def reading(pages: PageSource, parts: Iterable[tuple[str, Part]] = ()) -> ElasticsearchReading:
            return ElasticsearchReading(
                pages,
                point_in_time=point_in_time,
                points_in_time=self._points_in_time,
                count=Count(span.rows, selection.exact),
                slots=slots.result(),
                ended=ended,
                parts=parts,
            )

        by = scope.ID[request.collapsed_by]
        gathered = newest_fields(request, selection)
        if gathered is not None:
            newest = Newest(
                whole=counts_of(selection),
                part=lambda ids: counts_of(selection.of(by, ids)),
                fields=gathered,
                sort=next(sorting.sort_clauses(sort)),
                each=1 if request.collapse != "slot" else max(1, len(slots.result())),
                row_bytes=row_bytes,
                rows=span.rows,
                read=responses.read_of(request.options),
                cpu=cpu,
                begun=begun,
            )
            return reading(newest)
        order, plan = sort, planned(request, sort, span, counted, filtered=not selection.exact)
        targets: deque[Counted] = deque()
        if is_by_target(request):
            field = terms.ordering(by)
            within = sort if request.collapse is None else known.sort(OLDEST_FIRST, terms)
            order = (SortKey(field), *within)

            def of_target(target: Counted) -> Plan:
                part = counts_of(selection.of(by, [target.id]))
                return planned(request, within, part.span(), part, filtered=False)

            plan = ByTarget(remembered(counts_of(selection).targets(field), targets), of_target)
        fetcher = PageFetcher(
            point_in_time,
            selection,
            order,
            id=by,
            decode=filtering.decode(request, selection, cpu),
            blame=lambda error: self._blamed(request, error, is_asked=True),
            budget_seconds=self._budget_seconds,
            ended=ended,
            begun=begun,
            cpu=cpu,
        )
        filtered = not selection.exact
        pages = Pages(
            request,
            plan,
            fetcher,
            self._prefetch,
            first_pace(span.rows, row_bytes=row_bytes, row_seconds=filtering.row_seconds(request, selection)),
            rows=span.rows,
            filtered=filtered,
            most_rows=known.max_result_window,
            begun=begun,
        )
        pages.prepare()
        if request.start_ms is None and request.end_ms is None:
            in_background(counted.log_left_out, "count-left-out")
        everything = filtering.everything(request, terms)
        parts = Parts(
            pages,
            targets,
            lambda row: IDS[request.target.kind](row.source),
            lambda id: counts_of(everything.of(by, [id])).slots(),
            is_exact=selection.exact,
        )
        return reading(pages, parts)

    def _taken(
        self, request: ExportRequest, selections: Iterator[Selection], ask: Callable[[Selection], Shape]
    ) -> tuple[Selection, Shape]:
        """Return the first selection that Elasticsearch takes, and its answer. Raises the last refusal."""
        selection = next(selections)
        while True:
            try:
                return selection, ask(selection)
            except Refused as error:
                wider = next(selections, None) if error.may_be_asked_for else None
                if wider is None:
                    raise
                log.warning("export %s: decided while reading, as %s", request.export_id, error.message)
                selection = wider

    def _indices(self, request: ExportRequest) -> Indices:
        """Return the indices behind the alias of the engine's measures."""
        with finding(request):
            return self._ask("GET", path(measures_of(request)), None, indices.read_indices)

    def _terms(self, request: ExportRequest, known: Indices) -> ExactTerms:
        """Return how the indices are asked. Raises `StoreUnavailable` where one cannot be."""
        return filtering.terms(request, known, partial(indices.occupied, self._ask, measures_of(request)))

    def _notices(self, request: ExportRequest, selection: Selection) -> tuple[Notice, ...]:
        """Count the documents that are left out."""
        return without_instant(self._count(request, counts.counting(selection.left_out), self._lanes.counts))

    def _sample(self, request: ExportRequest, selection: Selection) -> Sequence[Measure]:
        """Return a few measures, whether they match or not; none where they are large or cannot be had."""

        def found(rows: int) -> bytes:
            few = {"size": rows, "terminate_after": rows, "track_total_hits": False, "query": selection.rows}
            return self._search(request, few, bytes, self._lanes.counts)

        with contextlib.suppress(StoreUnavailable):
            body = found(SIZED_ROWS)
            if len(body) * SAMPLE_ROWS <= SAMPLE_BYTES * SIZED_ROWS:
                body = found(SAMPLE_ROWS)
            if len(body) <= SAMPLE_BYTES:
                return responses.sample(body, responses.read_of(request.options))
        return ()

    def _judge(self, request: ExportRequest) -> None:
        """Let Elasticsearch judge the query that the caller wrote, if there is one."""
        query = filtering.own_query(request)
        if query is not None:
            self._probe(request, counts.compiling(query))

    @contextlib.contextmanager
    def _blaming(self, request: ExportRequest) -> Iterator[None]:
        """Turn refusals of searches that a caller has a part in into errors of who is to blame."""
        try:
            yield
        except Refused as error:
            raise self._blamed(request, error) from error
        except StoreUnavailable as error:
            if isinstance(error.__cause__, Late) and not is_plain(request):
                raise StoreUnavailable(f"{error.message} A simpler query may take less.") from error
            raise

    def _blamed(self, request: ExportRequest, error: Refused, *, is_asked: bool = False) -> ServiceError:
        """Return the error of who is to blame: the caller only if Elasticsearch answers the same
        search without their part.

        Elasticsearch answers 400 for a closed index or a limit too. `is_asked`: the caller's query
        was answered before.
        """
        if error.http_status == 404:
            return absent(request, error)
        if not error.may_be_asked_for:
            return error
        try:
            known = self._indices(request)
            terms = self._terms(request, known)
            own = filtering.everything(request, terms).rows
            self._probe(request, counts.ordered(counts.judging(own), known.sort(NEWEST_FIRST, terms)))
        except StoreUnavailable as other:
            return other
        try:
            self._probe(request, counts.ordered(counts.counting(own), known.sort(request.sort or NEWEST_FIRST, terms)))
        except Refused as other:
            return InvalidArgument("sort", other.reason) if other.may_be_asked_for else other
        return error if is_asked or request.elastic_query is None else InvalidArgument("query", error.reason)

    def _probe(self, request: ExportRequest, body: JSON) -> None:
        """Check that Elasticsearch answers a search. Raises `Refused`, `StoreUnavailable`."""
        self._search(request, body, lambda answer: responses.decoded(answer, responses.ANSWER))

    def _count(self, request: ExportRequest, body: JSON, lane: Lane | None = None) -> int:
        return self._search(
            request, body, lambda answer: responses.decoded(answer, responses.SUMMARY), lane
        ).hits.total.value

    def _search(
        self, request: ExportRequest, body: JSON, read: Callable[[bytes], Shape], lane: Lane | None = None
    ) -> Shape:
        """Search in a lane; `None`: that of the request's kind."""
        return self._ask("POST", searching(request), body, read, lane=lane or self._lanes.count(request))

    def _ask(
        self, method: str, target: str, body: Any, read: Callable[[bytes], Shape], *, lane: Lane | None = None
    ) -> Shape:
        """Ask while a caller waits for a status: what takes too long is not repeated."""
        retry_budget = RetryBudget(f"{method} {target}", budget_seconds=self._early_seconds, begun=threading.Event())

        def attempt() -> Shape:
            wait_seconds = retry_budget.wait_seconds(self._client.timeout_seconds)
            asked = timed(body, wait_seconds) if "/_search" in target else body
            with contextlib.nullcontext() if lane is None else permit(lane, wait_seconds):
                return read(self._client.ask(method, target, asked, wait_seconds=wait_seconds))

        return retry_budget.run(attempt)


def is_by_target(request: ExportRequest) -> bool:
    """Return whether the rows of an export come target by target."""
    return request.collapse is not None or request.options.layout == "split"


def remembered(targets: Iterable[Counted], kept: "deque[Counted]") -> Iterator[Counted]:
    """Yield targets, and keep each."""
    for target in targets:
        kept.append(target)
        yield target


def newest_fields(request: ExportRequest, selection: Selection) -> Mapping[str, str] | None:
    """Return the fields by which Elasticsearch tells the newest rows of a collapsed export; `None`: it does not."""
    if request.collapse is None or not selection.exact or len(selection.tuples) > 1:
        return None
    (tuples,) = selection.tuples
    if tuples.read or tuples.hiding:
        return None
    id = {"id": selection.terms.ordering(scope.ID[request.collapsed_by])}
    return id if request.collapse != "slot" else id | dict(zip(("name", "type"), tuples.fields, strict=False))


def planned(request: ExportRequest, sort: Sequence[SortKey], span: Span, counted: Counts, *, filtered: bool) -> Plan:
    """Return the plan of the windows: by time where that is the order, else one window.

    With a filter that is decided while reading, `from` and `size` are counted then, too.
    """
    offset, size = (0, None) if filtered else (request.offset, request.size)
    if not sorting.is_by_time(sort):
        return Once(span.rows, offset=offset, size=size)
    return Windows(span, counted.histogram, descending=sort[0].order == "desc", offset=offset, size=size)


def measures_of(request: ExportRequest) -> str:
    return alias(request.target.engine, "measures")


def searching(request: ExportRequest) -> str:
    """Return the path of a search that fails when a shard does."""
    return f"{path(measures_of(request))}/_search?allow_partial_search_results=false"


@contextlib.contextmanager
def finding(request: ExportRequest) -> Iterator[None]:
    """Raise `StoreUnavailable` when an engine has no measures."""
    try:
        yield
    except Refused as error:
        if error.http_status != 404:
            raise
        raise absent(request, error) from error


def absent(request: ExportRequest, error: Refused) -> StoreUnavailable:
    return StoreUnavailable(
        f'Elasticsearch has no "{measures_of(request)}", where Kuzzle keeps the measures ({error.reason}).'
    )


def span_and_size(counted: Counts) -> tuple[Counts, Span, float]:
    """Return the counts of an export with the span of its rows, and the bytes of a row."""
    row_bytes = in_background(counted.row_bytes, "look-at-sizes")
    return counted, counted.span(), row_bytes.result()
