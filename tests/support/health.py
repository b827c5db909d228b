"""How long a service takes to say that it is alive, while something else goes on."""

import contextlib
import statistics
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import requests

from tests.support.crowd import Crowd
from tests.support.service import Service

#: Seconds between an answer and the next question.
PAUSE = 0.02

#: Milliseconds that health may take at its longest, other load aside: beyond what an idle service beside it takes.
LONGEST_MS = 300


class Health:
    """Asks `/_healthz` again and again, each time on a connection of its own, from entering to leaving."""

    def __init__(self, running: Service) -> None:
        self._url = f"{running.url}/_healthz"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._ms: list[float] = []
        self._failed: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if self._failed is not None and error is None:
            raise self._failed

    @property
    def median_ms(self) -> float:
        return statistics.median(self._ms)

    @property
    def longest_ms(self) -> float:
        return max(self._ms)

    def __str__(self) -> str:
        return f"p50 {self.median_ms:.1f} ms, max {self.longest_ms:.0f} ms of {len(self._ms)}"

    def _ask(self) -> None:
        try:
            while not self._stop.wait(PAUSE):
                began = time.monotonic()
                requests.get(self._url, timeout=60).raise_for_status()
                self._ms.append((time.monotonic() - began) * 1000)
        except requests.RequestException as error:
            self._failed = error


@contextlib.contextmanager
def healthy(running: Service, idle: Service) -> Iterator[Health]:
    """Its workers stay, and are heard of in time. `idle`: another service, which shows what else the machine does."""
    pids = [worker.pid for worker in running.workers]
    with Crowd() as crowd, Health(idle) as other, Health(running) as health:
        yield health
    assert [worker.pid for worker in running.workers] == pids
    assert health.longest_ms < LONGEST_MS * crowd.times + other.longest_ms, (
        f"{health}; of an idle service {other}; {crowd.times:.1f} times slower than alone"
    )
