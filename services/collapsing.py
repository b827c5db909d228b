"""Collapsing: of rows that come target by target, each in order of time, only the newest."""

from collections.abc import Iterable, Iterator, Sequence

from services.columns import Columns
from services.measures import HELD, IDS, Collapse, Kind, Measure


def collapsed(
    pages: Iterable[Sequence[Measure]], collapse: Collapse, by: Kind, columns: Columns
) -> Iterator[Sequence[Measure]]:
    """Yield the newest row of each target, or of each slot of it, by slot as resolved. `by`: what the targets are.

    A page without rows tells that some were read.
    """
    id_of = IDS[by]
    newest: dict[str, Measure] = {}
    last: str | None = None
    found: list[Measure] = []
    for page in pages:
        for measure in page:
            id = id_of(measure.source)
            if id != last:
                found += in_order(newest)
                newest, last = {}, id
            newest[slot_of(measure, columns) if collapse == "slot" else ""] = measure
        yield found
        found = []
    yield in_order(newest)


def in_order(newest: dict[str, Measure]) -> list[Measure]:
    """Return measures in the order of their slots, by code points."""
    return [newest[slot] for slot in sorted(newest)]


def slot_of(measure: Measure, columns: Columns) -> str:
    """Return the name of the slot under which a measure stands in the file."""
    source = measure.source
    name, model = HELD[columns.kind](source)
    return columns.slots.resolve(columns.stored(name, source.type, model)).name or ""
