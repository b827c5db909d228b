"""Windows: stretches of time of a few thousand rows each, whose counts are known before a row of them is read."""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

#: Rows of a window at most, of the first one (the first byte waits for it), and at least.
WINDOW_ROWS, FIRST_ROWS, LEAST_ROWS = 5000, 500, 50

#: Bytes of a page, about: rows of many bytes come in windows of fewer.
PAGE_BYTES = 4 * 2**20

#: Seconds of the core that a page may take: a file begins with the first, and it is seen then whether it is read. Of a
#: row, at least.
PAGE_SECONDS, LEAST_ROW_SECONDS = 1.0, 1e-6

#: A histogram has about so many rows a bucket, and so many buckets at most.
BUCKET_ROWS, MOST_BUCKETS = 50, 2000

#: Milliseconds from the epoch, either way: half of what Elasticsearch counts with.
FAR_MS = 2**62


@dataclass(frozen=True)
class Span:
    """`rows` from one instant to another, both included (epoch ms)."""

    first_ms: int
    last_ms: int
    rows: int

    @property
    def is_instant(self) -> bool:
        return self.first_ms == self.last_ms

    @property
    def is_far(self) -> bool:
        """Whether it goes where Elasticsearch's histograms do not: their arithmetic is of 64 bits."""
        return self.first_ms < -FAR_MS or self.last_ms > FAR_MS

    @property
    def interval_ms(self) -> int:
        """Of a histogram of it."""
        return self.piece_ms(MOST_BUCKETS)

    def piece_ms(self, most: int) -> int:
        """Milliseconds of a piece, of `most` at most."""
        pieces = min(most, max(2, self.rows // BUCKET_ROWS))
        return max(1, -(-(self.last_ms - self.first_ms + 1) // pieces))


@dataclass(frozen=True)
class Histogram:
    """Of a span: the beginnings of its buckets that have rows, in order of time, and their rows."""

    span: Span
    interval_ms: int
    keys: "array[int]"
    counts: "array[int]"

    @property
    def rows(self) -> int:
        return sum(self.counts)

    def buckets(self, *, descending: bool) -> Iterator[Span]:
        """The first and the last may begin before and end after the span."""
        places = range(len(self.keys))
        for place in reversed(places) if descending else places:
            key = self.keys[place]
            first, last = max(key, self.span.first_ms), min(key + self.interval_ms - 1, self.span.last_ms)
            yield Span(first, last, self.counts[place])


@dataclass(frozen=True)
class Window:
    """Of the rows of `span`, in order, those from `skip` to `end` are wanted. `span` `None`: all rows there are."""

    span: Span | None
    rows: int
    skip: int
    end: int


#: Counts a span again, in smaller pieces.
Split = Callable[[Span], Histogram]


class Windows:
    """In the order of the export. `offset`, `size`: rows to skip, rows at most, by counts alone."""

    def __init__(self, span: Span, split: Split, *, descending: bool, offset: int, size: int | None) -> None:
        self._split = split
        self._descending = descending
        self._skip = offset
        self._left = max(0, span.rows - offset) if size is None else min(size, max(0, span.rows - offset))
        self._sources: list[Iterator[Span]] = [iter((span,))]
        self._next: Span | None = None
        self._whole: Span | None = None

    def take(self, rows: int) -> Window | None:
        """The next, of about `rows` at most; `None`: that was all."""
        if not self._left:
            return None
        joined = self._bucket(rows, skips=True)
        while joined is not None:
            follower = self._bucket(rows)
            if follower is None or joined.rows + follower.rows > rows:
                self._next = follower
                break
            joined = join(joined, follower)
        return None if joined is None else self._window(joined)

    def _window(self, span: Span) -> Window:
        end = min(span.rows, self._skip + self._left)
        window = Window(span, span.rows, self._skip, end)
        self._left -= end - self._skip
        self._skip = 0
        return window

    def _bucket(self, rows: int, *, skips: bool = False) -> Span | None:
        """The next, of `rows` at most if time can tell them apart. `skips`: that is wanted, passing over others."""
        while (bucket := self._next or self._drawn()) is not None:
            self._next = None
            if skips and self._skip >= bucket.rows:
                self._skip -= bucket.rows
            elif bucket.rows <= rows or bucket.is_instant or bucket == self._whole:
                return bucket
            else:
                self._sources.append(self._pieces(bucket))
        return None

    def _pieces(self, span: Span) -> Iterator[Span]:
        """Where measures have several instants, counts by time do not add up: such a span stays whole."""
        pieces = self._split(span)
        if pieces.rows == span.rows and pieces.interval_ms <= span.last_ms - span.first_ms:
            return pieces.buckets(descending=self._descending)
        self._whole = span
        return iter((span,))

    def _drawn(self) -> Span | None:
        while self._sources:
            bucket = next(self._sources[-1], None)
            if bucket is not None:
                return bucket
            self._sources.pop()
        return None


def join(one: Span, other: Span) -> Span:
    """Neighbours, in either order."""
    return Span(min(one.first_ms, other.first_ms), max(one.last_ms, other.last_ms), one.rows + other.rows)


class Once:
    """One window of all rows, for an order that time does not give."""

    def __init__(self, rows: int, *, offset: int, size: int | None) -> None:
        end = rows if size is None else min(rows, offset + size)
        self._window: Window | None = Window(None, rows, offset, end) if offset < end else None

    def take(self, rows: int) -> Window | None:
        window, self._window = self._window, None
        return window


def after(window: Window, rows: int) -> Window:
    """What is left of it after so many rows."""
    return replace(window, rows=window.rows - rows, skip=max(0, window.skip - rows), end=window.end - rows)
