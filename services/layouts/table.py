"""The columns of a file whose rows are instants or intervals: made of those of the long layout."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import NamedTuple

from services.columns import FIXED, Column, Columns, Declaration
from services.errors import InvalidArgument, shortened
from services.formats.layout import LOOKED_AT, NAMED, Layout, distinct, layout, renamed
from services.formats.package.fields import DECLARED
from services.formats.plans import AT, AT_ISO
from services.measures import Kind, Slot
from services.options import Aggregate, Options

#: What every row begins with, by the places of the long layout.
INSTANT = (AT, AT_ISO)

#: What tells in a fleet whose row it is.
HOLDER: dict[Kind, tuple[int, ...]] = {
    "assets": (FIXED.index("Asset Id"), FIXED.index("Asset Model")),
    "devices": (FIXED.index("Device Id"), FIXED.index("Device Model")),
}

NUMBERS = frozenset(type for type, own in DECLARED.items() if own in ("number", "integer"))


class Cell(NamedTuple):
    """What a column holds: of the column of the long layout at `place` its value, or an aggregate of its values."""

    place: int
    aggregate: Aggregate | None


@dataclass(frozen=True)
class CellColumns(Columns):
    """The columns of cells; the column of a cell is found in the `values` of a row under the cell's index, as text."""

    long: Columns = field(kw_only=True)
    cells: tuple[Cell, ...] = field(kw_only=True)

    def of(self, stored: Slot) -> list[tuple[int, Column]]:
        return list(enumerate(self.columns))

    @cached_property
    def declarations(self) -> Mapping[int, Declaration]:
        found = self.long.declarations
        return {
            index: of_aggregate(found[cell.place], cell.aggregate)
            for index, cell in enumerate(self.cells)
            if cell.place in found
        }


def cell_columns(layout: Layout) -> CellColumns:
    """Return the columns of a layout that `table` made. Raises `TypeError` for another."""
    if not isinstance(layout.columns, CellColumns):
        raise TypeError("this layout has a row a measure")
    return layout.columns


def of_aggregate(own: Declaration, aggregate: Aggregate | None) -> Declaration:
    if aggregate == "count":
        return Declaration(own.measure_type, "long")
    return Declaration(own.measure_type, "double", own.path) if aggregate in ("avg", "sum") else own


def table(long: Columns, options: Options, *, fleet: bool = False) -> Layout:
    """Return the columns of the file. `fleet`: a row is also of an asset, or device, which it names.

    Raises `InvalidArgument` for names in `fields` or `fieldsName` that it has not.
    """
    if not options.is_joined:
        return layout(long, options)
    cells, headers = zip(*named_cells(long, options), strict=True) if long.columns else ((), ())
    own = CellColumns(
        long.kind,
        tuple(Column("", str(index)) for index in range(len(cells))),
        long.slots,
        long.declared,
        long.held,
        long=long,
        cells=cells,
    )
    fixed = INSTANT + (HOLDER[long.kind] if fleet else ())
    names = distinct([*(FIXED[place] for place in fixed), *headers])
    sources = (*fixed, *range(len(FIXED), len(FIXED) + len(cells)))
    if options.fields is not None:
        chosen = picked(names, options.fields)
        names, sources = options.fields, tuple(sources[place] for place in chosen)
    return Layout(own, tuple(renamed(names, options.fields_name)), sources)


def named_cells(long: Columns, options: Options) -> Iterator[tuple[Cell, str]]:
    """Yield the cells of a row, and their headers."""
    types = long.declarations if options.interval else {}
    for place, column in enumerate(long.columns):
        if options.interval is None:
            yield Cell(place, None), column.header
        elif options.aggregate is None:
            is_number = place in types and types[place].type in NUMBERS
            yield Cell(place, "avg" if is_number else "last"), column.header
        else:
            for aggregate in options.aggregate:
                several = len(options.aggregate) > 1
                yield Cell(place, aggregate), f"{column.header} {aggregate}" if several else column.header


def picked(names: Sequence[str], fields: Sequence[str]) -> list[int]:
    places = {name: place for place, name in enumerate(names)}
    for name in fields:
        if name not in places:
            near = get_close_matches(name, names[:LOOKED_AT], NAMED, 0.5)
            known = f"Near it are {', '.join(map(shortened, near))}." if near else f"There are {', '.join(names[:3])}."
            raise InvalidArgument("fields", f'has no column "{shortened(name)}" in this layout. {known}')
    return [places[name] for name in fields]
