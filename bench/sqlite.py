"""Measure the embedded store, on one core: a database on disk to CSV as bytes, as a download reads it."""

import contextlib
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from bench import rows
from services import exports
from services.columns import columns
from services.formats import Maker
from services.formats.csv import Csv
from services.formats.layout import layout
from services.measures import ExportRequest, SortKey, Target
from services.options import Options
from services.scheduling.cpu_turn import CpuTurns
from services.stores import lenient
from services.stores.sqlite import SqliteStore, load
from services.stores.sqlite.reading import PAGE_ROWS, SOURCES

ROWS = 500_000
DEEP = 400_000
ENGINE = "bench"
TARGET = Target(ENGINE, rows.KIND, rows.ASSET)

#: Pages that the encoder alone is measured on.
PAGES = 10
ROUNDS = 3

SORTS = {
    "newest first": (SortKey("measuredAt", "desc"),),
    "oldest first": (SortKey("measuredAt"),),
    "by device, then time": (SortKey("origin._id"), SortKey("measuredAt")),
}


def run() -> Iterator[str]:
    """Lines of the report."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "measures.sqlite3")
        write(Path(folder) / "files")
        began = time.perf_counter()
        load(path, Path(folder) / "files")
        seconds, size = time.perf_counter() - began, Path(path).stat().st_size
        yield f"{ROWS:,} rows, {size / ROWS:.0f} bytes each in the database"
        yield f"{'load':32}{ROWS / seconds / 1000:8.0f} krows/s"
        store = SqliteStore(path, CpuTurns())
        alone = encoder_seconds() * 1e6
        for name, sort in SORTS.items():
            first, whole, cpu = best(store, sort)
            alone = min(alone, encoder_seconds() * 1e6)
            yield (
                f"{name:32}{ROWS / whole / 1000:8.0f} krows/s, first byte after {first * 1000:.0f} ms, "
                f"{cpu / ROWS * 1e6:.1f} us of CPU a row, {alone * ROWS / whole / 1e6:.2f} of the encoder's rate"
            )
        yield f"{'encoder alone':32}{1000 / alone:8.0f} krows/s"
        for name, offset in (("0", 0), (f"{DEEP:,}", DEEP)):
            first = min(download(store, offset=offset, whole=False)[0] for _ in range(5))
            yield f"from {name:27} first byte after {first * 1000:.0f} ms"
        yield f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"


def write(folder: Path) -> None:
    """The files that `load` reads: an asset, its model, and its measures, oldest first."""
    folder.mkdir()
    documents(folder, "device-manager.config", [(f"engine-device-manager--{ENGINE}", {"engine": {"group": "commons"}})])
    documents(folder, f"{ENGINE}.assets", [(rows.ASSET, {"model": rows.MODEL.name})])
    documents(folder, "device-manager.models", models())
    documents(folder, f"{ENGINE}.measures", measures())


def models() -> Iterator[tuple[str, dict[str, Any]]]:
    slots = [{"name": slot.name, "type": slot.type} for slot in rows.MODEL.slots]
    asset = {"model": rows.MODEL.name, "measures": slots}
    yield f"model-asset-{rows.MODEL.name}", {"type": "asset", "engineGroup": "commons", "asset": asset}
    for type, mappings in rows.MAPPINGS.items():
        yield f"model-measure-{type}", {"type": "measure", "measure": {"type": type, "valuesMappings": mappings}}


def measures() -> Iterator[tuple[str, dict[str, Any]]]:
    chance = Random(1)
    for row in range(ROWS):
        yield f"{chance.getrandbits(80):020x}", rows.measure(row, chance)


def documents(folder: Path, name: str, entries: Any) -> None:
    with (folder / f"{name}.ndjson").open("wb") as file:
        for id, source in entries:
            file.write(msgspec.json.encode({"_id": id, "_source": source}) + b"\n")


def request(sort: tuple[SortKey, ...], offset: int = 0, size: int | None = None) -> ExportRequest:
    return ExportRequest(export_id="bench", target=TARGET, sort=sort, offset=offset, size=size)


def best(store: SqliteStore, sort: tuple[SortKey, ...]) -> tuple[float, float, float]:
    """Seconds to the first byte, of the whole, and of CPU, the least of each."""
    found = [download(store, sort) for _ in range(ROUNDS)]
    first, whole, cpu = (min(values) for values in zip(*found, strict=True))
    return first, whole, cpu


def download(
    store: SqliteStore, sort: tuple[SortKey, ...] = SORTS["newest first"], *, offset: int = 0, whole: bool = True
) -> tuple[float, float, float]:
    began, cpu_began = time.perf_counter(), time.process_time()
    found = exports.download(request(sort, offset), store, CpuTurns(), Maker())
    with contextlib.closing(found):
        blocks = iter(found)
        lines = next(blocks).count(b"\n")
        first = time.perf_counter() - began
        if whole:
            lines += sum(block.count(b"\n") for block in blocks)
            if lines != ROWS - offset + 1:
                raise AssertionError(f"{lines} lines of {ROWS - offset + 1}")
    return first, time.perf_counter() - began, time.process_time() - cpu_began


def encoder_seconds() -> float:
    """A row, decoded and encoded, of pages in memory."""
    chance = Random(1)
    ids = [f"{row:020}" for row in range(PAGE_ROWS)]
    pages = [
        msgspec.json.encode([rows.measure(row, chance) for row in range(first, first + PAGE_ROWS)]).decode()
        for first in range(0, PAGES * PAGE_ROWS, PAGE_ROWS)
    ]
    table = columns(rows.KIND, rows.MODEL, rows.SLOTS, rows.MAPPINGS)
    encoder = Csv(layout(table, Options()), Options(), formula_guard=True)

    def seconds() -> float:
        began = time.perf_counter()
        for page in pages:
            encoder.page(lenient.measures(ids, page, SOURCES))
        return time.perf_counter() - began

    return min(seconds() for _ in range(3 * ROUNDS)) / (PAGES * PAGE_ROWS)
