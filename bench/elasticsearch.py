"""Measure whole downloads from a real Elasticsearch through real gunicorn, against the plain way in the same run.

The plain way: a scroll of 200 documents with their whole `_source`, and the encoder of `plain.py`,
in this process. Elasticsearch, the service and the client share the machine.
"""

import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import requests

from bench import rows, stored
from bench.downloads import Download, download
from bench.plain import PlainEncoder
from tests.support.service import Service, service

ENGINE = "bench"
ADMIN_INDEX = "bench-admin"
SECRETS = "a secret of the benchmark of enough length"

#: Rows of the asset that is exported whole, of the odd ones, and of the plain way in each round.
ROWS, ODD_ROWS, PLAIN_ROWS = 500_000, 300_000, 50_000
FEW, DEEP = 50_000, 400_000

#: Rows of one millisecond, and the first of them.
TIED, MIDDLE = 20_000, 140_000
TIES_MS = rows.START_MS + MIDDLE * rows.STEP_MS

WHOLE, STRAY, TIES = rows.ASSET, f"{rows.ASSET}-stray", f"{rows.ASSET}-ties"
NEWEST, OLDEST = {"measuredAt": "desc"}, {"measuredAt": "asc"}

#: What is downloaded whole, and in which order.
WAYS = {
    "newest first": (WHOLE, NEWEST),
    "oldest first": (WHOLE, OLDEST),
    "one stray in 1970, newest first": (STRAY, NEWEST),
    "one stray in 1970, oldest first": (STRAY, OLDEST),
    "20,000 in one ms, newest first": (TIES, NEWEST),
    "20,000 in one ms, oldest first": (TIES, OLDEST),
}

#: Of each of them, and of first bytes.
ROUNDS = 3
FIRST_BYTES, FIRST_ROWS = 9, 10_000

SCROLL_ROWS = 200


class Scrolled(msgspec.Struct):
    scroll_id: str = msgspec.field(name="_scroll_id")


