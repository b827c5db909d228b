"""One page at a time: decoding and encoding a page takes the whole core for some milliseconds.

`time.sleep(0.001)`, never 0: gevent's `sleep(0)` goes on without polling sockets (health answers after
seconds instead of milliseconds, measured).
"""

import threading
import time
from types import TracebackType

#: Seconds given away before each turn.
PAUSE_SECONDS = 0.001

#: Seconds of a turn after which others come first: some filters take long, and the worker must be heard of.
LONGEST_SECONDS = 0.05


class Turns:
    """A context manager that lets one page be worked on at a time, and others be heard between."""

    def __init__(self) -> None:
        self._one = threading.Semaphore(1)
        self._began = 0.0

    def __enter__(self) -> None:
        self._one.acquire()
        time.sleep(PAUSE_SECONDS)
        self._began = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._one.release()

    def rest(self) -> None:
        """Within a turn, at any time: where it has lasted long, it goes on after the others'."""
        if time.monotonic() - self._began > LONGEST_SECONDS:
            self._one.release()
            time.sleep(PAUSE_SECONDS)  # else it would be taken again before anybody is awake
            self.__enter__()
