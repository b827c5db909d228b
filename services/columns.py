"""Columns: which cells a row has, from the models and from the slots that occur; never from the rows themselves."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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

Mappings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Column:
    """`path` leads into `values`, its levels joined by dots; `None`: `values` whole."""

    slot: str
    path: str | None

    @property
    def header(self) -> str:
        return self.slot if self.path is None else f"{self.slot}.{self.path}"


@dataclass(frozen=True)
class Columns:
    """The columns after the fixed ones, in order, and which of them a measure fills."""

    kind: Kind
    columns: tuple[Column, ...]
    model: Model
    mappings: Mappings

    @property
    def headers(self) -> tuple[str, ...]:
        return FIXED + tuple(column.header for column in self.columns)

    def of(self, stored: Slot) -> list[tuple[int, Column]]:
        """The columns that a measure which stores this pair may fill, with their place (0: the first after the fixed).

        A measure fills the columns of its own type, whatever else its slot holds.
        """
        own = set(_own(resolve(stored, self.model), self.mappings))
        return [(place, column) for place, column in enumerate(self.columns) if column in own]


def types(model: Model, occurring: Collection[Slot]) -> frozenset[str]:
    """The measure types whose `valuesMappings` decide the columns."""
    return frozenset(slot.type for slot in (*model.slots, *occurring) if slot.type is not None)


def columns(kind: Kind, model: Model, occurring: Collection[Slot], mappings: Mappings) -> Columns:
    """The slots of the model in its order, then by name those that occur beside it.

    `occurring`: pairs as stored. A slot with several types has the columns of all: its model's first, then by name.
    """
    wanted = (column for slot in _in_order(model, occurring) for column in _own(slot, mappings))
    return Columns(kind, tuple(dict.fromkeys(wanted)), model, mappings)


def resolve(stored: Slot, model: Model) -> Slot:
    """The slot and type that a measure belongs to which stores this pair; the type stays `None` if nobody knows it."""
    if stored.name is not None:
        return Slot(stored.name, _type(stored, model))
    if stored.type is None:
        return Slot(NAMELESS, None)
    slots = [slot for slot in model.slots if slot.type == stored.type]
    return slots[0] if len(slots) == 1 else Slot(stored.type, stored.type)


def _type(stored: Slot, model: Model) -> str | None:
    """A measure without a type has that of its slot in the model."""
    if stored.type is not None:
        return stored.type
    return next((slot.type for slot in model.slots if slot.name == stored.name), None)


def _in_order(model: Model, occurring: Collection[Slot]) -> Iterator[Slot]:
    """Every slot with every type it holds, both resolved."""
    extra = sorted({resolve(slot, model) for slot in occurring} - set(model.slots), key=_sort_key)
    for name in dict.fromkeys(slot.name for slot in model.slots):
        yield from (slot for slot in model.slots if slot.name == name)
        yield from (slot for slot in extra if slot.name == name)
    named = {slot.name for slot in model.slots}
    yield from (slot for slot in extra if slot.name not in named)


def _sort_key(slot: Slot) -> tuple[str, bool, str]:
    return slot.name or "", slot.type is not None, slot.type or ""


def _own(slot: Slot, mappings: Mappings) -> Iterable[Column]:
    """The columns of one type in one slot: the leaves of its mappings, or its values whole where it has none."""
    name = slot.name or ""
    declared = mappings.get(slot.type) if slot.type is not None else None
    if declared is None:
        return [Column(name, None)]
    return [Column(name, path) for path in leaves(declared)]


def leaves(properties: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Paths of the fields in a mapping's `properties`. Objects with `properties` are levels, `nested` is a leaf."""
    for name, mapping in properties.items():
        if isinstance(mapping, Mapping):
            yield from _leaves_of(mapping, prefix + name)


def _leaves_of(mapping: Mapping[str, Any], path: str) -> Iterator[str]:
    inner = mapping.get("properties")
    if isinstance(inner, Mapping) and mapping.get("type", "object") == "object":
        yield from leaves(inner, f"{path}.")
    elif "type" in mapping:
        yield path
