"""Measure fleets against one asset with as many rows in the same run: whole downloads, from both stores."""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from bench import rows, stored
from bench.downloads import Download, download
from bench.elasticsearch import median, peak_mb, serving
from bench.serving import embedded
from tests.support.kuzzle import Kuzzle
from tests.support.service import Service

#: An engine of one asset, and one of many, with as many rows.
ONE, MANY = "bench-one", "bench-many"
ASSETS = 1000

#: Rows of each engine, and for memory.
ROWS, ROWS_ELASTICSEARCH, FEW = 300_000, 1_000_000, 50_000

#: Of each way.
ROUNDS = 3

ADMIN_INDEX = "bench-fleet-admin"

IDS = [f"Container-{number:04}" for number in range(ASSETS)]

#: Engine, asset (`None`: the fleet), arguments.
WAYS: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "one asset": (ONE, rows.ASSET, {}),
    "a fleet of it": (ONE, None, {}),
    "a fleet of 1,000": (MANY, None, {}),
    "the same by their ids": (MANY, None, {"ids": [*IDS[: ASSETS // 2], *IDS[ASSETS // 2 :]]}),
    "a fleet of 1,000, oldest first": (MANY, None, {"sort": {"measuredAt": "asc"}}),
}
COLLAPSES = ("asset", "slot", "device")


def run() -> Iterator[str]:
    """Lines of the report."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        yield f"sqlite, {ROWS:,} rows"
        with embedded(documents(ROWS), path, workers=1) as running:
            yield from report(running, ROWS)
        yield f"elasticsearch, {ROWS_ELASTICSEARCH:,} rows"
        with stored.elasticsearch() as url:
            made = engines()
            made.into_elasticsearch(url, admin_index=ADMIN_INDEX)
            try:
                for engine in (ONE, MANY):
                    stored.write(url, engine, measures(engine, ROWS_ELASTICSEARCH))
                with serving(url, path / "log", admin_index=ADMIN_INDEX) as running:
                    yield from report(running, ROWS_ELASTICSEARCH)
            finally:
                made.out_of_elasticsearch(url, admin_index=ADMIN_INDEX)


def report(running: Service, rows_of_each: int) -> Iterator[str]:
    """All ways take turns; each is compared with the one asset of its own round, and the median counts."""
    for engine, asset, body in WAYS.values():
        download(running, engine, asset, size=FEW, **body)
    few = peak_mb(running)
    rounds: list[dict[str, Download]] = [
        {name: download(running, engine, asset, **body) for name, (engine, asset, body) in WAYS.items()}
        for _ in range(ROUNDS)
    ]
    for name in WAYS:
        ratio = statistics.median(each["one asset"].whole / each[name].whole for each in rounds)
        yield f"  {name:32}{median([each[name] for each in rounds])}, {ratio:.2f} of one asset"
    yield f"  peak memory {few:.0f} MB at {FEW:,} rows, {peak_mb(running):.0f} MB at {rows_of_each:,}"
    for collapse in COLLAPSES:
        found = min(
            (download(running, MANY, None, collapse=collapse) for _ in range(ROUNDS)), key=lambda each: each.whole
        )
        yield f"  {f'collapse={collapse}':32}{found.rows:,} rows in {found.whole:.2f} s"


def engines() -> Kuzzle:
    made = stored.engine(ONE, [rows.ASSET])
    for key, collection in stored.engine(MANY, IDS).collections.items():
        made.collections.setdefault(key, collection).documents.update(collection.documents)
    return made


def documents(count: int) -> Kuzzle:
    made = engines()
    for engine in (ONE, MANY):
        for row, measure in enumerate(measures(engine, count)):
            made.measure(engine, f"{engine}-{row:020}", measure)
    return made


def measures(engine: str, count: int) -> Iterator[dict[str, Any]]:
    """Of one asset, or of each asset in turn, with the slots in turn as well."""
    chance = Random(1)
    for row in range(count):
        measure = rows.measure(row, chance)
        if engine == MANY:
            measure["asset"]["_id"] = IDS[row // len(rows.SLOTS) % ASSETS]
        yield measure
