"""The caller's own order of rows, as Elasticsearch 8.19 sorts: which fields it takes, and the keys of each row.

A key is two values: where documents without a value stand, and what the others are compared by.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import msgspec

from services import lenient_json
from services.errors import InvalidArgument
from services.measures import SortKey
from services.paths import beginnings
from services.scheduling.tick import Tick
from services.stores.sqlite import fields
from services.stores.sqlite.fields import Definition, Properties
from services.stores.sqlite.sort_values import READERS, Read, Value, looked_at, missing, picker, scalars_at

#: Where a document stands by one key: before the others, among them, after.
FIRST, AMONG, LAST = 0, 1, 2

#: What the name of a member of a struct may not hold.
UNSAYABLE = re.compile(r'["\\\x00-\x1f]')


@dataclass(frozen=True)
class SortTerm:
    """Makes one key of a document. `ways`: to its values, attribute and path from there.

    `rank`: where documents without a value stand, unless `missing` is what they are compared by.
    """

    ways: Sequence[tuple[str, str]]
    read: Read
    pick: Callable[[list[Any]], Value]
    descending: bool
    rank: int
    missing: Value | None

    def of(self, document: Any, look: Tick) -> tuple[int, Value]:
        found = [
            value
            for attribute, path in self.ways
            for stored in looked_at(scalars_at(getattr(document, attribute), path), look)
            if (value := self.read(stored)) is not None
        ]
        if found:
            return AMONG, self.pick(found)
        return (self.rank, 0) if self.missing is None else (AMONG, self.missing)


class Order:
    """Makes the keys of rows. Raises `InvalidArgument` for what Elasticsearch cannot sort."""

    def __init__(self, sort: Sequence[SortKey], properties: Properties) -> None:
        found = [field(entry, properties) for entry in sort]
        names = sorted({name for path, _ in found if path is not None for name in beginnings(path)})
        attributes = {name: f"at{number}" for number, name in enumerate(names)}
        self._keys = [term(entry, *where, attributes) for entry, where in zip(sort, found, strict=True)]
        self._read = reader(attributes)

    @property
    def columns(self) -> list[str]:
        return [name for number in range(len(self._keys)) for name in (f"rank{number}", f"value{number}")]

    @property
    def terms(self) -> str:
        """The terms of `ORDER BY`, ties in order of insertion."""
        ways = [("", " DESC" if entry.descending else "") for entry in self._keys]
        directions = [way for pair in ways for way in pair]
        return ", ".join([name + way for name, way in zip(self.columns, directions, strict=True)] + ["seq"])

    def of(self, documents: str, look: Tick) -> Iterator[tuple[Value, ...]]:
        """Yield the values of `columns` of each of a JSON array of documents. `look` is called within large ones."""
        for document in self._read(documents):
            yield tuple(value for entry in self._keys for value in entry.of(document, look))


def is_indexed(sort: Sequence[SortKey]) -> bool:
    """Return whether an order is that of the indexes: every measure has an instant, and only one."""
    return all(entry.field == "measuredAt" for entry in sort)


def term(entry: SortKey, path: str | None, definition: Definition, attributes: Mapping[str, str]) -> SortTerm:
    kind = definition["type"]
    if kind not in READERS or definition.get("doc_values") is False:
        raise InvalidArgument("sort", f'"{entry.field}" is of type {kind} here: it cannot be sorted by.')
    return SortTerm(
        [] if path is None else ways(path, attributes),
        READERS[kind](definition),
        picker(entry, kind),
        entry.order == "desc",
        FIRST if entry.missing == "_first" else LAST,
        missing(entry, kind),
    )


def ways(path: str, attributes: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(attributes[name], path.removeprefix(name).removeprefix(".")) for name in beginnings(path)]


def field(entry: SortKey, properties: Properties) -> tuple[str | None, Definition]:
    """Return where documents hold a field's values, and its definition.

    `None` for where: what is not mapped has no values, whatever documents hold.
    """
    if entry.field.startswith("_") and "." not in entry.field:
        raise InvalidArgument("sort", f"measures cannot be sorted by {entry.field}.")
    found = fields.find(properties, entry.field)
    if found is not None:
        return found
    if entry.unmapped_type is not None:
        return None, {"type": entry.unmapped_type}
    raise InvalidArgument("sort", f"No mapping found for [{entry.field}] in order to sort on.")


def reader(attributes: Mapping[str, str]) -> Callable[[str], list[Any]]:
    """Return what makes objects with these attributes, only what keys are made of, of a JSON array of documents."""
    if any(UNSAYABLE.search(name) for name in attributes):
        return lambda documents: [picked(document, attributes) for document in lenient_json.loads(documents.encode())]
    structures: Any = list[structure(attributes)]  # type: ignore[misc]
    decode = msgspec.json.Decoder(structures).decode

    def read(documents: str) -> list[Any]:
        found: list[Any]
        try:
            found = decode(documents)
        except msgspec.DecodeError:
            found = msgspec.convert(lenient_json.loads(documents.encode()), structures)
        return found

    return read


def picked(document: Mapping[str, Any], attributes: Mapping[str, str]) -> SimpleNamespace:
    return SimpleNamespace(**{attribute: document.get(name) for name, attribute in attributes.items()})


def structure(attributes: Mapping[str, str]) -> type[msgspec.Struct]:
    """Return what a document is decoded into: the values of these keys."""
    members = [(attribute, Any, msgspec.field(name=name, default=None)) for name, attribute in attributes.items()]
    return msgspec.defstruct("Document", members, gc=False)
