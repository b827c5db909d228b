"""The port: what a store of measures promises. The service knows no more of it than this.

Which measures: those of the target (`asset._id`, or `origin.type` = device and `origin._id`; of a fleet: any there, of
the ids, models and groups that it names) that have a `measuredAt`, within the range (inclusive), of the type, that
match the filter. In the order of the sort, ties in order of insertion, ascending whatever the direction.

Where an export is collapsed: at least the newest of each slot and type (and model) of each asset or device that it is
collapsed by; those of one together, in order of id by code points; of one in order of time, ties in order of insertion.
`count` tells how many measures there are.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.measures import ExportRequest, Fleet, Measure, Model, Slot, Target
from services.scheduling.cpu_turn import CpuShare

#: Measures that tell about how large a file will be, and bytes of their documents, at most: who asks for a link waits.
SAMPLE_ROWS, SAMPLE_BYTES = 50, 256 * 1024


@dataclass(frozen=True)
class Notice:
    """Tells a caller something about an export that works. `count`: how many documents or rows it is about."""

    id: str
    count: int
    message: str


@dataclass(frozen=True)
class Count:
    """Counts the measures that match, before `from` and `size`.

    Where it is not `exact`, at most so many match: the filter is decided while reading. `notices`:
    of what is left out. `sample`: a few measures of the target, range and type, in any order; none if large.
    """

    rows: int
    exact: bool
    notices: tuple[Notice, ...] = ()
    sample: Sequence[Measure] = field(default=(), compare=False)


def without_instant(documents: int) -> tuple[Notice, ...]:
    """Return the notice of documents of the target and type that have no instant; none for 0."""
    if not documents:
        return ()
    are = "1 document has" if documents == 1 else f"{documents} documents have"
    message = f"{are} no measuredAt that can be read as an instant: no measures, and not in the file."
    return (Notice("measures.without_instant", documents, message),)


class Reading(Protocol):
    """Reads one export from one consistent state of the store."""

    @property
    def count(self) -> Count: ...

    @property
    def slots(self) -> Collection[Slot]:
        """What occurs of slots and types (and in a fleet of models) among the target's measures in the range and of the
        type, whatever the filter.
        """

    def pages(self) -> Iterator[Sequence[Measure]]:
        """Return the rows, `from` and `size` applied, a page at a time, each checked before it is
        handed out.

        A page may be empty (read, and no row of it matched). Call once. Raises `StoreUnavailable`
        when a page cannot be had in full: never a short end.
        """

    def parts(self) -> "Iterator[tuple[str, Reading]]":
        """Yield the readings of those assets (devices) of a fleet that may have rows, in order of id by code points.

        One is read before the next is asked for; none is closed by itself. In place of `pages`.
        """

    def close(self) -> None:
        """Free what the store holds for it: any number of times, at any moment, also when never started."""


class Store(Protocol):
    def ready(self) -> None:
        """Raise `StoreUnavailable` with the reason when the store cannot be read."""

    def model(self, target: Target) -> Model:
        """Return the model of the target.

        Raises `UnknownEngine`, `NotFound` (the target, or its model), `StoreUnavailable`.
        """

    def models(self, fleet: Fleet) -> tuple[Model, ...]:
        """Return the models of a fleet, in order of name: of its `ids`, of its `models`, else all that the engine
        knows.

        Raises `UnknownEngine`, `NotFound` (an id, or a model), `StoreUnavailable`.
        """

    def mappings(self, types: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return `valuesMappings` of the measure models of these types; a type without a model is left out."""

    def units(self, types: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        """Return the units of values that the measure models of these types name, by type and path in `values`."""

    def check(self, request: ExportRequest) -> Count:
        """Refuse what cannot be read, and count.

        Raises `InvalidArgument` (`sort`, `query`), `StoreUnavailable`.
        """

    def open(self, request: ExportRequest, cpu: CpuShare | None = None) -> Reading:
        """Begin to read an export. `cpu`: the caller's share, in whose turns it is read; `None`:
        one of its own.

        Raises `InvalidArgument`, `StoreUnavailable`, `Overloaded`, `ClientLeft`.
        """

    def close(self) -> None:
        """Let go of connections."""
