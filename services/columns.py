"""The columns of a file: which cells a row has, by models and by the slots that occur, never by the rows themselves."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from services.measures import Kind, Model, Models, Slot

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
    """The columns after the fixed ones, in order, and which of them a measure fills. `held`: all slots there are."""

    kind: Kind
    columns: tuple[Column, ...]
    slots: "Slots"
    declared: "Declared"
    held: tuple[Slot, ...] = ()

    @property
    def headers(self) -> tuple[str, ...]:
        return FIXED + tuple(column.header for column in self.columns)

    def stored(self, name: str | None, type: str | None, model: str | None) -> Slot:
        """Return what a measure stores, by its slot, its type, and the model of its own asset (device)."""
        return Slot(name, type, model if self.slots.are_of_fleet else None)

    def of(self, stored: Slot) -> list[tuple[int, Column]]:
        """Return the columns that a measure which stores this pair may fill, with their index (0:
        the first after the fixed).

        A measure fills the columns of its own type, whatever else its slot holds.
        """
        own = self.declared.columns(self.slots.resolve(stored))
        return sorted({(place, column) for column in own if (place := self._places.get(column)) is not None})

    @property
    def sources(self) -> Sequence[int]:
        """What the columns of the usual file hold: all cells, in order."""
        return range(len(FIXED) + len(self.columns))

    @cached_property
    def declarations(self) -> Mapping[int, Declaration]:
        """How the models declare columns, by their places."""
        found: dict[int, Declaration] = {}
        for slot in self.held:
            for column, type in self.declared.types(slot).items():
                if (place := self._places.get(column)) is not None:
                    found.setdefault(place, Declaration(slot.type, type, column.path))
        return found

    @cached_property
    def _places(self) -> Mapping[Column, int]:
        return {column: place for place, column in enumerate(self.columns)}


def types(models: Models, occurring: Collection[Slot]) -> frozenset[str]:
    """Return the measure types whose `valuesMappings` decide the columns."""
    slots = (*Slots(models).of_models(), *occurring)
    return frozenset(slot.type for slot in slots if slot.type is not None)


def columns(
    kind: Kind,
    models: Models,
    occurring: Collection[Slot],
    mappings: Mappings,
    *,
    rest: Callable[[], None] = lambda: None,
    most: int | None = None,
) -> Columns:
    """Return the columns: of the slots of the model in its order (of a fleet: model by model), then by name of those
    that occur beside it.

    `occurring`: as stored. A slot with several types has the columns of all: its model's
    first, then by name. `rest` is called between two slots: a model of thousands, each of many
    columns, takes long. Raises `TooWide` where there are more than `most`; `None`: never.
    """
    slots, declared = Slots(models), Declared(mappings)
    found: dict[Column, None] = {}
    held = tuple(slots.in_order(occurring))
    for slot in held:
        found.update(dict.fromkeys(declared.columns(slot)))
        if most is not None and len(found) > most:
            raise TooWide
        rest()
    return Columns(kind, tuple(found), slots, declared, held)


class Slots:
    """Finds the slots of a model, or of the models of a fleet, by name and by type."""

    def __init__(self, models: Models) -> None:
        by_name = {None: models} if isinstance(models, Model) else {model.name: model for model in models}
        self._models: Mapping[str | None, ModelSlots] = {name: ModelSlots(model) for name, model in by_name.items()}
        self._by_name: dict[str | None, list[Slot]] = {}
        for slot in dict.fromkeys(slot for model in self._models.values() for slot in model.slots):
            self._by_name.setdefault(slot.name, []).append(slot)

    @property
    def are_of_fleet(self) -> bool:
        """Whether a measure's own model decides what it stores."""
        return None not in self._models

    def of_models(self) -> Iterator[Slot]:
        """Yield the slots of the models."""
        for slots in self._by_name.values():
            yield from slots

    def resolve(self, stored: Slot) -> Slot:
        """Return the slot and type of a measure that stores this; the type stays `None` if nobody knows."""
        return self._models.get(stored.model, NO_SLOTS).resolve(stored)

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


class ModelSlots:
    """Finds the slots of one model."""

    def __init__(self, model: Model) -> None:
        self.slots = model.slots
        self._types: dict[str | None, str | None] = {}
        for slot in model.slots:
            self._types.setdefault(slot.name, slot.type)
        self._by_type = {slot.type: slot for slot in model.slots}
        self._of_type = Counter(slot.type for slot in model.slots)

    def resolve(self, stored: Slot) -> Slot:
        """Return the slot and type of a measure that stores this pair: without a type, that of its slot in the model;
        without a slot, the only one of its type.
        """
        if stored.name is not None:
            return Slot(stored.name, self._types.get(stored.name) if stored.type is None else stored.type)
        if stored.type is None:
            return Slot(NAMELESS, None)
        return self._by_type[stored.type] if self._of_type[stored.type] == 1 else Slot(stored.type, stored.type)


#: The slots of a model that nobody knows.
NO_SLOTS = ModelSlots(Model("", ()))


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
