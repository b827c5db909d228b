"""One export being read: pages in order, some of them asked for ahead."""

import logging
import threading
from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from services.errors import ServiceError
from services.measures import ExportRequest, Measure, Slot
from services.stores.elasticsearch.paging.fetcher import PageFetcher
from services.stores.elasticsearch.paging.page_requests import PageRequest, page_request, page_rows
from services.stores.elasticsearch.paging.prefetch import Pace, PageQueue, PrefetchBudget
from services.stores.elasticsearch.paging.windows import (
    FIRST_ROWS,
    LEAST_ROW_SECONDS,
    LEAST_ROWS,
    PAGE_BYTES,
    PAGE_SECONDS,
    WINDOW_ROWS,
    Window,
)
from services.stores.elasticsearch.transport.point_in_time import PointInTime, PointsInTime
from services.stores.elasticsearch.transport.responses import Cursor, Page
from services.stores.port import Count

log = logging.getLogger(__name__)


class Plan(Protocol):
    def take(self, rows: int) -> Window | None:
        """The next window, of about `rows` at most; `None`: that was all."""


class ElasticsearchReading:
    """`count`, `slots`: known before a row is read. `ended`: tells what works for it to stop."""

    def __init__(
        self,
        rows: "Pages",
        *,
        view: PointInTime,
        views: PointsInTime,
        count: Count,
        slots: Collection[Slot],
        ended: threading.Event,
    ) -> None:
        self._pages = rows
        self._view = view
        self._views = views
        self._count = count
        self._slots = slots
        self._ended = ended

    @property
    def count(self) -> Count:
        return self._count

    @property
    def slots(self) -> Collection[Slot]:
        return self._slots

    def pages(self) -> Iterator[Sequence[Measure]]:
        return self._pages

    def close(self) -> None:
        self._ended.set()
        self._pages.close()
        self._views.close(self._view)


class Pages(Iterator[Sequence[Measure]]):
    """Holds no page while its reader has one: readers may be slow, and many.

    `filtered`: what is read may not match; `from` and `size` are then counted here, else by the plan. `most_rows`: that
    one search answers.
    """

    def __init__(
        self,
        request: ExportRequest,
        plan: Plan,
        source: PageFetcher,
        budget: PrefetchBudget,
        *,
        rows: int,
        filtered: bool,
        most_rows: int,
    ) -> None:
        self._what = f"export {request.export_id}"
        self._plan = plan
        self._source = source
        self._line = PageQueue(budget, source)
        self._pace = Pace(FIRST_ROWS if rows > WINDOW_ROWS else WINDOW_ROWS)
        self._most_rows = most_rows
        self._filtered = filtered
        self._skip = request.offset if filtered else 0
        self._left = rows if request.size is None else request.size

    def __next__(self) -> Sequence[Measure]:
        self._line.back()
        self._pace.returned(self._source.seconds)
        self._source.slack_seconds = self._pace.slack_seconds
        try:
            page = self._next_wanted()
        except ServiceError as error:
            log.error("%s: %s", self._what, error.message)
            raise
        self._source.begun.set()
        self._pace.handed()
        self._line.away()
        return page

    def prepare(self) -> None:
        """Ask for the first page, while the columns are decided."""
        self._plan_ahead(1)
        self._line.begin()

    def close(self) -> None:
        self._line.close()

    @property
    def _most(self) -> int:
        """Rows of a page."""
        most = min(self._pace.rows, PAGE_BYTES / self._source.row_bytes, page_rows(self._most_rows))
        return max(1, int(min(most, PAGE_SECONDS / max(self._source.row_seconds, LEAST_ROW_SECONDS))))

    def _next_wanted(self) -> Sequence[Measure]:
        while True:
            self._plan_ahead(1)
            if not self._line or not self._left:
                raise StopIteration
            current, page = self._read()
            if not current.is_skip:
                return self._wanted(current, page)

    def _read(self) -> tuple[PageRequest, Page]:
        """The next page, while others are on their way."""
        fetch = self._line.take()
        self._start(self._pace.ahead)
        page = self._source.page(fetch.step, fetch.retry_budget, fetch.take())
        if fetch.step.rest is not None:
            self._line.push(self._step(fetch.step.rest, page.place))
            self._start(self._pace.ahead)
        return fetch.step, page

    def _start(self, ahead: int) -> None:
        self._plan_ahead(ahead)
        self._line.start(ahead)

    def _plan_ahead(self, steps: int) -> None:
        while len(self._line) < steps:
            window = self._plan.take(max(LEAST_ROWS, self._most))
            if window is None:
                return
            self._line.add(self._step(window, None))

    def _step(self, window: Window, place: Cursor | None) -> PageRequest:
        return page_request(window, place, most=self._most, most_rows=self._most_rows)

    def _wanted(self, current: PageRequest, page: Page) -> Sequence[Measure]:
        found = page.measures
        if not self._filtered:
            skip = current.window.skip
            return found[skip:] if skip else found
        part = found[self._skip : self._skip + self._left]
        self._skip = max(0, self._skip - len(found))
        self._left -= len(part)
        return part
