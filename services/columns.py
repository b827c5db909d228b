"""The columns of a file: which cells a row has, by models and by the slots that occur, never by the rows themselves."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from services.measures import Kind, Model, Slot

#: What every row begins with.
FIXED = (
    "Measure Id",
    "Measured At",
    "Measured At ISO",
    "Measure Type",
    "Device Id",
    "Device Model",
    "Asset Id",
    "Asset Model",
)

#: The slot of measures that store neither a slot nor a type.
NAMELESS = "measure"

#: The paths of a type that nobody has declared.
WHOLE: Sequence[str | None] = (None,)

Mappings = Mapping[str, Mapping[str, Any]]


class TooWide(Exception):
    """There are more columns than are of use."""


class Column(NamedTuple):
    """A column of values. `path` leads into `values`, its levels joined by dots; `None`: `values`
    whole.

    It is a tuple, since a model may have a million: a frozen dataclass takes four times as long to
    make and to compare.
    """

    slot: str
    path: str | None

    @property
    def header(self) -> str:
        return self.slot if self.path is None else f"{self.slot}.{self.path}"


class Declaration(NamedTuple):
    """Tells of a column the measure type that declares it, its type in Elasticsearch, and its path in `values`."""

    measure_type: str | None
    type: Any
    path: str | None = None


@dataclass(frozen=True)
class Columns:
    """The columns after the fixed ones, in order, and which of them a measure fills."""

    kind: Kind
    columns: tuple[Column, ...]
    slots: "Slots"
    declared: "Declared"

    @property
    def headers(self) -> tuple[str, ...]:
        return FIXED + tuple(column.header for column in self.columns)

    def of(self, stored: Slot) -> list[tuple[int, Column]]:
        """Return the columns that a measure which stores this pair may fill, with their index (0:
        the first after the fixed).

        A measure fills the columns of its own type, whatever else its slot holds.
        """
        own = self.declared.columns(self.slots.resolve(stored))
        return sorted({(place, column) for column in own if (place := self._places.get(column)) is not None})

    def declarations(self, resolved: Collection[Slot]) -> Iterator[tuple[int, "Declaration"]]:
        """Yield how models declare columns, by their index: of the model's slots, then of `resolved`."""
        for slot in (*self.slots.of_model(), *resolved):
            for column, type in self.declared.types(slot).items():
                if column in self._places:
                    yield self._places[column], Declaration(slot.type, type, column.path)

    @cached_property
    def _places(self) -> Mapping[Column, int]:
        return {column: place for place, column in enumerate(self.columns)}


def types(model: Model, occurring: Collection[Slot]) -> frozenset[str]:
    """Return the measure types whose `valuesMappings` decide the columns."""
    return frozenset(slot.type for slot in (*model.slots, *occurring) if slot.type is not None)


def columns(
    kind: Kind,
    model: Model,
    occurring: Collection[Slot],
    mappings: Mappings,
    *,
    rest: Callable[[], None] = lambda: None,
    most: int | None = None,
) -> Columns:
    """Return the columns: of the slots of the model in its order, then by name of those that occur
    beside it.

    `occurring`: pairs as stored. A slot with several types has the columns of all: its model's
    first, then by name. `rest` is called between two slots: a model of thousands, each of many
    columns, takes long. Raises `TooWide` where there are more than `most`; `None`: never.
    """
    slots, declared = Slots(model), Declared(mappings)
    found: dict[Column, None] = {}
    for slot in slots.in_order(occurring):
        found.update(dict.fromkeys(declared.columns(slot)))
        if most is not None and len(found) > most:
            raise TooWide
        rest()
    return Columns(kind, tuple(found), slots, declared)


class Slots:
    """Finds the slots of a model by name and by type."""

    def __init__(self, model: Model) -> None:
        self._by_name: dict[str | None, list[Slot]] = {}
        for slot in model.slots:
            self._by_name.setdefault(slot.name, []).append(slot)
        self._by_type = {slot.type: slot for slot in model.slots}
        self._of_type = Counter(slot.type for slot in model.slots)

    def of_model(self) -> Iterator[Slot]:
        """Yield the slots of the model."""
        for slots in self._by_name.values():
            yield from slots

    def resolve(self, stored: Slot) -> Slot:
        """Return the slot and type of a measure that stores this pair; the type stays `None` if nobody knows."""
        if stored.name is not None:
            return Slot(stored.name, self._type(stored))
        if stored.type is None:
            return Slot(NAMELESS, None)
        return self._by_type[stored.type] if self._of_type[stored.type] == 1 else Slot(stored.type, stored.type)

    def in_order(self, occurring: Collection[Slot]) -> Iterator[Slot]:
        """Return every slot with every type it holds, both resolved."""
        resolved = {self.resolve(slot) for slot in occurring}
        extra: dict[str | None, list[Slot]] = {}
        for slot in sorted(resolved.difference(*self._by_name.values()), key=_sort_key):
            extra.setdefault(slot.name, []).append(slot)
        for name, slots in self._by_name.items():
            yield from slots
            yield from extra.pop(name, ())
        for slots in extra.values():
            yield from slots

    def _type(self, stored: Slot) -> str | None:
        """Return the type of a measure: without one of its own, that of its slot in the model."""
        if stored.type is not None:
            return stored.type
        return next((slot.type for slot in self._by_name.get(stored.name, ())), None)


def _sort_key(slot: Slot) -> tuple[str, bool, str]:
    return slot.name or "", slot.type is not None, slot.type or ""


class Declared:
    """Reads what `valuesMappings` declare, each type once."""

    def __init__(self, mappings: Mappings) -> None:
        self._mappings = mappings
        self._paths: dict[str | None, Sequence[str | None]] = {None: WHOLE}

    def columns(self, slot: Slot) -> Iterator[Column]:
        """Return the columns of a type in a slot: the leaves of its mappings, or its values whole where it has none."""
        name = slot.name or ""
        return (Column(name, path) for path in self._leaves(slot.type))

    def _leaves(self, type: str | None) -> Sequence[str | None]:
        if type not in self._paths:
            declared = self._mappings.get(type or "")
            self._paths[type] = WHOLE if declared is None else [path for path, _ in leaves(declared)]
        return self._paths[type]

    @property
    def measure_types(self) -> Collection[str]:
        """The types of measures that are declared."""
        return self._mappings.keys()

    def types(self, slot: Slot) -> Mapping[Column, Any]:
        """Return the types of Elasticsearch that the columns of a slot and type are declared to have."""
        declared = self._mappings.get(slot.type or "")
        return {} if declared is None else {Column(slot.name or "", path): type for path, type in leaves(declared)}


def leaves(properties: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the paths of the fields in `properties`, and their types. Objects with `properties` are levels, `nested` is
    a leaf.
    """
    for name, mapping in properties.items():
        if isinstance(mapping, Mapping):
            yield from _leaves_of(mapping, prefix + name)


def _leaves_of(mapping: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    inner = mapping.get("properties")
    if isinstance(inner, Mapping) and mapping.get("type", "object") == "object":
        yield from leaves(inner, f"{path}.")
    elif "type" in mapping:
        yield path, mapping["type"]