def run() -> Iterator[str]:
    """Lines of the report."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(stored.elasticsearch())
        began = time.perf_counter()
        stack.enter_context(filled(url))
        yield f"{ROWS + 2 * ODD_ROWS:,} measures written in {time.perf_counter() - began:.0f} s"
        with serving(url, folder / "log") as running:
            yield from speed(running, url)
            yield from first_bytes(running)
        yield from memory(url, folder)


def speed(running: Service, url: str) -> Iterator[str]:
    """All ways take turns, since the machine may be slower in one minute than in the next; the median counts."""
    download(running, ENGINE, WHOLE, sort=NEWEST, size=FEW)  # everything once, before anything counts
    plain_rates: dict[str, list[float]] = {"newest first": [], "oldest first": []}
    found: dict[str, list[Download]] = {name: [] for name in WAYS}
    for _ in range(ROUNDS):
        for name, rates in plain_rates.items():
            rates.append(PLAIN_ROWS / plain_seconds(url, WAYS[name][1]) / 1000)
        for name, (asset, sort) in WAYS.items():
            found[name].append(download(running, ENGINE, asset, sort=sort))
    for name, rates in plain_rates.items():
        yield f"{f'scroll of 200, {name}':32}{statistics.median(rates):8.1f} krows/s"
    plain = max(map(statistics.median, plain_rates.values()))
    whole = {name: median(downloads) for name, downloads in found.items()}
    for name, middle in whole.items():
        yield f"{name:32}{middle}, {middle.rate / plain:.1f} times the better plain way"
    yield f"oldest first: {whole['oldest first'].rate / whole['newest first'].rate:.2f} of newest first"


def first_bytes(running: Service) -> Iterator[str]:
    """In turns as well."""
    starts: dict[int, list[float]] = {0: [], DEEP: []}
    for _ in range(FIRST_BYTES):
        for offset, seconds in starts.items():
            body: dict[str, Any] = {"sort": NEWEST, "from": offset, "size": FIRST_ROWS}
            seconds.append(download(running, ENGINE, WHOLE, **body).first)
    for offset, seconds in starts.items():
        yield f"{f'from {offset:,}':32}first byte after {statistics.median(seconds) * 1000:.0f} ms"


def memory(url: str, folder: Path) -> Iterator[str]:
    """Of a new worker each time."""
    peaks = {}
    for size in (FEW, ROWS):
        with serving(url, folder / f"log-{size}") as running:
            download(running, ENGINE, WHOLE, sort=NEWEST, size=size)
            peaks[size] = peak_mb(running)
        yield f"{f'peak memory at {size:,} rows':32}{peaks[size]:8.0f} MB"
    yield f"{peaks[ROWS] / peaks[FEW]:.2f} times as much for {ROWS // FEW} times the rows"


def median(downloads: list[Download]) -> Download:
    """The one in the middle, by the whole."""
    return sorted(downloads, key=lambda each: each.whole)[len(downloads) // 2]


def plain_seconds(url: str, sort: dict[str, str]) -> float:
    """Of `PLAIN_ROWS` rows."""
    query = {"bool": {"filter": [{"term": {"asset._id": WHOLE}}]}}
    body = {"size": SCROLL_ROWS, "query": query, "sort": [sort]}
    encoder = PlainEncoder(rows.KIND, rows.MODEL, rows.SLOTS, rows.MAPPINGS, guard=True)
    began, lines = time.perf_counter(), 0
    with requests.Session() as session:
        answer = session.post(f"{stored.measures_url(url, ENGINE)}/_search?scroll=1m", json=body, timeout=60)
        while lines < PLAIN_ROWS:
            lines += encoder.page(answer.content).count(b"\n")
            scroll = {"scroll": "1m", "scroll_id": msgspec.json.decode(answer.content, type=Scrolled).scroll_id}
            answer = session.post(f"{url}/_search/scroll", json=scroll, timeout=60)
        seconds = time.perf_counter() - began
        session.delete(f"{url}/_search/scroll", json={"scroll_id": scroll["scroll_id"]}, timeout=60)
    return seconds


def peak_mb(running: Service) -> float:
    """Resident, of the only worker."""
    (worker,) = running.workers
    status = Path(f"/proc/{worker.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


@contextlib.contextmanager
def filled(url: str) -> Iterator[None]:
    made = stored.engine(ENGINE, (WHOLE, STRAY, TIES))
    made.into_elasticsearch(url, admin_index=ADMIN_INDEX)
    try:
        stored.write(url, ENGINE, measures())
        yield
    finally:
        made.out_of_elasticsearch(url, admin_index=ADMIN_INDEX)


def measures() -> Iterator[dict[str, Any]]:
    """Oldest first, but for the stray."""
    chance = Random(1)
    for row in range(ROWS):
        yield rows.measure(row, chance)
    for row in range(ODD_ROWS - 1):
        yield of(STRAY, rows.measure(row, chance))
    yield of(STRAY, {**rows.measure(0, chance), "measuredAt": 0})
    for row in range(ODD_ROWS):
        measure = rows.measure(row, chance)
        tied = MIDDLE <= row < MIDDLE + TIED
        yield of(TIES, {**measure, "measuredAt": TIES_MS} if tied else measure)


def of(asset: str, measure: dict[str, Any]) -> dict[str, Any]:
    return {**measure, "asset": {**measure["asset"], "_id": asset}}


@contextlib.contextmanager
def serving(url: str, log_file: Path, *, admin_index: str = ADMIN_INDEX) -> Iterator[Service]:
    """One worker, so that its memory and its CPU are the service's."""
    environ = {
        "ELASTICSEARCH_URL": url,
        "ADMIN_INDEX": admin_index,
        "AUTH": "anonymous",
        "LINK_SECRETS": SECRETS,
        "WEB_CONCURRENCY": "1",
    }
    with service(environ, log_file) as running:
        yield running
