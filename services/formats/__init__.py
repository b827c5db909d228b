"""The formats of files that measures are written in, and which one an export has."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from services.file_names import file_name
from services.formats.csv import Csv
from services.formats.documents import Documents
from services.formats.gzip import Gzip
from services.formats.jsonl import JsonLines
from services.formats.layout import Layout
from services.formats.package import Bundle, Package
from services.formats.package.description import Units
from services.formats.port import Archived, FileType, Format
from services.formats.syntax import Dates
from services.formats.xlsx import Xlsx
from services.measures import ExportRequest
from services.options import Options
from services.signing import SigningKey
from services.zones import zone

__all__ = ["Archived", "Bundle", "FileType", "Format", "Maker", "file_type", "named"]

_NDJSON = "application/x-ndjson"

_TYPES = {
    "jsonl": FileType(_NDJSON, ".jsonl"),
    "documents": FileType(_NDJSON, ".ndjson"),
    "xlsx": FileType("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
    "zip": FileType("application/zip", ".zip"),
}


def file_type(options: Options) -> FileType:
    """Return the type of the file that is written with these options."""
    if options.format == "csv":
        header = "present" if options.header else "absent"
        found = FileType(f"text/csv; charset=utf-8; header={header}", ".csv")
    else:
        found = _TYPES[options.format]
    return FileType("application/gzip", f"{found.suffix}.gz") if options.compress == "gzip" else found


def named(request: ExportRequest) -> str:
    """Return the name of the file of an export."""
    return file_name(request.target, file_type(request.options).suffix, request.options)


#: Returns the units of types of measures.
AskUnits = Callable[[Collection[str]], Units]


def no_units(types: Collection[str]) -> Units:
    """Return none: nobody will read them."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Maker:
    """Makes what writes files. `key` returns what signs packages, `None`: nobody does. `clock` tells epoch seconds."""

    key: Callable[[], SigningKey | None] = lambda: None
    clock: Callable[[], float] = time.time

    def writer(
        self, request: ExportRequest, layout: Layout, *, units: AskUnits = no_units, gzip: bool = False
    ) -> Format:
        """Return what writes the file of an export with this layout, from now. `gzip`: compressed on its way.

        `units`: asked for those of types of measures. Raises `InvalidArgument` where the format cannot hold the layout.
        """
        format = self._plain(request, layout, units)
        return Gzip(format) if gzip or request.options.compress == "gzip" else format

    def _plain(self, request: ExportRequest, layout: Layout, units: AskUnits) -> Format:
        options = request.options
        if options.format == "documents":
            return Documents()
        if options.format == "jsonl":
            return JsonLines(layout, dates=dates_of(options))
        if options.format == "xlsx":
            return Xlsx(layout, options, zone=zone(options.timezone))
        if options.format == "csv":
            return self._csv(request, layout)
        return self.member(request, layout, self.bundle(request), file_name(request.target, ".csv", options), units)

    def bundle(self, request: ExportRequest) -> Bundle:
        """Return what writes the archive of a package, from now."""
        return Bundle(request, key=self.key(), snapshot_ms=int(self.clock() * 1000))

    def member(
        self,
        request: ExportRequest,
        layout: Layout,
        bundle: Bundle,
        name: str,
        units: AskUnits,
        *,
        is_only: bool = True,
    ) -> Format:
        """Return what writes a CSV of a bundle; it ends that, too, where it `is_only`."""
        return Package(
            self._csv(request, layout),
            layout,
            bundle,
            request.options,
            name=name,
            units=units(layout.columns.declared.measure_types),
            is_only=is_only,
        )

    def _csv(self, request: ExportRequest, layout: Layout) -> Csv:
        dates = dates_of(request.options)
        return Csv(layout, request.options, formula_guard=request.formula_guard, dates=dates)


def dates_of(options: Options) -> Dates:
    """Return what writes instants."""
    own = zone(options.timezone)
    return own.local(options.decimal) if options.date_format == "local" else own.iso
