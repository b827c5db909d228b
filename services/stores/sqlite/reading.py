"""One export being read: a connection of its own, in one read transaction, until it is closed."""

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from services.errors import StoreUnavailable
from services.filters import sqlite as filters
from services.filters.nodes import All
from services.measures import NEWEST_FIRST, ExportRequest, Measure, Slot, Source
from services.stores import odd
from services.stores.port import Count
from services.stores.sqlite.schema import unavailable
from services.stores.sqlite.selection import Selection
from services.stores.sqlite.sorting import Order
from services.turns import AT_ONCE, MOST_SLACK_SECONDS, Turns

#: Rows read at a time, whether they match or not. Each page costs two pauses; its CSV is kept while a client is slow.
PAGE_ROWS = 4000

#: Rows between two looks at the clock.
BATCH_ROWS = 250

#: Seconds that counting the rows of a filter may take: who asks for a link waits.
COUNT_SECONDS = 1.0

#: Whether a row matches, `_id`, `_source`.
Row = tuple[int, str, str]

#: Served by an index, which is named: the planner would rather count on statistics, and sort.
ROWS = "SELECT {columns} FROM measures INDEXED BY {index} WHERE {where}"

#: The keys of a caller's own sort: the table is its index.
SORTED = "CREATE TEMP TABLE sorted ({columns}, seq INTEGER, PRIMARY KEY ({terms})) WITHOUT ROWID"
INSERT = "INSERT INTO sorted VALUES ({places})"
IN_ORDER = "SELECT seq FROM sorted ORDER BY {terms} LIMIT -1 OFFSET ?"

SOURCES = msgspec.json.Decoder(list[Source])


class SqliteReading:
    """`order`: the caller's own; `None`: that of time, which the indexes have."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        request: ExportRequest,
        *,
        selection: Selection,
        order: Order | None,
        turns: Turns,
    ) -> None:
        self._connection = connection
        self._cursors: list[sqlite3.Cursor] = []
        self._request = request
        self._selection = selection
        self._order = order
        self._turns = turns
        self._filtered = not isinstance(request.filter, All)
        self._clause = filters.translate(request.filter)
        self._descending = (request.sort or NEWEST_FIRST)[0].order == "desc"

    @property
    def count(self) -> Count:
        return Count(self._selection.rows, not self._filtered)

    @property
    def slots(self) -> Collection[Slot]:
        return self._selection.slots

    def close(self) -> None:
        """SQLite keeps files, cache and view of a closed connection until its cursors are closed, too."""
        while self._cursors:
            self._cursors.pop().close()
        self._connection.close()

    def matching(self) -> Count:
        """The rows that match, counted; at most, where that takes too long."""
        if not self._filtered:
            return self.count
        end, found, left = time.monotonic() + COUNT_SECONDS, 0, self._selection.rows
        with self._turns.turn(), unavailable():
            cursor = self._select("")
            while rows := cursor.fetchmany(BATCH_ROWS):
                found += sum(matches for (matches,) in rows)
                left -= len(rows)
                if time.monotonic() > end:
                    break
                self._turns.rest()
        return Count(found + left, left == 0)

    def pages(self) -> Iterator[Sequence[Measure]]:
        request = self._request
        if request.size == 0 or request.offset >= self._selection.rows:
            return iter(())
        with unavailable():
            if self._order is not None:
                return self._in_order(self._order)
            return self._in_time()

    def _in_time(self) -> "Pages":
        """Without a filter, `from` is found in the index, and the reading begins there."""
        offset, rows = self._request.offset, self._selection.rows
        if self._filtered or not offset:
            cursor = self._select(", id, doc", in_time=True)
            return Pages(self._fetched(cursor), self._turns, rows=rows, skip=offset, size=self._request.size)
        at, seq = self._nth(offset)
        rest = self._selection.before(at) if self._descending else self._selection.after(at)
        cursor = self._select(", id, doc", in_time=True, selection=rest, start=(at, seq))
        return Pages(self._fetched(cursor), self._turns, rows=rows - offset, skip=0, size=self._request.size)

    def _in_order(self, order: Order) -> "Pages":
        """By the caller's sort: its keys go into a temporary table, on disk when they are many."""
        self._connection.execute(SORTED.format(columns=", ".join(order.columns), terms=order.terms))
        places = ", ".join("?" * (len(order.columns) + 1))

        def keep(batch: list[Row]) -> int:
            seqs, docs = unzipped([row for row in batch if row[0]])
            keys = ((*values, seq) for values, seq in zip(order.of(joined(docs)), seqs, strict=True))
            self._connection.executemany(INSERT.format(places=places), keys)
            return len(seqs)

        rows = sum(self._batches(self._select(", seq, doc"), keep))
        offset = self._request.offset
        cursor = self._opened(IN_ORDER.format(terms=order.terms), (offset,))
        rows = max(0, rows - offset)
        return Pages(self._looked_up(cursor), self._turns, rows=rows, skip=0, size=self._request.size)

    def _select(
        self,
        columns: str,
        *,
        in_time: bool = False,
        selection: Selection | None = None,
        start: tuple[int, int] | None = None,
    ) -> sqlite3.Cursor:
        """Whether each row of the selection matches, and `columns` of it; `start`: of its first instant, where from."""
        chosen = selection or self._selection
        statement = ROWS.format(columns=self._clause.sql + columns, index=self._index, where=chosen.where)
        if start is not None:
            statement += " AND NOT (at = ? AND seq < ?)"
        if in_time:
            statement += f" ORDER BY {self._terms}"
        values = (*self._clause.parameters, *chosen.parameters, *(start or ()))
        return self._opened(statement, values)

    def _opened(self, statement: str, values: Sequence[Any]) -> sqlite3.Cursor:
        """A cursor that may outlive the call."""
        cursor = self._connection.execute(statement, values)
        self._cursors.append(cursor)
        return cursor

    def _nth(self, offset: int) -> tuple[int, int]:
        """The instant and the place of insertion of a row."""
        rows = ROWS.format(columns="at, seq", index=self._index, where=self._selection.where)
        at, seq = self._connection.execute(
            f"{rows} ORDER BY {self._terms} LIMIT 1 OFFSET ?", (*self._selection.parameters, offset)
        ).fetchone()
        return at, seq

    def _batches(self, cursor: sqlite3.Cursor, take: Callable[[list[Any]], int]) -> Iterator[int]:
        """What `take` makes of the rows, a page at a time, each in a turn of its own."""
        while True:
            with self._turns.turn():
                rows = self._page(cursor)
                if not rows:
                    return
                taken = take(rows)
            yield taken

    def _fetched(self, cursor: sqlite3.Cursor) -> Callable[[], list[Row]]:
        return lambda: self._page(cursor)

    def _page(self, cursor: sqlite3.Cursor) -> list[Any]:
        """In a turn, which others may have in between."""
        rows: list[Any] = []
        while len(rows) < PAGE_ROWS and (batch := cursor.fetchmany(BATCH_ROWS)):
            rows += batch
            self._turns.rest()
        return rows

    def _looked_up(self, seqs: sqlite3.Cursor) -> Callable[[], list[Row]]:
        def fetch() -> list[Row]:
            wanted = [seq for (seq,) in seqs.fetchmany(PAGE_ROWS)]
            rows = self._connection.execute(
                "SELECT seq, id, doc FROM measures WHERE seq IN (SELECT value FROM json_each(?))", (json.dumps(wanted),)
            )
            found = {seq: (1, id, doc) for seq, id, doc in rows}
            return [found[seq] for seq in wanted]

        return fetch

    @property
    def _index(self) -> str:
        return f"{self._selection.column}_{'down' if self._descending else 'up'}"

    @property
    def _terms(self) -> str:
        return "at DESC, seq" if self._descending else "at, seq"


