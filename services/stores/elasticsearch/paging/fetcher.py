"""Pages of one view, as they are asked for, checked and decoded."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from services.errors import ServiceError
from services.measures import SortKey
from services.scheduling.cpu_turn import AT_ONCE, CpuShare
from services.stores.elasticsearch.paging.page_requests import PageRequest
from services.stores.elasticsearch.query import sorting
from services.stores.elasticsearch.query.scope import Selection
from services.stores.elasticsearch.transport import responses
from services.stores.elasticsearch.transport.client import JSON, Refused
from services.stores.elasticsearch.transport.point_in_time import PointInTime
from services.stores.elasticsearch.transport.responses import Page
from services.stores.elasticsearch.transport.retries import RetryBudget


class Decode(Protocol):
    """Of a body that should have so many rows. Raises `Unsound`."""

    def __call__(self, body: bytes, rows: int, *, placed: bool) -> Page: ...


#: Who is to blame for what Elasticsearch refuses.
Blame = Callable[[Refused], ServiceError]


class PageFetcher:
    """`ended` is set when nobody wants pages any more, `begun` when the first one is there."""

    def __init__(
        self,
        view: PointInTime,
        selection: Selection,
        sort: tuple[SortKey, ...],
        *,
        decode: Decode,
        blame: Blame,
        budget_seconds: float,
        ended: threading.Event,
        begun: threading.Event,
        cpu: CpuShare,
    ) -> None:
        self._view = view
        self._selection = selection
        self._sort = sorting.with_ties(sort)
        self._decode = decode
        self._blame = blame
        self._budget = budget_seconds
        self._ended = ended
        self.begun = begun
        self._cpu = cpu
        #: Seconds that the last page took to come, and bytes of a row in it.
        self.seconds = 0.0
        self.row_bytes = 1000.0
        #: Seconds of the core that a row took to be decoded and decided, in the last page.
        self.row_seconds = 0.0
        #: Seconds that its reader can do without a page.
        self.slack_seconds = AT_ONCE

    def retry_budget(self, step: PageRequest) -> RetryBudget:
        return RetryBudget(
            f"{self._view.what}: {step}", budget_seconds=self._budget, ended=self._ended, begun=self.begun
        )

    def fetch(self, step: PageRequest, retry_budget: RetryBudget) -> bytes:
        """The body of a page, not looked into. Raises `StoreUnavailable`, `InvalidArgument`."""

        def attempt() -> bytes:
            with self._view.place(retry_budget, slack_seconds=self.slack_seconds):
                return self._ask(step, retry_budget)

        return retry_budget.run(attempt)

    def page(self, step: PageRequest, retry_budget: RetryBudget, body: bytes | None) -> Page:
        """`body`: what `fetch` returned, if it was called. Raises as that does, never gives a part."""
        bodies = [] if body is None else [body]
        del body

        def attempt() -> Page:
            if bodies:
                return self._page(step, bodies.pop())
            # until it is decoded: no more bodies wait for that than searches are let in
            with self._view.place(retry_budget, slack_seconds=self.slack_seconds):
                return self._page(step, self._ask(step, retry_budget))

        page = retry_budget.run(attempt)
        self._view.seen(page.pit_id)
        return page

    def _page(self, step: PageRequest, body: bytes) -> Page:
        with self._cpu.turn():
            if step.is_skip:
                return responses.skipped(body, step.rows)
            rows = max(1, step.rows)
            self.row_bytes = len(body) / rows
            before = self._cpu.cpu_seconds
            page = self._decode(body, step.rows, placed=step.is_placed)
            self.row_seconds = (self._cpu.cpu_seconds - before) / rows
            return page

    def _ask(self, step: PageRequest, retry_budget: RetryBudget) -> bytes:
        began = time.monotonic()
        try:
            body = self._view.search(self._body(step), retry_budget)
        except Refused as error:
            raise self._blame(error) from error
        self.seconds = time.monotonic() - began
        self._view.took(self.seconds)
        return body

    def _body(self, step: PageRequest) -> JSON:
        span = step.window.span
        query = self._selection.rows if span is None else self._selection.between(span.first_ms, span.last_ms)
        body: JSON = {"size": step.size, "track_total_hits": False, "query": query, "sort": self._sort}
        if step.place is not None:
            body["search_after"] = step.place
        if step.is_skip:
            body["_source"] = False
        return body
