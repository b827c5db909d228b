"""How long a service takes to say that it is alive, while something else goes on."""

import statistics
import threading
import time
from types import TracebackType
from typing import Self

import requests

from tests.support.service import Service

#: Seconds between an answer and the next question.
PAUSE = 0.02


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
