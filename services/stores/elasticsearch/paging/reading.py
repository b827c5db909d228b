"""One export being read from Elasticsearch: its pages in order, some of them fetched ahead of the reader."""

import logging
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from services.errors import ServiceError
from services.measures import ExportRequest, Measure, Slot
from services.stores.elasticsearch.paging.fetcher import PageFetcher
from services.stores.elasticsearch.paging.pace import Pace, next_pace
from services.stores.elasticsearch.paging.page_requests import PageRequest, most_page_rows, page_request
from services.stores.elasticsearch.paging.prefetch import PageQueue, PrefetchBudget
from services.stores.elasticsearch.paging.windows import LEAST_ROWS, Window
from services.stores.elasticsearch.transport.point_in_time import PointInTime, PointsInTime
from services.stores.elasticsearch.transport.responses import Cursor, Page
from services.stores.port import Count, Reading

log = logging.getLogger(__name__)


class Plan(Protocol):
    """Gives the windows of an export, in order."""

    def take(self, rows: int) -> Window | None:
        """Return the next window, of about `rows` at most; `None`: that was all."""


class PageSource(Protocol):
    """Gives the pages of an export, once."""

    def __iter__(self) -> Iterator[Sequence[Measure]]: ...

    def close(self) -> None:
        """Let go of what is under way."""


class ElasticsearchReading:
    """An export whose `count` and `slots` are known before a row is read. Closing sets `ended`."""

    def __init__(
        self,
        pages: PageSource,
        *,
        point_in_time: PointInTime,
        points_in_time: PointsInTime,
        count: Count,
        slots: Collection[Slot],
        ended: threading.Event,
        parts: Iterable[tuple[str, Reading]] = (),
    ) -> None:
        self._pages = pages
        self._point_in_time = point_in_time
        self._points_in_time = points_in_time
        self._count = count
        self._slots = slots
        self._ended = ended
        self._parts = parts

    @property
    def count(self) -> Count:
        return self._count

    @property
    def slots(self) -> Collection[Slot]:
        return self._slots

    def pages(self) -> Iterator[Sequence[Measure]]:
        return iter(self._pages)

    def parts(self) -> Iterator[tuple[str, Reading]]:
        return iter(self._parts)

    def close(self) -> None:
        self._ended.set()
        self._pages.close()
        self._points_in_time.close(self._point_in_time)


class Pages(Iterator[Sequence[Measure]]):
    """Yields the pages of an export, and holds none while its reader has one: readers may be slow, and many.

    `rows`: how many the windows hold. `filtered`: rows that are read may not match; `from` and `size` are then counted
    here, else by the plan. `most_rows`: how many one search answers. `begun` is set with the first page.
    """

    def __init__(
        self,
        request: ExportRequest,
        plan: Plan,
        fetcher: PageFetcher,
        budget: PrefetchBudget,
        pace: Pace,
        *,
        rows: int,
        filtered: bool,
        most_rows: int,
        begun: threading.Event,
    ) -> None:
        self._what = f"export {request.export_id}"
        self._plan = plan
        self._fetcher = fetcher
        self._queue = PageQueue(budget, fetcher)
        self._pace = pace
        self._most_rows = most_rows
        self._filtered = filtered
        self._skip = request.offset if filtered else 0
        self._left = rows if request.size is None else request.size
        self._begun = begun
        self._handed: float | None = None
        self._fetch_seconds = 0.0

    def __next__(self) -> Sequence[Measure]:
        self._queue.wanted()
        if self._handed is not None:
            taken_seconds = time.monotonic() - self._handed
            self._pace = next_pace(self._pace, taken_seconds=taken_seconds, fetch_seconds=self._fetch_seconds)
        try:
            page = self._next_wanted()
        except ServiceError as error:
            log.error("%s: %s", self._what, error.message)
            raise
        self._begun.set()
        self._handed = time.monotonic()
        self._queue.handed()
        return page

    def prepare(self) -> None:
        """Ask for the first page, while the columns are decided."""
        self._plan_ahead(1)
        self._queue.begin()

    def close(self) -> None:
        self._queue.close()

    def _next_wanted(self) -> Sequence[Measure]:
        while True:
            self._plan_ahead(1)
            if not self._queue or not self._left:
                raise StopIteration
            request, page = self._read()
            if not request.is_skip:
                return self._wanted(request, page)

    def _read(self) -> tuple[PageRequest, Page]:
        """The next page, while others are on their way."""
        fetch = self._queue.take()
        self._start()
        slack_seconds = self._pace.slack_seconds
        read = self._fetcher.read(fetch.request, fetch.retry_budget, fetch.take(), slack_seconds=slack_seconds)
        self._fetch_seconds = read.seconds
        if read.row_bytes is not None and read.row_seconds is not None:
            self._pace = replace(self._pace, row_bytes=read.row_bytes, row_seconds=read.row_seconds)
        if fetch.request.rest is not None:
            self._queue.push(self._page_request(fetch.request.rest, read.page.cursor))
            self._start()
        return fetch.request, read.page

    def _start(self) -> None:
        self._plan_ahead(self._pace.ahead)
        self._queue.start(self._pace.ahead, row_bytes=self._pace.row_bytes, slack_seconds=self._pace.slack_seconds)

    def _plan_ahead(self, pages: int) -> None:
        while len(self._queue) < pages:
            window = self._plan.take(max(LEAST_ROWS, self._page_rows))
            if window is None:
                return
            self._queue.add(self._page_request(window, None))

    @property
    def _page_rows(self) -> int:
        return self._pace.page_rows(most_page_rows(self._most_rows))

    def _page_request(self, window: Window, cursor: Cursor | None) -> PageRequest:
        return page_request(window, cursor, most=self._page_rows, most_rows=self._most_rows)

    def _wanted(self, request: PageRequest, page: Page) -> Sequence[Measure]:
        found = page.measures
        if not self._filtered:
            skip = request.window.skip
            return found[skip:] if skip else found
        part = found[self._skip : self._skip + self._left]
        self._skip = max(0, self._skip - len(found))
        self._left -= len(part)
        return part
