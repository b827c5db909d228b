"""What is left of a filter when Elasticsearch has done its part: decided on each document, by the fields it names.

Only those keys of `_source` are decoded that a row is made of, or that the filter may mean: `values.temperature` is
found below `values`, and under a key that has the dot in its name.
"""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

import msgspec

from services.filters import matches
from services.filters.matches import MISSING
from services.filters.nodes import Filter
from services.measures import Asset, Measure, Origin, Source
from services.stores import odd
from services.stores.elasticsearch import pages
from services.stores.elasticsearch.pages import Page, Rows, Sorted

#: What msgspec has no names with.
UNSAYABLE = re.compile(r'[\x00-\x1f"\\]')


class Ambiguous(Exception):
    """A document has a key with a dot in its name: another may lead to the same path, and their order decides."""


class Residual:
    """A filter, compiled once for an export; decides when pages are decoded."""

    def __init__(self, filter: Filter) -> None:
        self._holds = matches.compile(filter)
        names = sorted({name for path in matches.fields(filter) for name in beginnings(path)} - {"_id"})
        self._whole = any(map(UNSAYABLE.search, names))
        names = [] if self._whole else names
        attributes = {name: name if name in KEYS else f"key{number}" for number, name in enumerate(names)}
        plain = [name for name in names if "." not in name]
        self._names = plain
        self._read = reader([attributes[name] for name in plain])
        self._dotted = reader([attribute for name, attribute in attributes.items() if "." in name])
        self._has_dotted = len(plain) < len(names)
        self._kept_as = [(name, KEYS[name]) for name in plain if name in KEYS]
        source = msgspec.defstruct("Named", fields(attributes), bases=(Source,), gc=False)
        self._decode = {placed: decoder(base, source) for placed, base in ((False, Measure), (True, Sorted))}

    def __call__(self, body: bytes, rows: int, *, placed: bool) -> Page:
        """The measures of a page that match. Raises `Unsound`."""
        if not self._whole:
            with contextlib.suppress(msgspec.DecodeError, Ambiguous):
                page = pages.page(self._decode[placed](body), rows)
                return replace(page, measures=self._matching(page.measures))
        page = pages.page(pages.loose(body), rows)
        return replace(page, measures=self._matching_loose(page.measures))

    def _matching(self, hits: Iterable[Measure]) -> list[Measure]:
        holds, names, read = self._holds, self._names, self._read
        found = []
        for hit in hits:
            source = hit.source
            if self._has_dotted and any(value is not MISSING for value in self._dotted(source)):
                raise Ambiguous
            document = dict(zip(names, read(source), strict=True))
            document["_id"] = hit.id
            if holds(document):
                found.append(hit)
        for name, kept in self._kept_as:
            for hit in found:
                setattr(hit.source, name, kept(getattr(hit.source, name)))
        return found

    def _matching_loose(self, hits: Iterable[pages.Loose]) -> list[Measure]:
        """By whole documents, as dicts."""
        return [odd.measure(hit.id, hit.source) for hit in hits if self._holds({**odd.held(hit.source), "_id": hit.id})]


def beginnings(path: str) -> Iterator[str]:
    """The keys of a document that may lead to a path: `a`, and with dots in a key `a.b`, `a.b.c`."""
    names = path.split(".")
    return (".".join(names[: end + 1]) for end in range(len(names)))


def reader(attributes: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Of their values, in order."""
    if not attributes:
        return lambda source: ()
    read = attrgetter(*attributes)
    return read if len(attributes) > 1 else lambda source: (read(source),)


def fields(attributes: Mapping[str, str]) -> list[tuple[str, Any, Any]]:
    """Of a struct. Named ones are any JSON: the filter may ask for more of them than a row needs."""
    return [(attribute, Any, msgspec.field(name=name, default=MISSING)) for name, attribute in attributes.items()]


def decoder(base: type, source: type) -> Callable[[bytes], Rows[Any]]:
    hit = msgspec.defstruct("Hit", [("source", source, msgspec.field(name="_source"))], bases=(base,), gc=False)
    return msgspec.json.Decoder(Rows[hit]).decode  # type: ignore[valid-type]


def as_it_is(value: Any) -> Any:
    return None if value is MISSING else value


def text(value: Any) -> str | None:
    return value if value.__class__ is str else odd.source({"type": as_it_is(value)}).type


def asset(value: Any) -> Asset | None:
    try:
        return msgspec.convert(as_it_is(value), Asset | None)
    except msgspec.ValidationError:
        return odd.source({"asset": value}).asset


def origin(value: Any) -> Origin | None:
    try:
        return msgspec.convert(as_it_is(value), Origin | None)
    except msgspec.ValidationError:
        return odd.source({"origin": value}).origin


#: What a row is made of: keys of `_source`, and what it keeps of each where the filter has named it.
KEYS: Mapping[str, Callable[[Any], Any]] = {
    "measuredAt": as_it_is,
    "type": text,
    "values": as_it_is,
    "asset": asset,
    "origin": origin,
}
