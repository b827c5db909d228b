"""Measure each format against plain CSV in the same run: whole downloads through gunicorn, from both stores.

300,000 rows each for the rates; a worker's memory at 50,000 and at 500,000.
"""

import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil

from bench import rows
from bench.downloads import download
from bench.elasticsearch import peak_mb
from bench.serving import ENGINE, documents, embedded, on_elasticsearch
from tests.support.kuzzle import Kuzzle
from tests.support.service import Service, service

ROWS, FEW, MANY = 300_000, 50_000, 500_000

#: Of each format.
ROUNDS = 3

JSON = dict[str, Any]

CHOSEN = ["Measured At ISO", "Measure Type", "temperatureExt.temperature", "temperatureInt.temperature", "asset.model"]

#: What is asked for, and the headers that a client sends.
WAYS: dict[str, tuple[JSON, dict[str, str]]] = {
    "csv": ({}, {}),
    "csv, compress=gzip": ({"compress": "gzip"}, {}),
    "csv, Accept-Encoding: gzip": ({}, {"Accept-Encoding": "gzip"}),
    "csv, excel-eu, Europe/Paris": ({"preset": "excel-eu", "timezone": "Europe/Paris"}, {}),
    "csv, excel-eu, fields": ({"preset": "excel-eu", "fields": CHOSEN[:-1]}, {}),
    "csv, excel-eu, fields, a path": ({"preset": "excel-eu", "fields": CHOSEN}, {}),
    "jsonl": ({"format": "jsonl"}, {}),
    "documents": ({"format": "documents"}, {}),
    "zip": ({"format": "zip"}, {}),
    "xlsx": ({"format": "xlsx"}, {}),
}

#: Those whose memory is told: of each format one.
FORMATS = ("csv", "csv, compress=gzip", "csv, excel-eu, fields, a path", "jsonl", "documents", "zip", "xlsx")

Open = Callable[[Kuzzle, Path], AbstractContextManager[Service]]

STORES: dict[str, Open] = {
    "sqlite": lambda made, folder: embedded(made, folder, workers=1),
    "elasticsearch": lambda made, folder: on_elasticsearch(made, folder, workers=1),
}


def run() -> Iterator[str]:
    """Lines of the report."""
    made = documents(MANY)
    for name, open in STORES.items():
        yield name
        with tempfile.TemporaryDirectory() as folder, open(made, Path(folder)) as running:
            yield from speed(running)
            for way in FORMATS:
                yield memory(running, Path(folder), way)


def speed(running: Service) -> Iterator[str]:
    """All ways take turns; each is compared with plain CSV of its own round, and the median counts."""
    for body, headers in WAYS.values():
        download(running, ENGINE, rows.ASSET, headers=headers, size=FEW, **body)
    rounds = [
        {
            name: download(running, ENGINE, rows.ASSET, headers=headers, size=ROWS, **body)
            for name, (body, headers) in WAYS.items()
        }
        for _ in range(ROUNDS)
    ]
    for name in WAYS:
        found = [each[name] for each in rounds]
        ratio = statistics.median(each["csv"].whole / each[name].whole for each in rounds)
        first = statistics.median(each.first for each in found) * 1000
        rate = statistics.median(each.rate for each in found)
        cpu = statistics.median(each.cpu for each in found) / ROWS * 1e6
        yield (
            f"  {name:32}{rate:6.0f} krows/s, {ratio:.2f} of plain, first byte after {first:.0f} ms, "
            f"{cpu:.1f} us of CPU a row, {found[0].bytes / ROWS:.0f} bytes a row"
        )


def memory(running: Service, folder: Path, way: str) -> str:
    """Of a new worker each time."""
    body, headers = WAYS[way]
    settings = {name: value for name, value in psutil.Process(running.pid).environ().items() if name != "PORT"}
    peaks = []
    for size in (FEW, MANY):
        with service(settings, folder / f"log-{size}") as fresh:
            download(fresh, ENGINE, rows.ASSET, headers=headers, size=size, **body)
            peaks.append(peak_mb(fresh))
    few, many = peaks
    return f"  {way:32}peak memory {few:.0f} MB at {FEW:,} rows, {many:.0f} MB at {MANY:,}: {many / few:.2f}"
