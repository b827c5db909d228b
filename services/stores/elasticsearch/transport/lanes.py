"""Places among the searches that a process has under way: slow ones take none that others need."""

import contextlib
import threading
import time
from collections.abc import Iterator

from services.filters.koncorde.nodes import All
from services.measures import ExportRequest
from services.scheduling.cpu_turn import AT_ONCE
from services.scheduling.priority_semaphore import Busy, PrioritySemaphore
from services.stores.elasticsearch.transport.retries import Late

#: Pages at a time: enough to keep a process busy, which decodes one in 20 ms. 300 at once filled the heap of a small
#: node: it answered nobody in time, and half of the downloads failed.
MOST_PAGES = 8

#: Counts of exports without a filter.
MOST_COUNTS = 8

#: Searches with a filter, until it has shown what it costs, and as long as it is slow: of Koncorde, and of queries
#: that callers wrote in Elasticsearch's own language. A node of two cores has four threads for searches: one is left.
MOST_FILTERED, MOST_FOREIGN = 2, 1

#: A filter is quick when a search with it takes fewer seconds.
QUICK_SECONDS = 1.0


class Lane(PrioritySemaphore):
    """`lingers`: the place of a search that was given up stays taken for as long again.

    Elasticsearch may be at it still: it ends a search between two steps, and building a pattern is one.
    """

    def __init__(self, places: int, *, lingers: bool = False) -> None:
        super().__init__(places)
        self.lingers = lingers


class Lanes:
    """`pages`: of all who are quick. `counts`: of what has no caller's part."""

    def __init__(self) -> None:
        self.pages = Lane(MOST_PAGES)
        self.counts = Lane(MOST_COUNTS)
        self._filtered = Lane(MOST_FILTERED, lingers=True)
        self._foreign = Lane(MOST_FOREIGN, lingers=True)

    def count(self, request: ExportRequest) -> Lane:
        """For what is asked at prepare."""
        return self.counts if is_plain(request) else self._of_filter(request)

    def first(self, request: ExportRequest) -> Lane:
        """For what is asked of a view before it has shown what it costs."""
        return self.pages if is_plain(request) else self._of_filter(request)

    def _of_filter(self, request: ExportRequest) -> Lane:
        return self._filtered if request.elastic_query is None else self._foreign


def is_plain(request: ExportRequest) -> bool:
    return not request.elastic_query and isinstance(request.filter, All)


@contextlib.contextmanager
def place(lane: Lane, wait_seconds: float, *, slack_seconds: float = AT_ONCE) -> Iterator[None]:
    """`slack_seconds`: others may go first so long. Raises `Late`."""
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
