"""Points in time: one consistent view of an index for the whole of an export."""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator

import msgspec

from services.errors import StoreUnavailable
from services.gates import Busy, Gate
from services.stores.elasticsearch.client import JSON, Client, Refused
from services.stores.elasticsearch.names import path
from services.stores.elasticsearch.retries import Patience, Temporary
from services.turns import AT_ONCE

log = logging.getLogger(__name__)

#: How long Elasticsearch keeps a view that nobody asks of.
KEEP_ALIVE = "5m"

#: Seconds after which a view is asked for nothing, only to keep it: its reader is slow.
TOUCH_SECONDS = 60.0

#: Seconds between two looks for such views.
LOOK_SECONDS = 15.0

#: Closing: seconds that an answer is awaited, and how long it is tried. After that, Elasticsearch does it by itself.
CLOSE_WAIT_SECONDS, CLOSE_BUDGET_SECONDS = 10.0, 30.0

#: Searches of a process under way at a time: enough to keep it busy, which decodes a page in 20 ms. 300 pages at once
#: filled the heap of a small node: it answered nobody in time, and half of the downloads failed.
MOST_UNDER_WAY = 8

#: Why a view is gone: it was closed by somebody else, or its node was.
LOST = frozenset(("search_context_missing_exception", "resource_not_found_exception", "no_such_context"))


class Opened(msgspec.Struct):
    id: str


class View:
    """Open until it is closed. `what`: begins the sentences of the log."""

    def __init__(self, client: Client, gate: Gate, id: str, what: str) -> None:
        self._client = client
        self._gate = gate
        self._closed = threading.Event()
        self.id = id
        self.what = what
        self.used = time.monotonic()

    @contextlib.contextmanager
    def place(self, patience: Patience, *, slack_seconds: float = AT_ONCE) -> Iterator[None]:
        """Among the searches under way. `slack_seconds`: others may go first so long. Raises `Temporary`."""
        wait_seconds = patience.wait_seconds(self._client.timeout_seconds)
        try:
            self._gate.enter(due=time.monotonic() + slack_seconds, wait_seconds=wait_seconds)
        except Busy as error:
            raise Temporary("other searches took too long") from error
        try:
            yield
        finally:
            self._gate.leave()

    def search(self, body: JSON, patience: Patience) -> bytes:
        """One attempt, for who has a place. Raises `Temporary`, `Refused`, `StoreUnavailable`: the view is lost."""
        self.used = time.monotonic()
        asked = {**body, "pit": {"id": self.id, "keep_alive": KEEP_ALIVE}}
        wait_seconds = patience.wait_seconds(self._client.timeout_seconds)
        try:
            return self._client.ask(
                "POST", "/_search?allow_partial_search_results=false", asked, wait_seconds=wait_seconds
            )
        except Refused as error:
            if error.status == 404 or error.type in LOST:
                raise StoreUnavailable(f"Elasticsearch has lost the view of the export ({error}).") from error
            raise

    def seen(self, id: str | None) -> None:
        """The id that the newest answer gave: it may change."""
        self.id = id or self.id

    def touch(self) -> None:
        """Ask for nothing. A failure is only logged: the next page finds out."""
        try:
            nothing = {"size": 0, "track_total_hits": False, "query": {"match_none": {}}}
            self.search(nothing, Patience(self.what, budget_seconds=0))
        except (Temporary, Refused, StoreUnavailable) as error:
            log.warning("%s: its view could not be kept: %s", self.what, error)

    def close(self) -> None:
        """At once for the caller; Elasticsearch is told in the background. Any number of times."""
        if not self._closed.is_set():
            self._closed.set()
            threading.Thread(target=self._tell, name="close-view", daemon=True).start()

    def _tell(self) -> None:
        def attempt() -> None:
            self._client.ask("DELETE", "/_pit", {"id": self.id}, wait_seconds=CLOSE_WAIT_SECONDS)

        try:
            Patience(f"{self.what}: closing its view", budget_seconds=CLOSE_BUDGET_SECONDS).tried(attempt)
        except (Refused, StoreUnavailable) as error:
            if not (isinstance(error, Refused) and error.status == 404):
                log.warning(
                    "%s: its view is left to Elasticsearch, which keeps it %s: %s", self.what, KEEP_ALIVE, error
                )


class Views:
    """Opens views, and keeps those of slow readers."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._gate = Gate(MOST_UNDER_WAY)
        self._open: set[View] = set()
        self._changing = threading.Lock()
        self._keeping = False

    def open(self, name: str, what: str, patience: Patience) -> View:
        """Of an index or alias. Raises `Refused`, `StoreUnavailable`."""
        target = f"{path(name)}/_pit?keep_alive={KEEP_ALIVE}"

        def attempt() -> bytes:
            return self._client.ask("POST", target, wait_seconds=patience.wait_seconds(self._client.timeout_seconds))

        view = View(self._client, self._gate, msgspec.json.decode(patience.tried(attempt), type=Opened).id, what)
        with self._changing:
            self._open.add(view)
            if not self._keeping:
                self._keeping = True
                threading.Thread(target=self._keep, name="keep-views", daemon=True).start()
        return view

    def close(self, view: View) -> None:
        with self._changing:
            self._open.discard(view)
        view.close()

    def _keep(self) -> None:
        """Ends when no view is open."""
        while True:
            time.sleep(LOOK_SECONDS)
            with self._changing:
                if not self._open:
                    self._keeping = False
                    return
                idle = [view for view in self._open if time.monotonic() - view.used > TOUCH_SECONDS]
            for view in idle:
                view.touch()
