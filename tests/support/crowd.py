"""How many want the cores of this machine while a test looks at times: a time that is bounded is bounded alone."""

import os
import statistics
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

#: Seconds between two looks.
PAUSE = 0.05


class Crowd:
    """Counts those that are ready to run, from entering to leaving; on Linux."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._ready = [1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def times(self) -> float:
        """By how much each is slower than alone, on the average; 1: everyone has a core."""
        return max(1.0, statistics.mean(self._ready) / (os.cpu_count() or 1))

    def _look(self) -> None:
        while not self._stop.wait(PAUSE):
            self._ready.append(int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0]))