class Pages(Iterator[Sequence[Measure]]):
    """Keeps no page: the client of a download may be slow, and downloads many.

    `rows`: what `fetch` gives until it gives none; `skip`, `size`: of those that match.
    """

    def __init__(self, fetch: Callable[[], list[Row]], turns: Turns, *, rows: int, skip: int, size: int | None) -> None:
        self._fetch = fetch
        self._turns = turns
        self._rows = rows
        self._skip = skip
        self._left = rows if size is None else size
        self._handed: float | None = None

    def __next__(self) -> Sequence[Measure]:
        if not self._left:
            raise StopIteration
        with self._turns.turn(slack_seconds=self._slack_seconds), unavailable():
            rows = self._fetch()
            self._rows -= len(rows)
            if rows:
                page = self._wanted(rows)
                self._handed = time.monotonic()
                return page
        if self._rows:
            raise StoreUnavailable(f"The embedded store lacks {self._rows} rows that its indexes count.")
        raise StopIteration

    @property
    def _slack_seconds(self) -> float:
        """Of a reader who took long over the last page."""
        return AT_ONCE if self._handed is None else min(time.monotonic() - self._handed, MOST_SLACK_SECONDS)

    def _wanted(self, rows: list[Row]) -> list[Measure]:
        found = [row for row in rows if row[0]]
        part = found[self._skip : self._skip + self._left]
        self._skip = max(0, self._skip - len(found))
        self._left -= len(part)
        ids, docs = unzipped(part)
        return odd.measures(ids, joined(docs), SOURCES)


def unzipped(rows: list[Row]) -> tuple[Sequence[Any], Sequence[str]]:
    """What stands for the id, and the documents."""
    _, names, docs = zip(*rows, strict=True) if rows else ((), (), ())
    return names, docs


def joined(docs: Iterable[str]) -> str:
    """As one JSON array: one call decodes them all."""
    return f"[{','.join(docs)}]"
