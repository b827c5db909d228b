"""The scope of an export as a query: its target, range and type, and its filter."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from services.measures import ExportRequest, Kind
from services.stores.elasticsearch.query.exact_terms import ExactTerms, Pairs

JSON = dict[str, Any]

INSTANT = "measuredAt"

#: Documents without it are not measures; without this clause counts and rows would not agree.
MEASURED: JSON = {"exists": {"field": INSTANT}}
UNMEASURED: JSON = {"bool": {"must_not": [MEASURED]}}

#: The field whose `measureName` is a slot of the target.
HOLDER: Mapping[Kind, str] = {"assets": "asset", "devices": "origin"}

#: What is asked of whose measures they are, by kind of target.
TARGET: Mapping[Kind, tuple[str, ...]] = {"assets": ("asset._id",), "devices": ("origin.type", "origin._id")}


def asked(request: ExportRequest) -> tuple[str, ...]:
    """Return the paths of texts that documents must be found by."""
    return (*TARGET[request.target.kind], *(() if request.type is None else ("type",)))


def slot(request: ExportRequest) -> tuple[str, str]:
    """Return the paths of a measure's slot and type."""
    return f"{HOLDER[request.target.kind]}.measureName", "type"


@dataclass(frozen=True)
class Selection:
    """The clauses of an export. `target`: whose measures, of which type. `range`: of instants.
    `chosen`: what matches the filter, or may; `exact`: it does. `slot`: the paths of slot and
    type; `pairs`: how these are gathered.
    """

    target: tuple[JSON, ...]
    range: tuple[JSON, ...]
    chosen: msgspec.Raw | None
    exact: bool
    slot: tuple[str, str]
    pairs: tuple[Pairs, ...]
    terms: ExactTerms

    @property
    def slots(self) -> JSON:
        """The query of the measures whose slots are columns."""
        return every(*self.target, *self.range, MEASURED)

    @property
    def rows(self) -> JSON:
        return every(*self._clauses)

    @property
    def left_out(self) -> JSON:
        """The query of what has no instant, and is therefore no measure, nor in any range."""
        return every(*self.target, UNMEASURED)

    def between(self, first_ms: int, last_ms: int) -> JSON:
        """Return the query of the rows from one instant to another (epoch ms), both included.

        It is no deeper than `rows`: Elasticsearch counts levels.
        """
        return every(*self._clauses, self.terms.instants.during(first_ms, last_ms))

    @property
    def _clauses(self) -> list[JSON | msgspec.Raw]:
        return [*self.target, *self.range, MEASURED, *([] if self.chosen is None else [self.chosen])]


def selection(request: ExportRequest, terms: ExactTerms, chosen: msgspec.Raw | None, *, exact: bool) -> Selection:
    """Return the clauses of an export. Raises `StoreUnavailable` where an index cannot be asked for what is wanted."""
    return Selection(
        tuple(target(request, terms)),
        range_of(request, terms),
        chosen,
        exact,
        slot(request),
        terms.pairs(*slot(request)),
        terms,
    )


def target(request: ExportRequest, terms: ExactTerms) -> list[JSON]:
    id = request.target.id
    if request.target.kind == "assets":
        clauses = [terms.term("asset._id", id)]
    else:
        clauses = [terms.term("origin.type", "device"), terms.term("origin._id", id)]
    return clauses if request.type is None else [*clauses, terms.term("type", request.type)]


def range_of(request: ExportRequest, terms: ExactTerms) -> tuple[JSON, ...]:
    if request.start_ms is None and request.end_ms is None:
        return ()
    return (terms.instants.during(request.start_ms, request.end_ms),)


def every(*clauses: Mapping[str, Any] | msgspec.Raw) -> JSON:
    return {"bool": {"filter": list(clauses)}}
