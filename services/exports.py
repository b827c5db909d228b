"""The story of an export: what must hold before a link is given, and the file that its download streams.

`prepare` refuses early and counts. `download` opens the store, decides the columns, and has the header row and
the first page ready before the first byte leaves, so that all that can fail early does. After that an error
escapes: the transfer breaks, and a short file never looks whole.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterator
from typing import Protocol

from services import columns, estimates
from services.contents import Parts, Rows
from services.errors import ClientLeft
from services.estimates import Estimate
from services.formats import Maker
from services.formats.layout import Layout, is_early
from services.layouts import at_most, read, table
from services.measures import HELD, ExportRequest, Fleet, Measure, Models, Slot
from services.scheduling.cpu_turn import CpuShare, CpuTurns, Pauses, stays
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
    models = models_of(request, store)
    count = store.check(read(request))
    if request.options.is_joined and request.options.layout != "split":
        most = at_most(request, store, count)
        with contextlib.closing(store.open(read(request))) as reading:
            maker.writer(request, laid_out(request, store, models, reading.slots))
        return estimates.of_joined(request, count, most)
    if is_early(request.options):
        slots: Collection[Slot] = [slot_of(request, measure) for measure in count.sample]
        with contextlib.suppress(columns.TooWide):
            table = laid_out(request, store, models, slots, most=ESTIMATED_COLUMNS)
            return estimates.estimate(request, count, lambda: maker.writer(request, table))
        return estimates.estimate(request, count, None)
    with contextlib.closing(store.open(request)) as reading:
        table = laid_out(request, store, models, reading.slots)
    return estimates.estimate(request, count, lambda: maker.writer(request, table))


def check(request: ExportRequest, store: Store) -> None:
    """Check what can be told of a download without reading a measure. Raises what the store refuses."""
    models_of(request, store)


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
    models = models_of(request, store)
    reading = store.open(read(request), cpu)
    try:
        return Download(request, reading, content(request, reading, store, models, maker, cpu, gzip=gzip))
    except BaseException:
        reading.close()
        raise


def models_of(request: ExportRequest, store: Store) -> Models:
    """Return the models of what is exported. Raises what the store refuses."""
    target = request.target
    return store.models(target) if isinstance(target, Fleet) else store.model(target)


def slot_of(request: ExportRequest, measure: Measure) -> Slot:
    """Return the slot and type that a measure stores."""
    name, model = HELD[request.target.kind](measure.source)
    return Slot(name, measure.source.type, model if isinstance(request.target, Fleet) else None)


def laid_out(
    request: ExportRequest, store: Store, models: Models, slots: Collection[Slot], *, most: int | None = None
) -> Layout:
    """Return the layout of the file. Raises `InvalidArgument` for columns that it has not, `TooWide`."""
    mappings = store.mappings(columns.types(models, slots))
    found = columns.columns(request.target.kind, models, slots, mappings, rest=Pauses().take, most=most)
    return table(found, request.options, fleet=isinstance(request.target, Fleet))


def content(
    request: ExportRequest, reading: Reading, store: Store, models: Models, maker: Maker, cpu: CpuShare, *, gzip: bool
) -> "Content":
    """Return what the file of an export holds. Raises what `download` raises."""
    if request.options.layout == "split" and isinstance(models, tuple):
        return Parts(request, reading, store, models, maker, cpu)
    table = laid_out(request, store, models, reading.slots)
    format = maker.writer(request, table, units=store.units, gzip=gzip)
    return Rows(request, reading.count, reading.pages(), table, format, cpu)


class Content(Protocol):
    """Is what a file holds; `rows`: how many were written so far."""

    @property
    def rows(self) -> int: ...

    def texts(self) -> Iterator[bytes]:
        """Yield the file, a text at a time, first what can fail early.

        An empty text tells that a page was read of which no row matched. Raises `StoreUnavailable` when rows are
        missing.
        """


class Download:
    """Yields the file of one export, in blocks; iterate once. It is made with its first page
    already encoded.

    An empty block tells that a page was read of which no row matched.
    """

    def __init__(self, request: ExportRequest, reading: Reading, content: Content) -> None:
        self._request = request
        self._reading = reading
        self._content = content
        self._texts = content.texts()
        self._began = time.monotonic()
        self._whole = False
        self._closed = False
        self._head = next(self._texts, b"")
        log.info("export %s: begun for %s: %s", request.export_id, request.asked_by, request.target)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from slices(self._head)
            self._head = b""
            for text in self._texts:
                yield from slices(text) if text else [b""]
            self._whole = True
        except ClientLeft:  # nothing has failed
            raise
        except Exception:
            log.exception("export %s: broken off after %d rows", self._request.export_id, self._content.rows)
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
            self._content.rows,
            time.monotonic() - self._began,
        )


def slices(text: bytes) -> Iterator[bytes]:
    """Yield a text in blocks."""
    for start in range(0, len(text), BLOCK_BYTES):
        yield text[start : start + BLOCK_BYTES]
