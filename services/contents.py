"""What a file holds: the rows of a reading, or, of a fleet that is split, a file for each of its parts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Protocol

from services import columns
from services.collapsing import collapsed
from services.errors import StoreUnavailable
from services.file_names import member_name
from services.formats import Bundle, Format, Maker
from services.formats.layout import Layout
from services.layouts import arranging, read, table
from services.measures import HELD, ExportRequest, Fleet, Measure, Model, Target
from services.scheduling.cpu_turn import HOLDING, CpuShare
from services.stores.port import Count, Reading, Store

Documents = Mapping[str, Mapping[str, Any]]


class Rows:
    """Holds the rows of pages, in a format. `count`: what the store has counted of them."""

    def __init__(
        self,
        request: ExportRequest,
        count: Count,
        pages: Iterator[Sequence[Measure]],
        layout: Layout,
        format: Format,
        cpu: CpuShare,
    ) -> None:
        self._request = request
        self._count = count
        self._pages = pages
        self._layout = layout
        self._arranging = arranging(request, layout, format.rows_at_once, fleet=isinstance(request.target, Fleet))
        self._format = format
        self._cpu = cpu
        self.rows = self._read = 0

    def texts(self) -> Iterator[bytes]:
        """Yield the file: first what stands before all rows, with the first page."""
        encoded = self._encoded(rows_of(self._request, self._pages, self._layout))
        yield self._format.begin() + next(encoded, b"")
        yield from encoded
        self._check_rows()
        yield self._format.end()

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
            self.rows += len(rows)
            return self._format.page(rows, self._cpu.rest)

    def _check_rows(self) -> None:
        """Raise `StoreUnavailable` when measures are missing: the store checks its pages, this is the
        last look at the whole.
        """
        expected = read(self._request).rows(self._count.rows)
        is_exact = self._count.exact and self._request.collapse is None and not self._arranging.is_full
        if self._read > expected or (is_exact and self._read < expected):
            raise StoreUnavailable(f"The store gave {self._read} rows where it had counted {expected}.")


class Parts:
    """Holds a file for each asset or device of a fleet, in a package. `models`: those of the fleet."""

    def __init__(
        self,
        request: ExportRequest,
        reading: Reading,
        store: Store,
        models: Collection[Model],
        maker: Maker,
        cpu: CpuShare,
    ) -> None:
        self._request = request
        self._reading = reading
        self._models = {model.name: model for model in models}
        self._mappings, self._units = Kept(store.mappings), Kept(store.units)
        self._maker = maker
        self._cpu = cpu
        self._taken: set[str] = set()
        self._written = self._read = 0
        self._file: Rows | None = None

    @property
    def rows(self) -> int:
        return self._written + (self._file.rows if self._file else 0)

    def texts(self) -> Iterator[bytes]:
        """Yield the package; a part without rows has no file."""
        bundle = self._maker.bundle(self._request)
        for id, part in self._reading.parts():
            pages = part.pages()
            for page in pages:
                if page:
                    self._file = self._of(bundle, id, part, chain([page], pages), page[0])
                    yield from self._file.texts()
                    self._written, self._file = self.rows, None
                    self._read += part.count.rows if part.count.exact else 0
                else:
                    yield b""
        count = self._reading.count
        if self._read > count.rows or (count.exact and self._read < count.rows):
            raise StoreUnavailable(f"The store gave {self._read} rows where it had counted {count.rows}.")
        yield bundle.end()

    def _of(self, bundle: Bundle, id: str, part: Reading, pages: Iterator[Sequence[Measure]], first: Measure) -> Rows:
        """Return the file of a part, as its own export would be."""
        kind = self._request.target.kind
        name = HELD[kind](first.source)[1] or ""
        model = self._models.get(name, Model(name, ()))
        request = replace(self._request, target=Target(self._request.target.engine, kind, id))
        slots = {replace(slot, model=None) for slot in part.slots}
        mappings = self._mappings(columns.types(model, slots))
        laid = table(columns.columns(kind, model, slots, mappings), request.options)
        path = member_name(name, id, self._taken)
        file = self._maker.member(request, laid, bundle, path, self._units, is_only=False)
        return Rows(request, part.count, pages, laid, file, self._cpu)


class AskDocuments(Protocol):
    """Returns what a store knows of types of measures."""

    def __call__(self, types: Collection[str]) -> Documents: ...


class Kept:
    """Keeps what a store has answered, for many files of the same types."""

    def __init__(self, ask: AskDocuments) -> None:
        self._ask = ask
        self._kept: dict[frozenset[str], Documents] = {}

    def __call__(self, types: Collection[str]) -> Documents:
        key = frozenset(types)
        if key not in self._kept:
            self._kept[key] = self._ask(key)
        return self._kept[key]


def rows_of(request: ExportRequest, pages: Iterator[Sequence[Measure]], table: Layout) -> Iterator[Sequence[Measure]]:
    """Return the pages of the rows of a file, of pages of measures."""
    if request.collapse is None:
        return pages
    return collapsed(pages, request.collapse, request.collapsed_by, table.columns)
