"""The caller's own order, made: rows are sorted in a temporary database, and kept as a list of their numbers.

The keys of half a million rows take some hundred megabytes of temporary file, while they are
sorted; few downloads of a process may do that at a time. What is kept for as long as a download
takes is eight bytes a row.
"""

import contextlib
import sqlite3
import tempfile
import time
from array import array
from collections.abc import Iterator, Sequence

from services.errors import Overloaded
from services.scheduling.cpu_turn import CpuShare
from services.scheduling.priority_semaphore import Busy, PrioritySemaphore
from services.scheduling.tick import Tick
from services.stores.sqlite.order import Order
from services.stores.sqlite.watching import Watched

#: Sorts of a process under way at a time, seconds that another waits for its permit, and between two looks whether its
#: client still does.
MOST_SORTS, LONGEST_WAIT_SECONDS, LOOK_SECONDS = 4, 30.0, 0.5

#: Bytes of pages that a sort keeps in memory; beyond, its file is on disk.
CACHE = 2 * 1024 * 1024

#: Steps of SQLite between two looks at the clock: less than a millisecond.
STEPS = 2000

#: Rows of which the numbers are taken at a time.
BATCH_ROWS = 1000

TABLE = "CREATE TABLE sorted ({columns}, seq INTEGER, PRIMARY KEY ({terms})) WITHOUT ROWID"
INSERT = "INSERT INTO sorted VALUES ({marks})"
IN_ORDER = "SELECT seq FROM sorted ORDER BY {terms} LIMIT ? OFFSET ?"


@contextlib.contextmanager
def permit(semaphore: PrioritySemaphore, cpu: CpuShare) -> Iterator[None]:
    """Hold a permit to sort. Raises `Overloaded` when none gets free in time, and `ClientLeft`."""
    asked = time.monotonic()
    while not entered(semaphore, asked):
        cpu.check()
        if time.monotonic() > asked + LONGEST_WAIT_SECONDS:
            raise Overloaded(f"{MOST_SORTS} exports are being sorted already. Try again later.")
    try:
        yield
    finally:
        semaphore.leave()


def entered(semaphore: PrioritySemaphore, asked: float) -> bool:
    """Enter in the order in which each has first asked, however often it does."""
    try:
        semaphore.enter(due=asked, wait_seconds=LOOK_SECONDS)
    except Busy:
        return False
    return True


class Sorter:
    """Sorts in a temporary database; `look` is called within its statements."""

    def __init__(self, order: Order, look: Tick) -> None:
        self._order = order
        self._look = look
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._watched = Watched(self._connection, look)
        self._watched.every(STEPS)
        for statement in (f"PRAGMA cache_size = -{CACHE // 1024}", "PRAGMA journal_mode = OFF", "BEGIN"):
            self._connection.execute(statement)
        self._connection.execute(TABLE.format(columns=", ".join(order.columns), terms=order.terms))
        self._insert = INSERT.format(marks=", ".join("?" * (len(order.columns) + 1)))

    def add(self, seqs: Sequence[int], documents: str) -> None:
        """Add rows by their numbers, with a JSON array of their documents. Raises what `look` raises."""
        keys = zip(self._order.of(documents, self._look), seqs, strict=True)
        with self._watched.running():
            self._connection.executemany(self._insert, ((*values, seq) for values, seq in keys))

    def sorted(self, *, offset: int, size: int | None) -> "RowNumbers":
        """Return the numbers of rows from `offset` on, `size` at most. Raises what `look` raises."""
        found = RowNumbers()
        try:
            with self._watched.running():
                limits = (-1 if size is None else size, offset)
                cursor = self._connection.execute(IN_ORDER.format(terms=self._order.terms), limits)
                while rows := cursor.fetchmany(BATCH_ROWS):
                    found.add(seq for (seq,) in rows)
                    self._look()
        except BaseException:
            found.close()
            raise
        return found

    def close(self) -> None:
        self._connection.close()


class RowNumbers:
    """Keeps numbers of rows (`seq`), in order, in a file that has no name."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed with the reading
        self._taken = 0
        self.rows = 0

    def add(self, seqs: Iterator[int]) -> None:
        """Add numbers at the end, before any is taken."""
        row_numbers = array("q", seqs)
        self._file.write(row_numbers)
        self.rows += len(row_numbers)

    def take(self, rows: int) -> "array[int]":
        """Return the next so many numbers; none at the end."""
        found = array("q")
        self._file.seek(self._taken * found.itemsize)
        found.frombytes(self._file.read(rows * found.itemsize))
        self._taken += len(found)
        return found

    def close(self) -> None:
        self._file.close()
