"""One page at a time: decoding and encoding a page takes the whole core for some milliseconds.

`time.sleep(0.001)`, never 0: gevent's `sleep(0)` goes on without polling sockets (health answers after
seconds instead of milliseconds, measured).
"""

import threading
import time
from types import TracebackType

#: Seconds given away before each turn.
PAUSE_SECONDS = 0.001


class Turns:
    """A context manager that lets one page be worked on at a time, and others be heard between."""

    def __init__(self) -> None:
        self._one = threading.Semaphore(1)

    def __enter__(self) -> None:
        self._one.acquire()
        time.sleep(PAUSE_SECONDS)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._one.release()
