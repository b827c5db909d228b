"""One page at a time: decoding and encoding a page takes the whole core for some milliseconds.

`time.sleep(0.001)`, never 0: gevent's `sleep(0)` goes on without polling sockets (health answers after
seconds instead of milliseconds, measured).
"""

import contextlib
import time
from collections.abc import Iterator

from services.gates import Gate

#: Seconds given away before each turn.
PAUSE_SECONDS = 0.001

#: Seconds of work after which a turn is over: some filters take long, and the worker must be heard of.
LONGEST_SECONDS = 0.1

#: How long a slow reader can do without the next page, at most: what the buffers on the way to it hold.
MOST_SLACK_SECONDS = 5.0

#: Slack of who has nothing yet, or holds a page: before all who wait for their next, however long.
AT_ONCE = -3600.0


class Turns:
    """Lets one page be worked on at a time, and others be heard between."""

    def __init__(self) -> None:
        self._gate = Gate(1)
        self._began = 0.0

    @contextlib.contextmanager
    def turn(self, *, slack_seconds: float = AT_ONCE) -> Iterator[None]:
        """`slack_seconds`: how long others may go first."""
        with self._gate.place(due=time.monotonic() + slack_seconds):
            self._begin()
            yield

    def rest(self) -> None:
        """Within a turn, at any time: one that has worked long goes on after the others'."""
        if time.thread_time() - self._began > LONGEST_SECONDS:
            self._gate.leave()
            self._gate.enter(due=time.monotonic())
            self._begin()

    def _begin(self) -> None:
        time.sleep(PAUSE_SECONDS)
        self._began = time.thread_time()


class Pauses:
    """For work outside of turns that takes long with odd data only: others are heard between its pieces."""

    def __init__(self) -> None:
        self._began = time.thread_time()

    def take(self) -> None:
        """Between two pieces, at any time."""
        if time.thread_time() - self._began > LONGEST_SECONDS:
            time.sleep(PAUSE_SECONDS)
            self._began = time.thread_time()
