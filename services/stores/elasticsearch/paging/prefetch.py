"""Prefetch: pages that are fetched before their readers want them, within one budget of bytes for a process."""

import threading
import time
from collections import deque
from enum import Enum
from typing import Protocol

from services.errors import ServiceError
from services.scheduling.cpu_turn import AT_ONCE
from services.stores.elasticsearch.paging.page_requests import PageRequest
from services.stores.elasticsearch.transport.responses import Fetched
from services.stores.elasticsearch.transport.retries import RetryBudget

#: Seconds after which a reader who takes nothing loses the pages that wait for it, if others need the room.
STALLED_SECONDS = 1.0


class Fetcher(Protocol):
    """Gives a queue its pages, in any thread."""

    def retry_budget(self, request: PageRequest) -> RetryBudget: ...

    def fetch(self, request: PageRequest, retry_budget: RetryBudget, *, slack_seconds: float) -> Fetched: ...


class State(Enum):
    """Tells how far a fetch is. A waiting page may be dropped for others: then it is planned again."""

    PLANNED = "nobody has asked for the page yet"
    ASKED = "the page is under way"
    WAITING = "the page has come, and waits for its reader"
    FAILED = "the page will not come; `error` is the reason"


class Fetch:
    """One page of a queue. `reserved`: the bytes of the budget that it holds; `None`: it needs no room there."""

    def __init__(self, request: PageRequest, retry_budget: RetryBudget) -> None:
        self.request = request
        self.retry_budget = retry_budget
        self.state = State.PLANNED
        self.reserved: int | None = 0
        self.fetched: Fetched | None = None
        self.error: ServiceError | None = None
        self.settled = threading.Event()

    def take(self) -> Fetched | None:
        """Return the page, once; `None` when nobody has asked for it. Raise the error for which it did not come."""
        if self.error is not None:
            raise self.error
        fetched, self.fetched = self.fetched, None
        return fetched


class PrefetchBudget:
    """Counts the bytes that the pages ahead of all readers of a process hold; with a limit of 0 none is read ahead.

    `idle`: the queues whose readers have been handed a page, with the moment of that (monotonic seconds), the longest
    first. `lock` guards the budget and every queue that shares it.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self.used = 0
        self.idle: dict[PageQueue, float] = {}
        self.lock = threading.Lock()

    def lacking(self, more: int) -> int:
        """Return how many bytes are missing for so many more; 0 or less when there is room for them."""
        return self.used + more - self._limit

    def resize(self, fetch: Fetch, size: int | None) -> None:
        """Let a fetch hold so many bytes instead of those that it held; `None`: it needs no room from now on."""
        self.used += (size or 0) - (fetch.reserved or 0)
        fetch.reserved = size


def reserve(budget: PrefetchBudget, fetch: Fetch, size: int) -> bool:
    """Give a fetch so many bytes, and return whether there was room. Stalled readers make room, the longest first."""
    more = size - (fetch.reserved or 0)
    now = time.monotonic()
    for queue, since in list(budget.idle.items()):
        if budget.lacking(more) <= 0 or now - since < STALLED_SECONDS:
            break
        for waiting in queue.fetches:
            if waiting.state is State.WAITING:
                budget.resize(waiting, 0)
                waiting.fetched, waiting.state = None, State.PLANNED
    if budget.lacking(more) > 0:
        return False
    budget.resize(fetch, size)
    return True


class PageQueue:
    """Holds the pages of one reader, in the order in which they are read. `fetches` is under the lock of the budget."""

    def __init__(self, budget: PrefetchBudget, fetcher: Fetcher) -> None:
        self._budget = budget
        self._fetcher = fetcher
        self.fetches: deque[Fetch] = deque()
        self._closed = False

    def __len__(self) -> int:
        return len(self.fetches)

    def add(self, request: PageRequest) -> None:
        """Plan a page after all others."""
        with self._budget.lock:
            self.fetches.append(self._planned(request))

    def push(self, request: PageRequest) -> None:
        """Plan a page before all others."""
        with self._budget.lock:
            self.fetches.appendleft(self._planned(request))

    def begin(self) -> None:
        """Ask for the first page before its reader does: it is the one page that every reader may hold."""
        with self._budget.lock:
            for fetch in list(self.fetches)[:1]:
                fetch.reserved = None
                self._ask(fetch, AT_ONCE)

    def start(self, ahead: int, *, row_bytes: float, slack_seconds: float) -> None:
        """Ask for the first so many pages, as far as the budget goes. `row_bytes`: what a row is expected to have."""
        with self._budget.lock:
            for fetch in list(self.fetches)[:ahead]:
                if fetch.state is not State.PLANNED or self._closed:
                    continue
                if not reserve(self._budget, fetch, int(fetch.request.rows * row_bytes)):
                    return
                self._ask(fetch, slack_seconds)

    def take(self) -> Fetch:
        """Return the first fetch, after its page has come if that was asked for."""
        with self._budget.lock:
            fetch = self.fetches.popleft()
            self._budget.resize(fetch, None)
            is_planned = fetch.state is State.PLANNED
        if not is_planned:
            fetch.settled.wait()
        return fetch

    def handed(self) -> None:
        """Note that the reader has been given a page."""
        with self._budget.lock:
            if not self._closed:
                self._budget.idle[self] = time.monotonic()

    def wanted(self) -> None:
        """Note that the reader wants its next page."""
        with self._budget.lock:
            self._budget.idle.pop(self, None)

    def close(self) -> None:
        """Forget all pages; what is still under way holds no room when it comes."""
        with self._budget.lock:
            self._closed = True
            self._budget.idle.pop(self, None)
            for fetch in self.fetches:
                self._budget.resize(fetch, 0)
            self.fetches.clear()

    def _planned(self, request: PageRequest) -> Fetch:
        return Fetch(request, self._fetcher.retry_budget(request))

    def _ask(self, fetch: Fetch, slack_seconds: float) -> None:
        fetch.state = State.ASKED
        fetch.settled.clear()
        threading.Thread(target=self._fetch, args=(fetch, slack_seconds), name="page-ahead", daemon=True).start()

    def _fetch(self, fetch: Fetch, slack_seconds: float) -> None:
        fetched = None
        try:
            fetched = self._fetcher.fetch(fetch.request, fetch.retry_budget, slack_seconds=slack_seconds)
        except ServiceError as error:
            fetch.error = error
        finally:
            with self._budget.lock:
                self._settle(fetch, fetched)
            fetch.settled.set()

    def _settle(self, fetch: Fetch, fetched: Fetched | None) -> None:
        """A page may be larger than what was reserved for it, and have no room: then it is planned again."""
        if self._closed or fetched is None:
            fetch.state = State.FAILED
            self._budget.resize(fetch, 0)
        elif fetch.reserved is None or reserve(self._budget, fetch, len(fetched.body)):
            fetch.state, fetch.fetched = State.WAITING, fetched
        else:
            fetch.state = State.PLANNED
            self._budget.resize(fetch, 0)
