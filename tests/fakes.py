"""A store in memory, of a few lines: for tests of what stands above the port."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from services.errors import NotFound, ServiceError, StoreUnavailable, UnknownEngine
from services.measures import ExportRequest, Fleet, Measure, Model, Slot, Source, Target
from services.scheduling.cpu_turn import CpuShare
from services.stores.port import Count, Reading

START_MS = 1_718_000_000_000


def temperatures(rows: int, *, page: int = 2) -> list[list[Measure]]:
    """Pages of measures of type temperature, a second apart."""
    measures = [
        Measure(
            f"m{at}", Source(measuredAt=1_718_000_000_000 + at * 1000, type="temperature", values={"temperature": at})
        )
        for at in range(rows)
    ]
    return [measures[start : start + page] for start in range(0, rows, page)]


@dataclasses.dataclass
class FakeReading:
    store: "FakeStore"

    @property
    def count(self) -> Count:
        return Count(self.store.counted, True)

    @property
    def slots(self) -> Collection[Slot]:
        return {Slot(None, "temperature")}

    def pages(self) -> Iterator[Sequence[Measure]]:
        for at, page in enumerate(self.store.pages):
            if at == self.store.breaks_at:
                raise StoreUnavailable(self.store.reason)
            yield page

    def parts(self) -> Iterator[tuple[str, Reading]]:
        return iter(())

    def close(self) -> None:
        self.store.closed += 1


@dataclasses.dataclass
class FakeStore:
    """Engine `e` with the asset (device) `a`; `breaks_at`: the page that cannot be had; `lost`: what is said of all."""

    pages: list[list[Measure]] = dataclasses.field(default_factory=lambda: temperatures(3))
    counted: int = 3
    breaks_at: int | None = None
    reason: str = "The store is gone."
    is_ready: bool = True
    lost: ServiceError | None = None
    opened: int = 0
    closed: int = 0

    def ready(self) -> None:
        if not self.is_ready:
            raise StoreUnavailable("The store does not answer.")

    def model(self, target: Target) -> Model:
        if self.lost is not None:
            raise self.lost
        if target.engine != "e":
            raise UnknownEngine(target.engine)
        if not target.id.startswith("a"):
            raise NotFound(target.id, target.engine, target.kind)
        return Model("Thermometer", (Slot("temperature", "temperature"),))

    def models(self, fleet: Fleet) -> tuple[Model, ...]:
        return (self.model(Target(fleet.engine, fleet.kind, (fleet.ids or ("a",))[0])),)

    def mappings(self, types: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        return {type: {"temperature": {"type": "float"}} for type in types}

    def units(self, types: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        return {type: {"temperature": "°C"} for type in types}

    def check(self, request: ExportRequest) -> Count:
        return Count(self.counted, True)

    def open(self, request: ExportRequest, work: CpuShare | None = None) -> Reading:
        self.opened += 1
        return FakeReading(self)

    def close(self) -> None:
        """Nothing is held."""
