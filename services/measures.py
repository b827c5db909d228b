"""The nouns: what is exported (Measure), of what (Target, Fleet, Model), and how it is asked for (ExportRequest).

The structs are what a page of a store is decoded into: only what a row needs, in the shape and with the
names that Kuzzle stores (`_source` of Elasticsearch). `gc=False`: they hold no cycles.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from services.filters.koncorde.nodes import All, Filter
from services.options import USUAL, Options

Kind = Literal["assets", "devices"]
KINDS: tuple[Kind, ...] = ("assets", "devices")

#: Of what only the newest measure is wanted.
Collapse = Literal["asset", "device", "slot"]
COLLAPSES: tuple[Collapse, ...] = ("asset", "device", "slot")


class Asset(msgspec.Struct, gc=False):
    id: str | None = msgspec.field(name="_id", default=None)
    model: str | None = None
    measureName: str | None = None  # noqa: N815


class Origin(msgspec.Struct, gc=False):
    id: str | None = msgspec.field(name="_id", default=None)
    deviceModel: str | None = None  # noqa: N815
    measureName: str | None = None  # noqa: N815


class Source(msgspec.Struct, gc=False):
    measuredAt: Any = None  # noqa: N815  epoch ms, or as Elasticsearch took it: text, fraction
    type: str | None = None
    values: Any = None
    asset: Asset | None = None
    origin: Origin | None = None


def of_asset(source: Source) -> tuple[str | None, str | None]:
    """Return the slot under which its asset holds a measure, and the asset's model."""
    return (None, None) if source.asset is None else (source.asset.measureName, source.asset.model)


def of_device(source: Source) -> tuple[str | None, str | None]:
    """Return the slot under which its device holds a measure, and the device's model."""
    return (None, None) if source.origin is None else (source.origin.measureName, source.origin.deviceModel)


#: Slot and model of what holds a measure, by the kind of that.
HELD: Mapping[Kind, Callable[[Source], tuple[str | None, str | None]]] = {"assets": of_asset, "devices": of_device}


#: The id of the asset or device of a measure, by the kind of that.
IDS: Mapping[Kind, Callable[[Source], str | None]] = {
    "assets": lambda source: None if source.asset is None else source.asset.id,
    "devices": lambda source: None if source.origin is None else source.origin.id,
}


class Measure(msgspec.Struct, gc=False):
    """`document`: where an export wants it, `_source` as stored (bytes or text), or what was decoded of it."""

    id: str = msgspec.field(name="_id")
    source: Source = msgspec.field(name="_source")
    document: Any = None


@dataclass(frozen=True)
class Target:
    """An asset or a device of an engine, whose measures are exported."""

    engine: str
    kind: Kind
    id: str


@dataclass(frozen=True)
class Fleet:
    """Assets or devices of an engine, whose measures are exported together: all, or those that have one of the `ids`,
    of the `models` (as measures say them), and of the `groups` of assets. `None`: any.
    """

    engine: str
    kind: Kind
    ids: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Slot:
    """A measure's place on an asset or device: `temperatureExt` holds measures of type
    `temperature`.

    As it occurs among stored measures, either may be `None`: not stored. `model`: of the asset or device that holds it,
    as it occurs in a fleet.
    """

    name: str | None
    type: str | None
    model: str | None = None


@dataclass(frozen=True)
class Model:
    """The model of an asset or a device: its slots, in order."""

    name: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class SortKey:
    """One entry of Elasticsearch's `sort`; `None`: not given. `numeric_type`: never a caller's own."""

    field: str
    order: Literal["asc", "desc"] = "asc"
    missing: Any = None
    mode: str | None = None
    unmapped_type: str | None = None
    numeric_type: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the entry as a caller writes it."""
        options = {"order": self.order, "missing": self.missing, "mode": self.mode, "unmapped_type": self.unmapped_type}
        return {self.field: {name: value for name, value in options.items() if value is not None}}


#: The models of a target, or those of a fleet, by name.
Models = Model | tuple[Model, ...]

COLLAPSED_BY: Mapping[str | None, Kind] = {"asset": "assets", "device": "devices"}

#: What an absent `sort` means. Ties are always in order of insertion.
NEWEST_FIRST = (SortKey("measuredAt", "desc"),)
OLDEST_FIRST = (SortKey("measuredAt"),)


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """One export, whole: what the token of a link holds.

    `start_ms`, `end_ms`: epoch milliseconds, both inclusive, `None`: open. `offset`: rows to skip.
    `size`: rows at most, `None`: all. `elastic_query`: with `lang=elasticsearch`, instead of `filter`. `collapse`: of a
    fleet, of what only the newest measure is wanted; `None`: all are.
    """

    export_id: str
    target: Target | Fleet
    type: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    filter: Filter = field(default_factory=All)
    elastic_query: Mapping[str, Any] | None = None
    sort: tuple[SortKey, ...] = NEWEST_FIRST
    offset: int = 0
    size: int | None = None
    collapse: Collapse | None = None
    formula_guard: bool = True
    options: Options = USUAL
    asked_by: str = "-1"

    @property
    def collapsed_by(self) -> Kind:
        """What the rows of a collapsed export are gathered by: an asset's own, or a device's."""
        return self.target.kind if self.collapse in (None, "slot") else COLLAPSED_BY[self.collapse]

    def rows(self, count: int) -> int:
        """Return the rows of the file when `count` measures match."""
        left = max(0, count - self.offset)
        return left if self.size is None else min(self.size, left)
