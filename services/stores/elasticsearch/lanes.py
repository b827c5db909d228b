"""Places among the searches that a process has under way: slow ones take none that others need."""

import contextlib
import time
from collections.abc import Iterator

from services.filters.nodes import All
from services.gates import Busy, Gate
from services.measures import ExportRequest
from services.stores.elasticsearch.retries import Late
from services.turns import AT_ONCE

#: Pages at a time: enough to keep a process busy, which decodes one in 20 ms. 300 at once filled the heap of a small
#: node: it answered nobody in time, and half of the downloads failed.
MOST_PAGES = 8

#: Counts of exports without a filter.
MOST_COUNTS = 8

#: Searches with a filter, until it has shown what it costs, and as long as it is slow: of Koncorde, and of queries
#: that callers wrote in Elasticsearch's own language. A node of two cores has four threads for searches.
MOST_FILTERED, MOST_FOREIGN = 4, 2

#: A filter is quick when a search with it takes fewer seconds.
QUICK_SECONDS = 1.0


class Lanes:
    """`pages`: of all who are quick."""

    def __init__(self) -> None:
        self.pages = Gate(MOST_PAGES)
        self._counts = Gate(MOST_COUNTS)
        self._filtered = Gate(MOST_FILTERED)
        self._foreign = Gate(MOST_FOREIGN)

    def count(self, request: ExportRequest) -> Gate:
        """For what is asked at prepare."""
        return self._counts if is_plain(request) else self._of_filter(request)

    def first(self, request: ExportRequest) -> Gate:
        """For what is asked of a view before it has shown what it costs."""
        return self.pages if is_plain(request) else self._of_filter(request)

    def _of_filter(self, request: ExportRequest) -> Gate:
        return self._filtered if request.elastic_query is None else self._foreign


def is_plain(request: ExportRequest) -> bool:
    return not request.elastic_query and isinstance(request.filter, All)


@contextlib.contextmanager
def place(gate: Gate, wait_seconds: float, *, slack_seconds: float = AT_ONCE) -> Iterator[None]:
    """`slack_seconds`: others may go first so long. Raises `Late`."""
    try:
        gate.enter(due=time.monotonic() + slack_seconds, wait_seconds=wait_seconds)
    except Busy as error:
        raise Late("other searches took too long") from error
    try:
        yield
    finally:
        gate.leave()
