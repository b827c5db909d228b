"""Measure the encoder alone, on one core: pages of answers as bytes, in memory, to CSV as bytes."""

import time
from collections.abc import Callable, Iterator

import msgspec

from bench.plain import PlainEncoder
from bench.rows import KIND, MAPPINGS, MODEL, SLOTS, answer
from services.columns import columns
from services.formats.csv import Csv
from services.formats.layout import layout
from services.measures import Measure
from services.options import Options

PAGE_ROWS = 5000
PAGES = 6
ROUNDS = 9


class Hits(msgspec.Struct):
    hits: list[Measure]


class Answer(msgspec.Struct):
    hits: Hits


decode = msgspec.json.Decoder(Answer).decode


def run() -> Iterator[str]:
    """Lines of the report."""
    pages = [answer(page * PAGE_ROWS, PAGE_ROWS) for page in range(PAGES)]
    table = columns(KIND, MODEL, SLOTS, MAPPINGS)
    plain = PlainEncoder(KIND, MODEL, SLOTS, MAPPINGS, guard=True)
    fast = Csv(layout(table, Options()), Options(), formula_guard=True)
    if fast.begin() + fast.page(decode(pages[0]).hits.hits) != plain.begin() + plain.page(pages[0]):
        raise AssertionError("the two ways wrote different bytes")
    ways: dict[str, Callable[[bytes], object]] = {
        "json + csv.writer, row by row": plain.page,
        "typed decode alone": decode,
        "typed decode + encode": lambda page: fast.page(decode(page).hits.hits),
    }
    rows, row_bytes = PAGES * PAGE_ROWS, len(pages[0]) / PAGE_ROWS
    yield f"{rows:,} rows, {row_bytes:.0f} bytes of JSON each, {len(table.headers)} columns"
    seconds = best(ways, pages)
    for name, best_seconds in seconds.items():
        yield f"{name:32}{rows / best_seconds / 1000:8.0f} krows/s"
    plain_s, decode_s, whole_s = seconds.values()
    yield f"decode + encode: {plain_s / whole_s:.1f} times the plain way, {decode_s / whole_s:.2f} of the decode alone"


def best(ways: dict[str, Callable[[bytes], object]], pages: list[bytes]) -> dict[str, float]:
    """Seconds that each way takes for all pages, the best of rounds that take turns."""
    seconds = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for name, way in ways.items():
            seconds[name] = min(seconds[name], timed(way, pages))
    return seconds


def timed(way: Callable[[bytes], object], pages: list[bytes]) -> float:
    began = time.process_time()
    for page in pages:
        way(page)
    return time.process_time() - began
