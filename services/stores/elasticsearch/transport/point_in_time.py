"""Points in time: the one consistent view of an index that an export has from beginning to end."""

import logging
import threading
import time
from contextlib import AbstractContextManager

from services.errors import StoreUnavailable
from services.scheduling.cpu_turn import AT_ONCE
from services.stores.elasticsearch.names import path
from services.stores.elasticsearch.transport import lanes, limits, shapes
from services.stores.elasticsearch.transport.client import JSON, WHOLE_TIMES, Client, Refused, timed
from services.stores.elasticsearch.transport.lanes import Lane, Lanes
from services.stores.elasticsearch.transport.retries import RetryBudget, Temporary

log = logging.getLogger(__name__)

#: Milliseconds that Elasticsearch keeps a view of which nobody asks, where it may so long.
KEEP_ALIVE_MS = 300_000

#: A view is asked for nothing, only to keep it, once this part of its time is over: its reader is slow.
TOUCHED = 0.2

#: Seconds between two looks for such views, and the part of a view's time that may pass between two.
LOOK_SECONDS, LOOKED = 15.0, 0.05

#: Closing: seconds that an answer is awaited, and how long it is tried. After that, Elasticsearch does it by itself.
CLOSE_WAIT_SECONDS, CLOSE_BUDGET_SECONDS = 10.0, 30.0

#: Why a view is gone: it was closed by somebody else, or its node was.
LOST = frozenset(("search_context_missing_exception", "resource_not_found_exception", "no_such_context"))


class PointInTime:
    """A point in time, open until it is closed. `what` begins the sentences of the log.

    `first`: the lane of its searches until the filter has shown what it costs.
    """

    def __init__(self, client: Client, lanes: Lanes, first: Lane, id: str, what: str, keep_alive_ms: int) -> None:
        self._client = client
        self._lanes = lanes
        self._semaphore = first
        self._first = first
        self._closed = threading.Event()
        self._keep_alive_ms = keep_alive_ms
        self.id = id
        self.what = what
        self.used = time.monotonic()

    @property
    def is_idle(self) -> bool:
        """Whether it is time to ask for something, only so that Elasticsearch keeps it."""
        return time.monotonic() - self.used > TOUCHED * self._keep_alive_ms / 1000

    @property
    def look_seconds(self) -> float:
        """The seconds after which to look again whether it is idle."""
        return min(LOOK_SECONDS, LOOKED * self._keep_alive_ms / 1000)

    def permit(self, retry_budget: RetryBudget, *, slack_seconds: float = AT_ONCE) -> AbstractContextManager[None]:
        """Hold a permit for one search. `slack_seconds`: how long others may go first. Raises `Late`."""
        return lanes.permit(
            self._semaphore, retry_budget.wait_seconds(self._client.timeout_seconds), slack_seconds=slack_seconds
        )

    def took(self, seconds: float) -> None:
        """Choose the lane of the next searches by the seconds that the last search of rows took."""
        self._semaphore = self._lanes.pages if seconds < lanes.QUICK_SECONDS else self._first

    def search(self, body: JSON, retry_budget: RetryBudget) -> bytes:
        """Return the body of an answer, after one attempt; the caller holds a permit.

        Raises `Temporary`, `Refused`; `StoreUnavailable` when the point in time is lost.
        """
        self.used = time.monotonic()
        while True:
            try:
                return self._ask(body, retry_budget)
            except Refused as error:
                if error.http_status == 404 or error.type in LOST:
                    raise StoreUnavailable(f"Elasticsearch has lost the view of the export ({error}).") from error
                self._keep_alive_ms = limits.keep_alive_ms(error, self._keep_alive_ms)

    def _ask(self, body: JSON, retry_budget: RetryBudget) -> bytes:
        wait_seconds = retry_budget.wait_seconds(self._client.timeout_seconds)
        asked = {**body, "pit": {"id": self.id, "keep_alive": time_value(self._keep_alive_ms)}}
        return self._client.ask(
            "POST",
            "/_search?allow_partial_search_results=false",
            timed(asked, wait_seconds) if retry_budget.is_early else asked,
            wait_seconds=wait_seconds,
            whole_times=1 if retry_budget.is_early else WHOLE_TIMES,
            ended=retry_budget.ended,
        )

    def seen(self, id: str | None) -> None:
        """Remember the id that the newest answer told: it may change."""
        self.id = id or self.id

    def touch(self) -> None:
        """Ask for nothing, to be kept. A failure is only logged: the next page finds out."""
        try:
            nothing = {"size": 0, "track_total_hits": False, "query": {"match_none": {}}}
            self.search(nothing, RetryBudget(self.what, budget_seconds=0))
        except (Temporary, Refused, StoreUnavailable) as error:
            log.warning("%s: its view could not be kept: %s", self.what, error)

    def close(self) -> None:
        """Return at once, and tell Elasticsearch in the background. May be called any number of times."""
        if not self._closed.is_set():
            self._closed.set()
            threading.Thread(target=self._tell, name="close-view", daemon=True).start()

    def _tell(self) -> None:
        def attempt() -> None:
            self._client.ask("DELETE", "/_pit", {"id": self.id}, wait_seconds=CLOSE_WAIT_SECONDS)

        try:
            RetryBudget(f"{self.what}: closing its view", budget_seconds=CLOSE_BUDGET_SECONDS).run(attempt)
        except (Refused, StoreUnavailable) as error:
            if not (isinstance(error, Refused) and error.http_status == 404):
                kept = time_value(self._keep_alive_ms)
                log.warning("%s: its view is left to Elasticsearch, which keeps it %s: %s", self.what, kept, error)


