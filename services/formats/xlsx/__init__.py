"""XLSX: measures as sheets of a workbook (ECMA-376), streamed as a ZIP whose last parts name the sheets."""

from collections.abc import Sequence

from services.errors import InvalidArgument
from services.formats.archive import Archive, told_as_format
from services.formats.layout import Layout
from services.formats.plans import AT_ISO
from services.formats.rows import Rows
from services.formats.xlsx import cells, parts
from services.formats.xlsx.cells import Cells
from services.measures import Measure
from services.options import Options
from services.scheduling.tick import Tick, no_tick
from services.zones import Zone

#: Rows and columns that a sheet holds.
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384

#: Characters that a column is wide: one of dates shows `#` where they do not fit.
WIDTH, DATE_WIDTH = 16, 24


class Xlsx:
    """Writes one export as a workbook (`services.formats.port.Format`): a sheet, and another where one is full."""

    def __init__(self, layout: Layout, options: Options, *, zone: Zone, sheet_rows: int = MOST_ROWS) -> None:
        if len(layout.headers) > MOST_COLUMNS:
            raise InvalidArgument(
                "format",
                f"an XLSX sheet holds {MOST_COLUMNS:,} columns, and this export has {len(layout.headers):,}: choose "
                "some with fields, or csv.",
            )
        self._layout = layout
        self._cells = Cells(layout.headers, zone=zone)
        self._rows = Rows(layout, self._cells)
        self._header = options.header
        self._sheet_rows = sheet_rows
        self._archive = Archive()
        self._sheets: list[int] = []

    @property
    def rows_at_once(self) -> int:
        return self._rows.at_once

    def begin(self) -> bytes:
        with told_as_format():
            return self._begun() + self._archive.flush()

    def page(self, measures: Sequence[Measure], rest: Tick = no_tick) -> bytes:
        """Return the rows of these measures. Raises `InvalidArgument` where a cell is too long for a sheet, or the file
        for a ZIP.
        """
        if not measures:
            return b""
        with told_as_format():
            return self._written(measures, rest) + self._archive.flush()

    def end(self) -> bytes:
        with told_as_format():
            return self._ended()

    @property
    def unpacked_bytes(self) -> int:
        return self._archive.unpacked_bytes

    def _begun(self) -> bytes:
        early = (
            ("[Content_Types].xml", parts.CONTENT_TYPES),
            ("_rels/.rels", parts.RELATIONSHIPS),
            ("xl/styles.xml", parts.STYLES),
        )
        return b"".join([self._part(name, text) for name, text in early]) + self._sheet_begun()

    def _written(self, measures: Sequence[Measure], rest: Tick) -> bytes:
        blocks = []
        while measures:
            if self._sheets[-1] >= self._sheet_rows:
                blocks += [self._sheet_ended(), self._sheet_begun()]
            fitting = measures[: self._sheet_rows - self._sheets[-1]]
            measures = measures[len(fitting) :]
            self._sheets[-1] += len(fitting)
            blocks.append(self._archive.write(self._rows.text(fitting, rest).encode()))
        return b"".join(blocks)

    def _ended(self) -> bytes:
        last = self._sheet_ended()
        late = (
            ("xl/workbook.xml", parts.workbook([self._reference(rows) for rows in self._sheets])),
            ("xl/_rels/workbook.xml.rels", parts.workbook_relationships(len(self._sheets))),
        )
        return last + b"".join([self._part(name, text) for name, text in late]) + self._archive.end()

    def _sheet_begun(self) -> bytes:
        number = len(self._sheets) + 1
        self._sheets.append(int(self._header))
        header = "".join(map(cells.header, self._layout.headers)) if self._header else None
        head = parts.sheet_begin(number, self._widths(), header=header)
        return self._archive.begin(parts.sheet_path(number)) + self._archive.write(head.encode())

    def _sheet_ended(self) -> bytes:
        return (
            self._archive.write(parts.sheet_end(self._reference(self._sheets[-1])).encode())
            + self._archive.end_member()
        )

    def _reference(self, rows: int) -> str | None:
        return parts.reference(len(self._layout.headers), rows) if self._header else None

    def _widths(self) -> Sequence[int]:
        return [DATE_WIDTH if source == AT_ISO else WIDTH for source in self._layout.sources]

    def _part(self, name: str, text: str) -> bytes:
        return self._archive.begin(name) + self._archive.write(text.encode()) + self._archive.end_member()
