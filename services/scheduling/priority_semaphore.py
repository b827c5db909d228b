"""A semaphore whose permits go to whoever needs one first."""

import contextlib
import heapq
import itertools
import threading
from collections.abc import Iterator


class Busy(Exception):
    """No permit got free in time."""


class PrioritySemaphore:
    """Lets in whose reader runs dry first: many slow ones, who still have something, do not hold up a fast one.

    `free`: permits that nobody has. `waiting`: those who want one, as a heap.
    """

    def __init__(self, permits: int) -> None:
        self.free = permits
        self.waiting: list[tuple[float, int, threading.Event]] = []
        self._numbers = itertools.count()
        self._one = threading.Lock()

    @contextlib.contextmanager
    def permit(self, *, due: float, wait_seconds: float | None = None) -> Iterator[None]:
        """Hold a permit. `due`: when it is needed (`time.monotonic`). `wait_seconds`: `None`: as
        long as it takes.

        Raises `Busy`.
        """
        self.enter(due=due, wait_seconds=wait_seconds)
        try:
            yield
        finally:
            self.leave()

    def enter(self, *, due: float, wait_seconds: float | None = None) -> None:
        """Take a permit. Raises `Busy`."""
        called = threading.Event()
        with self._one:
            heapq.heappush(self.waiting, (due, next(self._numbers), called))
            self._call()
        try:
            if called.wait(wait_seconds):
                return
        except BaseException:  # who waits is ended
            if not self._forget(called):
                self.leave()
            raise
        if self._forget(called):
            raise Busy

    def leave(self) -> None:
        with self._one:
            self.free += 1
            self._call()

    def _forget(self, called: threading.Event) -> bool:
        """Wait no more, and return `True`; `False` for who was called meanwhile, and has a permit."""
        with self._one:
            if called.is_set():
                return False
            self.waiting = [entry for entry in self.waiting if entry[2] is not called]
            heapq.heapify(self.waiting)
            return True

    def _call(self) -> None:
        while self.free and self.waiting:
            self.free -= 1
            heapq.heappop(self.waiting)[2].set()
