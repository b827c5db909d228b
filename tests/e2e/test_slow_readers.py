"""Three hundred slow downloads on two workers: the service answers others as if nothing were."""

import time

import pytest
import requests

from tests.e2e.conftest import MANY, Served
from tests.support.readers import SlowReaders
from tests.support.waiting import wait_until

READERS = 300
BYTES_PER_SECOND = 40_000

#: Seconds of looking, and what is asserted: ten times what this service needs on two cores that the test shares.
SECONDS = 8
MEDIAN_MS, LONGEST_MS = 100, 2000


def test_slow_readers_hold_nobody_up(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """Health answers at once, a new download begins at once and is whole."""
    links = [served.link("Container-many")] * READERS
    with SlowReaders(links, bytes_per_second=BYTES_PER_SECOND) as readers:
        wait_until(lambda: readers.started == READERS, seconds=60)
        health = sorted(health_ms(served, SECONDS))
        began = time.monotonic()
        answer = requests.get(served.link("Container-many"), timeout=60, stream=True)
        blocks = answer.iter_content(64 * 1024)
        first = next(blocks)
        first_ms = (time.monotonic() - began) * 1000
        rows = first.count(b"\n") + sum(block.count(b"\n") for block in blocks) - 1
        whole_ms = (time.monotonic() - began) * 1000
        assert readers.ended == 0
    median = health[len(health) // 2]
    with capsys.disabled():
        print(
            f"\n{READERS} slow readers: health p50 {median:.1f} ms, max {health[-1]:.1f} ms ({len(health)} answers); "
            f"a new download: first byte {first_ms:.0f} ms, {rows} rows in {whole_ms:.0f} ms"
        )
    assert (rows, median < MEDIAN_MS, health[-1] < LONGEST_MS) == (MANY, True, True)


def health_ms(served: Served, seconds: float) -> list[float]:
    """How long each of the answers took, one after the other, each on a connection of its own."""
    found = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        assert requests.get(f"{served.service.url}/_healthz", timeout=30).status_code == 200
        found.append((time.monotonic() - began) * 1000)
        time.sleep(0.02)
    return found