class PointsInTime:
    """Opens points in time, and keeps those of slow readers."""

    def __init__(self, client: Client, lanes: Lanes) -> None:
        self._client = client
        self._lanes = lanes
        self._open: set[PointInTime] = set()
        self._changing = threading.Lock()
        self._changed = threading.Event()
        self._keeping = False

    def open(self, name: str, what: str, retry_budget: RetryBudget, first: Lane) -> PointInTime:
        """Open a point in time of an index or alias. `first`: the lane of its first searches.

        Raises `Refused`, `StoreUnavailable`.
        """
        id, keep_alive_ms = self._opened(name, retry_budget)
        point_in_time = PointInTime(self._client, self._lanes, first, id, what, keep_alive_ms)
        with self._changing:
            self._open.add(point_in_time)
            if point_in_time.look_seconds < LOOK_SECONDS:
                self._changed.set()
            if not self._keeping:
                self._keeping = True
                threading.Thread(target=self._keep, name="keep-views", daemon=True).start()
        return point_in_time

    def close(self, point_in_time: PointInTime) -> None:
        with self._changing:
            self._open.discard(point_in_time)
        point_in_time.close()

    def _opened(self, name: str, retry_budget: RetryBudget) -> tuple[str, int]:
        """Return the id, and the milliseconds that Elasticsearch keeps it."""
        keep_alive_ms = KEEP_ALIVE_MS
        while True:
            try:
                return self._asked(name, retry_budget, keep_alive_ms), keep_alive_ms
            except Refused as error:
                keep_alive_ms = limits.keep_alive_ms(error, keep_alive_ms)

    def _asked(self, name: str, retry_budget: RetryBudget, keep_alive_ms: int) -> str:
        target = f"{path(name)}/_pit?keep_alive={time_value(keep_alive_ms)}"

        def attempt() -> str:
            wait_seconds = retry_budget.wait_seconds(self._client.timeout_seconds)
            body = self._client.ask("POST", target, wait_seconds=wait_seconds, ended=retry_budget.ended)
            return shapes.typed(body, shapes.OPENED).id

        return retry_budget.run(attempt)

    def _keep(self) -> None:
        """Touch what is idle, until none is open."""
        while True:
            with self._changing:
                if not self._open:
                    self._keeping = False
                    return
                idle = [point_in_time for point_in_time in self._open if point_in_time.is_idle]
                pause = min(point_in_time.look_seconds for point_in_time in self._open)
                self._changed.clear()
            for point_in_time in idle:
                point_in_time.touch()
            self._changed.wait(pause)


def time_value(keep_alive_ms: int) -> str:
    """Return milliseconds as Elasticsearch takes them: `5m`."""
    return f"{keep_alive_ms // 60_000}m" if keep_alive_ms % 60_000 == 0 else f"{keep_alive_ms}ms"
