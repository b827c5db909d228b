"""The indices behind an alias, by their mappings and settings: all of them count, each for itself."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from services.errors import StoreUnavailable
from services.mapping import Fields
from services.measures import SortKey
from services.stores.elasticsearch.names import path
from services.stores.elasticsearch.query.exact_fields import (
    WANTED_DATE,
    WANTED_KEYWORD,
    Absent,
    Answer,
    Exact,
    ExactFields,
    Unseen,
)
from services.stores.elasticsearch.query.exact_terms import ExactTerms, Instants
from services.stores.elasticsearch.query.stored_source import SourcePart, StoredSource
from services.stores.elasticsearch.transport import responses, shapes
from services.stores.elasticsearch.transport.limits import MOST_ROWS
from services.stores.elasticsearch.transport.shapes import Ask

#: A type of instants that counts nanoseconds, where all others count milliseconds.
FINE = "date_nanos"

#: Which of these indices hold documents, by name.
Occupied = Callable[[Collection[str]], Collection[str]]


@dataclass(frozen=True)
class Index:
    """One index. `settings`: all that are below `index`."""

    name: str
    mapping: Mapping[str, Any]
    settings: Mapping[str, Any]

    @cached_property
    def fields(self) -> Fields:
        return Fields(self.mapping, self.settings.get("mapping"))

    @cached_property
    def asked(self) -> ExactFields:
        return ExactFields(self.mapping, self.settings.get("mapping", {}))

    @cached_property
    def kept(self) -> StoredSource:
        return StoredSource(self.mapping, self.settings)

    @property
    def max_result_window(self) -> int:
        return int(self.settings.get("max_result_window", MOST_ROWS))


class Indices:
    """One index or more, asked together."""

    def __init__(self, indices: Collection[Index]) -> None:
        self._indices = tuple(indices)

    @property
    def max_result_window(self) -> int:
        """The rows that a search of all of them answers at most."""
        return min(index.max_result_window for index in self._indices)

    @cached_property
    def fields(self) -> Mapping[tuple[str, ...], Fields]:
        """The fields, by the names of the indices that map alike."""
        alike: dict[str, list[Index]] = {}
        for index in self._indices:
            key = json.dumps([index.mapping, index.settings.get("mapping")], sort_keys=True)
            alike.setdefault(key, []).append(index)
        return {tuple(index.name for index in group): group[0].fields for group in alike.values()}

    def check_kept(self, row: Collection[SourcePart], paths: Collection[str] = ()) -> None:
        """Check that documents come as they were stored, in what is read of them.

        `paths`: those by which a filter decides. Raises `StoreUnavailable`.
        """
        for index in self._indices:
            if index.kept.is_whole:
                continue
            parts = [*row, *(SourcePart(path.removesuffix("."), whole=not is_scalar(index, path)) for path in paths)]
            reason = index.kept.lacks(parts)
            if reason is not None:
                raise StoreUnavailable(f'The index "{index.name}" cannot be read: {reason}.')

    def terms(
        self, asked: Collection[str], occupied: Occupied, *, read: Collection[str] = (), instant: str | None = None
    ) -> ExactTerms:
        """Return how all are asked for these paths, exactly. `read`: paths that may be read
        instead. `instant`: one of instants.

        Raises `StoreUnavailable`, naming what cannot be asked.
        """
        texts = {
            path: {index.name: index.asked.text(path) for index in self._indices}
            for path in dict.fromkeys([*asked, *read])
        }
        times = {index.name: index.asked.instant(instant) for index in self._indices} if instant else {}
        unseen = [doubt for path in asked for doubt in doubts_of(path, texts[path], WANTED_KEYWORD)]
        check_unseen(unseen, list(doubts_of(instant or "", times, WANTED_DATE)), occupied)
        return ExactTerms(texts, instants(times))

    def sort(self, keys: Iterable[SortKey], terms: ExactTerms) -> tuple[SortKey, ...]:
        """Return an order that all indices share: instants compare, however fine an index stores
        them, and what an index has not met is missing there.
        """
        return tuple(self._sort_key(key, terms.instants) for key in keys)

    def _sort_key(self, key: SortKey, instants: Instants) -> SortKey:
        found = [index.asked.type(key.field) for index in self._indices]
        types = [type for type in found if isinstance(type, str)]
        if key.field == instants.field and instants.lacking:
            types = types or ["date"]
            found = [*types, Absent()]
        if key.unmapped_type is None and types and Absent() in found and None not in found:
            key = replace(key, unmapped_type=types[0])
        is_mixed = FINE in types and (len(set(types)) > 1 or key.field == instants.field)
        return replace(key, numeric_type="date") if is_mixed else key


@dataclass(frozen=True)
class Doubt:
    """An index that cannot be asked for a path, if it holds documents. `wanted`: what would be right."""

    index: str
    path: str
    answer: Unseen
    wanted: str

    def told(self) -> StoreUnavailable:
        reason = f"{self.answer.reason}. {self.wanted}"
        return StoreUnavailable(f'The index "{self.index}" cannot be asked for "{self.path}": {reason}')


def doubts_of(path: str, answers: Mapping[str, Answer], wanted: str) -> Iterator[Doubt]:
    for index, answer in answers.items():
        if isinstance(answer, Unseen):
            yield Doubt(index, path, answer, wanted)


def check_unseen(unseen: Sequence[Doubt], untimed: Sequence[Doubt], occupied: Occupied) -> None:
    """Raise `StoreUnavailable` when instants have no order. An index without documents has nothing
    to find, but no order can be had of what is mapped as none.
    """
    for doubt in untimed:
        if doubt.answer.mapped:
            raise doubt.told()
    doubts = [*unseen, *untimed]
    full = occupied({doubt.index for doubt in doubts}) if doubts else ()
    for doubt in doubts:
        if doubt.index in full:
            raise doubt.told()


def instants(answers: Mapping[str, Answer]) -> Instants:
    """Return the field of instants. Raises `StoreUnavailable` where types do not compare."""
    types = {each.type: name for name, each in answers.items() if isinstance(each, Exact)}
    if FINE in types and len(types) > 1:
        other = next(type for type in types if type != FINE)
        raise StoreUnavailable(
            f'The indices "{types[FINE]}" and "{types[other]}" cannot be asked for "measuredAt" together: it is {FINE} '
            f"in the one and {other} in the other. One of them in both would be right."
        )
    return Instants(fine=FINE in types, lacking=any(not isinstance(each, Exact) for each in answers.values()))


def is_scalar(index: Index, path: str) -> bool:
    """Return whether a document can have nothing below a field: an object there would not have been taken."""
    field = index.fields.find(path)
    return field is not None and field.path == field.name and field.type != "geo_point" and not field.flat


def occupied(ask: Ask, alias: str, names: Collection[str]) -> Collection[str]:
    """Return those of these indices that hold documents, by name. Raises `StoreUnavailable`."""
    by_index = {"terms": {"field": "_index", "size": len(names)}}
    body = {
        "size": 0,
        "track_total_hits": False,
        "terminate_after": 1,
        "query": {"terms": {"_index": sorted(names)}},
        "aggs": {"by_index": by_index},
    }
    target = f"{path(alias)}/_search?allow_partial_search_results=false"
    found = ask("POST", target, body, partial(responses.decoded, decoder=responses.BY_INDEX))
    return [bucket.key for bucket in found.aggregations.by_index.buckets]


def read_indices(body: bytes) -> Indices:
    """Return the indices of an answer of `GET /<alias>`. Raises `Unsound`."""
    found = shapes.indices(body)
    return Indices([Index(name, each["mappings"], each["settings"]) for name, each in found.items()])
