"""A row an instant: an outer join of the slots, of measures that come in order of time."""

from collections.abc import Iterator, Sequence
from typing import Any

from services.errors import StoreUnavailable
from services.formats.layout import Layout
from services.formats.plans import FIRST_MS, LAST_MS
from services.layouts.table import cell_columns
from services.layouts.ways import Holders, Slots, at_ms, chosen
from services.measures import Measure
from services.scheduling.tick import Tick

#: Rows of one instant that are open at a time.
MOST_OPEN = 10_000

#: Measures between two looks at the clock.
OFTEN = 500


class Wide:
    """Joins measures of one instant (`services.layouts.joined.Joining`): the k-th of a slot stands in the k-th row."""

    def __init__(self, layout: Layout, *, fleet: bool = False) -> None:
        columns = cell_columns(layout)
        by_asset = self._by_asset = columns.kind == "assets"
        self._slots = Slots(layout)
        self._names = {columns.cells[index].place: str(index) for index in chosen(layout)}
        self._holders = Holders(by_asset=by_asset, fleet=fleet)
        self._fleet = fleet
        self._at: int | None = None
        self._open: dict[Any, list[dict[str, Any]]] = {}
        self._counts: dict[Any, int] = {}
        self._count = 0

    def rows(self, page: Sequence[Measure], rest: Tick) -> Iterator[Measure]:
        """Raises `StoreUnavailable` where too many rows are open."""
        slots, names, by_asset, fleet, key_of = (
            self._slots, self._names, self._by_asset, self._fleet, self._holders.key,
        )  # fmt: skip
        key: Any = ("", None)
        at, opened, counts = self._at, self._open, self._counts
        for number, measure in enumerate(page):
            if not number % OFTEN:
                rest()
            source = measure.source
            ms = source.measuredAt
            if type(ms) is not int or not FIRST_MS <= ms <= LAST_MS:
                ms = at_ms(ms)
            if ms != at:
                yield from self._closed()
                self._at = at = ms
            holder: Any = source.asset if by_asset else source.origin
            if fleet:
                key = key_of(measure)
            ways = slots[source.type, holder.measureName if holder is not None else None, key[1]]
            rows = opened.get(key)
            if rows is None:
                rows = opened[key] = []
            place = (key, ways.slot)
            k = counts.get(place, 0)
            counts[place] = k + 1
            if k == len(rows):
                self._count += 1
                if self._count > MOST_OPEN:
                    raise StoreUnavailable(f"Layout wide: more than {MOST_OPEN:,} rows of one instant, {at} ms.")
                rows.append({})
            row = rows[k]
            values = source.values
            for name, sub, get, column in ways[tuple(values) if type(values) is dict else ()]:
                if get is None:
                    value = values[name]
                elif sub and type(held := values[name]) is dict:
                    value = held.get(sub)
                else:
                    value = get(measure)
                if value is not None:
                    row[names[column]] = value

    def last(self, rest: Tick) -> Iterator[Measure]:
        return self._closed()

    def _closed(self) -> Iterator[Measure]:
        """Yield the rows of the instant, by asset, and begin anew."""
        at, opened = self._at, self._open
        if not opened or at is None:
            return
        make = self._holders.row
        for key in sorted(opened, key=first) if len(opened) > 1 else opened:
            for row in opened[key]:
                yield make(at, key, row)
        opened.clear()
        self._counts.clear()
        self._count = 0


def first(key: Any) -> str:
    return str(key[0])
