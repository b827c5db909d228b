"""A page as it is asked for."""

from dataclasses import dataclass

from services.stores.elasticsearch.pages import Place
from services.stores.elasticsearch.plan import Window, after

#: Rows of a page of which only the places are read: Elasticsearch answers 10,000 at most, and one more is asked for.
SKIP_ROWS = 9000


@dataclass(frozen=True)
class Step:
    """The first `rows` of a window, from `place` on. `is_skip`: nothing but their places is wanted."""

    window: Window
    rows: int
    place: Place | None
    is_skip: bool

    def __str__(self) -> str:
        """As the log tells of it."""
        span = self.window.span
        where = "the whole" if span is None else f"{span.first_ms} to {span.last_ms} ms"
        return f"{self.rows} of {self.window.rows} rows of {where}"

    @property
    def size(self) -> int:
        """Rows to ask for: where no more should come, one that would show that there is."""
        return self.rows + (self.rows == self.window.rows)

    @property
    def rest(self) -> Window | None:
        return after(self.window, self.rows) if self.rows < self.window.end else None

    @property
    def is_placed(self) -> bool:
        """Whether the place of its last row matters."""
        return self.rest is not None


def step(window: Window, place: Place | None, *, most: int) -> Step:
    """`most`: rows of a page."""
    if window.skip and window.end > most:
        return Step(window, min(window.skip, SKIP_ROWS), place, is_skip=True)
    return Step(window, min(window.end, most), place, is_skip=False)
