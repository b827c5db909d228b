"""Windows: the stretches of time that an export is read by, of a few thousand rows each, counted before any is read."""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

#: Rows of a window at most, of the first one (the first byte waits for it), and at least.
WINDOW_ROWS, FIRST_ROWS, LEAST_ROWS = 5000, 500, 50

#: A histogram has about so many rows a bucket, and so many buckets at most.
BUCKET_ROWS, MOST_BUCKETS = 50, 2000

#: Milliseconds from the epoch, either way: half of what Elasticsearch counts with.
FAR_MS = 2**62


@dataclass(frozen=True)
class Span:
    """Holds `rows` from one instant to another, both included (milliseconds since 1970)."""

    first_ms: int
    last_ms: int
    rows: int

    @property
    def is_instant(self) -> bool:
        return self.first_ms == self.last_ms

    @property
    def is_far(self) -> bool:
        """Whether the span goes where Elasticsearch's histograms do not: they count in 64 bits."""
        return self.first_ms < -FAR_MS or self.last_ms > FAR_MS

    def piece_ms(self, most: int) -> int:
        """Return the milliseconds of a piece of the span, when it is cut into `most` at most."""
        pieces = min(most, max(2, self.rows // BUCKET_ROWS))
        return max(1, -(-(self.last_ms - self.first_ms + 1) // pieces))


@dataclass(frozen=True)
class Histogram:
    """Holds the beginnings of those buckets of a span that have rows, in order of time, and their rows."""

    span: Span
    interval_ms: int
    keys: "array[int]"
    counts: "array[int]"

    @property
    def rows(self) -> int:
        return sum(self.counts)

    def buckets(self, *, descending: bool) -> Iterator[Span]:
        """Yield the buckets within the span, which may begin and end inside the first and the last one."""
        indexes = range(len(self.keys))
        for index in reversed(indexes) if descending else indexes:
            key = self.keys[index]
            first, last = max(key, self.span.first_ms), min(key + self.interval_ms - 1, self.span.last_ms)
            yield Span(first, last, self.counts[index])


@dataclass(frozen=True)
class Window:
    """Wants the rows of `span` from `skip` to `end`, in order. A `span` of `None` is all rows there are.

    `ids`: only of these targets; `None`: of all.
    """

    span: Span | None
    rows: int
    skip: int
    end: int
    ids: tuple[str, ...] | None = None


#: Counts a span again, in smaller pieces.
Split = Callable[[Span], Histogram]


class Windows:
    """Cuts a span into windows, in the order of the export. `offset`, `size`: rows to skip, rows at most."""

    def __init__(self, span: Span, split: Split, *, descending: bool, offset: int, size: int | None) -> None:
        self._split = split
        self._descending = descending
        self._offset = offset
        self._left = max(0, span.rows - offset) if size is None else min(size, max(0, span.rows - offset))
        self._most = 0
        self._merged = self._merge(self._buckets(span))

    def take(self, rows: int) -> Window | None:
        """Return the next window, of about `rows` at most; `None`: that was all."""
        self._most = rows
        return next(self._merged, None) if self._left else None

    def _buckets(self, span: Span) -> Iterator[Span]:
        """Yield a span in parts of `_most` rows at most, as far as time can tell rows apart; those passed over, not.

        Where measures have several instants, counts by time do not add up: such a span stays whole.
        """
        if self._offset >= span.rows:
            self._offset -= span.rows
            return
        if span.rows > self._most and not span.is_instant:
            histogram = self._split(span)
            if histogram.rows == span.rows and histogram.interval_ms <= span.last_ms - span.first_ms:
                for bucket in histogram.buckets(descending=self._descending):
                    yield from self._buckets(bucket)
                return
        yield span

    def _merge(self, buckets: Iterator[Span]) -> Iterator[Window]:
        """Yield neighbours together, as far as `_most` goes."""
        joined: Span | None = None
        skip = 0
        for bucket in buckets:
            if joined is None:
                joined, skip, self._offset = bucket, self._offset, 0
            elif joined.rows + bucket.rows <= self._most:
                joined = join(joined, bucket)
            else:
                yield self._window(joined, skip)
                joined, skip = bucket, 0
        if joined is not None:
            yield self._window(joined, skip)

    def _window(self, span: Span, skip: int) -> Window:
        end = min(span.rows, skip + self._left)
        self._left -= end - skip
        return Window(span, span.rows, skip, end)


def join(one: Span, other: Span) -> Span:
    """Return two neighbours, given in either order, as one span."""
    return Span(min(one.first_ms, other.first_ms), max(one.last_ms, other.last_ms), one.rows + other.rows)


class Once:
    """Gives one window of all rows, for an order that time does not give."""

    def __init__(self, rows: int, *, offset: int, size: int | None) -> None:
        end = rows if size is None else min(rows, offset + size)
        self._window: Window | None = Window(None, rows, offset, end) if offset < end else None

    def take(self, rows: int) -> Window | None:
        window, self._window = self._window, None
        return window


def after(window: Window, rows: int) -> Window:
    """Return what is left of a window after so many rows."""
    return replace(window, rows=window.rows - rows, skip=max(0, window.skip - rows), end=window.end - rows)
