"""A row an interval: aggregates of the values in it, of measures that come in order of time."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from operator import neg
from typing import Any

from services.errors import StoreUnavailable
from services.formats.layout import Layout
from services.formats.plans import FIRST_MS, LAST_MS
from services.layouts.intervals import Intervals
from services.layouts.sums import ExactSum
from services.layouts.table import cell_columns
from services.layouts.ways import Holders, Slots, at_ms, chosen
from services.layouts.wide import OFTEN, first
from services.measures import Measure
from services.scheduling.tick import Tick

#: Rows that `fill` may make.
MOST_FILLED = 10_000_000

NUMBERS = frozenset((int, float))


class Gathered:
    """Gathers the values of a column in an interval, in the order of the measures, newest or oldest first.

    `values`, and where the newest come first their instants `ats`, are of the page that is read; `reduce` makes
    what is told of them, so that no more is kept.
    """

    __slots__ = (
        "_first_at",
        "_last_at",
        "ats",
        "count",
        "first",
        "highest",
        "last",
        "lowest",
        "numbers",
        "sum",
        "values",
    )

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.ats: list[int] = []
        self.count = self.numbers = 0
        self.sum = ExactSum()
        self.lowest: Any = None
        self.highest: Any = None
        self.first: Any = None
        self.last: Any = None
        self._first_at: int | None = None
        self._last_at: int | None = None

    def reduce(self) -> None:
        values = self.values
        if not values:
            return
        if self.ats:
            self._reduce_newest_first()
        else:
            if not self.count:
                self.first = values[0]
            self.last = values[-1]
        self.count += len(values)
        found = values if NUMBERS.issuperset(map(type, values)) else [each for each in values if type(each) in NUMBERS]
        if found:
            self.sum.add(found)
            least, most = min(found), max(found)
            self.lowest = least if not self.numbers else min(self.lowest, least)
            self.highest = most if not self.numbers else max(self.highest, most)
            self.numbers += len(found)
        values.clear()

    def _reduce_newest_first(self) -> None:
        """Find the first and the last where only measures of one instant come in order of insertion."""
        values, ats = self.values, self.ats
        if self._last_at is None or self._last_at == ats[0]:
            self._last_at = ats[0]
            self.last = values[bisect_right(ats, -ats[0], key=neg) - 1]
        if self._first_at != ats[-1]:
            self._first_at = ats[-1]
            self.first = values[ats.index(ats[-1])]
        ats.clear()


TOLD: dict[str, Callable[[Gathered], Any]] = {
    "avg": lambda found: found.sum.divided(found.numbers) if found.numbers else None,
    "sum": lambda found: found.sum.total() if found.numbers else None,
    "min": lambda found: found.lowest,
    "max": lambda found: found.highest,
    "count": lambda found: found.count or None,
    "first": lambda found: found.first,
    "last": lambda found: found.last,
}


class Collected:
    """Makes a row of each interval (`services.layouts.joined.Joining`). `fills`: every interval between two that have
    measures has one, and each cell what its column had last.
    """

    def __init__(
        self, layout: Layout, intervals: Intervals, *, descending: bool, fills: bool, fleet: bool = False
    ) -> None:
        columns = cell_columns(layout)
        self._by_asset = columns.kind == "assets"
        self._slots = Slots(layout)
        cells = columns.cells
        self._cells: list[tuple[str, int, Callable[[Gathered], Any]]] = [
            (str(index), cells[index].place, TOLD[cells[index].aggregate or "last"]) for index in chosen(layout)
        ]
        self._intervals = intervals
        self._descending = descending
        self._fills = fills
        self._fleet = fleet
        self._holders = Holders(by_asset=self._by_asset, fleet=fleet)
        self._begin = self._end = 0
        self._open: dict[Any, dict[int, Gathered]] = {}
        self._filled: dict[str, Any] = {}
        self._next: int | None = None
        self._made = 0

    def rows(self, page: Sequence[Measure], rest: Tick) -> Iterator[Measure]:
        """Raises `StoreUnavailable` where too many rows are filled."""
        slots, by_asset, fleet, descending = self._slots, self._by_asset, self._fleet, self._descending
        opened, key = self._open, ("", None)
        begin, end = self._begin, self._end
        gathered = opened.get(key)
        for number, measure in enumerate(page):
            if not number % OFTEN:
                rest()
            source = measure.source
            ms = source.measuredAt
            if type(ms) is not int or not FIRST_MS <= ms <= LAST_MS:
                ms = at_ms(ms)
            if not begin <= ms < end:
                yield from self._closed(rest)
                begin, end = self._begin, self._end = self._intervals.around(ms)
                gathered = None
            if fleet or gathered is None:
                if fleet:
                    key = self._holders.key(measure)  # type: ignore[assignment]
                gathered = opened.get(key)
                if gathered is None:
                    gathered = opened[key] = {}
            holder: Any = source.asset if by_asset else source.origin
            ways = slots[source.type, holder.measureName if holder is not None else None, key[1]]
            values = source.values
            for name, sub, get, column in ways[tuple(values) if type(values) is dict else ()]:
                if get is None:
                    value = values[name]
                elif sub and type(held := values[name]) is dict:
                    value = held.get(sub)
                else:
                    value = get(measure)
                if value is not None:
                    into = gathered.get(column)
                    if into is None:
                        into = gathered[column] = Gathered()
                    into.values.append(value)
                    if descending:
                        into.ats.append(ms)
        for each in opened.values():
            for into in each.values():
                into.reduce()

    def last(self, rest: Tick) -> Iterator[Measure]:
        return self._closed(rest)

    def _closed(self, rest: Tick) -> Iterator[Measure]:
        """Yield the rows of the interval, by asset, and those that are filled before it; begin anew."""
        opened = self._open
        if not opened:
            return
        if self._fills:
            yield from self._missing(rest)
        for key in sorted(opened, key=first) if len(opened) > 1 else opened:
            yield self._holders.row(self._begin, key, self._row(opened[key]))
        opened.clear()

    def _row(self, gathered: dict[int, Gathered]) -> dict[str, Any]:
        for into in gathered.values():
            into.reduce()
        found = {
            name: value
            for name, place, tell in self._cells
            if place in gathered and (value := tell(gathered[place])) is not None
        }
        if not self._fills:
            return found
        known = self._filled | found
        self._filled = {name: known[name] for name, _, _ in self._cells if name in known}
        return self._filled

    def _missing(self, rest: Tick) -> Iterator[Measure]:
        """Yield the rows between the interval before and this."""
        at = self._next
        while at is not None and at < self._begin:
            self._made += 1
            if self._made > MOST_FILLED:
                raise StoreUnavailable(f"fill=previous makes more than {MOST_FILLED:,} rows.")
            if not self._made % OFTEN:
                rest()
            yield self._holders.row(at, ("", None), self._filled)
            at = self._intervals.around(at)[1]
        self._next = self._end
