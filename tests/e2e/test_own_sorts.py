"""A caller's own sort in the embedded store: it ends with its client, and keeps little."""

import contextlib
import os
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from tests.e2e.conftest import MANY, Served
from tests.support.crowd import Crowd
from tests.support.health import Health
from tests.support.readers import PLAIN
from tests.support.waiting import wait_until

SORT = {"values.temperature": "desc"}

#: Downloads that are left before their first byte; sorting one takes the core for a second.
ABANDONED = 20

#: Seconds of the core after which they are under way.
BEGUN_SECONDS = 0.5

#: Seconds after which nothing is left of them, other load aside.
FREED_SECONDS = 3.0

#: Milliseconds that health may take meanwhile.
LONGEST_MS = 300

#: Bytes that a download of so many rows may keep on disk: eight a row.
KEPT_BYTES = 8 * MANY


def asked(link: str) -> socket.socket:
    """A download that has been asked for, and nothing read of it."""
    parts = urlsplit(link)
    client = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60)
    client.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    return client


def temporary_bytes(pid: int) -> int:
    """Of files that a process holds and that have no name any more."""
    size = 0
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if os.readlink(file).endswith(" (deleted)"):
                size += file.stat().st_size
    return size


def cpu_seconds(worker: psutil.Process) -> float:
    return sum(worker.cpu_times()[:2])


def is_idle(worker: psutil.Process) -> bool:
    before = cpu_seconds(worker)
    time.sleep(0.3)
    return cpu_seconds(worker) - before < 0.1


def test_an_own_sort_ends_with_its_client(mortal: Served) -> None:
    """Twenty that are abandoned hold up nobody, and leave nothing."""
    links = [mortal.link("Container-many", json={"sort": SORT}) for _ in range(ABANDONED)]
    (worker,) = mortal.service.workers
    nothing, began = temporary_bytes(worker.pid), cpu_seconds(worker)
    with Crowd() as crowd, Health(mortal.service) as health:
        clients = [asked(link) for link in links]
        wait_until(lambda: cpu_seconds(worker) > began + BEGUN_SECONDS)
        for client in clients:
            client.close()
        left = time.monotonic()
        wait_until(lambda: temporary_bytes(worker.pid) == nothing and is_idle(worker))
        seconds = time.monotonic() - left
    assert seconds < FREED_SECONDS * crowd.times
    assert health.longest_ms < LONGEST_MS * crowd.times
    assert mortal.service.workers == [worker]
    assert mortal.service.log().count('" 499 ') > ABANDONED // 2, "they were too quick to be left"


def test_a_client_that_has_closed_its_own_side_is_answered(mortal: Served) -> None:
    """HTTP allows that: what it sees besides is an interim answer, which clients skip."""
    client = asked(mortal.link("Container-many", json={"sort": SORT}))
    client.shutdown(socket.SHUT_WR)
    with contextlib.closing(client):
        answer = b"".join(iter(lambda: client.recv(2**20), b""))
    interim, _, answer = answer.partition(b"HTTP/1.1 200 OK")
    assert interim in (b"", b"HTTP/1.1 100 Continue\r\n\r\n")
    assert answer.count(b"\n") > MANY
    assert answer.endswith(b"0\r\n\r\n")


def test_what_a_sorted_download_keeps(mortal: Served) -> None:
    """While it is read: the places of its rows, not their keys."""
    (worker,) = mortal.service.workers
    nothing = temporary_bytes(worker.pid)
    with requests.get(
        mortal.link("Container-many", json={"sort": SORT}), stream=True, headers=PLAIN, timeout=60
    ) as answer:
        rows = iter(answer.iter_lines())
        next(rows)
        assert 0 < temporary_bytes(worker.pid) - nothing <= KEPT_BYTES
        temperatures = [float(row.split(b",")[8]) for row in rows]
    assert temperatures == sorted(temperatures, reverse=True)
    assert len(temperatures) == MANY
    wait_until(lambda: temporary_bytes(worker.pid) == nothing)


@pytest.mark.parametrize("sort", [[f"values.v{number}" for number in range(21)], ["type", "measuredAt", "type"]])
def test_a_sort_has_few_keys(mortal: Served, sort: list[str]) -> None:
    """Refused at prepare, by its name."""
    answer = mortal.prepare("Container-many", json={"sort": sort})
    assert (answer.status_code, answer.json()["error"]["props"]["argument"]) == (400, "sort")
