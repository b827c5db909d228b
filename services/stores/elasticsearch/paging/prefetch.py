"""Pages read ahead of their readers: as far as they are read fast, within one budget of bytes for the process."""

import threading
import time
from collections import deque
from typing import Protocol

from services.errors import ServiceError
from services.scheduling.cpu_turn import AT_ONCE, MOST_SLACK_SECONDS
from services.stores.elasticsearch.paging.page_requests import PageRequest
from services.stores.elasticsearch.paging.windows import WINDOW_ROWS
from services.stores.elasticsearch.transport.retries import RetryBudget

#: Pages under way or waiting ahead of one reader, at most.
MOST_AHEAD = 3

#: A reader is slow when a page takes it longer than this many seconds and this many times what it takes to fetch one.
SLOW_SECONDS, SLOW_TIMES = 0.25, 4

#: Seconds after which a reader who takes nothing loses what is ahead, if others need the room.
STALLED_SECONDS = 1.0


class Fetcher(Protocol):
    """What a line has its pages from, in any thread."""

    row_bytes: float

    def retry_budget(self, step: PageRequest) -> RetryBudget: ...

    def fetch(self, step: PageRequest, retry_budget: RetryBudget) -> bytes: ...


class Fetch:
    """A page: asked for, or not yet. `reserved`: bytes of the budget that it holds. `is_free`: it needs none."""

    def __init__(self, step: PageRequest, retry_budget: RetryBudget) -> None:
        self.step = step
        self.retry_budget = retry_budget
        self.reserved = 0
        self.is_free = False
        self.started = False
        self.done = threading.Event()
        self.body: bytes | None = None
        self.error: Exception | None = None

    def take(self) -> bytes | None:
        """What has come, once; `None` when it was not asked for. Raises why it did not come."""
        if self.error is not None:
            raise self.error
        body, self.body = self.body, None
        return body

    def forget(self) -> None:
        """As if it had not been asked for."""
        self.body, self.started = None, False


class PrefetchBudget:
    """Bytes that pages ahead may take together. 0: none is read ahead."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._used = 0
        self._away: dict[PageQueue, float] = {}
        self.lock = threading.RLock()

    @property
    def used(self) -> int:
        return self._used

    def reserve(self, fetch: Fetch, size: int) -> bool:
        """Readers who have taken nothing for long make room, the longest first."""
        with self.lock:
            more = size - fetch.reserved
            if self._used + more > self._limit:
                self._reclaim(self._used + more - self._limit)
            if self._used + more > self._limit:
                return False
            self._resize(fetch, size)
            return True

    def free(self, fetch: Fetch) -> None:
        """What was reserved for it is others'."""
        with self.lock:
            self._resize(fetch, 0)

    def away(self, line: "PageQueue") -> None:
        """Its reader has been handed a page."""
        with self.lock:
            self._away[line] = time.monotonic()

    def back(self, line: "PageQueue") -> None:
        with self.lock:
            self._away.pop(line, None)

    def _resize(self, fetch: Fetch, size: int) -> None:
        self._used += size - fetch.reserved
        fetch.reserved = size

    def _reclaim(self, size: int) -> None:
        now = time.monotonic()
        for line, since in list(self._away.items()):  # in the order in which they went
            if size <= 0 or now - since < STALLED_SECONDS:
                return
            size -= line.give_up()


class PageQueue:
    """The pages of one reader, in order."""

    def __init__(self, budget: PrefetchBudget, fetcher: Fetcher) -> None:
        self._budget = budget
        self._fetcher = fetcher
        self._fetches: deque[Fetch] = deque()
        self._closed = False

    def __len__(self) -> int:
        return len(self._fetches)

    def add(self, step: PageRequest) -> None:
        """At the end."""
        with self._budget.lock:
            self._fetches.append(Fetch(step, self._fetcher.retry_budget(step)))

    def push(self, step: PageRequest) -> None:
        """Before all others."""
        with self._budget.lock:
            self._fetches.appendleft(Fetch(step, self._fetcher.retry_budget(step)))

    def begin(self) -> None:
        """Ask for the first before its reader does: it is the one page that everybody may hold."""
        with self._budget.lock:
            for fetch in list(self._fetches)[:1]:
                fetch.is_free = True
                self._ask(fetch)

    def start(self, ahead: int) -> None:
        """Ask for the first so many, in the background, as far as the budget goes."""
        with self._budget.lock:
            for fetch in list(self._fetches)[:ahead]:
                if fetch.started or self._closed:
                    continue
                if not self._budget.reserve(fetch, int(fetch.step.rows * self._fetcher.row_bytes)):
                    return
                self._ask(fetch)

    def take(self) -> Fetch:
        """The first. Waits for its page, if that was asked for."""
        with self._budget.lock:
            fetch = self._fetches.popleft()
            fetch.is_free = True
            self._budget.free(fetch)
        if fetch.started:
            fetch.done.wait()
        return fetch

    def away(self) -> None:
        """Its reader has a page."""
        with self._budget.lock:
            if not self._closed:
                self._budget.away(self)

    def back(self) -> None:
        """Its reader wants the next."""
        self._budget.back(self)

    def give_up(self) -> int:
        """Forget the pages that wait, but not that they are to be read. The bytes that this frees."""
        freed = 0
        for fetch in self._fetches:
            if fetch.body is not None:
                freed += fetch.reserved
                self._budget.free(fetch)
                fetch.forget()
        return freed

    def close(self) -> None:
        with self._budget.lock:
            self._closed = True
            self._budget.back(self)
            for fetch in self._fetches:
                self._budget.free(fetch)
            self._fetches.clear()

    def _ask(self, fetch: Fetch) -> None:
        fetch.started = True
        fetch.done.clear()
        threading.Thread(target=self._run, args=(fetch,), name="page-ahead", daemon=True).start()

    def _run(self, fetch: Fetch) -> None:
        body = None
        try:
            body = self._fetcher.fetch(fetch.step, fetch.retry_budget)
        except ServiceError as error:
            fetch.error = error
        finally:
            with self._budget.lock:
                self._came(fetch, body)
                fetch.done.set()

    def _came(self, fetch: Fetch, body: bytes | None) -> None:
        """`None`: nothing did. A page may be larger than what was reserved, and have no room."""
        if self._closed or body is None:
            self._budget.free(fetch)
        elif fetch.is_free or self._budget.reserve(fetch, len(body)):
            fetch.body = body
        else:
            self._budget.free(fetch)
            fetch.forget()


class Pace:
    """What a reader is worth: `rows` of a page, pages `ahead`. Twice as much with each page that is taken fast.

    A slow one is read small pages: what they hold is held for it until it has taken them, and 300 that begin together
    are served before their first large one.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.ahead = 0
        self.slack_seconds = AT_ONCE
        self._handed: float | None = None

    def handed(self) -> None:
        """The reader has a page."""
        self._handed = time.monotonic()

    def returned(self, fetch_seconds: float) -> None:
        """It wants the next. `fetch_seconds`: what the last one took to come."""
        if self._handed is None:
            return
        seconds = time.monotonic() - self._handed
        if seconds > SLOW_SECONDS and seconds > SLOW_TIMES * fetch_seconds:
            self.ahead = 0
            self.slack_seconds = min(seconds, MOST_SLACK_SECONDS)
        else:
            self.slack_seconds = 0.0
            self.ahead = min(MOST_AHEAD, max(1, 2 * self.ahead))
            self.rows = min(WINDOW_ROWS, 2 * self.rows)
