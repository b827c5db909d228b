"""The scope of an export as a query: its target, range and type, and its filter."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from services.measures import ExportRequest, Fleet, Kind
from services.stores.elasticsearch.query.exact_terms import ExactTerms, Tuples

JSON = dict[str, Any]

INSTANT = "measuredAt"

#: Documents without it are not measures; without this clause counts and rows would not agree.
MEASURED: JSON = {"exists": {"field": INSTANT}}
UNMEASURED: JSON = {"bool": {"must_not": [MEASURED]}}

#: The field whose `measureName` is a slot of the target.
HOLDER: Mapping[Kind, str] = {"assets": "asset", "devices": "origin"}

#: The fields of the id and of the model of a target.
ID: Mapping[Kind, str] = {"assets": "asset._id", "devices": "origin._id"}
MODEL: Mapping[Kind, str] = {"assets": "asset.model", "devices": "origin.deviceModel"}

#: Devices are not all that measures come from.
ORIGIN_TYPE = "origin.type"

#: The fields of the groups of an asset; those of Kuzzle v3 have paths.
GROUPS = ("asset.groups.id", "asset.groups.path")


def asked(request: ExportRequest) -> tuple[str, ...]:
    """Return the paths of texts that documents must be found by."""
    target, kind = request.target, request.target.kind
    found = [ID[kind], *([ORIGIN_TYPE] if kind == "devices" else []), *(["type"] if request.type is not None else [])]
    if isinstance(target, Fleet):
        found += [ID[request.collapsed_by]] if request.collapsed_by != kind else []
        found += [MODEL[kind]] if target.models is not None else []
        found += GROUPS if target.groups is not None else ()
    return tuple(found)


def slot(request: ExportRequest) -> tuple[str, ...]:
    """Return the paths of a measure's slot and type, and in a fleet of its model."""
    kind = request.target.kind
    model = (MODEL[kind],) if isinstance(request.target, Fleet) else ()
    return f"{HOLDER[kind]}.measureName", "type", *model


@dataclass(frozen=True)
class Selection:
    """The clauses of an export. `target`: whose measures, of which type. `range`: of instants.
    `chosen`: what matches the filter, or may; `exact`: it does. `slot`: the paths of slot and
    type (and model); `tuples`: how these are gathered.
    """

    target: tuple[JSON, ...]
    range: tuple[JSON, ...]
    chosen: msgspec.Raw | None
    exact: bool
    slot: tuple[str, ...]
    tuples: tuple[Tuples, ...]
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

    def of(self, path: str, ids: Sequence[str]) -> "Selection":
        """Return the part that has one of these ids at a path."""
        return replace(self, target=(*self.target, self.terms.term(path, *ids)))

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
        terms.tuples(*slot(request)),
        terms,
    )


def target(request: ExportRequest, terms: ExactTerms) -> list[JSON]:
    target, kind = request.target, request.target.kind
    clauses = [terms.term(ORIGIN_TYPE, "device")] if kind == "devices" else []
    clauses += of_fleet(target, terms) if isinstance(target, Fleet) else [terms.term(ID[kind], target.id)]
    if request.collapsed_by != kind:
        clauses.append(terms.exists(ID[request.collapsed_by]))
    return clauses if request.type is None else [*clauses, terms.term("type", request.type)]


def of_fleet(fleet: Fleet, terms: ExactTerms) -> Iterator[JSON]:
    """Yield the clauses of a fleet: values that callers wrote are values of terms, nothing else."""
    id = ID[fleet.kind]
    yield terms.exists(id) if fleet.ids is None else terms.term(id, *fleet.ids)
    if fleet.models is not None:
        yield terms.term(MODEL[fleet.kind], *fleet.models)
    if fleet.groups is not None:
        yield {"bool": {"should": [terms.term(path, *fleet.groups) for path in GROUPS], "minimum_should_match": 1}}


def range_of(request: ExportRequest, terms: ExactTerms) -> tuple[JSON, ...]:
    if request.start_ms is None and request.end_ms is None:
        return ()
    return (terms.instants.during(request.start_ms, request.end_ms),)


def every(*clauses: Mapping[str, Any] | msgspec.Raw) -> JSON:
    return {"bool": {"filter": list(clauses)}}
