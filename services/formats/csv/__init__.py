"""CSV: measures as text, one row each, without any I/O."""

from codecs import BOM_UTF8
from collections.abc import Sequence

from services.formats.csv.cells import Cells
from services.formats.layout import Layout
from services.formats.rows import Rows
from services.formats.syntax import Dates
from services.instants import iso
from services.measures import Measure
from services.options import Options
from services.scheduling.tick import Tick, no_tick


class Csv:
    """Writes one export as CSV (`services.formats.port.Format`)."""

    def __init__(self, layout: Layout, options: Options, *, formula_guard: bool, dates: Dates = iso) -> None:
        self._cells = Cells(options, layout.headers, formula_guard=formula_guard, dates=dates)
        self._rows = Rows(layout, self._cells)
        self._headers = layout.headers
        self._options = options

    @property
    def rows_at_once(self) -> int:
        return self._rows.at_once

    def begin(self) -> bytes:
        bom = BOM_UTF8 if self._options.bom else b""
        return bom + (self._header().encode() if self._options.header else b"")

    def page(self, measures: Sequence[Measure], rest: Tick = no_tick) -> bytes:
        return self._rows.text(measures, rest).encode()

    def end(self) -> bytes:
        return b""

    @property
    def written_headers(self) -> list[str]:
        """The headers as a reader of the file finds them: guarded."""
        return [self._cells.guarded(header) for header in self._headers]

    def _header(self) -> str:
        return self._options.separator.join(self._cells.ids(self._headers)) + self._cells.end
