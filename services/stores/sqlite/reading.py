"""One export being read from SQLite, in one read transaction: its pages, as large as readers are fast."""

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from services.errors import StoreUnavailable
from services.filters.koncorde.nodes import All
from services.measures import NEWEST_FIRST, ExportRequest, Measure, Slot, Source
from services.scheduling.cpu_turn import AT_ONCE, MOST_SLACK_SECONDS
from services.scheduling.priority_semaphore import PrioritySemaphore
from services.scheduling.tick import Tick
from services.stores import lenient
from services.stores.port import SAMPLE_BYTES, SAMPLE_ROWS, Count
from services.stores.sqlite import arranging, keys
from services.stores.sqlite import selection as selections
from services.stores.sqlite.arranging import RowNumbers, Sorter
from services.stores.sqlite.deciding import Row, decides
from services.stores.sqlite.newest import NewestRow, newest
from services.stores.sqlite.order import Order
from services.stores.sqlite.selection import COLUMN, Selection
from services.stores.sqlite.snapshot import Snapshot, TimeUp

#: Rows read at a time, whether they match or not: of the first page, and at most. Each page costs two pauses, and its
#: CSV is kept while a client is slow: a page has twice the rows of the one before for who takes it fast.
FIRST_ROWS, PAGE_ROWS = 500, 4000

#: A reader is slow who takes longer than that over a page.
SLOW_SECONDS = 0.25

#: Beyond the first, a page has no more rows than one in so many of those that were taken: some megabytes are taken by
#: the buffers on the way, whether anybody reads or not.
OF_TAKEN = 8

#: Bytes of documents of a page, about, and seconds after which one is handed out with what was found: then a file
#: begins, and it is seen whether somebody reads it.
PAGE_BYTES, PAGE_SECONDS = 4 * 2**20, 1.0

#: Rows between two looks at clock and bytes: as few as cost nothing, since documents may have a megabyte. Fewer where
#: these take more seconds, or have more bytes.
BATCH_ROWS, BATCH_SECONDS, BATCH_BYTES = 128, 0.005, 512 * 1024

#: Seconds that counting the rows of a filter may take: who asks for a link waits.
COUNT_SECONDS = 1.0

#: Rows on which a filter is tried where there are too many to count: more than prove what one may take.
TRIED_ROWS = 10

#: Served by an index, which is named: the planner would rather count on statistics, and sort.
ROWS = "SELECT {columns} FROM measures INDEXED BY {index} WHERE {where}"

#: Rows by their places of insertion, in the order of these.
BY_NUMBER = "SELECT 1, measures.id, doc FROM json_each(?) AS place CROSS JOIN measures ON seq = place.value"

#: What is decoded of a document that is written as it is.
NO_SOURCE = Source()

SOURCES = msgspec.json.Decoder(list[Source])


class Batch(NamedTuple):
    """Some rows. `read`: how many were read, whether they match or not; 0: that was all. `rows`: those that match."""

    read: int
    rows: Sequence[Row]


#: Reads the next batch of so many rows at most; within a turn.
Fetch = Callable[[int], Batch]


