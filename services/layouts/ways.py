"""The ways from the values of measures to cells, worked out once for each slot, type and keys."""

from collections.abc import Callable, Sequence
from typing import Any

from services.columns import FIXED
from services.errors import StoreUnavailable
from services.formats.layout import Layout
from services.formats.plans import FIRST_MS, LAST_MS, PLANS, Keys, instant_of, way_of
from services.formats.syntax import Instant
from services.layouts.table import CellColumns, cell_columns
from services.measures import Asset, Measure, Origin, Slot, Source

_NO_ASSET = Asset()
_NO_ORIGIN = Origin()

#: Where a value is (as `services.formats.plans.Way`), and its place among the columns of the long layout.
Step = tuple[str, str, Callable[[Measure], Any] | None, int]


class Ways(dict[Keys, tuple[Step, ...]]):
    """Holds the steps to the values of measures of one type and stored slot, by the keys of `values`.

    `slot`: its name, resolved.
    """

    def __init__(self, columns: CellColumns, wanted: frozenset[int], stored: Slot) -> None:
        super().__init__()
        self.slot = columns.long.slots.resolve(stored).name
        self._columns = [(place, column) for place, column in columns.long.of(stored) if place in wanted]

    def __missing__(self, keys: Keys) -> tuple[Step, ...]:
        if len(self) >= PLANS:
            self.clear()
        found = ((way_of(column, keys), place) for place, column in self._columns)
        steps = self[keys] = tuple((*way, place) for way, place in found if isinstance(way, tuple))
        return steps


class Slots(dict[tuple[str | None, str | None, str | None], Ways]):
    """Holds the ways by type, stored slot and, in a fleet, model; only to what the file has columns of."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self._columns = cell_columns(layout)
        self._wanted = frozenset(self._columns.cells[index].place for index in chosen(layout))

    def __missing__(self, key: tuple[str | None, str | None, str | None]) -> Ways:
        type, slot, model = key
        ways = self[key] = Ways(self._columns, self._wanted, self._columns.long.stored(slot, type, model))
        return ways


def chosen(layout: Layout) -> Sequence[int]:
    """Return the indices of the cells that the file has, in order of the cells."""
    return sorted(
        {source - len(FIXED) for source in layout.sources if isinstance(source, int) and source >= len(FIXED)}
    )


def at_ms(stored: Any) -> int:
    """Return an instant in epoch milliseconds. Raises `StoreUnavailable` for what a store never gives."""
    found = instant_of(stored)
    if found is None:
        raise StoreUnavailable("The store gave a measure without an instant.")
    return int(found)


class Holders(dict[tuple[str | None, str | None], Source]):
    """Holds what rows tell of their asset, or device, by its id and model."""

    def __init__(self, *, by_asset: bool, fleet: bool) -> None:
        super().__init__()
        self._by_asset = by_asset
        self._fleet = fleet

    def key(self, measure: Measure) -> tuple[str | None, str | None]:
        if not self._fleet:
            return "", None
        if self._by_asset:
            asset = measure.source.asset or _NO_ASSET
            return asset.id or "", asset.model
        origin = measure.source.origin or _NO_ORIGIN
        return origin.id or "", origin.deviceModel

    def row(self, ms: int, key: tuple[str | None, str | None], values: dict[str, Any]) -> Measure:
        """Return a row as what formats write: a measure whose values are its cells."""
        found = self.get(key) or self._made(key)
        at = ms if FIRST_MS <= ms <= LAST_MS else Instant(ms)
        return Measure("", Source(at, None, values, found.asset, found.origin))

    def _made(self, key: tuple[str | None, str | None]) -> Source:
        id, model = key
        found = Source()
        if self._fleet and self._by_asset:
            found = Source(asset=Asset(id, model))
        elif self._fleet:
            found = Source(origin=Origin(id, model))
        if len(self) >= PLANS:
            self.clear()
        self[key] = found
        return found
