"""How many searches of this process are under way at a time."""

import contextlib
import threading
from collections.abc import Iterator

from services.stores.elasticsearch.retries import Temporary

#: Enough to keep a process busy, which decodes a page in 20 ms. 300 pages at once filled the heap of a small node:
#: it answered nobody in time, and half of the downloads failed.
MOST_UNDER_WAY = 8


class Gate:
    def __init__(self, most: int = MOST_UNDER_WAY) -> None:
        self._places = threading.BoundedSemaphore(most)

    @contextlib.contextmanager
    def place(self, wait_seconds: float) -> Iterator[None]:
        """Raises `Temporary` when none gets free in time."""
        if not self._places.acquire(timeout=wait_seconds):
            raise Temporary("other searches took too long")
        try:
            yield
        finally:
            self._places.release()
