"""What is left of a filter when Elasticsearch has done its part: decided on each document, by the fields it names.

Only those keys of `_source` are decoded that the filter may mean: `values.temperature` is found below `values`, and
under a key that has the dot in its name.
"""

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET

from services.filters import matches
from services.filters.nodes import Filter
from services.measures import Asset, Measure, Origin, Source
from services.stores import odd
from services.stores.elasticsearch import pages
from services.stores.elasticsearch.pages import Page, Rows

#: What a row is made of: keys of `_source`, and what they are decoded as where the filter does not name them.
KEYS: Mapping[str, Any] = {
    "measuredAt": Any,
    "type": str | None,
    "values": Any,
    "asset": Asset | None,
    "origin": Origin | None,
}


class Ambiguous(Exception):
    """A document has a key with a dot, and the same path below another key: the order of its keys decides."""


class Residual:
    """A filter, compiled once for an export; decides while pages are decoded."""

    def __init__(self, filter: Filter) -> None:
        self._matches = matches.compile(filter)
        paths = matches.fields(filter)
        self._names = sorted({name for path in paths for name in beginnings(path)} - {"_id"})
        attributes = {name: name if name in KEYS else f"at{number}" for number, name in enumerate(self._names)}
        self._rivals = [rivals for path in paths if len(rivals := set(beginnings(path))) > 1]
        self._read = reader(list(attributes.values()))
        self._typed = [name for name in ("type", "asset", "origin") if name in attributes]
        source = structure(attributes)
        hit = [("id", str, msgspec.field(name="_id")), ("source", source, msgspec.field(name="_source"))]
        placed = [*hit, ("sort", msgspec.Raw)]
        self._decode = {
            is_placed: msgspec.json.Decoder(Rows[msgspec.defstruct("Hit", fields, gc=False)]).decode  # type: ignore[misc]
            for is_placed, fields in ((False, hit), (True, placed))
        }

    def __call__(self, body: bytes, rows: int, *, placed: bool) -> Page:
        """The measures of a page that match. Raises `Unsound`."""
        try:
            answer = pages.whole(self._decode[placed](body))
            found = answer.hits.hits
            pages.check(len(found), rows)
            return Page(self._kept(found), rows, pages.place(found[-1]), answer.pit_id)
        except (msgspec.DecodeError, Ambiguous):
            return self._mended(body, rows)

    def _kept(self, hits: list[Any]) -> list[Measure]:
        names, read, holds = self._names, self._read, self._matches
        kept = []
        for hit in hits:
            document = {name: value for name, value in zip(names, read(hit.source), strict=True) if value is not UNSET}
            if self._rivals:
                self._check(document)
            document["_id"] = hit.id
            if holds(document):
                kept.append(Measure(hit.id, self._source(hit.source)))
        return kept

    def _check(self, document: Mapping[str, Any]) -> None:
        for rivals in self._rivals:
            if len(rivals & document.keys()) > 1:
                raise Ambiguous

    def _source(self, source: Any) -> Source:
        at, type, values, asset, origin = (
            None if value is UNSET else value
            for value in (source.measuredAt, source.type, source.values, source.asset, source.origin)
        )
        if not self._typed:
            return Source(at, type, values, asset, origin)
        return Source(
            at,
            msgspec.convert(type, str | None),
            values,
            msgspec.convert(asset, KEYS["asset"]),
            msgspec.convert(origin, KEYS["origin"]),
        )

    def _mended(self, body: bytes, rows: int) -> Page:
        """Of documents in whole, as dicts."""
        answer = pages.loaded(body)
        found = answer.hits.hits
        pages.check(len(found), rows)
        kept = [pages.measure(hit) for hit in found if self._matches({**held(hit), "_id": hit["_id"]})]
        return Page(kept, rows, pages.place_of(found[-1]) , answer.pit_id)


def beginnings(path: str) -> Iterator[str]:
    """The keys of a document that may lead to a path: `a`, and with dots in a key `a.b`, `a.b.c`."""
    names = path.split(".")
    return (".".join(names[: end + 1]) for end in range(len(names)))
