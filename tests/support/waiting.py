"""Waiting for something to become true, instead of for a time to pass."""

import time
from collections.abc import Callable

#: Seconds between two looks.
PAUSE = 0.02


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Raises `AssertionError` when it is not true in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not true within {seconds} s"
        time.sleep(PAUSE)
