"""The fetcher of pages: asks a point in time for them, again where that fails, and decodes them."""

import threading
import time
from collections.abc import Callable

from services.errors import ServiceError
from services.measures import SortKey
from services.scheduling.cpu_turn import CpuShare
from services.stores.elasticsearch.paging.page_requests import PageRequest
from services.stores.elasticsearch.query import sorting
from services.stores.elasticsearch.query.scope import Selection
from services.stores.elasticsearch.transport import responses
from services.stores.elasticsearch.transport.client import JSON, Refused
from services.stores.elasticsearch.transport.point_in_time import PointInTime
from services.stores.elasticsearch.transport.responses import Decode, Fetched, ReadPage
from services.stores.elasticsearch.transport.retries import RetryBudget

#: Turns a refusal of Elasticsearch's into the error of who is to blame for it.
Blame = Callable[[Refused], ServiceError]


class PageFetcher:
    """Fetches and decodes the pages of one export.

    `id`: the path of the ids of windows. `ended` is set when nobody wants pages any more; `begun` when the first page
    has been handed to the reader.
    """

    def __init__(
        self,
        point_in_time: PointInTime,
        selection: Selection,
        sort: tuple[SortKey, ...],
        *,
        id: str,
        decode: Decode,
        blame: Blame,
        budget_seconds: float,
        ended: threading.Event,
        begun: threading.Event,
        cpu: CpuShare,
    ) -> None:
        self._point_in_time = point_in_time
        self._selection = selection
        self._id = id
        self._sort = sorting.with_ties(sort)
        self._decode = decode
        self._blame = blame
        self._budget_seconds = budget_seconds
        self._ended = ended
        self._begun = begun
        self._cpu = cpu

    def retry_budget(self, request: PageRequest) -> RetryBudget:
        """Return what a page may be retried with, from being asked for to being decoded."""
        what = f"{self._point_in_time.what}: {request}"
        return RetryBudget(what, budget_seconds=self._budget_seconds, ended=self._ended, begun=self._begun)

    def fetch(self, request: PageRequest, retry_budget: RetryBudget, *, slack_seconds: float) -> Fetched:
        """Return the body of a page, not looked into.

        `slack_seconds`: how long other searches may go first. Raises `StoreUnavailable`, `InvalidArgument`.
        """

        def attempt() -> Fetched:
            with self._point_in_time.permit(retry_budget, slack_seconds=slack_seconds):
                return self._ask(request, retry_budget)

        return retry_budget.run(attempt)

    def read(
        self, request: PageRequest, retry_budget: RetryBudget, fetched: Fetched | None, *, slack_seconds: float
    ) -> ReadPage:
        """Return the page, decoded, never a part of it. `fetched`: what `fetch` returned, if the page was fetched.

        Raises what `fetch` raises.
        """

        def attempt() -> ReadPage:
            nonlocal fetched
            come, fetched = fetched, None  # once: a body that was not the page asked for is not looked at again
            if come is not None:
                return self._decoded(request, come)
            # until the page is decoded: no more bodies wait for that than searches are let in
            with self._point_in_time.permit(retry_budget, slack_seconds=slack_seconds):
                return self._decoded(request, self._ask(request, retry_budget))

        read = retry_budget.run(attempt)
        self._point_in_time.seen(read.page.pit_id)
        return read

    def _decoded(self, request: PageRequest, fetched: Fetched) -> ReadPage:
        with self._cpu.turn():
            if request.is_skip:
                return ReadPage(responses.skipped(fetched.body, request.rows), fetched.seconds)
            rows, before = max(1, request.rows), self._cpu.cpu_seconds
            page = self._decode(fetched.body, request.rows, with_cursor=request.needs_cursor)
            row_seconds = (self._cpu.cpu_seconds - before) / rows
            return ReadPage(page, fetched.seconds, len(fetched.body) / rows, row_seconds)

    def _ask(self, request: PageRequest, retry_budget: RetryBudget) -> Fetched:
        began = time.monotonic()
        try:
            body = self._point_in_time.search(self._body(request), retry_budget)
        except Refused as error:
            raise self._blame(error) from error
        seconds = time.monotonic() - began
        self._point_in_time.took(seconds)
        return Fetched(body, seconds)

    def _body(self, request: PageRequest) -> JSON:
        span, ids = request.window.span, request.window.ids
        selection = self._selection if ids is None else self._selection.of(self._id, ids)
        query = selection.rows if span is None else selection.between(span.first_ms, span.last_ms)
        body: JSON = {"size": request.size, "track_total_hits": False, "query": query, "sort": self._sort}
        if request.cursor is not None:
            body["search_after"] = request.cursor
        if request.is_skip:
            body["_source"] = False
        return body
