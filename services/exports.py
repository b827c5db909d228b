"""The story of an export: what must hold before a link is given, and the file that its download streams.

`prepare` refuses early and counts. `download` opens the store, decides the columns, and has the header row and
the first page ready before the first byte leaves, so that all that can fail early does. After that an error
escapes: the transfer breaks, and a short file never looks whole.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence

from services import columns, estimates
from services.errors import ClientLeft, StoreUnavailable
from services.estimates import Estimate
from services.formats import Format, Maker
from services.formats.layout import Layout, is_early, layout
from services.layouts import arranging, at_most, is_joined, read, table
from services.layouts.port import Arranging
from services.measures import ExportRequest, Measure, Model, Slot
from services.scheduling.cpu_turn import HOLDING, CpuShare, CpuTurns, Pauses, stays
from services.stores.port import Reading, Store

log = logging.getLogger(__name__)

#: Bytes handed to the server at a time: a row a chunk costs 7 times more, a megabyte more than 64 KB.
BLOCK_BYTES = 128 * 1024

#: Columns up to which the bytes of a file are estimated: whoever asks for a link waits.
ESTIMATED_COLUMNS = 2000


def prepare(request: ExportRequest, store: Store, maker: Maker) -> Estimate:
    """Return what can be told of the file. Raises what the store refuses: target, model, sort, query; and
    `InvalidArgument` for columns that the file would not have.
    """
    model = store.model(request.target)
    count = store.check(read(request))
    if is_joined(request.options):
        most = at_most(request, store, count)
        with contextlib.closing(store.open(read(request))) as reading:
            maker.writer(request, laid_out(request, store, model, reading.slots))
        return estimates.of_joined(request, count, most)
    if is_early(request.options):
        slots: Collection[Slot] = [slot_of(request, measure) for measure in count.sample]
        with contextlib.suppress(columns.TooWide):
            table = laid_out(request, store, model, slots, most=ESTIMATED_COLUMNS)
            return estimates.estimate(request, count, lambda: maker.writer(request, table))
        return estimates.estimate(request, count, None)
    with contextlib.closing(store.open(request)) as reading:
        table = laid_out(request, store, model, reading.slots)
    return estimates.estimate(request, count, lambda: maker.writer(request, table))


def check(request: ExportRequest, store: Store) -> None:
    """Check what can be told of a download without reading a measure. Raises what the store refuses."""
    store.model(request.target)


def download(
    request: ExportRequest,
    store: Store,
    turns: CpuTurns,
    maker: Maker,
    *,
    gzip: bool = False,
    has_left: Callable[[], bool] = stays,
) -> "Download":
    """Open the file of an export. `gzip`: compressed on its way. `has_left` tells whether its client has left.

    Raises what the store refuses, `ClientLeft`, `StoreUnavailable` when the first page cannot be had, and
    `InvalidArgument` for what the format cannot hold.
    """
    cpu = turns.share(has_left)
    model = store.model(request.target)
    reading = store.open(read(request), cpu)
    try:
        layout = laid_out(request, store, model, reading.slots)
        format = maker.writer(request, layout, units=store.units, gzip=gzip)
        return Download(request, reading, arranging(request, layout, format.rows_at_once), format, cpu)
    except BaseException:
        reading.close()
        raise


def slot_of(request: ExportRequest, measure: Measure) -> Slot:
    """Return the slot and type that a measure stores."""
    source = measure.source
    holder = source.asset if request.target.kind == "assets" else source.origin
    return Slot(holder.measureName if holder else None, source.type)


def laid_out(
    request: ExportRequest, store: Store, model: Model, slots: Collection[Slot], *, most: int | None = None
) -> Layout:
    """Return the layout of the file. Raises `InvalidArgument` for columns that it has not, `TooWide`."""
    mappings = store.mappings(columns.types(model, slots))
    found = columns.columns(request.target.kind, model, slots, mappings, rest=Pauses().take, most=most)
    return table(found, slots, request.options) if is_joined(request.options) else layout(found, request.options)


class Download:
    """Yields the file of one export, in blocks; iterate once. It is made with its first page
    already encoded.

    An empty block tells that a page was read of which no row matched.
    """

    def __init__(
        self, request: ExportRequest, reading: Reading, arranging: Arranging, format: Format, cpu: CpuShare
    ) -> None:
        self._request = request
        self._reading = reading
        self._arranging = arranging
        self._format = format
        self._cpu = cpu
        self._texts = self._encoded(iter(reading.pages()))
        self._began = time.monotonic()
        self._rows = self._read = 0
        self._whole = False
        self._closed = False
        self._head = format.begin() + next(self._texts, b"")
        log.info("export %s: begun for %s: %s", request.export_id, request.asked_by, request.target)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from slices(self._head)
            self._head = b""
            for text in self._texts:
                yield from slices(text) if text else [b""]
            self._check_rows()
            yield from slices(self._format.end())
        except ClientLeft:  # nothing has failed
            raise
        except Exception:
            log.exception("export %s: broken off after %d rows", self._request.export_id, self._rows)
            raise
        finally:
            self.close()

    def close(self) -> None:
        """Free what the store holds: at any moment, any number of times."""
        if self._closed:
            return
        self._closed = True
        self._reading.close()
        log.info(
            "export %s: %s after %d rows, %.1f s",
            self._request.export_id,
            "whole" if self._whole else "left",
            self._rows,
            time.monotonic() - self._began,
        )

    def _encoded(self, pages: Iterator[Sequence[Measure]]) -> Iterator[bytes]:
        """Keep no page while a slow client takes its text, but for the rest of one that has more rows to give."""
        arranging = self._arranging
        while not arranging.is_full and (page := next(pages, None)) is not None:
            self._read += len(page)
            arranging.add(page)
            del page
            while arranging.waits:
                yield self._encode()
        if not arranging.is_full:
            arranging.end()
            while arranging.waits:
                yield self._encode()

    def _encode(self) -> bytes:
        with self._cpu.turn(slack_seconds=HOLDING):
            rows = self._arranging.take(self._cpu.rest)
            self._rows += len(rows)
            return self._format.page(rows, self._cpu.rest)

    def _check_rows(self) -> None:
        """Raise `StoreUnavailable` when measures are missing: the store checks its pages, this is the
        last look at the whole.
        """
        count = self._reading.count
        expected = read(self._request).rows(count.rows)
        is_short = count.exact and self._read < expected and not self._arranging.is_full
        if self._read > expected or is_short:
            raise StoreUnavailable(f"The store gave {self._read} rows where it had counted {expected}.")
        self._whole = True


def slices(text: bytes) -> Iterator[bytes]:
    """Yield a text in blocks."""
    for start in range(0, len(text), BLOCK_BYTES):
        yield text[start : start + BLOCK_BYTES]