class SqliteReading:
    """Reads one export. `order`: the caller's own; `None`: that of time. `sorts`: the permits to sort."""

    def __init__(
        self,
        snapshot: Snapshot,
        request: ExportRequest,
        *,
        selection: Selection,
        order: Order | None,
        sorts: PrioritySemaphore,
    ) -> None:
        self._snapshot = snapshot
        self._request = request
        self._selection = selection
        self._order = order
        self._sorts = sorts
        self._row_numbers: RowNumbers | None = None
        self._filtered = not isinstance(request.filter, All)
        self._filter = decides(request.filter, snapshot.trial, snapshot.look)
        self._descending = (request.sort or NEWEST_FIRST)[0].order == "desc"

    @property
    def count(self) -> Count:
        return Count(self._selection.rows, not self._filtered)

    @property
    def slots(self) -> Collection[Slot]:
        return self._selection.slots

    def close(self) -> None:
        self._snapshot.close()
        self.release()

    def release(self) -> None:
        """Let go of an order of its own, and leave the snapshot to others."""
        if self._row_numbers is not None:
            self._row_numbers.close()

    def matching(self) -> Count:
        """Count the rows that match; at most, where that takes too long. Raises `InvalidFilter`."""
        if not self._filtered:
            return self.count
        found, left = 0, self._selection.rows
        with contextlib.suppress(TimeUp), self._snapshot.within(COUNT_SECONDS), self._snapshot.turn():
            batches = self._batches(lambda: self._select(", id, doc" if self._filter.asks else ""))
            while (batch := batches.take(PAGE_ROWS)).read:
                found += len(batch.rows)
                left -= batch.read
        return Count(found + left, left == 0)

    def tries(self) -> None:
        """Try a filter of many clauses on the first rows. Raises `InvalidFilter`."""
        if self._filter.asks:
            with contextlib.suppress(TimeUp), self._snapshot.within(COUNT_SECONDS), self._snapshot.turn():
                batches, left = self._batches(lambda: self._select(", id, doc")), TRIED_ROWS
                while left > 0 and (batch := batches.take(left)).read:
                    left -= batch.read

    def sample(self) -> Sequence[Measure]:
        """Return a few measures, whether they match or not; none where the first is too large."""
        with contextlib.suppress(TimeUp), self._snapshot.within(COUNT_SECONDS), self._snapshot.turn():
            found = self._snapshot.execute(
                ROWS.format(columns="1, id, doc", index=self._index, where=self._selection.where) + " LIMIT ?",
                (*self._selection.parameters, SAMPLE_ROWS),
            )
            return decoded(list(small(found)), self._request, self._snapshot.look)
        return ()

    def pages(self) -> Iterator[Sequence[Measure]]:
        request = self._request
        if request.size == 0 or request.offset >= self._selection.rows:
            return iter(())
        if request.collapse is not None:
            return self._newest()
        if self._order is not None:
            return self._in_order(self._order)
        return self._in_time()

    def parts(self) -> "Iterator[tuple[str, SqliteReading]]":
        with self._snapshot.turn():
            targets = selections.targets(self._snapshot.connection, self._request)
        for id, key in targets:
            with self._snapshot.turn():
                selection = selections.of_target(self._snapshot.connection, self._request, key)
                part = SqliteReading(
                    self._snapshot, self._request, selection=selection, order=self._order, sorts=self._sorts
                )
            if selection.rows:
                yield id, part
                part.release()

    def _in_time(self) -> "Pages":
        """Read by time. Without a filter, `from` is found in the index, and the reading begins there."""
        offset, rows, size = self._request.offset, self._selection.rows, self._request.size
        if self._filtered or not offset:
            batches = self._batches(lambda: self._select(", id, doc", in_time=True))
            return Pages(batches, self._snapshot, self._request, rows=rows, skip=offset, size=size)
        return Pages(
            self._batches(self._select_beyond), self._snapshot, self._request, rows=rows - offset, skip=0, size=size
        )

    def _select_beyond(self) -> sqlite3.Cursor:
        """Select the rows after those that are skipped."""
        at, seq = self._nth(self._request.offset)
        rest = self._selection.before(at) if self._descending else self._selection.after(at)
        return self._select(", id, doc", in_time=True, selection=rest, start=(at, seq))

    def _in_order(self, order: Order) -> "Pages":
        """Read by the caller's sort. Raises `Overloaded`."""
        request = self._request
        with contextlib.ExitStack() as stack:
            stack.enter_context(arranging.permit(self._sorts, self._snapshot.cpu))
            sorter = stack.enter_context(contextlib.closing(Sorter(order, self._snapshot.look)))
            for seqs, documents in self._sorted_by():
                with self._snapshot.turn():
                    sorter.add(seqs, documents)
            with self._snapshot.turn():
                self._row_numbers = sorter.sorted(offset=request.offset, size=request.size)
        batches = Batches(RowsByNumber(self._row_numbers, self._snapshot))
        return Pages(batches, self._snapshot, self._request, rows=self._row_numbers.rows, skip=0, size=None)

    def _newest(self) -> "Pages":
        """Read the newest row of each slot of each target, target by target, of one in order of time."""
        with self._snapshot.turn():
            self._row_numbers = newest(self._found_newest(), self._snapshot)
        batches = Batches(RowsByNumber(self._row_numbers, self._snapshot))
        return Pages(batches, self._snapshot, self._request, rows=self._row_numbers.rows, skip=0, size=None)

    def _found_newest(self) -> Iterator[NewestRow]:
        """Yield the rows that match, newest first, by what they are collapsed by."""
        column = self._selection.owner.kind
        by = COLUMN[self._request.collapsed_by]
        is_read = self._filter.asks or by != column
        columns = f", {'id, doc' if is_read else 'NULL, NULL'}, at, seq, {column}, {column}_slot"
        batches = self._batches(lambda: self._select(columns, in_time=True))
        while (batch := batches.take(PAGE_ROWS)).read:
            for _, _, doc, at, seq, target, slot in batch.rows:
                yield at, seq, target if by == column else keys.id_of(doc, self._request.collapsed_by), slot

    def _sorted_by(self) -> Iterator[tuple[Sequence[int], str]]:
        """Yield numbers and documents of all rows that match, a page at a time."""
        batches = self._batches(lambda: self._select(", id, doc, seq"))
        while True:
            with self._snapshot.turn():
                page = batches.page(PAGE_ROWS)
            if not page.read:
                return
            _, _, documents, seqs = unzipped(page.rows, 4)
            yield seqs, joined(documents)

    def _select(
        self,
        columns: str,
        *,
        in_time: bool = False,
        selection: Selection | None = None,
        start: tuple[int, int] | None = None,
    ) -> sqlite3.Cursor:
        """Select whether each row matches, and `columns` of it. `start`: of the first instant, where from."""
        chosen, clause = selection or self._selection, self._filter.clause
        statement = ROWS.format(columns=clause.sql + columns, index=self._index, where=chosen.where)
        if start is not None:
            statement += " AND NOT (at = ? AND seq < ?)"
        if in_time:
            statement += f" ORDER BY {self._terms}"
        return self._snapshot.execute(statement, (*clause.parameters, *chosen.parameters, *(start or ())))

    def _nth(self, offset: int) -> tuple[int, int]:
        """Return the instant and the number of a row."""
        rows = ROWS.format(columns="at, seq", index=self._index, where=self._selection.where)
        at, seq = self._snapshot.execute(
            f"{rows} ORDER BY {self._terms} LIMIT 1 OFFSET ?", (*self._selection.parameters, offset)
        ).fetchone()
        return at, seq

    def _batches(self, select: Callable[[], sqlite3.Cursor]) -> "Batches":
        """Return batches of rows that are selected within the first turn."""
        cursor: sqlite3.Cursor | None = None

        def fetch(most: int) -> Batch:
            nonlocal cursor
            if cursor is None:
                cursor = select()
            rows = cursor.fetchmany(most)
            self._snapshot.look()
            return Batch(len(rows), self._filter.kept(rows))

        return Batches(fetch)

    @property
    def _index(self) -> str:
        return f"{self._selection.owner.column}_{'down' if self._descending else 'up'}"

    @property
    def _terms(self) -> str:
        return "at DESC, seq" if self._descending else "at, seq"


