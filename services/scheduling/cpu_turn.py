"""Turns of the CPU: one page at a time is decoded or encoded, which takes a whole core for some milliseconds.

Whoever wants the CPU asks by a `CpuShare`: who has had little of it lately goes first, so that a
small download is not held up by many whose filters are costly. A turn is interrupted after
`LONGEST_SECONDS` wherever it calls `rest`: between rows, within one, and from within a statement of
SQLite.

`time.sleep(0.001)`, never 0: gevent's `sleep(0)` goes on without polling sockets (health answers
after seconds instead of milliseconds, measured).
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator

from services.errors import ClientLeft
from services.scheduling.priority_semaphore import PrioritySemaphore

#: Seconds given away before each turn.
PAUSE_SECONDS = 0.001

#: Seconds after which a turn is interrupted: the worker must be heard of, and health waits for one or two of them.
LONGEST_SECONDS = 0.04

#: How long a slow reader can do without the next page, at most: what the buffers on the way to it hold.
MOST_SLACK_SECONDS = 5.0

#: Slack of who has nothing yet: before all who wait for their next, however long.
AT_ONCE = -3600.0

#: Slack of who holds a page: it is encoded before any other is read, or a burst of downloads holds a page each.
HOLDING = -7200.0

#: Seconds of the core that are had at once, in all; who needs more for a first byte waits as others do.
FIRST_SECONDS = 0.05

#: Seconds in which what was had of the core is forgotten, but for a third.
RECENT_SECONDS = 10.0


def stays() -> bool:
    """Return `False`: nobody leaves who has no connection to close."""
    return False


class CpuTurns:
    """Lets one page be worked on at a time, and others be heard between."""

    def __init__(self) -> None:
        self.semaphore = PrioritySemaphore(1)

    def share(self, has_left: Callable[[], bool] = stays) -> "CpuShare":
        """Return the share of one download, or one prepare. `has_left` tells whether its client has, at every turn."""
        return CpuShare(self.semaphore, has_left)


class CpuShare:
    """Gives one caller turns of the CPU; for one thread at a time.

    `spent_seconds`: what it has had in turns that are over. `recent`: what it has had lately.
    """

    def __init__(self, semaphore: PrioritySemaphore, has_left: Callable[[], bool]) -> None:
        self._semaphore = semaphore
        self._has_left = has_left
        self.recent = Recent()
        self._inside = False
        self._began = self._ends = 0.0
        self.spent_seconds = 0.0

    @contextlib.contextmanager
    def turn(self, *, slack_seconds: float = AT_ONCE) -> Iterator[None]:
        """Have a turn. `slack_seconds`: how long others may go first. Raises `ClientLeft`."""
        self._enter(slack_seconds)
        try:
            yield
        finally:
            self._leave()

    def rest(self) -> bool:
        """Let others go first who have had less of the CPU; called often, within a turn.

        Returns whether the turn was interrupted; outside of a turn it never is. Raises
        `ClientLeft`.
        """
        if time.monotonic() < self._ends or not self._inside:
            return False
        self._leave()
        self._enter(0.0)
        return True

    @property
    def cpu_seconds(self) -> float:
        """The seconds of the CPU that the caller has had."""
        return self.spent_seconds + (time.thread_time() - self._began if self._inside else 0.0)

    def check(self) -> None:
        """Raise `ClientLeft` when the client has left."""
        if self._has_left():
            raise ClientLeft

    def _enter(self, slack_seconds: float) -> None:
        self._semaphore.enter(due=self._due(slack_seconds))
        self._inside = True
        try:
            time.sleep(PAUSE_SECONDS)
            self.check()
        except BaseException:
            self._began = time.thread_time()
            self._leave()
            raise
        self._began = time.thread_time()
        self._ends = time.monotonic() + LONGEST_SECONDS

    def _leave(self) -> None:
        if not self._inside:  # it was interrupted, and not let in again
            return
        self._inside = False
        seconds = time.thread_time() - self._began
        self.spent_seconds += seconds
        self.recent.add(seconds)
        self._semaphore.leave()

    def _due(self, slack_seconds: float) -> float:
        now = time.monotonic()
        if slack_seconds == HOLDING or (slack_seconds == AT_ONCE and self.spent_seconds < FIRST_SECONDS):
            return now + slack_seconds
        return now + max(0.0, slack_seconds) + self.recent.seconds


class Recent:
    """Counts the seconds of the CPU that were had lately: the longer ago, the less they count."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        return self._seconds * math.exp((self._since - time.monotonic()) / RECENT_SECONDS)

    def add(self, seconds: float) -> None:
        self._seconds = self.seconds + seconds
        self._since = time.monotonic()


class Pauses:
    """Pauses work outside of turns that takes long with odd data only: others are heard between its pieces."""

    def __init__(self) -> None:
        self._began = time.thread_time()

    def take(self) -> None:
        """Pause, if it is time: call it between two pieces."""
        if time.thread_time() - self._began > LONGEST_SECONDS:
            time.sleep(PAUSE_SECONDS)
            self._began = time.thread_time()
