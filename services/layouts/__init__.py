"""Layouts: what a row of a file is. They stand between the pages of a store and the format."""

from dataclasses import replace

from services.errors import InvalidArgument
from services.filters.koncorde.nodes import All
from services.formats.layout import Layout
from services.layouts.collected import MOST_FILLED, Collected
from services.layouts.intervals import Intervals, unit
from services.layouts.joined import Joined
from services.layouts.long import Long
from services.layouts.port import Arranging
from services.layouts.table import table
from services.layouts.ways import at_ms
from services.layouts.wide import Wide
from services.measures import ExportRequest, SortKey
from services.stores.port import Count, Store
from services.zones import zone

__all__ = ["arranging", "at_most", "read", "table"]


def read(request: ExportRequest) -> ExportRequest:
    """Return what a store is asked for: where rows are joined, `from` and `size` count those, not measures."""
    return replace(request, offset=0, size=None) if request.options.is_joined else request


def arranging(request: ExportRequest, layout: Layout, rows_at_once: int, *, fleet: bool = False) -> Arranging:
    """Return what makes rows of the measures of an export. `fleet`: of each asset, or device, its own."""
    options = request.options
    if not options.is_joined:
        return Long(rows_at_once)
    joining = (
        Wide(layout, fleet=fleet)
        if options.interval is None
        else Collected(
            layout,
            Intervals(unit(options.interval), zone(options.timezone)),
            descending=request.sort[0].order == "desc",
            fills=options.fill == "previous",
            fleet=fleet,
        )
    )
    return Joined(joining, rows_at_once=rows_at_once, offset=request.offset, size=request.size)


def at_most(request: ExportRequest, store: Store, count: Count) -> int:
    """Return how many rows there are at most, `from` and `size` aside.

    Raises `InvalidArgument` with `fill` where too many would be made, and what the store refuses.
    """
    options = request.options
    if options.interval is None or options.fill == "none" or not count.rows:
        return count.rows
    intervals = Intervals(unit(options.interval), zone(options.timezone))
    found = spanned(replace(request, filter=All(), elastic_query=None), store, intervals)
    if found > MOST_FILLED:
        found = spanned(request, store, intervals)
    if found > MOST_FILLED:
        raise InvalidArgument(
            "fill",
            f"previous would make {found:,} rows, and {MOST_FILLED:,} is the most: choose a longer interval, or a "
            "shorter time by startAt and endAt.",
        )
    return found


def spanned(request: ExportRequest, store: Store, intervals: Intervals) -> int:
    """Return the intervals from the first measure to the last."""
    ends = []
    for order in ("asc", "desc"):
        only = replace(request, sort=(SortKey("measuredAt", order),), offset=0, size=1)
        reading = store.open(only)
        try:
            for page in reading.pages():
                if page:
                    ends.append(at_ms(page[0].source.measuredAt))
                    break
        finally:
            reading.close()
    return intervals.count(min(ends), max(ends)) if ends else 0
