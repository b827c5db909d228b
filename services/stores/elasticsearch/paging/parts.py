"""The parts of a fleet that is read target by target: the rows of each, out of pages that hold several."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from services.errors import StoreUnavailable
from services.measures import Measure, Slot
from services.stores.elasticsearch.paging.targets import Counted
from services.stores.port import Count, Reading


class Parts:
    """Tells the rows of targets apart. `targets`: those of the windows so far, in order; each window adds its own.

    `id_of`: the target of a row. `slots`: those of a target. `is_exact`: each has as many rows as were counted.
    """

    def __init__(
        self,
        pages: Iterator[Sequence[Measure]],
        targets: deque[Counted],
        id_of: Callable[[Measure], str | None],
        slots: Callable[[str], Collection[Slot]],
        *,
        is_exact: bool,
    ) -> None:
        self._pages = pages
        self._targets = targets
        self._id_of = id_of
        self._slots = slots
        self._is_exact = is_exact
        self._page: Sequence[Measure] = ()

    def __iter__(self) -> Iterator[tuple[str, "Part"]]:
        while self._targets or self._next_page():
            target = self._targets.popleft()
            count = Count(target.rows, self._is_exact)
            yield target.id, Part(count, partial(self._slots, target.id), self._rows_of(target.id))
        if self._page:
            raise StoreUnavailable("Elasticsearch gave rows of targets that it had not counted.")

    def _rows_of(self, id: str) -> Iterator[Sequence[Measure]]:
        while self._page or self._next_page():
            end = next((at for at, row in enumerate(self._page) if self._id_of(row) != id), len(self._page))
            rows, self._page = self._page[:end], self._page[end:]
            yield rows
            if self._page:
                return

    def _next_page(self) -> bool:
        page = next(self._pages, None)
        self._page = page or ()
        return page is not None


class Part:
    """Reads one target (`services.stores.port.Reading`). Its slots are asked for when somebody wants them."""

    def __init__(self, count: Count, slots: Callable[[], Collection[Slot]], pages: Iterator[Sequence[Measure]]) -> None:
        self._count = count
        self._slots = slots
        self._pages = pages

    @property
    def count(self) -> Count:
        return self._count

    @property
    def slots(self) -> Collection[Slot]:
        return self._slots()

    def pages(self) -> Iterator[Sequence[Measure]]:
        return self._pages

    def parts(self) -> Iterator[tuple[str, Reading]]:
        """Yield nothing: a target has no parts."""
        return iter(())

    def close(self) -> None:
        """Do nothing: the whole is closed."""
