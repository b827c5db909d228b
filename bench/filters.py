"""Measure filters that are decided while reading, against no filter in the same run: rows read a second.

From a real Elasticsearch through real gunicorn; Elasticsearch, the service and the client share the
machine.
"""

import contextlib
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from bench import rows, stored
from bench.downloads import download
from bench.elasticsearch import peak_mb, serving
from tests.support.service import Service

ENGINE = "bench-filters"
ADMIN_INDEX = "bench-filters-admin"

ROWS, FEW = 300_000, 50_000

#: Of each way.
ROUNDS = 3

JSON = dict[str, Any]

#: Every one of them reads all rows.
FILTERS: dict[str, JSON] = {
    "no filter": {},
    "a number, all match": {"range": {"measuredAt": {"gte": 1}}},
    "a value, half match": {"missing": "values.temperature"},
    "an asset's field, all match": {"exists": "asset.metadata.weight"},
    "a pattern, half match": {"regexp": {"asset.measureName": "[EI]"}},
    "a pattern, no row matches": {"regexp": {"asset.measureName": "[QXZ]"}},
    "five clauses, half match": {
        "and": [
            {"not": {"equals": {"type": "battery"}}},
            {"missing": "values.battery"},
            {"or": [{"range": {"values.temperature": {"gt": -100}}}, {"equals": {"values.humidity": 5}}]},
        ]
    },
    "every field of a row, all match": {
        "and": [{"exists": name} for name in ("measuredAt", "type", "values", "asset", "origin")]
    },
}

#: Of which no row is in the file, and the file begins before that is known.
NONE = "a pattern, no row matches"


def run() -> Iterator[str]:
    """Lines of the report."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(stored.elasticsearch())
        stack.enter_context(filled(url))
        with serving(url, folder / "log", admin_index=ADMIN_INDEX) as running:
            yield from speed(running)
        yield from memory(url, folder)


def speed(running: Service) -> Iterator[str]:
    """All ways take turns; each is compared with the one without a filter of its own round, and the median counts."""
    for query in FILTERS.values():
        download(running, ENGINE, rows.ASSET, query=query, size=FEW)  # everything once, before anything counts
    rounds = [
        {name: download(running, ENGINE, rows.ASSET, query=query) for name, query in FILTERS.items()}
        for _ in range(ROUNDS)
    ]
    for name in FILTERS:
        found = [each[name] for each in rounds]
        rate = statistics.median(ROWS / each.whole / 1000 for each in found)
        ratio = statistics.median(each["no filter"].whole / each[name].whole for each in rounds)
        first = statistics.median(each.first for each in found) * 1000
        cpu = statistics.median(each.cpu for each in found) / ROWS * 1e6
        yield (
            f"{name:32}{rate:8.0f} krows/s read, {ratio:.2f} of no filter, {found[0].rows:,} rows in the file, "
            f"first byte after {first:.0f} ms, {cpu:.1f} us of CPU a row read"
        )


def memory(url: str, folder: Path) -> Iterator[str]:
    """Of a new worker each time."""
    for name in ("every field of a row, all match", NONE):
        peaks = {}
        for size in (FEW, ROWS):
            with serving(url, folder / f"log-{size}", admin_index=ADMIN_INDEX) as running:
                bounds = {"range": {"measuredAt": {"lt": rows.START_MS + size * rows.STEP_MS}}}
                download(running, ENGINE, rows.ASSET, query={"and": [FILTERS[name], bounds]})
                peaks[size] = peak_mb(running)
        yield f"{name:32}peak memory {peaks[FEW]:.0f} MB at {FEW:,} rows, {peaks[ROWS]:.0f} MB at {ROWS:,}"


@contextlib.contextmanager
def filled(url: str) -> Iterator[None]:
    made = stored.engine(ENGINE, (rows.ASSET,))
    made.into_elasticsearch(url, admin_index=ADMIN_INDEX)
    try:
        chance = Random(1)
        stored.write(url, ENGINE, (rows.measure(row, chance) for row in range(ROWS)))
        yield
    finally:
        made.out_of_elasticsearch(url, admin_index=ADMIN_INDEX)