class RowsByNumber:
    """Fetches rows in the order of their numbers."""

    def __init__(self, row_numbers: RowNumbers, snapshot: Snapshot) -> None:
        self._row_numbers = row_numbers
        self._snapshot = snapshot
        self._cursor = snapshot.cursor()

    def __call__(self, most: int) -> Batch:
        rows = self._cursor.fetchmany(most)
        if not rows:
            wanted = self._row_numbers.take(FIRST_ROWS).tolist()
            rows = self._cursor.execute(BY_NUMBER, (json.dumps(wanted),)).fetchmany(most)
        self._snapshot.look()
        return Batch(len(rows), rows)


class Pages(Iterator[Sequence[Measure]]):
    """Yields pages, and keeps none: the client of a download may be slow, and downloads many.

    `rows`: what `batches` give until they give none; `skip`, `size`: of those that match.
    """

    def __init__(
        self,
        batches: "Batches",
        snapshot: Snapshot,
        request: ExportRequest,
        *,
        rows: int,
        skip: int,
        size: int | None,
    ) -> None:
        self._batches = batches
        self._request = request
        self._snapshot = snapshot
        self._rows = rows
        self._skip = skip
        self._left = rows if size is None else size
        self._most = FIRST_ROWS
        self._taken = self._given = 0
        self._handed: float | None = None

    def __next__(self) -> Sequence[Measure]:
        if not self._left:
            raise StopIteration
        with self._snapshot.turn(slack_seconds=self._returned()):
            page = self._batches.page(self._most)
            self._rows -= page.read
            if page.read:
                measures = self._wanted(page.rows)
                self._snapshot.trial.end()
                self._handed = time.monotonic()
                return measures
        if self._rows:
            raise StoreUnavailable(f"The embedded store lacks {self._rows} rows that its indexes count.")
        raise StopIteration

    def _returned(self) -> float:
        """Return the slack of a reader, by how long it took over the last page; one that is slow gets small pages."""
        if self._handed is None:
            return AT_ONCE
        seconds = time.monotonic() - self._handed
        self._taken += self._given
        if seconds > SLOW_SECONDS:
            self._most = FIRST_ROWS
        elif 2 * self._given <= max(FIRST_ROWS, self._taken // OF_TAKEN):
            self._most = min(PAGE_ROWS, 2 * self._most)
        return min(seconds, MOST_SLACK_SECONDS)

    def _wanted(self, found: Sequence[Row]) -> list[Measure]:
        part = found[self._skip : self._skip + self._left]
        self._skip = max(0, self._skip - len(found))
        self._left -= len(part)
        self._given = len(part)
        return decoded(part, self._request, self._snapshot.look)


class Batches:
    """Fetches rows: at first one, then more at a time, as long as that takes no time."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._together = 1

    def take(self, most: int) -> Batch:
        """Return the next batch, of `most` rows at most."""
        began = time.monotonic()
        batch = self._fetch(min(self._together, most))
        quick = time.monotonic() - began < BATCH_SECONDS
        self._together = min(BATCH_ROWS, 2 * self._together) if quick else max(1, self._together // 4)
        return batch

    def page(self, most: int) -> Batch:
        """Return batches together: `most` rows, or fewer where they are large or slow to be had."""
        end = time.monotonic() + PAGE_SECONDS
        read = size = 0
        rows: list[Row] = []
        while read < most and size < PAGE_BYTES and time.monotonic() < end:
            batch = self.take(most - read)
            if not batch.read:
                break
            read += batch.read
            rows += batch.rows
            size += self._sized(batch)
        return Batch(read, rows)

    def _sized(self, batch: Batch) -> int:
        """Return about how many bytes the documents have."""
        size = sum([len(row[2]) for row in batch.rows])
        if size > BATCH_BYTES:
            self._together = max(1, len(batch.rows) // 2)
        return size


def small(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield rows as long as they are no larger than a sample."""
    size = 0
    for row in rows:
        size += len(row[2])
        if size > SAMPLE_BYTES:
            return
        yield row


def decoded(rows: Sequence[Row], request: ExportRequest, look: Tick) -> list[Measure]:
    """Return the measures of rows, with their documents where the export wants them."""
    _, ids, docs = unzipped(rows, 3)
    if not request.options.wants_cells:
        return [Measure(id, NO_SOURCE, doc) for id, doc in zip(ids, docs, strict=True)]
    measures = lenient.measures(ids, joined(docs), SOURCES, look)
    if request.options.wants_documents:
        for measure, doc in zip(measures, docs, strict=True):
            measure.document = doc
    return measures


def unzipped(rows: Sequence[Row], columns: int) -> Sequence[Sequence[Any]]:
    return list(zip(*rows, strict=True)) if rows else [()] * columns


def joined(docs: Iterable[str]) -> str:
    """Return documents as one JSON array: one call decodes them all."""
    return f"[{','.join(docs)}]"
