"""Lanes: how many searches of each kind a process has under way, so that slow ones take no permit that others need."""

import contextlib
import threading
import time
from collections.abc import Iterator

from services.filters.koncorde.nodes import All
from services.measures import ExportRequest
from services.scheduling.cpu_turn import AT_ONCE
from services.scheduling.priority_semaphore import Busy, PrioritySemaphore
from services.stores.elasticsearch.transport.retries import Late

#: Searches for pages at a time: enough to keep a process busy, which decodes one in 20 ms. 300 at once filled the heap
#: of a small node: it answered nobody in time, and half of the downloads failed.
MOST_PAGES = 8

#: Counts, at a time, of exports without a filter.
MOST_COUNTS = 8

#: Searches at a time with a filter, until it has shown what it costs, and as long as it is slow: with filters of
#: Koncorde, and with queries that callers wrote in Elasticsearch's own language. A node of two cores has four threads
#: for searches: one is left.
MOST_FILTERED, MOST_FOREIGN = 2, 1

#: A filter is quick when a search with it takes fewer seconds.
QUICK_SECONDS = 1.0


class Lane(PrioritySemaphore):
    """Holds the permits of one kind of search. `lingers`: that of a search that was given up stays taken as long again.

    Elasticsearch may be at it still: it ends a search between two steps, and building a pattern is one.
    """

    def __init__(self, permits: int, *, lingers: bool = False) -> None:
        super().__init__(permits)
        self.lingers = lingers


class Lanes:
    """Holds the lanes of a process. `pages`: of all who are quick. `counts`: of what no caller has a part in."""

    def __init__(self) -> None:
        self.pages = Lane(MOST_PAGES)
        self.counts = Lane(MOST_COUNTS)
        self._filtered = Lane(MOST_FILTERED, lingers=True)
        self._foreign = Lane(MOST_FOREIGN, lingers=True)

    def count(self, request: ExportRequest) -> Lane:
        """Return the lane for what is asked at prepare."""
        return self.counts if is_plain(request) else self._of_filter(request)

    def first(self, request: ExportRequest) -> Lane:
        """Return the lane for the pages of an export until its filter has shown what it costs."""
        return self.pages if is_plain(request) else self._of_filter(request)

    def _of_filter(self, request: ExportRequest) -> Lane:
        return self._filtered if request.elastic_query is None else self._foreign


def is_plain(request: ExportRequest) -> bool:
    return not request.elastic_query and isinstance(request.filter, All)


@contextlib.contextmanager
def permit(lane: Lane, wait_seconds: float, *, slack_seconds: float = AT_ONCE) -> Iterator[None]:
    """Hold a permit of a lane. `slack_seconds`: how long others may go first. Raises `Late` after `wait_seconds`."""
    try:
        lane.enter(due=time.monotonic() + slack_seconds, wait_seconds=wait_seconds)
    except Busy as error:
        raise Late("other searches took too long") from error
    began = time.monotonic()
    linger_seconds = 0.0
    try:
        yield
    except Late:
        linger_seconds = time.monotonic() - began if lane.lingers else 0
        raise
    finally:
        leave(lane, linger_seconds)


def leave(lane: Lane, linger_seconds: float) -> None:
    if not linger_seconds:
        return lane.leave()
    later = threading.Timer(linger_seconds, lane.leave)
    later.daemon = True
    return later.start()
