"""An export as a query: its target, range and type, and its filter."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from services.measures import ExportRequest, Kind
from services.stores.elasticsearch.asking import Asking, Pairs

JSON = dict[str, Any]

INSTANT = "measuredAt"

#: Documents without it are not measures; without this clause counts and rows would not agree.
MEASURED: JSON = {"exists": {"field": INSTANT}}
UNMEASURED: JSON = {"bool": {"must_not": [MEASURED]}}

#: The field whose `measureName` is a slot of the target.
HOLDER: Mapping[Kind, str] = {"assets": "asset", "devices": "origin"}

#: What is asked exactly, of texts, by kind of target.
TEXTS: Mapping[Kind, tuple[str, ...]] = {
    "assets": ("asset._id", "asset.measureName", "type"),
    "devices": ("origin._id", "origin.type", "origin.measureName", "type"),
}


@dataclass(frozen=True)
class Selection:
    """`target`: whose measures, of which type. `range`: of instants. `chosen`: what matches the filter, or may.

    `exact`: it does. `pairs`: how slots are gathered.
    """

    target: tuple[JSON, ...]
    range: tuple[JSON, ...]
    chosen: msgspec.Raw | None
    exact: bool
    pairs: tuple[Pairs, ...]
    asking: Asking

    @property
    def slots(self) -> JSON:
        """The measures whose slots are columns."""
        return every(*self.target, *self.range, MEASURED)

    @property
    def rows(self) -> JSON:
        return every(*self.target, *self.range, MEASURED, *([] if self.chosen is None else [self.chosen]))

    @property
    def left_out(self) -> JSON:
        """What has no instant, and is therefore no measure, nor in any range."""
        return every(*self.target, UNMEASURED)

    @property
    def hiding(self) -> tuple[str, ...]:
        """Fields that may leave out a slot or a type."""
        return tuple(dict.fromkeys(name for pairs in self.pairs for name in pairs.hiding))

    @property
    def hidden(self) -> JSON:
        """The measures of which they do."""
        return every(self.slots, ignored(self.hiding))

    def between(self, first_ms: int, last_ms: int) -> JSON:
        """The rows from one instant to another, both included."""
        return every(self.rows, self.asking.instants.during(first_ms, last_ms))


def selection(request: ExportRequest, asking: Asking, chosen: msgspec.Raw | None, *, exact: bool) -> Selection:
    """Raises `StoreUnavailable` where an index cannot be asked for what is wanted."""
    return Selection(
        tuple(target(request, asking)),
        range_of(request, asking),
        chosen,
        exact,
        asking.pairs(f"{HOLDER[request.target.kind]}.measureName", "type"),
        asking,
    )


def target(request: ExportRequest, asking: Asking) -> list[JSON]:
    id = request.target.id
    if request.target.kind == "assets":
        clauses = [asking.term("asset._id", id)]
    else:
        clauses = [asking.term("origin.type", "device"), asking.term("origin._id", id)]
    return clauses if request.type is None else [*clauses, asking.term("type", request.type)]


def range_of(request: ExportRequest, asking: Asking) -> tuple[JSON, ...]:
    if request.start_ms is None and request.end_ms is None:
        return ()
    return (asking.instants.during(request.start_ms, request.end_ms),)


def ignored(fields: Collection[str]) -> JSON:
    """What has a value that one of these fields leaves out."""
    return {"terms": {"_ignored": list(fields)}}


def every(*clauses: Mapping[str, Any] | msgspec.Raw) -> JSON:
    return {"bool": {"filter": list(clauses)}}
