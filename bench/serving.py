"""Measure whether the service still answers others while many read slowly. Real gunicorn, both stores."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from bench import rows, stored
from bench.downloads import cpu_seconds, download, prepare
from tests.support.health import Health
from tests.support.kuzzle import Kuzzle
from tests.support.readers import SlowReaders
from tests.support.service import ROOT, Service, service
from tests.support.waiting import wait_until

ROWS = 100_000
ENGINE = "bench-serving"
ADMIN_INDEX = "bench-serving-admin"

READERS = 300
BYTES_PER_SECOND = 40_000
WORKERS = 2

#: How long the readers are watched once all have begun.
SECONDS = 20

SECRETS = "a secret of the benchmark of enough length"


def run() -> Iterator[str]:
    """Lines of the report."""
    made = documents()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        yield f"{READERS} readers at {BYTES_PER_SECOND // 1000} kB/s, {WORKERS} workers, exports of {ROWS:,} rows"
        with embedded(made, folder) as running:
            yield from report("sqlite", running)
        with on_elasticsearch(made, folder) as running:
            yield from report("elasticsearch", running)


def report(store: str, running: Service) -> Iterator[str]:
    yield f"{store}, idle"
    alone = Health(running)
    with alone:
        yield f"  one fast download: {fast(running)}"
    yield f"  health meanwhile: {alone}"
    starting, steady = Health(running), Health(running)
    links = [link(running)] * READERS
    with contextlib.ExitStack() as stack:
        began = time.monotonic()
        with starting:
            readers = stack.enter_context(SlowReaders(links, bytes_per_second=BYTES_PER_SECOND))
            wait_until(lambda: readers.started == READERS, seconds=120)
            seconds = time.monotonic() - began
        yield f"{store}, {READERS} slow readers, all begun within {seconds:.1f} s"
        yield f"  health while they begin: {starting}"
        cpu, taken, began = cpu_seconds(running), sum(readers.taken), time.monotonic()
        with steady:
            while time.monotonic() < began + SECONDS:
                time.sleep(0.1)
        seconds = time.monotonic() - began
        yield f"  health for {SECONDS} s: {steady}"
        rate = (sum(readers.taken) - taken) / seconds
        share = (cpu_seconds(running) - cpu) / seconds
        yield f"  {rate / 1e6:.1f} MB/s to all of them together, {share:.2f} of a core"
        yield f"  a new fast download: {fast(running)}"
        yield f"  memory of the workers: {memory_mb(running)} MB; of sockets in the kernel: {socket_mb():.0f} MB"
        if readers.ended:
            raise AssertionError(f"{readers.ended} readers have ended")


def fast(running: Service) -> str:
    """Return the times of a new download that is read as fast as it comes."""
    found = download(running, ENGINE, rows.ASSET)
    rate = found.bytes / 1e6 / found.whole
    return f"first byte after {found.first * 1000:.0f} ms, {found.bytes / 1e6:.0f} MB at {rate:.0f} MB/s"


def link(running: Service) -> str:
    return str(prepare(running, ENGINE, rows.ASSET)["link"])


def memory_mb(running: Service) -> str:
    """Resident, each."""
    return " + ".join(f"{worker.memory_info().rss / 2**20:.0f}" for worker in running.workers)


def socket_mb() -> float:
    """Of all TCP sockets of this machine, as Linux counts them."""
    for line in Path("/proc/net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            return int(line.rpartition("mem ")[2]) * os.sysconf("SC_PAGESIZE") / 2**20
    return 0.0


def documents(count: int = ROWS) -> Kuzzle:
    """An engine with one asset that has all measures."""
    made, chance = stored.engine(ENGINE, (rows.ASSET,)), Random(1)
    for row in range(count):
        made.measure(ENGINE, f"{chance.getrandbits(80):020x}", rows.measure(row, chance))
    return made


@contextlib.contextmanager
def embedded(made: Kuzzle, folder: Path, *, workers: int = WORKERS) -> Iterator[Service]:
    environ = {
        "SQLITE_PATH": str(folder / "measures.sqlite3"),
        "LINK_SECRETS": SECRETS,
        "WEB_CONCURRENCY": str(workers),
        "LINK_TTL_SECONDS": "600",
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "load", str(made.into_folder(folder / "documents"))]
    subprocess.run(command, cwd=ROOT, env=environ, check=True, capture_output=True)
    with service(environ, folder / "sqlite.log") as running:
        yield running


@contextlib.contextmanager
def on_elasticsearch(made: Kuzzle, folder: Path, *, workers: int = WORKERS) -> Iterator[Service]:
    """`ELASTICSEARCH_URL`, or a node of its own."""
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(stored.elasticsearch())
        made.into_elasticsearch(url, admin_index=ADMIN_INDEX)
        stack.callback(made.out_of_elasticsearch, url, admin_index=ADMIN_INDEX)
        environ = {
            "ELASTICSEARCH_URL": url,
            "ADMIN_INDEX": ADMIN_INDEX,
            "AUTH": "anonymous",
            "LINK_SECRETS": SECRETS,
            "WEB_CONCURRENCY": str(workers),
            "LINK_TTL_SECONDS": "600",
        }
        yield stack.enter_context(service(environ, folder / "elasticsearch.log"))
