"""An export as a query: its target, range and type, and its filter."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from services.measures import ExportRequest

JSON = dict[str, Any]

#: The last instant of Elasticsearch, and its negative: there is one before that, which no query can name.
FURTHEST_MS = 2**63 - 1

#: Documents without it are not measures; without this clause counts and rows would not agree.
MEASURED: JSON = {"exists": {"field": "measuredAt"}}
UNMEASURED: JSON = {"bool": {"must_not": [MEASURED]}}


@dataclass(frozen=True)
class Selection:
    """`scope`: whatever the filter. `chosen`: what matches the filter, or may. `exact`: it does."""

    scope: tuple[JSON, ...]
    chosen: msgspec.Raw | None
    exact: bool

    @property
    def slots(self) -> JSON:
        """The measures whose slots are columns."""
        return every(*self.scope, MEASURED)

    @property
    def rows(self) -> JSON:
        return every(*self._clauses)

    @property
    def left_out(self) -> JSON:
        """What has no instant, and is therefore no measure."""
        return every(*self.scope, UNMEASURED)

    def between(self, first_ms: int, last_ms: int) -> JSON:
        """The rows from one instant to another, both included. No deeper than `rows`: Elasticsearch counts levels."""
        return every(*self._clauses, during(first_ms, last_ms))

    @property
    def _clauses(self) -> list[JSON | msgspec.Raw]:
        return [*self.scope, MEASURED, *([] if self.chosen is None else [self.chosen])]


def scope(request: ExportRequest) -> tuple[JSON, ...]:
    """Target, range and type."""
    id = request.target.id
    if request.target.kind == "assets":
        clauses = [term("asset._id", id)]
    else:
        clauses = [term("origin.type", "device"), term("origin._id", id)]
    if request.type is not None:
        clauses.append(term("type", request.type))
    if request.start_ms is not None or request.end_ms is not None:
        clauses.append(during(request.start_ms, request.end_ms))
    return tuple(clauses)


def every(*clauses: Mapping[str, Any] | msgspec.Raw) -> JSON:
    return {"bool": {"filter": list(clauses)}}


def term(field: str, value: str) -> JSON:
    return {"term": {field: {"value": value}}}


def during(first_ms: int | None, last_ms: int | None) -> JSON:
    """Both included, `None`: open."""
    bounds = {"gte": None if first_ms is not None and first_ms < -FURTHEST_MS else first_ms, "lte": last_ms}
    if last_ms is not None and last_ms < -FURTHEST_MS:
        bounds = {"lt": -FURTHEST_MS}
    given = {name: value for name, value in bounds.items() if value is not None}
    return {"range": {"measuredAt": {**given, "format": "epoch_millis"}}}
