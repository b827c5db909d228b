"""Many downloads at once from the embedded store, of which nothing is read: what they hold, and whom they hold up."""

import contextlib

from tests.e2e.conftest import Served
from tests.e2e.test_own_sorts import asked, cpu_seconds, is_idle
from tests.support.crowd import Crowd
from tests.support.health import Health
from tests.support.waiting import wait_until

CLIENTS = 300

#: Bytes of memory that each may hold in the worker.
EACH_BYTES = 500_000

#: Milliseconds that health may take, other load aside.
LONGEST_MS = 300


def test_a_burst_of_clients_that_read_nothing(mortal: Served) -> None:
    """Each holds the first page of its file, as text; its rows are let go before those of another are read."""
    link = mortal.link("Container-many")
    (worker,) = mortal.service.workers
    before, began = worker.memory_info().rss, cpu_seconds(worker)
    peak = before
    with contextlib.ExitStack() as stack:
        with Crowd() as crowd, Health(mortal.service) as health:
            for _ in range(CLIENTS):
                stack.enter_context(contextlib.closing(asked(link)))
                peak = max(peak, worker.memory_info().rss)
            while not is_idle(worker):
                peak = max(peak, worker.memory_info().rss)
            wait_until(lambda: mortal.service.log().count(": begun for ") == CLIENTS)
        peak = max(peak, worker.memory_info().rss)
    assert cpu_seconds(worker) > began
    assert peak - before < CLIENTS * EACH_BYTES
    assert health.longest_ms < LONGEST_MS * crowd.times
