"""How many searches of this process are under way at a time, and whose is next."""

import contextlib
import heapq
import itertools
import threading
from collections.abc import Iterator

from services.stores.elasticsearch.retries import Temporary

#: Enough to keep a process busy, which decodes a page in 20 ms. 300 pages at once filled the heap of a small node:
#: it answered nobody in time, and half of the downloads failed.
MOST_UNDER_WAY = 8


class Gate:
    """Lets in whose reader runs dry first: many slow ones, who still have something, do not hold up a fast one."""

    def __init__(self, most: int = MOST_UNDER_WAY) -> None:
        self._free = most
        self._waiting: list[tuple[float, int, threading.Event]] = []
        self._numbers = itertools.count()
        self._one = threading.Lock()

    @contextlib.contextmanager
    def place(self, wait_seconds: float, *, due: float) -> Iterator[None]:
        """`due`: when it is needed (`time.monotonic`). Raises `Temporary` when none gets free in time."""
        self._enter(wait_seconds, due)
        try:
            yield
        finally:
            with self._one:
                self._free += 1
                self._call()

    def _enter(self, wait_seconds: float, due: float) -> None:
        called = threading.Event()
        with self._one:
            heapq.heappush(self._waiting, (due, next(self._numbers), called))
            self._call()
        if called.wait(wait_seconds):
            return
        with self._one:
            if not called.is_set():
                self._waiting = [entry for entry in self._waiting if entry[2] is not called]
                heapq.heapify(self._waiting)
                raise Temporary("other searches took too long")

    def _call(self) -> None:
        while self._free and self._waiting:
            self._free -= 1
            heapq.heappop(self._waiting)[2].set()
