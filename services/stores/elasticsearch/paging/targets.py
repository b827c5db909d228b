"""The plan of an export that is read target by target: windows of a few small ones, or of a part of a large one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple, Protocol

from services.stores.elasticsearch.paging.windows import Window

#: Targets of a window.
MOST_TARGETS = 500


class Counted(NamedTuple):
    """Tells of a target how many rows it has."""

    id: str
    rows: int


class Plan(Protocol):
    """Gives windows, in order."""

    def take(self, rows: int) -> Window | None: ...


class ByTarget:
    """Gives the windows of `targets`, which come in order of id. `plan`: makes that of a target of many rows."""

    def __init__(self, targets: Iterator[Counted], plan: Callable[[Counted], Plan]) -> None:
        self._targets = targets
        self._plan = plan
        self._next: Counted | None = None
        self._large: tuple[str, Plan] | None = None

    def take(self, rows: int) -> Window | None:
        """Return the next window, of about `rows` at most; `None`: that was all."""
        if self._large is not None:
            id, plan = self._large
            if (window := plan.take(rows)) is not None:
                return replace(window, ids=(id,))
            self._large = None
        together: list[str] = []
        found = 0
        while (target := self._next or next(self._targets, None)) is not None:
            self._next = target
            if together and (found + target.rows > rows or len(together) == MOST_TARGETS):
                break
            self._next = None
            if target.rows > rows:
                self._large = target.id, self._plan(target)
                return self.take(rows)
            together.append(target.id)
            found += target.rows
        return Window(None, found, 0, found, tuple(together)) if together else None
