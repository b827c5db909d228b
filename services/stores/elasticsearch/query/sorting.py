"""The order of an export, as Elasticsearch's `sort`."""

from collections.abc import Iterator, Sequence
from typing import Any

from services.errors import InvalidArgument
from services.measures import SortKey

JSON = dict[str, Any]

#: Order of insertion: `_shard_doc` alone changes when segments merge.
TIES: tuple[JSON, ...] = ({"_seq_no": "asc"}, {"_shard_doc": "asc"})


def is_by_time(sort: Sequence[SortKey]) -> bool:
    """Return whether windows of time come in this order."""
    return sort[0].field == "measuredAt"


def with_ties(sort: Sequence[SortKey]) -> list[JSON]:
    return [*sort_clauses(sort), *TIES]


def sort_clauses(sort: Sequence[SortKey]) -> Iterator[JSON]:
    """Yield the clauses of an order. Raises `InvalidArgument`: Elasticsearch sorts by more than documents hold."""
    for entry in sort:
        if entry.field.startswith("_") and "." not in entry.field:
            raise InvalidArgument("sort", f"measures cannot be sorted by {entry.field}.")
        yield {entry.field: clause(entry)}


def clause(entry: SortKey) -> JSON:
    options = {name: getattr(entry, name) for name in ("missing", "mode", "unmapped_type", "numeric_type")}
    return {"order": entry.order, **{name: value for name, value in options.items() if value is not None}}
